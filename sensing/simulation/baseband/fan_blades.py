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
_MOST_OVERSAMPLING = 8


class FanBlades:
    """The points of a fan's blades.

    Parameters
    ----------
    seen_from : Array
        Shape ``(3,)``: where the hub stands; the flash depends on its direction.
    wavelength_m, baseband_hz : float
        Fix how finely the tips' Doppler shift has to be sampled.
    """

    def __init__(
        self, fan: Fan, *, ends: float, seen_from: Array, wavelength_m: float, baseband_hz: int
    ) -> None:
        self._fan = fan
        self._ends = fan.until if fan.until is not None else ends
        tip_hz = 2 * (2 * math.pi * fan.radius_m * fan.rpm / 60) / wavelength_m
        # Nyquist of the tips' shift, and a quarter more for the amplitude's flashes
        self.oversampling = min(_MOST_OVERSAMPLING, max(2, math.ceil(2.5 * tip_hz / baseband_hz)))
        self._centre = np.array(fan.position_m)
        sight = seen_from - self._centre
        self._sight = sight / np.linalg.norm(sight)
        self._blades = np.arange(fan.blades) * 2 * math.pi / fan.blades
        self._size = float(strength(_BLADE_M2 / len(_RADII)))

    def at(self, seconds: Array) -> tuple[Array, Array]:
        """Return positions and strengths; see `Scatterers`."""
        fan = self._fan
        there = presence_ramp(seconds, fan.at, self._ends, 1.0)
        swing = math.radians(fan.oscillation_degrees) * np.sin(2 * math.pi * fan.oscillation_hz * seconds)
        facing = math.radians(fan.facing_degrees) + swing
        zero = np.zeros_like(facing)
        axis = np.stack([np.cos(facing), np.sin(facing), zero], axis=1)
        aside = np.stack([-np.sin(facing), np.cos(facing), zero], axis=1)
        angle = self._blades[:, None] + 2 * math.pi * fan.rpm / 60 * seconds
        radial = np.cos(angle)[..., None] * aside
        radial[..., 2] += np.sin(angle)
        tangent = -np.sin(angle)[..., None] * aside
        tangent[..., 2] += np.cos(angle)
        normal = math.cos(_PITCH) * axis + math.sin(_PITCH) * tangent
        flash = np.abs(normal @ self._sight) ** _FLASH_POWER + _FLOOR
        points = self._centre + fan.radius_m * _RADII[:, None, None, None] * radial
        strengths = np.broadcast_to(self._size * flash * there, (len(_RADII), *flash.shape))
        return points.reshape(-1, len(seconds), 3), strengths.reshape(-1, len(seconds))
