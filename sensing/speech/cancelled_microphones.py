"""Every microphone for itself, without what the loudspeakers play: for who compares them."""

from __future__ import annotations

import numpy as np

from sensing.audio_block import AudioBlock, Block
from sensing.dsp.resampler import Resampler
from sensing.speech.echo_canceller import BLOCK_FRAMES
from sensing.speech.playback_echo import PlaybackEcho
from sensing.speech.speech_stages import RATE_HZ

_PLAYED = 2
"""What all loudspeakers play alike, and what they play against each other."""


class CancelledMicrophones:
    """Take a stretch of sound apart, with what was learnt of the room in the stretches before.

    Parameters
    ----------
    microphones : int
        How many there are.
    rate_hz : int
        Rate of the sound.
    """

    def __init__(self, microphones: int, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._microphones = microphones
        self._echoes = [PlaybackEcho(_PLAYED) for _ in range(microphones)]
        self.begin()

    def begin(self) -> None:
        """Begin with a stretch that does not continue the last one; the room is still the same."""
        self._resamplers = [Resampler(self._rate_hz, RATE_HZ) for _ in range(self._microphones + _PLAYED)]
        self._rest = np.zeros((self._microphones + _PLAYED, 0), np.float32)
        for echo in self._echoes:
            echo.interrupt()

    def process(self, sound: Block) -> Block:
        """Return what the room said, shape ``(microphones, frames)`` at 16 kHz, as far as it is ready.

        Parameters
        ----------
        sound : Block
            Microphones and what was played, as `beside_playback` returns them.
        """
        ready = [one.process(row) for one, row in zip(self._resamplers, sound, strict=True)]
        rows = np.concatenate([self._rest, np.stack(ready)], axis=1)
        whole = rows.shape[1] // BLOCK_FRAMES * BLOCK_FRAMES
        self._rest = rows[:, whole:]
        near = np.empty((self._microphones, whole), np.float32)
        for first in range(0, whole, BLOCK_FRAMES):
            block = slice(first, first + BLOCK_FRAMES)
            for microphone, echo in enumerate(self._echoes):
                heard = rows[microphone, block]
                is_heard = echo.hears(rows[self._microphones :, block])
                near[microphone, block] = echo.process(heard)[0].near if is_heard else heard
        return near


def beside_playback(block: AudioBlock) -> Block:
    """Return the microphones, and below them the middle and the sides of what is played."""
    played = np.zeros((_PLAYED, block.frames), np.float32)
    if len(block.reference):
        played[0] = block.reference.mean(axis=0)
        signs = (-1.0) ** np.arange(len(block.reference), dtype=np.float32)
        played[1] = (signs[:, None] * block.reference).mean(axis=0) if len(signs) > 1 else 0
    return np.concatenate([block.capture, played])
