"""A fan: blades that flash, on a head that may turn."""

from __future__ import annotations

import math

import numpy as np

from sensing.simulation.baseband.room_images import Array
from sensing.simulation.baseband.scatterers import presence_ramp, strength
from sensing.simulation.baseband.scene_nuisances import Fan

_RADII = np.array([0.4, 0.6, 0.8, 0.95])
_BLADE_M2 = 0.02
_PITCH = math.radians(30)
_FLASH_POWER = 3
"""Of the amplitude: a blade reflects like ``|n . line of sight|^6`` in energy."""
_FLOOR = 0.05
_WANDER_SECONDS = np.array([11.0, 23.0, 41.0])
"""Periods in which load and supply change a motor's speed."""


class FanBlades:
    """The points of a fan's blades: the crank is one pitch of the blades, the lever the head.

    Parameters
    ----------
    seen_from : Array
        Shape ``(3,)``: where the hub stands; the flash depends on its direction.
    chance : Generator
        How the speed wanders.
    """

    parts = 1

    def __init__(
        self, fan: Fan, *, ends: float, seen_from: Array, wavelength_m: float, chance: np.random.Generator
    ) -> None:
        self._fan = fan
        self.begins, self.ends = fan.at, fan.until if fan.until is not None else ends
        self.crank_hz = fan.blades * fan.rpm / 60
        reach = 4 * math.pi * fan.radius_m / wavelength_m
        self.highest_hz = reach * fan.rpm / 60
        self.crank_radians = reach / fan.blades
        turns_head = fan.oscillation_hz > 0
        self.lever_radians = reach * math.radians(fan.oscillation_degrees) if turns_head else 0.0
        self._centre = np.array(fan.position_m)
        sight = seen_from - self._centre
        self._sight = sight / np.linalg.norm(sight)
        self._blades = np.arange(fan.blades) * 2 * math.pi / fan.blades
        self._size = float(strength(_BLADE_M2 / len(_RADII)))
        self._wander_phases = chance.uniform(0, 2 * math.pi, len(_WANDER_SECONDS))

    def at(self, seconds: Array) -> tuple[Array, Array]:
        """Return positions and strengths; see `Scatterers`."""
        crank, lever = self.phases(seconds)
        points, strengths = self.pose(crank[0], np.sin(2 * math.pi * lever[0]))
        return points, strengths * self.presence(seconds)

    def phases(self, seconds: Array) -> tuple[Array, Array]:
        """Return blade pitches and swings of the head; see `Mechanism`."""
        fan = self._fan
        # the integral of a speed that swings by wander_percent, root mean square, around the nominal
        swing = 0.01 * fan.wander_percent * math.sqrt(2 / len(_WANDER_SECONDS))
        lead = swing * _WANDER_SECONDS / (2 * math.pi)
        turns = 2 * math.pi * seconds / _WANDER_SECONDS[:, None] + self._wander_phases[:, None]
        crank = self.crank_hz * (seconds + lead @ np.sin(turns))
        return crank[None], (fan.oscillation_hz * seconds)[None]

    def presence(self, seconds: Array) -> Array:
        """Return how much of the fan is there; see `Mechanism`."""
        return presence_ramp(seconds, self.begins, self.ends, 1.0)

    def pose(self, crank: Array, lever: Array) -> tuple[Array, Array]:
        """Return positions and strengths; see `Mechanism`."""
        fan = self._fan
        facing = math.radians(fan.facing_degrees) + math.radians(fan.oscillation_degrees) * lever
        zero = np.zeros_like(facing)
        axis = np.stack([np.cos(facing), np.sin(facing), zero], axis=1)
        aside = np.stack([-np.sin(facing), np.cos(facing), zero], axis=1)
        angle = self._blades[:, None] + 2 * math.pi * crank / fan.blades
        radial = np.cos(angle)[..., None] * aside
        radial[..., 2] += np.sin(angle)
        tangent = -np.sin(angle)[..., None] * aside
        tangent[..., 2] += np.cos(angle)
        normal = math.cos(_PITCH) * axis + math.sin(_PITCH) * tangent
        flash = np.abs(normal @ self._sight) ** _FLASH_POWER + _FLOOR
        points = self._centre + fan.radius_m * _RADII[:, None, None, None] * radial
        strengths = np.broadcast_to(self._size * flash, (len(_RADII), *flash.shape))
        return points.reshape(-1, len(crank), 3), strengths.reshape(-1, len(crank))
