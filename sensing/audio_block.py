"""One block of audio, numbered by the sound card's frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.float32]
"""Samples of shape ``(channels, frames)``, float32, full scale is +-1."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AudioBlock:
    """What the microphones heard in one tick, and what the speakers played.

    Arrays are channels first, float32 and read-only, so that lanes can share them.

    Attributes
    ----------
    first_frame : int
        Frame number of the first instant, counted by the sound card from zero.
    rate_hz : int
        Frames per second of both arrays.
    capture : Block
        Shape ``(microphones, frames)``.
    reference : Block
        Shape ``(speakers, frames)``: exactly what was written to the speakers at these frames.
    """

    first_frame: int
    rate_hz: int
    capture: Block
    reference: Block

    def __post_init__(self) -> None:
        self.capture.setflags(write=False)
        self.reference.setflags(write=False)

    @property
    def frames(self) -> int:
        """Number of instants in the block."""
        return int(self.capture.shape[1])

    @property
    def end_frame(self) -> int:
        """Frame number just after the block."""
        return self.first_frame + self.frames

    @property
    def start_seconds(self) -> float:
        """Time of the first instant on the audio clock."""
        return self.first_frame / self.rate_hz

    def follows(self, previous: Self | None) -> bool:
        """Return whether no frame is missing between ``previous`` and this block."""
        return previous is None or self.first_frame == previous.end_frame
