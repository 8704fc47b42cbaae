"""What slowly changes about the static paths: the air grows warmer, somebody stands before a wall."""

from __future__ import annotations

import math

import numpy as np

from sensing.simulation.baseband.port import Phasors
from sensing.simulation.baseband.room_images import Array
from sensing.simulation.baseband.scene import RoomShape
from sensing.simulation.baseband.shadows import Shadows, knots_of
from sensing.simulation.baseband.static_paths import StaticPaths

_ZERO_CELSIUS_KELVIN = 273.15


class StaticChanges:
    """The static carrier now, less what it is in a room at rest.

    Sound goes faster in warmer air, by half the share of the absolute temperature, so that a path of delay
    ``tau`` turns by ``2 pi f tau dT / 2T``: each by its own length.

    Parameters
    ----------
    carrier_hz : float
        Whose phase drifts.
    """

    def __init__(self, paths: StaticPaths, shadows: Shadows, shape: RoomShape, *, carrier_hz: float) -> None:
        self._paths, self._shadows = paths, shadows
        self._drift_c, self._drift_seconds = shape.drift_c, shape.drift_seconds
        kelvin = shape.temperature_c + _ZERO_CELSIUS_KELVIN
        self._radians_a_kelvin = math.pi * carrier_hz * paths.delays_seconds / kelvin

    def process(self, seconds: Array) -> Phasors | None:
        """Return the change, shape ``(microphones, n)`` relative to the emission, or None for none."""
        changes = [self._warmed(seconds)] if self._drift_c else []
        for place, phasors in self._paths.walls:
            gain = self._shadows.over_place(place, seconds)
            if gain is not None:
                changes.append(phasors[:, None] * (gain - 1).astype(np.float32))
        return sum(changes[1:], changes[0]) if changes else None

    def _warmed(self, seconds: Array) -> Phasors:
        knots = knots_of(seconds)
        warmer_c = self._drift_c * np.sin(2 * math.pi * knots / self._drift_seconds)
        changed = []
        for phasors, radians_a_kelvin in zip(self._paths.phasors, self._radians_a_kelvin, strict=True):
            turns = np.exp(1j * radians_a_kelvin[:, None] * warmer_c) - 1
            changed.append(np.interp(seconds, knots, phasors @ turns))
        return np.array(changed, np.complex64)
