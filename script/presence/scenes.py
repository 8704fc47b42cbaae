"""The scenes of the bench: of the test split, with the hub as calibrated and floors that have settled."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sensing.simulation.baseband.scene import Scene, Sitter, Walker
from sensing.simulation.baseband.scene_faults import Fault, Line, OtherHub
from sensing.simulation.baseband.walking import Route
from sensing.training.presence_scenes import draw_empty_hour, draw_scene

LEVEL_DB = 74.0
"""Sound pressure at 1 m: the cap of 80 dB at 0.5 m, above 22.4 kHz."""
CARRIER_HZ = (22_500.0, 23_490.0)
RATE_HZ = 48_000
MICROPHONES = 2

BANDS_M = ((1.0, 2.0), (2.0, 3.0), (3.0, 4.0), (4.0, 5.0))
"""Distances at which somebody comes in; scenes take turns."""
BEFORE_SECONDS = 40.0
"""Nobody comes earlier: floors are those of the last 30 s, and what runs has run for longer."""
AFTER_ENTRY_SECONDS = 6.0

SEATS_M = ((0.8, 1.5), (1.5, 2.25), (2.25, 3.0))
SEATED_SECONDS = 1_800.0
GESTURES_PER_MINUTE = 2.4
EMPTY_AFTER_SECONDS = 540.0
"""The room is watched for that long after the exit: three times the hold."""

_TRIES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Somebody walks in.

    Attributes
    ----------
    at : float
        First step, seconds.
    distance_m : float
        From the hub to where that is.
    """

    scene: Scene
    at: float
    distance_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """Somebody walks in, perhaps sits, and leaves an empty room behind.

    Attributes
    ----------
    seated : tuple of float
        When the person sits, from and until; the same moment twice for a visit.
    exit_at : float
        Last step, seconds.
    distance_m : float
        From the hub to the seat, of a visit to the door.
    """

    scene: Scene
    seated: tuple[float, float]
    exit_at: float
    distance_m: float


def as_calibrated(scene: Scene) -> Scene:
    """Return the same scene with two microphones and the carrier and level that a calibration chooses."""
    carrier_hz = float(np.random.default_rng([scene.seed, 74]).uniform(*CARRIER_HZ))
    shift_hz = carrier_hz - scene.carrier_hz
    return scene.model_copy(
        update={
            "carrier_hz": carrier_hz,
            "rate_hz": RATE_HZ,
            "level_db": LEVEL_DB,
            "hub": scene.hub.model_copy(update={"microphones": MICROPHONES}),
            "faults": tuple(_beside(fault, shift_hz) for fault in scene.faults),
        }
    )


def _beside(fault: Fault, shift_hz: float) -> Fault:
    """Return a tone of others at the same distance from the new carrier."""
    if isinstance(fault, Line | OtherHub):
        return fault.model_copy(update={"hz": fault.hz + shift_hz})
    return fault


def empty_hour(number: int, nuisance: str, hour: int) -> Scene:
    """Return an hour of a room in which something of a kind goes on and off, and nobody comes."""
    return as_calibrated(draw_empty_hour("test", number, nuisance=nuisance, hour=hour))


def clip(number: int, people: str, nuisance: str) -> Scene:
    """Return 45 s as they are drawn."""
    return as_calibrated(draw_scene("test", number, people=people, nuisance=nuisance))


def entry(number: int, nuisance: str) -> Entry:
    """Return somebody who walks in, 1 to 5 m from the hub, while a nuisance has long been there."""
    scene, walker, distance_m = _comes_from(number, nuisance, BANDS_M[number % len(BANDS_M)])
    at = BEFORE_SECONDS + float(np.random.default_rng([scene.seed, 1]).uniform(0, 1))
    always = {"at": 0.0, "until": None}
    calm = scene.model_copy(
        update={
            "seconds": math.ceil(at + AFTER_ENTRY_SECONDS),
            "people": (walker.model_copy(update={"at": at}),),
            "nuisances": tuple(one.model_copy(update=always) for one in scene.nuisances),
            "faults": tuple(one.model_copy(update=always) for one in scene.faults),
        }
    )
    return Entry(scene=as_calibrated(calm), at=at, distance_m=distance_m)


