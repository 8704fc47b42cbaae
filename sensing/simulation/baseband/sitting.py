"""Somebody who sits: breath, sway, and now and then a gesture."""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sensing.simulation.baseband.body import PARTS, Body
from sensing.simulation.baseband.room_images import Array
from sensing.simulation.baseband.scatterers import BODY_HZ, minimum_jerk, presence_ramp

KINDS = ("reach", "page", "typing", "lean", "head")
_SHARES = {
    "reach": {"hand_right": 1.0, "forearm_right": 0.7, "arm_right": 0.35, "chest": 0.08, "head": 0.08},
    "page": {"hand_left": 1.0, "forearm_left": 0.5},
    "typing": {"hand_left": 1.0, "hand_right": -0.8, "forearm_left": 0.3, "forearm_right": -0.25},
    "lean": {"head": 1.0, "chest": 0.8, "belly": 0.4, "arm_left": 0.8, "arm_right": 0.8},
    "head": {"head": 1.0},
}
"""How far each part goes along with a gesture."""
_LONGEST_SECONDS = 10.0
"""No gesture lasts longer."""
_SEAT_DROP = 0.24
"""How much of the height is lost by sitting down."""


class SittingBody:
    """A body on a chair.

    Parameters
    ----------
    seat : (x, y)
        Metres.
    facing : float
        Radians.
    begins, ends : float
        Seconds.
    gestures : sequence of (at, kind)
        Given gestures; others come at random, ``gestures_per_minute``.
    """

    highest_hz = BODY_HZ

    def __init__(
        self,
        seat: tuple[float, float],
        facing: float,
        *,
        begins: float,
        ends: float,
        height_m: float,
        chance: np.random.Generator,
        gestures: Sequence[tuple[float, str]] = (),
        gestures_per_minute: float = 0.0,
        breaths_hz: float = 0.26,
        breath_m: float = 0.0028,
    ) -> None:
        self.begins, self.ends = begins - 0.15, ends + 0.15
        self._seated = begins, ends
        self._seat, self._facing = np.array(seat), facing
        self._body = Body(height_m, chance)
        self._rest = self._body.rest.copy()
        self._rest[:, 2] = np.maximum(self._rest[:, 2] - _SEAT_DROP * height_m, 0.05)
        for row, name in enumerate(PARTS):
            if name.split("_")[0] in ("forearm", "hand", "shank", "foot"):
                self._rest[row, 0] += 0.35
        self._breath = (breaths_hz, breath_m)
        self._sway_hz = chance.uniform(0.1, 0.5, 3)
        self._phases = chance.uniform(0, 2 * math.pi, 4)
        count = chance.poisson(gestures_per_minute * max(ends - begins, 0) / 60)
        times = chance.uniform(begins, max(ends, begins), count)
        drawn = [
            (float(at), KINDS[number]) for at, number in zip(times, chance.integers(0, 5, count), strict=True)
        ]
        self.gestures = [_Gesture(at, kind, chance) for at, kind in sorted([*gestures, *drawn])]

    def at(self, seconds: Array) -> tuple[Array, Array]:
        """Return positions and strengths; see `Scatterers`."""
        there = presence_ramp(seconds, self.begins, self.ends)
        strengths = self._body.strengths[:, None] * there
        parts = np.repeat(self._rest[:, None], len(seconds), axis=1)
        turns = 2 * math.pi * seconds
        breaths_hz, breath_m = self._breath
        breath = breath_m / 2 * np.sin(breaths_hz * turns + self._phases[3])
        sway = 0.0015 * np.sin(self._sway_hz[:, None] * turns + self._phases[:3, None]).mean(axis=0)
        parts[0, :, 0] += breath
        parts[1, :, 0] += 0.7 * breath
        parts[:6, :, 0] += sway
        low = bisect(self.gestures, float(seconds[0]) - _LONGEST_SECONDS, key=_begin)
        high = bisect(self.gestures, float(seconds[-1]), key=_begin)
        for gesture in self.gestures[low:high]:
            way = gesture.way(seconds)
            for name, share in _SHARES[gesture.kind].items():
                parts[PARTS.index(name)] += share * way[:, None] * gesture.direction
        feet = np.repeat(self._seat[None], len(seconds), axis=0)
        return self._body.points(parts, feet, np.full(len(seconds), self._facing)), strengths

    def is_moving(self, seconds: Array) -> NDArray[np.bool_]:
        """Return where a gesture moves something, shape ``(n,)``; breath, sway and pauses are stillness."""
        moving = np.zeros(len(seconds), bool)
        for gesture in self.gestures:
            moving |= gesture.is_moving(seconds)
        begins, ends = self._seated
        return moving & (seconds >= begins) & (seconds <= ends)


def _begin(gesture: _Gesture) -> float:
    return gesture.begins


class _Gesture:
    """One gesture: out along a minimum-jerk way, a pause, and back; typing is a 6 Hz tremble."""

    def __init__(self, at: float, kind: str, chance: np.random.Generator) -> None:
        self.begins, self.kind = at, kind
        size_m, way_seconds, pause = {
            "reach": (chance.uniform(0.3, 0.55), chance.uniform(0.6, 1.1), chance.uniform(0.3, 1.5)),
            "page": (chance.uniform(0.2, 0.3), chance.uniform(0.4, 0.6), 0.0),
            "typing": (chance.uniform(0.004, 0.008), chance.uniform(1.5, 4.0), 0.0),
            "lean": (chance.uniform(0.1, 0.25), chance.uniform(0.8, 1.5), chance.uniform(1.0, 5.0)),
            "head": (chance.uniform(0.03, 0.07), chance.uniform(0.3, 0.6), chance.uniform(0.5, 2.0)),
        }[kind]
        self._size_m, self._way_seconds, self._pause = size_m, way_seconds, pause
        self.ends = at + 2 * way_seconds + pause
        aside = chance.uniform(-0.5, 0.5) if kind != "head" else 2.0
        direction = np.array([1.0, aside, chance.uniform(-0.2, 0.4)])
        self.direction = direction / np.linalg.norm(direction)

    def is_moving(self, seconds: Array) -> NDArray[np.bool_]:
        """Return where it is on its way out or back, shape ``(n,)``."""
        since = seconds - self.begins
        paused = np.abs(since - self._way_seconds - self._pause / 2) < self._pause / 2
        return (since >= 0) & (seconds <= self.ends) & ~paused

    def way(self, seconds: Array) -> Array:
        """Return the metres along the gesture's direction, shape ``(n,)``."""
        since = seconds - self.begins
        if self.kind == "typing":
            gate = presence_ramp(seconds, self.begins, self.ends)
            return self._size_m * gate * np.sin(2 * math.pi * 6.0 * since)
        out = minimum_jerk(since / self._way_seconds)
        back = minimum_jerk((since - self._way_seconds - self._pause) / self._way_seconds)
        return self._size_m * (out - back)
