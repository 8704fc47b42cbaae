"""What reflects: points that move, each with a strength."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sensing.simulation.baseband.room_images import Array

BODY_HZ = 400.0
"""Largest Doppler shift of limbs that is kept."""


class Scatterers(Protocol):
    """A group of points as a pure function of time, so that any stretch can be rendered alone.

    Attributes
    ----------
    highest_hz : float
        Largest Doppler shift; it fixes the rate at which the echo is computed (`inner_rate`).
    begins, ends : float
        Nothing is there before and after, in seconds.
    """

    highest_hz: float
    begins: float
    ends: float

    def at(self, seconds: Array) -> tuple[Array, Array]:
        """Return positions ``(points, n, 3)`` in metres and strengths ``(points, n)``.

        A strength is ``sqrt(cross-section / 4 pi)``: the echo's amplitude at one metre of an amplitude of
        one (radar equation).
        """


class Mechanism(Scatterers, Protocol):
    """Scatterers that repeat: a crank goes round and a lever to and fro, and nothing else moves.

    Where the points are depends on the two phases alone, so that the echo is a double Fourier series, and
    can be tabulated once (`TabulatedEcho`) however long the scene is.

    Attributes
    ----------
    parts : int
        1 when all points share the phases, else the number of points, each with phases of its own.
    crank_hz : float
        Turns of the crank in a second, nominally.
    crank_radians, lever_radians : float
        By how much each can shift the echo's phase either way: about the highest harmonic of the series.
    """

    parts: int
    crank_hz: float
    crank_radians: float
    lever_radians: float

    def pose(self, crank: Array, lever: Array) -> tuple[Array, Array]:
        """Return positions and strengths as `Scatterers.at` does, of the machine when it is fully there.

        Parameters
        ----------
        crank : Array
            Shape ``(n,)`` or ``(parts, n)``, turns.
        lever : Array
            The same shape, -1 to 1.
        """

    def phases(self, seconds: Array) -> tuple[Array, Array]:
        """Return crank and lever in turns, each ``(parts, n)``; the lever is at the sine of its phase."""

    def presence(self, seconds: Array) -> Array:
        """Return how much of the machine is there, 0 to 1, shape ``(n,)``."""


def is_absent(group: Scatterers, first: int, frames: int, rate_hz: int) -> bool:
    """Return whether nothing of a group is there in a stretch of frames."""
    return group.ends <= first / rate_hz or group.begins >= (first + frames) / rate_hz


def strength(square_metres: NDArray[np.float64] | float) -> Array:
    """Return the amplitude that a cross-section in square metres sends back: ``sqrt(sigma / 4 pi)``."""
    return np.sqrt(np.asarray(square_metres, float) / (4 * np.pi))


def presence_ramp(seconds: Array, begin: float, end: float, ramp: float = 0.3) -> Array:
    """Return a smooth gate: 0 outside ``begin`` to ``end``, 1 from ``begin + ramp`` to ``end - ramp``."""
    inside = np.minimum((seconds - begin) / ramp, (end - seconds) / ramp)
    gate: Array = (inside >= 1).astype(np.float64)
    # most stretches lie outside the ramps
    ramping = (inside > 0) & (inside < 1)
    if ramping.any():
        gate[ramping] = 0.5 - 0.5 * np.cos(np.pi * inside[ramping])
    return gate


def minimum_jerk(progress: Array) -> Array:
    """Return the way of a reaching hand for progress 0 to 1 (Flash and Hogan, J. Neuroscience 5, 1985)."""
    x = np.clip(progress, 0, 1)
    way: Array = x**3 * (10 - 15 * x + 6 * x**2)
    return way
