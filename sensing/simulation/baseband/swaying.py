"""What hangs or stands and sways: curtains and plants."""

from __future__ import annotations

import math

import numpy as np

from sensing.simulation.baseband.room_images import Array
from sensing.simulation.baseband.scatterers import presence_ramp, strength
from sensing.simulation.baseband.scene_nuisances import Curtain, Plant

_CURTAIN_POINTS = 30
_CURTAIN_M2 = 0.4
_CURTAIN_WAVE_M = 0.6
_LEAVES = 20
_PLANT_M2 = 0.08


class SwayingCurtain:
    """Thirty points along a curtain in which a wave travels, with a slowly changing swing."""

    oversampling = 1

    def __init__(self, curtain: Curtain, *, ends: float, chance: np.random.Generator) -> None:
        self._curtain = curtain
        self._ends = curtain.until if curtain.until is not None else ends
        begin, end = np.array(curtain.from_m), np.array(curtain.to_m)
        along = end - begin
        self._length_m = float(np.linalg.norm(along))
        self._out = np.array([-along[1], along[0], 0.0]) / max(self._length_m, 1e-6)
        self._share = np.linspace(0, 1, _CURTAIN_POINTS)
        self._points = np.empty((_CURTAIN_POINTS, 3))
        self._points[:, :2] = begin + self._share[:, None] * along
        self._points[:, 2] = chance.uniform(0.2, 1.8, _CURTAIN_POINTS)
        self._points += self._out * chance.uniform(-0.03, 0.03, (_CURTAIN_POINTS, 1))
        shares = chance.dirichlet(np.full(_CURTAIN_POINTS, 2.0))
        self._strengths = strength(_CURTAIN_M2 * shares)
        self._phase = chance.uniform(0, 2 * math.pi, 2)

    def at(self, seconds: Array) -> tuple[Array, Array]:
        """Return positions and strengths; see `Scatterers`."""
        curtain = self._curtain
        gate = presence_ramp(seconds, curtain.at, self._ends, 1.0)
        turns = 2 * math.pi * seconds
        swell = 0.65 + 0.35 * np.sin(0.07 * turns + self._phase[0])
        wave = curtain.sway_hz * turns - (
            2 * math.pi * self._share[:, None] * self._length_m / _CURTAIN_WAVE_M
        )
        low = np.clip(1 - self._points[:, 2:] / 2.2, 0.1, 1)  # the hem moves, the rail does not
        way = curtain.sway_m * low * gate * swell * np.sin(wave + self._phase[1])
        points = self._points[:, None] + way[..., None] * self._out
        return points, np.repeat(self._strengths[:, None], len(seconds), axis=1)


class SwayingPlant:
    """Twenty leaves that tremble at 0.8 to 2.5 Hz in gusts."""

    oversampling = 1

    def __init__(self, plant: Plant, *, ends: float, chance: np.random.Generator) -> None:
        self._plant = plant
        self._ends = plant.until if plant.until is not None else ends
        self._points = np.array(plant.position_m) + chance.normal(0, 0.2, (_LEAVES, 3))
        self._ways = chance.normal(0, 1, (_LEAVES, 3))
        self._ways /= np.linalg.norm(self._ways, axis=1, keepdims=True)
        self._hz = chance.uniform(0.8, 2.5, (_LEAVES, 1))
        self._sizes = plant.sway_m * chance.uniform(0.2, 2.4, (_LEAVES, 1))
        self._phases = chance.uniform(0, 2 * math.pi, (_LEAVES, 1))
        self._strengths = strength(np.full(_LEAVES, _PLANT_M2 / _LEAVES))

    def at(self, seconds: Array) -> tuple[Array, Array]:
        """Return positions and strengths; see `Scatterers`."""
        gate = presence_ramp(seconds, self._plant.at, self._ends, 1.0)
        turns = 2 * math.pi * seconds
        gusts = 0.5 + 0.5 * np.sin(0.11 * turns + self._phases[0])
        way = self._sizes * gate * gusts * np.sin(self._hz * turns + self._phases)
        points = self._points[:, None] + way[..., None] * self._ways[:, None]
        return points, np.repeat(self._strengths[:, None], len(seconds), axis=1)
