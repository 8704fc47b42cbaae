"""What is nobody in the scenes of `presence_scenes`: drawn at random, each split from its own ranges."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sensing.simulation.baseband.scene_faults import Dropouts, Fault, Keys, Line, Music, OtherHub
from sensing.simulation.baseband.scene_nuisances import (
    Curtain,
    Door,
    Fan,
    Hvac,
    Neighbour,
    Nuisance,
    Pet,
    Plant,
    Vacuum,
)

Split = Literal["train", "dev", "test"]
Chance = np.random.Generator
Range = tuple[float, float]
Floor = tuple[float, float]

FANS: dict[Split, tuple[tuple[Range, Range, tuple[int, ...]], ...]] = {
    # radius in metres, revolutions a minute, blades
    "train": (
        ((0.15, 0.22), (500, 1_300), (3, 4, 5)),  # pedestal
        ((0.20, 0.26), (700, 1_500), (5, 6)),  # box
        ((0.50, 0.70), (60, 200), (3, 4)),  # ceiling
    ),
    "dev": (((0.12, 0.15), (900, 1_700), (3, 5)), ((0.26, 0.30), (400, 900), (3, 4))),
    "test": (
        ((0.08, 0.12), (1_200, 2_400), (3, 4, 5)),  # desk
        ((0.05, 0.07), (800, 1_600), (8, 9)),  # tower
        ((0.30, 0.40), (250, 700), (3, 5)),  # drum
    ),
}
CURTAIN_HZ: dict[Split, tuple[Range, ...]] = {
    "train": ((0.2, 0.45), (0.6, 0.9)),
    "dev": ((0.45, 0.5),),
    "test": ((0.5, 0.6),),
}
BEATS_PER_MINUTE: dict[Split, tuple[Range, ...]] = {
    "train": ((70, 96), (120, 150)),
    "dev": ((96, 102),),
    "test": ((104, 118), (152, 170)),
}
NUISANCES = (
    "quiet",
    "fan",
    "oscillating_fan",
    "curtain",
    "hvac",
    "plant",
    "music",
    "neighbour",
    "interferer",
    "dropouts",
    "pet",
    "door",
    "vacuum",
)
"""What may move or disturb besides people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where a scene takes place.

    Attributes
    ----------
    size_m, hub_m : tuple of float
        The room's corner and the device, metres.
    chance : Generator
        Of this scene alone.
    """

    split: Split
    chance: Chance
    size_m: tuple[float, float, float]
    hub_m: tuple[float, float, float]
    carrier_hz: float
    seconds: float

    def uniform(self, low: float, high: float) -> float:
        """Return a number between two others."""
        return float(self.chance.uniform(low, high))

    def log_uniform(self, low: float, high: float) -> float:
        """Return a number between two others, each decade as likely as the next."""
        return float(10 ** self.chance.uniform(math.log10(low), math.log10(high)))

    def one_of(self, ranges: Sequence[Range]) -> float:
        """Return a number of one of several ranges."""
        return self.uniform(*ranges[int(self.chance.integers(len(ranges)))])

    def place(self, clear_m: float = 0.5) -> Floor:
        """Return a place at least ``clear_m`` from the device, where the room allows it."""
        for _ in range(200):
            spot = (self.uniform(0.3, self.size_m[0] - 0.3), self.uniform(0.3, self.size_m[1] - 0.3))
            if math.dist(spot, self.hub_m[:2]) >= clear_m:
                break
        return spot

    def place_at_wall(self) -> Floor:
        """Return where a door might be: 0.1 m from a wall."""
        (width, depth, _), share = self.size_m, self.uniform(0.1, 0.9)
        walls = ((share * width, 0.1), (width - 0.1, share * depth), (share * width, depth - 0.1))
        return (*walls, (0.1, share * depth))[int(self.chance.integers(4))]


def draw_nuisances(kind: str, setting: Setting, at: float, until: float | None) -> list[Nuisance]:
    """Return what moves in a scene of a kind of `NUISANCES`; nothing for those that are faults."""
    drawn: dict[str, Callable[[], list[Nuisance]]] = {
        "fan": lambda: [_fan(setting, at, until, turns=False)],
        "oscillating_fan": lambda: [_fan(setting, at, until, turns=True)],
        "curtain": lambda: [_curtain(setting, at, until)],
        "hvac": lambda: [_hvac(setting, at, until)],
        "plant": lambda: _plant(setting, at, until),
        "neighbour": lambda: [_neighbour(setting)],
        "pet": lambda: [_pet(setting, at)],
        "door": lambda: [_door(setting)],
        "vacuum": lambda: [Vacuum(kind="vacuum", at=at, until=until, speed_mps=setting.uniform(0.15, 0.4))],
    }
    return drawn[kind]() if kind in drawn else []


def draw_faults(kind: str, setting: Setting, at: float, until: float | None) -> list[Fault]:
    """Return what disturbs the signal in a scene of a kind of `NUISANCES`; nothing for those that move."""
    drawn: dict[str, Callable[[], Fault]] = {
        "music": lambda: _music(setting, at, until),
        "dropouts": lambda: _dropouts(setting, at, until),
        "interferer": lambda: _interferer(setting, at, until),
    }
    return [drawn[kind]()] if kind in drawn else []


def _fan(setting: Setting, at: float, until: float | None, *, turns: bool) -> Fan:
    kinds = FANS[setting.split]
    radius_m, rpm, blades = kinds[int(setting.chance.integers(len(kinds)))]
    spot = setting.place()
    toward = math.degrees(math.atan2(setting.hub_m[1] - spot[1], setting.hub_m[0] - spot[0]))
    return Fan(
        kind="fan",
        at=at,
        until=until,
        position_m=(*spot, setting.uniform(0.4, 1.5)),
        facing_degrees=toward + float(setting.chance.normal(0, 50)),
        blades=int(setting.chance.choice(blades)),
        rpm=setting.uniform(*rpm),
        radius_m=setting.uniform(*radius_m),
        oscillation_hz=setting.uniform(0.04, 0.13) if turns else 0.0,
        oscillation_degrees=setting.uniform(25, 60),
        turbulence_db=setting.uniform(-64, -48),
    )


def _curtain(setting: Setting, at: float, until: float | None) -> Curtain:
    """Return a curtain along one of the walls."""
    begin = setting.uniform(0.1, 0.5)
    end = begin + setting.uniform(0.2, 0.45)
    width, depth, _ = setting.size_m
    walls: tuple[tuple[Floor, Floor], ...] = (
        ((begin * width, 0.12), (end * width, 0.12)),
        ((width - 0.12, begin * depth), (width - 0.12, end * depth)),
        ((begin * width, depth - 0.12), (end * width, depth - 0.12)),
        ((0.12, begin * depth), (0.12, end * depth)),
    )
    first, last = walls[int(setting.chance.integers(4))]
    return Curtain(
        kind="curtain",
        at=at,
        until=until,
        from_m=first,
        to_m=last,
        sway_m=setting.uniform(0.005, 0.05),
        sway_hz=setting.one_of(CURTAIN_HZ[setting.split]),
    )


def _hvac(setting: Setting, at: float, until: float | None) -> Hvac:
    return Hvac(
        kind="hvac",
        at=at,
        until=until,
        turbulence_db=setting.uniform(-64, -44),
        period_seconds=0.0 if setting.chance.random() < 0.4 else setting.uniform(8, 60),
    )


def _plant(setting: Setting, at: float, until: float | None) -> list[Nuisance]:
    """Return a plant, and the draught that moves it."""
    spot = (*setting.place(), setting.uniform(0.3, 1.6))
    sway_m = setting.uniform(0.001, 0.012)
    return [
        Plant(kind="plant", at=at, until=until, position_m=spot, sway_m=sway_m),
        Hvac(kind="hvac", at=at, until=until, turbulence_db=setting.uniform(-70, -55)),
    ]


def _pet(setting: Setting, at: float) -> Pet:
    return Pet(
        kind="pet",
        at=at,
        path=tuple(setting.place() for _ in range(int(setting.chance.integers(2, 6)))),
        speed_mps=setting.uniform(0.3, 1.5),
        height_m=setting.uniform(0.22, 0.6),
    )


def _door(setting: Setting) -> Door:
    return Door(
        kind="door",
        at=setting.uniform(0.2, 0.5) * setting.seconds,
        until=setting.uniform(0.6, 0.9) * setting.seconds,
        hinge_m=setting.place_at_wall(),
        width_m=setting.uniform(0.5, 0.95),
        closed_degrees=float(setting.chance.choice([0, 90, 180, 270])),
        speed_mps=setting.uniform(0.2, 1.2),
    )


def _neighbour(setting: Setting) -> Neighbour:
    """Return somebody who passes in the corridor behind the wall at x = 0, in which a door is open."""
    depth_m, wide_m = setting.size_m[1], setting.uniform(0.7, 1.0)
    jamb_m = setting.uniform(0.1, depth_m - wide_m - 0.1)
    low, high = jamb_m - 1.5, jamb_m + wide_m + 1.5
    if setting.chance.random() < 0.5:
        low, high = high, low
    return Neighbour(
        kind="neighbour",
        at=setting.uniform(0.05, 0.7) * setting.seconds,
        path=((-0.8, low), (-0.8, high)),
        speed_mps=setting.uniform(0.6, 1.6),
        aperture_db=setting.uniform(-35, -15),
        doorway_m=((0.0, jamb_m), (0.0, jamb_m + wide_m)),
    )


def _music(setting: Setting, at: float, until: float | None) -> Music:
    return Music(
        kind="music",
        at=at,
        until=until,
        level_db=setting.uniform(60, 82),
        beats_per_minute=setting.one_of(BEATS_PER_MINUTE[setting.split]),
        amplitude_db=setting.uniform(-46, -29),
        excursion_m=setting.log_uniform(2e-5, 2e-4),
    )


def _dropouts(setting: Setting, at: float, until: float | None) -> Dropouts:
    return Dropouts(
        kind="dropouts",
        at=at,
        until=until,
        per_minute=setting.log_uniform(0.5, 150),
        samples=round(setting.log_uniform(64, 2_500)),
        fill="zero" if setting.chance.random() < 0.5 else "repeat",
    )


def _interferer(setting: Setting, at: float, until: float | None) -> Fault:
    """Return a line within the band that is looked at, another hub's tone there, or keys."""
    which = int(setting.chance.integers(3))
    hz = setting.carrier_hz + float(setting.chance.choice([-1, 1])) * setting.uniform(3, 420)
    if which == 0:
        return Line(
            kind="line",
            at=at,
            until=until,
            hz=hz,
            level_db=setting.uniform(0, 50),
            drift_hz=setting.log_uniform(0.3, 300),
            drift_seconds=setting.log_uniform(3, 200),
        )
    if which == 1:
        return OtherHub(
            kind="other_hub",
            at=at,
            until=until,
            hz=hz,
            level_db=setting.uniform(10, 60),
            on_seconds=0.0 if setting.chance.random() < 0.5 else setting.uniform(0.3, 20),
            off_seconds=setting.uniform(0.3, 20),
        )
    return Keys(
        kind="keys",
        at=at,
        until=until,
        bursts_per_second=setting.uniform(0.5, 8),
        level_db=setting.uniform(0, 35),
    )