def visit(number: int) -> Stay:
    """Return somebody who walks about and leaves."""
    scene, walker, distance_m = _comes_from(number, "quiet", BANDS_M[number % len(BANDS_M)])
    leaving = walker.model_copy(update={"at": BEFORE_SECONDS, "then": "leaves"})
    exit_at = _ends(leaving)
    return Stay(
        scene=_until(exit_at, scene, (leaving,)),
        seated=(exit_at, exit_at),
        exit_at=exit_at,
        distance_m=distance_m,
    )


def stay(number: int) -> Stay:
    """Return somebody who walks in, sits for half an hour within 3 m, and leaves the way he came."""
    scene, walker, _ = _comes_from(number, "quiet", (1.0, 5.0))
    seat, distance_m = _seat(scene, SEATS_M[number % len(SEATS_M)])
    path = (*walker.path[:-1], seat)
    coming = walker.model_copy(update={"at": BEFORE_SECONDS, "path": path, "stops": (), "then": "leaves"})
    sits, rises = _ends(coming), _ends(coming) + SEATED_SECONDS
    sitter = Sitter(
        kind="sitter",
        position_m=seat,
        facing_degrees=float(np.random.default_rng([scene.seed, 2]).uniform(0, 360)),
        at=sits,
        until=rises,
        gestures_per_minute=GESTURES_PER_MINUTE,
        height_m=walker.height_m,
    )
    going = coming.model_copy(update={"at": rises, "path": path[::-1]})
    exit_at = _ends(going)
    return Stay(
        scene=_until(exit_at, scene, (coming, sitter, going)),
        seated=(sits, rises),
        exit_at=exit_at,
        distance_m=distance_m,
    )


def _until(exit_at: float, scene: Scene, people: tuple[Walker | Sitter, ...]) -> Scene:
    seconds = math.ceil(exit_at + EMPTY_AFTER_SECONDS)
    return as_calibrated(scene.model_copy(update={"seconds": seconds, "people": people}))


def _ends(walker: Walker) -> float:
    stops = {stop.point: stop.seconds for stop in walker.stops}
    return Route(walker.path, begins=walker.at, speed_mps=walker.speed_mps, stops=stops).ends


def _comes_from(number: int, nuisance: str, band_m: tuple[float, float]) -> tuple[Scene, Walker, float]:
    """Return the first drawn scene whose walker starts within a band of distances from the hub."""
    for trial in range(_TRIES):
        scene = draw_scene("test", _TRIES * number + trial, people="walks_in", nuisance=nuisance)
        walker = scene.people[0]
        if not isinstance(walker, Walker):
            continue
        distance_m = math.dist(walker.path[0], scene.hub.position_m[:2])
        if band_m[0] <= distance_m < band_m[1]:
            return scene, walker, distance_m
    raise ValueError(f"no scene of {_TRIES} has a walker who starts {band_m[0]} to {band_m[1]} m away")


def _seat(scene: Scene, band_m: tuple[float, float]) -> tuple[tuple[float, float], float]:
    """Return a place of the room within a band of distances from the hub, and its distance."""
    chance = np.random.default_rng([scene.seed, 3])
    width, depth, _ = scene.room.size_m
    for _ in range(_TRIES):
        place = float(chance.uniform(0.3, width - 0.3)), float(chance.uniform(0.3, depth - 0.3))
        distance_m = math.dist(place, scene.hub.position_m[:2])
        if band_m[0] <= distance_m < band_m[1]:
            return place, distance_m
    raise ValueError(f"a room of {width:.1f} by {depth:.1f} m has no place at {band_m[0]} to {band_m[1]} m")
