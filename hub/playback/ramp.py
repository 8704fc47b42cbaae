"""Values that go to their target at a constant speed: what fades, volume and ducking are made of."""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import NDArray

_NEARLY = 1e-9
"""Rounding of a sum of steps; less than a step of the slowest ramp, and nothing in any signal."""


class Ramp:
    """Go to ``target`` frame by frame; any cut into blocks gives the same values.

    Parameters
    ----------
    value : float
        Where it stands at first.
    rise_frames, fall_frames : int
        Frames for a change of ``span`` up and down, at least 1.
    span : float
        The change that takes that long, above 0.
    """

    def __init__(self, value: float, *, rise_frames: int, fall_frames: int, span: float = 1.0) -> None:
        self.value = value
        self.target = value
        self._rise = span / max(1, rise_frames)
        self._fall = span / max(1, fall_frames)

    @property
    def frames_left(self) -> int:
        """Frames until the target is reached."""
        step = self._rise if self.target > self.value else self._fall
        return ceil(max(0.0, abs(self.target - self.value) / step - _NEARLY))

    def process(self, frames: int) -> NDArray[np.float64]:
        """Return the values of the next frames, the first one step from where it stands."""
        step = self._rise if self.target > self.value else -self._fall
        line: NDArray[np.float64] = self.value + step * np.arange(1, frames + 1, dtype=np.float64)
        line[max(0, self.frames_left - 1) :] = self.target
        if frames:
            self.value = float(line[-1])
        return line
