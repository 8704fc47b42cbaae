"""Bodies on their way: people, pets, the neighbour."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sensing.simulation.baseband.body import Body, gait
from sensing.simulation.baseband.room_images import Array
from sensing.simulation.baseband.scatterers import BODY_HZ, presence_ramp

_GRID_HZ = 250
_ROUNDING_SECONDS = 0.4
"""People do not turn or stop at once: the path is smoothed by a Hann window of this length."""
_MOVES_MPS = 0.15
"""Slower is standing."""


class Route:
    """Where something on its way is, in time.

    Parameters
    ----------
    path : sequence of (x, y)
        Metres.
    begins : float
        Second at which it leaves the first point.
    stops : mapping
        Seconds of rest at points of the path, by their number.
    """

    def __init__(
        self,
        path: Sequence[tuple[float, float]],
        *,
        begins: float,
        speed_mps: float,
        stops: dict[int, float] | None = None,
    ) -> None:
        corners = np.asarray(path, float)
        legs = np.linalg.norm(np.diff(corners, axis=0), axis=1) / speed_mps
        times, places = [begins], [corners[0]]
        for number, corner in enumerate(corners):
            if number:
                times.append(times[-1] + legs[number - 1])
                places.append(corner)
            if stops and number in stops:
                times.append(times[-1] + stops[number])
                places.append(corner)
        self.begins, self.ends = begins, float(times[-1])
        margin = _ROUNDING_SECONDS
        self._grid = np.arange(begins - margin, self.ends + 2 * margin, 1 / _GRID_HZ)
        window = np.hanning(round(_ROUNDING_SECONDS * _GRID_HZ) + 2)[1:-1]
        window /= window.sum()
        rough = np.stack([np.interp(self._grid, times, np.array(places)[:, axis]) for axis in range(2)])
        padded = np.pad(rough, ((0, 0), (len(window) // 2, len(window) - 1 - len(window) // 2)), mode="edge")
        self._places = np.stack([np.convolve(row, window, mode="valid") for row in padded])
        velocity = np.gradient(self._places, 1 / _GRID_HZ, axis=1)
        self._speed = np.linalg.norm(velocity, axis=0)
        self._walked = np.cumsum(self._speed) / _GRID_HZ
        moves = self._speed > _MOVES_MPS / 2
        heading = np.unwrap(np.arctan2(velocity[1], velocity[0])[moves]) if moves.any() else np.zeros(1)
        times_moving = self._grid[moves] if moves.any() else self._grid[:1]
        self._heading = np.interp(self._grid, times_moving, heading)

    def place(self, seconds: Array) -> Array:
        """Return where it is, shape ``(n, 2)``."""
        return np.stack([np.interp(seconds, self._grid, row) for row in self._places], axis=1)

    def speed(self, seconds: Array) -> Array:
        """Return its speed in m/s, shape ``(n,)``."""
        speed: Array = np.interp(seconds, self._grid, self._speed, left=0.0, right=0.0)
        return speed

    def walked(self, seconds: Array) -> Array:
        """Return the metres walked so far, shape ``(n,)``."""
        walked: Array = np.interp(seconds, self._grid, self._walked)
        return walked

    def heading(self, seconds: Array) -> Array:
        """Return its direction in radians, shape ``(n,)``; who stands keeps the last one."""
        heading: Array = np.interp(seconds, self._grid, self._heading)
        return heading

    def is_moving(self, seconds: Array) -> NDArray[np.bool_]:
        """Return where it moves faster than 0.15 m/s, shape ``(n,)``."""
        moving: NDArray[np.bool_] = self.speed(seconds) > _MOVES_MPS
        return moving


class WalkingBody:
    """A body on a route; there from its beginning until ``leaves``.

    Parameters
    ----------
    gain : float
        1 in the room, less behind an open door.
    leaves : float
        Second at which it is gone.
    """

    highest_hz = BODY_HZ

    def __init__(
        self,
        route: Route,
        *,
        height_m: float,
        leaves: float,
        chance: np.random.Generator,
        gain: float = 1.0,
        has_limbs: bool = True,
    ) -> None:
        self.route = route
        self.begins, self.ends = route.begins - 0.1, leaves
        self._height_m = height_m
        self._gain = gain
        self._body = Body(height_m, chance, has_limbs=has_limbs)
        self._begin_phase = chance.uniform(0, 2 * math.pi)
        self._sways = chance.uniform(0, 2 * math.pi, 2)

    def at(self, seconds: Array) -> tuple[Array, Array]:
        """Return positions and strengths; see `Scatterers`."""
        route = self.route
        there = presence_ramp(seconds, self.begins, self.ends)
        strengths = self._gain * self._body.strengths[:, None] * there
        if not there.any():
            return np.zeros((len(strengths), len(seconds), 3)), strengths
        # one stride of both legs is 0.82 of the height, twice for the cycle
        cycle = self._begin_phase + 2 * math.pi * route.walked(seconds) / (0.82 * self._height_m)
        vigour = np.clip(route.speed(seconds), 0, 1.3)
        parts = gait(self._body, cycle, vigour, self._height_m)
        standing = 2 * math.pi * seconds
        parts[:4, :, 0] += 0.0015 * np.sin(0.31 * standing + self._sways[0])
        parts[:4, :, 0] += 0.0025 * np.sin(0.27 * standing + self._sways[1])
        return self._body.points(parts, route.place(seconds), route.heading(seconds)), strengths
