"""What reflects: points that move, each with a strength."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sensing.simulation.baseband.room_images import Array


class Scatterers(Protocol):
    """A group of points as a pure function of time, so that any stretch can be rendered alone.

    Attributes
    ----------
    oversampling : int
        The echo is computed at this multiple of the baseband's rate and then low-passed: 1 for whatever is
        slower than the baseband's band, more for a fan's blades.
    """

    oversampling: int

    def at(self, seconds: Array) -> tuple[Array, Array]:
        """Return positions ``(points, n, 3)`` in metres and strengths ``(points, n)``.

        A strength is ``sqrt(cross-section / 4 pi)``: the echo's amplitude at one metre of an amplitude of
        one (radar equation).
        """


def strength(square_metres: NDArray[np.float64] | float) -> Array:
    """Return the amplitude that a cross-section in square metres sends back: ``sqrt(sigma / 4 pi)``."""
    return np.sqrt(np.asarray(square_metres, float) / (4 * np.pi))


def presence_ramp(seconds: Array, begin: float, end: float, ramp: float = 0.3) -> Array:
    """Return a smooth gate: 0 outside ``begin`` to ``end``, 1 from ``begin + ramp`` to ``end - ramp``."""
    inside = np.minimum((seconds - begin) / ramp, (end - seconds) / ramp)
    gate: Array = 0.5 - 0.5 * np.cos(np.pi * np.clip(inside, 0, 1))
    return gate


def minimum_jerk(progress: Array) -> Array:
    """Return the way of a reaching hand for progress 0 to 1 (Flash and Hogan, J. Neuroscience 5, 1985)."""
    x = np.clip(progress, 0, 1)
    way: Array = x**3 * (10 - 15 * x + 6 * x**2)
    return way
