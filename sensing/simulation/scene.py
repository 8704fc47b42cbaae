"""What happens in a simulated room."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float, float]
"""Metres: x to the right, y away from the device, z up; the device is at the origin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A person who appears at the first point, walks along the path, and stays or leaves at its end.

    ``speed_mps`` is the speed of the body in metres per second.
    """

    start_seconds: float
    path: tuple[Point, ...]
    speed_mps: float = 1.0
    leaves: bool = True
    swings: bool = True
    """Arms and legs swing; without them the person is one rigid point, for checks against theory."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Voice:
    """Something said or heard in the room: mono samples at the scene's rate, from a point."""

    at_seconds: float
    samples: NDArray[np.float32]
    position: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A room for ``seconds``: who walks, who speaks, how noisy the microphones are."""

    rate_hz: int
    seconds: float
    microphones: int = 2
    walks: tuple[Walk, ...] = ()
    voices: tuple[Voice, ...] = field(default=())
    noise_dbfs: float = -80.0
    seed: int = 1
