"""Who and what moves in a scene, and when: from the scene's words to scatterers and ground truth."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from sensing.simulation.baseband.doorway import Doorway, SeenThrough
from sensing.simulation.baseband.fan_blades import FanBlades
from sensing.simulation.baseband.moving_things import RobotVacuum, SwingingDoor
from sensing.simulation.baseband.room_images import Acoustics, Array
from sensing.simulation.baseband.scatterers import Mechanism, Scatterers
from sensing.simulation.baseband.scene import Scene, Sitter, Walker
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
from sensing.simulation.baseband.sitting import SittingBody
from sensing.simulation.baseband.swaying import SwayingCurtain, SwayingPlant
from sensing.simulation.baseband.turbulence import Turbulence
from sensing.simulation.baseband.walking import Route, WalkingBody

Flags = NDArray[np.bool_]
When = Callable[[Array], Flags]
_PET_CROSS_SECTION = 0.35
"""Fur reflects less than cloth and skin."""
_NEIGHBOUR_HEIGHT_M = 1.72


def chance_of(scene: Scene, name: str, number: int = 0) -> np.random.Generator:
    """Return the random numbers of one part of a scene; parts do not disturb each other."""
    return np.random.default_rng([scene.seed, zlib.crc32(name.encode()), number])


@dataclass(slots=True)
class Cast:
    """Everything that moves.

    Attributes
    ----------
    groups : list of Scatterers
        What reflects.
    bodies : list of Scatterers
        Those of the groups that are people in the room, and hide what is behind them.
    machines : list of Mechanism
        What reflects and repeats.
    air : list of Turbulence
        What stirs the air.
    major, minor, occupied : list of functions
        Of seconds, shape ``(n,)``: where somebody walks, gestures, is in the room.
    nuisances : list of (kind, function)
        The same for what is nobody.
    """

    groups: list[Scatterers] = field(default_factory=list)
    bodies: list[Scatterers] = field(default_factory=list)
    machines: list[Mechanism] = field(default_factory=list)
    air: list[Turbulence] = field(default_factory=list)
    major: list[When] = field(default_factory=list)
    minor: list[When] = field(default_factory=list)
    occupied: list[When] = field(default_factory=list)
    nuisances: list[tuple[str, When]] = field(default_factory=list)


def cast_of(scene: Scene, room: Acoustics) -> Cast:
    """Return the cast of a scene."""
    cast = Cast()
    for number, person in enumerate(scene.people):
        chance = chance_of(scene, "person", number)
        if isinstance(person, Walker):
            _add_walker(cast, scene, person, chance)
        else:
            _add_sitter(cast, scene, person, chance)
    for number, nuisance in enumerate(scene.nuisances):
        _add_nuisance(cast, scene, room, nuisance, chance_of(scene, "nuisance", number))
    return cast


def _add_walker(cast: Cast, scene: Scene, person: Walker, chance: np.random.Generator) -> None:
    stops = {stop.point: stop.seconds for stop in person.stops}
    route = Route(person.path, begins=person.at, speed_mps=person.speed_mps, stops=stops)
    never = scene.seconds + 10
    leaves = {"leaves": route.ends, "stays": never, "sits": route.ends + 0.15}[person.then]
    walking = WalkingBody(
        route,
        height_m=person.height_m,
        leaves=leaves,
        chance=chance,
        gain=10 ** (person.echo_db / 20),
        has_limbs=person.has_limbs,
    )
    cast.groups.append(walking)
    cast.bodies.append(walking)
    cast.major.append(lambda seconds: route.is_moving(seconds) & (seconds < leaves))
    gone = route.ends if person.then == "leaves" else never
    cast.occupied.append(between(person.at, gone))
    if person.then == "sits":
        # people turn round to sit down
        facing = float(route.heading(np.array([route.ends]))[0]) + math.pi
        seat = (float(person.path[-1][0]), float(person.path[-1][1]))
        sitting = SittingBody(
            seat,
            facing,
            begins=route.ends,
            ends=never,
            height_m=person.height_m,
            chance=chance,
            gestures_per_minute=person.gestures_per_minute,
        )
        cast.groups.append(sitting)
        cast.bodies.append(sitting)
        cast.minor.append(sitting.is_moving)


def _add_sitter(cast: Cast, scene: Scene, person: Sitter, chance: np.random.Generator) -> None:
    ends = scene.seconds + 10 if person.until is None else person.until
    begins = person.at if person.at else -10.0
    sitting = SittingBody(
        person.position_m,
        math.radians(person.facing_degrees),
        begins=begins,
        ends=ends,
        height_m=person.height_m,
        chance=chance,
        gestures=[(gesture.at, gesture.kind) for gesture in person.gestures],
        gestures_per_minute=person.gestures_per_minute,
        breaths_hz=person.breaths_hz,
        breath_m=person.breath_m,
    )
    cast.groups.append(sitting)
    cast.bodies.append(sitting)
    cast.minor.append(sitting.is_moving)
    cast.occupied.append(between(begins, ends))


def _add_nuisance(
    cast: Cast, scene: Scene, room: Acoustics, nuisance: Nuisance, chance: np.random.Generator
) -> None:
    ends = scene.seconds if nuisance.until is None else min(nuisance.until, scene.seconds)
    is_active: When = between(nuisance.at, ends)
    hub = np.array(scene.hub.position_m)
    match nuisance:
        case Fan():
            blades = FanBlades(
                nuisance,
                ends=scene.seconds,
                seen_from=hub,
                wavelength_m=room.wavelength_m,
                chance=chance.spawn(1)[0],
            )
            cast.machines.append(blades)
            cast.air.append(_turbulence(scene, nuisance.turbulence_db, nuisance.at, ends, chance))
        case Hvac():
            air = _turbulence(
                scene, nuisance.turbulence_db, nuisance.at, ends, chance, nuisance.period_seconds
            )
            cast.air.append(air)
            is_active = lambda seconds: air.blows(seconds) > 0  # noqa: E731 - the same shape as the others
        case Curtain():
            curtain = SwayingCurtain(
                nuisance, ends=scene.seconds, wavelength_m=room.wavelength_m, chance=chance
            )
            cast.machines.append(curtain)
        case Plant():
            plant = SwayingPlant(nuisance, ends=scene.seconds, wavelength_m=room.wavelength_m, chance=chance)
            cast.machines.append(plant)
        case Vacuum():
            vacuum = RobotVacuum(nuisance, ends=scene.seconds, room_size=room.size_m, chance=chance)
            cast.groups.append(vacuum)
        case Door():
            door = SwingingDoor(nuisance, seen_from=hub)
            cast.groups.append(door)
            is_active = door.is_moving
        case Pet():
            body = _walking_nuisance(nuisance, chance, math.sqrt(_PET_CROSS_SECTION), nuisance.height_m)
            cast.groups.append(body)
            is_active = between(nuisance.at, body.ends)
        case Neighbour():
            body = _walking_nuisance(nuisance, chance, 10 ** (nuisance.aperture_db / 20), _NEIGHBOUR_HEIGHT_M)
            cast.groups.append(_seen_through(nuisance, body, hub, room))
            is_active = between(nuisance.at, body.ends)
        case _:
            assert_never(nuisance)
    cast.nuisances.append((nuisance.kind, is_active))


def _walking_nuisance(
    nuisance: Pet | Neighbour, chance: np.random.Generator, gain: float, height_m: float
) -> WalkingBody:
    route = Route(nuisance.path, begins=nuisance.at, speed_mps=nuisance.speed_mps)
    leaves = route.ends if nuisance.until is None else min(nuisance.until, route.ends)
    return WalkingBody(route, height_m=height_m, leaves=leaves, chance=chance, gain=gain)


def _seen_through(nuisance: Neighbour, body: WalkingBody, hub: Array, room: Acoustics) -> Scatterers:
    if nuisance.doorway_m is None:
        return body
    first, last = (np.array(jamb) for jamb in nuisance.doorway_m)
    doorway = Doorway(from_m=first, to_m=last, hub_m=hub[:2], wavelength_m=room.wavelength_m)
    return SeenThrough(body, doorway)


def _turbulence(
    scene: Scene,
    level_db: float,
    begins: float,
    ends: float,
    chance: np.random.Generator,
    period_seconds: float = 0.0,
) -> Turbulence:
    return Turbulence(
        level_db=level_db,
        begins=begins,
        ends=ends,
        microphones=scene.hub.microphones,
        rate_hz=scene.baseband_hz,
        chance=chance,
        period_seconds=period_seconds,
    )


def between(begins: float, ends: float) -> When:
    """Return the function that is true from ``begins`` to ``ends``, in seconds."""
    return lambda seconds: (seconds >= begins) & (seconds < ends)
