"""Play a sound and get what was heard of it, frame by frame."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

import numpy as np

from hub.audio.device import AudioDevice
from hub.errors import Degraded
from sensing.audio_block import AudioBlock, Block

_SETTLE_SECONDS = 0.5
"""Cards click when they start."""
_LONGEST_WAIT_SECONDS = 3.0
_TRY_AGAIN = "Close other programs that use much of the machine, and try again"


def _nothing(_seconds: float) -> None:
    return


class Measurement:
    """Hold a device open for sounds whose echoes are measured; use it in a ``with`` statement.

    Parameters
    ----------
    told : callable
        Called with the seconds that were read, after every tick.
    """

    def __init__(self, device: AudioDevice, *, told: Callable[[float], None] = _nothing) -> None:
        self._name = device.name
        self._told = told
        self._stream = device.open()
        self._rate_hz = self._stream.format.rate_hz

    def __enter__(self) -> Self:
        """Wait until the card has settled."""
        self.play(
            np.zeros((self._stream.format.speakers, round(_SETTLE_SECONDS * self._rate_hz)), np.float32)
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the device."""
        self._stream.close()

    def play(self, sound: Block) -> AudioBlock:
        """Play a sound and return its frames as they were played and heard.

        The device's buffers delay both alike; they are cut to the sound by the reference. Echoes come later:
        end the sound with enough silence.

        Parameters
        ----------
        sound : Block
            Shape ``(speakers, frames)``; all zeros to listen only.

        Raises
        ------
        Degraded
            The device ends, loses frames, or never plays the sound.
        """
        sounding = np.flatnonzero(sound.any(axis=0))
        lead = int(sounding[0]) if len(sounding) else 0
        frames = sound.shape[1]
        longest = frames + round(_LONGEST_WAIT_SECONDS * self._rate_hz)
        start = None if len(sounding) else 0
        heard: list[AudioBlock] = []
        at = 0
        while start is None or at < start + frames:
            block = self._tick(sound[:, at:], may_lose=start is None)
            played = np.flatnonzero(block.reference.any(axis=0))
            if start is None and len(played):
                start = at + int(played[0]) - lead
            heard.append(block)
            at += block.frames
            if start is None and at > longest:
                raise Degraded(f"The {self._name} does not tell what it plays", hint="Use a sound card")
        return self._cut(heard, max(start, 0), sound)

    def _tick(self, sound: Block, *, may_lose: bool) -> AudioBlock:
        """Read a tick and write as much of the rest of the sound."""
        captured = self._stream.read()
        if captured is None:
            raise Degraded(f"The {self._name} ended while it was measured", hint="Calibrate a sound card")
        if captured.lost_frames and not may_lose:
            raise Degraded(f"The {self._name} lost {captured.lost_frames} frames", hint=_TRY_AGAIN)
        frames = captured.capture.shape[1]
        due = sound[:, :frames]
        self._stream.write(np.pad(due, ((0, 0), (0, frames - due.shape[1]))))
        self._told(frames / self._rate_hz)
        return AudioBlock(
            first_frame=captured.first_frame,
            rate_hz=self._rate_hz,
            capture=captured.capture,
            reference=captured.reference,
        )

    def _cut(self, heard: list[AudioBlock], start: int, sound: Block) -> AudioBlock:
        """Return the frames of the sound.

        Raises
        ------
        Degraded
            What was played is not the sound: the card's buffer ran dry.
        """
        cut = slice(start, start + sound.shape[1])
        reference = np.concatenate([block.reference for block in heard], axis=1)[:, cut]
        capture = np.concatenate([block.capture for block in heard], axis=1)[:, cut]
        if not np.allclose(reference, sound, atol=1e-6):
            raise Degraded(f"The {self._name} left out a part of what it should play", hint=_TRY_AGAIN)
        return AudioBlock(
            first_frame=heard[0].first_frame + start,
            rate_hz=self._rate_hz,
            capture=capture,
            reference=reference,
        )
