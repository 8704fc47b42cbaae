"""Large things that move as a whole: a door, a robot vacuum."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from sensing.simulation.baseband.room_images import Array
from sensing.simulation.baseband.scatterers import BODY_HZ, minimum_jerk, presence_ramp, strength
from sensing.simulation.baseband.scene_nuisances import Door, Vacuum
from sensing.simulation.baseband.walking import Route

_DOOR_M2 = 0.8
_DOOR_POINTS = (5, 6)
_DOOR_HEIGHT_M = 2.0
_DOOR_FLOOR = 0.05
_VACUUM_M2 = 0.06
_VACUUM_RADIUS_M = 0.17
_VACUUM_POINTS = 6


class SwingingDoor:
    """A plate on its hinge; it flashes when its normal looks at the hub."""

    highest_hz = BODY_HZ
    begins, ends = -math.inf, math.inf

    def __init__(self, door: Door, *, seen_from: Array) -> None:
        self._door = door
        self._seen_from = seen_from
        turn = math.radians(door.opens_degrees)
        self.swing_seconds = abs(turn) * door.width_m / 2 / door.speed_mps
        along = (np.arange(_DOOR_POINTS[0]) + 0.5) / _DOOR_POINTS[0] * door.width_m
        heights = (np.arange(_DOOR_POINTS[1]) + 0.5) / _DOOR_POINTS[1] * _DOOR_HEIGHT_M
        self._along, self._heights = (axis.ravel() for axis in np.meshgrid(along, heights))
        self._strength = float(strength(_DOOR_M2 / len(self._along)))

    def at(self, seconds: Array) -> tuple[Array, Array]:
        """Return positions and strengths; see `Scatterers`."""
        door = self._door
        share = minimum_jerk((seconds - door.at) / self.swing_seconds)
        if door.until is not None:
            share = share - minimum_jerk((seconds - door.until) / self.swing_seconds)
        angle = np.radians(door.closed_degrees + door.opens_degrees * share)
        points = np.empty((len(self._along), len(seconds), 3))
        points[..., 0] = door.hinge_m[0] + self._along[:, None] * np.cos(angle)
        points[..., 1] = door.hinge_m[1] + self._along[:, None] * np.sin(angle)
        points[..., 2] = self._heights[:, None]
        sight = self._seen_from - points
        sight /= np.linalg.norm(sight, axis=2, keepdims=True)
        facing = np.abs(-sight[..., 0] * np.sin(angle) + sight[..., 1] * np.cos(angle))
        return points, self._strength * (facing**3 + _DOOR_FLOOR)

    def is_moving(self, seconds: Array) -> NDArray[np.bool_]:
        """Return where the door swings, shape ``(n,)``."""
        door = self._door
        moving = (seconds >= door.at) & (seconds <= door.at + self.swing_seconds)
        if door.until is not None:
            moving |= (seconds >= door.until) & (seconds <= door.until + self.swing_seconds)
        return moving


class RobotVacuum:
    """A disc near the floor that drives from one random point to the next."""

    highest_hz = BODY_HZ

    def __init__(self, vacuum: Vacuum, *, ends: float, room_size: Array, chance: np.random.Generator) -> None:
        self.begins, self.ends = vacuum.at, vacuum.until if vacuum.until is not None else ends
        low, high = np.full(2, 0.3), room_size[:2] - 0.3
        corners = [tuple(chance.uniform(low, high))]
        metres = (self.ends - self.begins) * vacuum.speed_mps
        while metres > 0:
            corners.append(tuple(chance.uniform(low, high)))
            metres -= math.dist(*corners[-2:])
        corners.append(tuple(chance.uniform(low, high)))
        self._route = Route(corners, begins=self.begins, speed_mps=vacuum.speed_mps)
        angles = 2 * math.pi * np.arange(_VACUUM_POINTS) / _VACUUM_POINTS
        rim = zip(np.cos(angles), np.sin(angles), itertools.cycle([0.04, 0.08]), strict=False)
        self._rim = np.array(list(rim)) * [_VACUUM_RADIUS_M, _VACUUM_RADIUS_M, 1.0]
        self._strength = float(strength(_VACUUM_M2 / _VACUUM_POINTS))

    def at(self, seconds: Array) -> tuple[Array, Array]:
        """Return positions and strengths; see `Scatterers`."""
        points = np.repeat(self._rim[:, None], len(seconds), axis=1)
        points[..., :2] += self._route.place(seconds)
        there = presence_ramp(seconds, self.begins, self.ends)
        return points, np.repeat(self._strength * there[None], len(points), axis=0)
