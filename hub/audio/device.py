"""The seam for sound devices: one duplex stream, one clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sensing.audio_block import Block


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFormat:
    """Shape of a duplex stream."""

    rate_hz: int
    microphones: int
    speakers: int
    block_frames: int
    """Frames of one tick; 10 ms is usual."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardReport:
    """A sound card's word on when a frame is heard.

    Attributes
    ----------
    frame : int
        Counted as they are written; the first of a stream is 0.
    heard_at_seconds : float
        By ``time.monotonic``.
    """

    frame: int
    heard_at_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Captured:
    """Microphone samples of one tick, numbered by the device.

    ``reference`` is what the device played at these same frames, where the device knows it
    (a recording has silence unless a reference file is given).
    """

    first_frame: int
    capture: Block
    reference: Block
    lost_frames: int = 0
    """Frames lost just before this block (xrun, or a jump of the card's clock)."""
    unplayed_frames: int = 0
    """Frames of silence that were played just before this block because nothing was there to play."""
    report: CardReport | None = None
    """What the card has said since the last block about what was written to it; None for nothing."""


class AudioStream(Protocol):
    """An open duplex stream; all methods are called from the audio engine's thread."""

    format: AudioFormat

    def read(self) -> Captured | None:
        """Return the next tick of microphone samples; None at the end of a recording.

        Blocks until a sound card has it; a file or simulated room returns at once.
        """

    def write(self, block: Block) -> None:
        """Queue one tick for the speakers, shape ``(speakers, block_frames)``."""

    def close(self) -> None:
        """Release the device."""


class AudioDevice(Protocol):
    """Something that can be opened as a duplex stream."""

    name: str

    def open(self) -> AudioStream:
        """Open the stream.

        Raises
        ------
        hub.errors.Degraded
            The device is missing or refuses the format; the hint says what to do.
        """
