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
_LEAF_HZ = (0.8, 2.5)
_LEAF_SIZES = (0.2, 2.4)


class SwayingCurtain:
    """Thirty points along a curtain in which a wave travels, with a slowly changing swing.

    The crank is the wave, the lever its height: -1 hangs still, 1 is the full swing.
    """

    begins, ends = -math.inf, math.inf
    parts = 1

    def __init__(
        self, curtain: Curtain, *, ends: float, wavelength_m: float, chance: np.random.Generator
    ) -> None:
        self._curtain = curtain
        self._calm_from = curtain.until if curtain.until is not None else ends
        self.crank_hz = curtain.sway_hz
        self.crank_radians = 4 * math.pi * curtain.sway_m / wavelength_m
        self.lever_radians = self.crank_radians / 2
        self.highest_hz = self.crank_radians * curtain.sway_hz
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
        return self.pose(self._curtain.sway_hz * seconds, 2 * self._height(seconds) - 1)

    def phases(self, seconds: Array) -> tuple[Array, Array]:
        """Return the wave's phase and its height's; see `Mechanism`."""
        height = np.arcsin(2 * self._height(seconds) - 1) / (2 * math.pi)
        return (self._curtain.sway_hz * seconds)[None], height[None]

    def presence(self, seconds: Array) -> Array:
        """Return one: a curtain that hangs still is there too."""
        return np.ones_like(seconds)

    def pose(self, crank: Array, lever: Array) -> tuple[Array, Array]:
        """Return positions and strengths; see `Mechanism`."""
        wave = 2 * math.pi * (crank - self._share[:, None] * self._length_m / _CURTAIN_WAVE_M)
        low = np.clip(1 - self._points[:, 2:] / 2.2, 0.1, 1)  # the hem moves, the rail does not
        way = self._curtain.sway_m * low * (1 + lever) / 2 * np.sin(wave + self._phase[1])
        points = self._points[:, None] + way[..., None] * self._out
        return points, np.repeat(self._strengths[:, None], len(crank), axis=1)

    def _height(self, seconds: Array) -> Array:
        swell: Array = 0.65 + 0.35 * np.sin(0.07 * 2 * math.pi * seconds + self._phase[0])
        return swell * presence_ramp(seconds, self._curtain.at, self._calm_from, 1.0)


class SwayingPlant:
    """Twenty leaves that tremble at 0.8 to 2.5 Hz in gusts; each is a part with a lever of its own."""

    begins, ends = -math.inf, math.inf
    parts = _LEAVES
    crank_hz = crank_radians = 0.0

    def __init__(
        self, plant: Plant, *, ends: float, wavelength_m: float, chance: np.random.Generator
    ) -> None:
        self._plant = plant
        self._calm_from = plant.until if plant.until is not None else ends
        self.lever_radians = 4 * math.pi * plant.sway_m * _LEAF_SIZES[1] / wavelength_m
        self.highest_hz = self.lever_radians * _LEAF_HZ[1]
        self._points = np.array(plant.position_m) + chance.normal(0, 0.2, (_LEAVES, 3))
        self._ways = chance.normal(0, 1, (_LEAVES, 3))
        self._ways /= np.linalg.norm(self._ways, axis=1, keepdims=True)
        self._hz = chance.uniform(*_LEAF_HZ, (_LEAVES, 1))
        self._sizes = plant.sway_m * chance.uniform(*_LEAF_SIZES, (_LEAVES, 1))
        self._phases = chance.uniform(0, 2 * math.pi, (_LEAVES, 1))
        self._strengths = strength(np.full(_LEAVES, _PLANT_M2 / _LEAVES))

    def at(self, seconds: Array) -> tuple[Array, Array]:
        """Return positions and strengths; see `Scatterers`."""
        return self.pose(np.zeros_like(seconds), self._levers(seconds))

    def phases(self, seconds: Array) -> tuple[Array, Array]:
        """Return no crank and the levers; see `Mechanism`."""
        levers = self._levers(seconds)
        return np.zeros_like(levers), np.arcsin(levers) / (2 * math.pi)

    def presence(self, seconds: Array) -> Array:
        """Return one: leaves that hang still are there too."""
        return np.ones_like(seconds)

    def pose(self, crank: Array, lever: Array) -> tuple[Array, Array]:
        """Return positions and strengths; see `Mechanism`."""
        way = self._sizes * lever
        points = self._points[:, None] + way[..., None] * self._ways[:, None]
        return points, np.repeat(self._strengths[:, None], len(crank), axis=1)

    def _levers(self, seconds: Array) -> Array:
        gate = presence_ramp(seconds, self._plant.at, self._calm_from, 1.0)
        turns = 2 * math.pi * seconds
        gusts = 0.5 + 0.5 * np.sin(0.11 * turns + self._phases[0])
        levers: Array = gate * gusts * np.sin(self._hz * turns + self._phases)
        return levers
