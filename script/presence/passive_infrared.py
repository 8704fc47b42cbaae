"""A model of a passive infrared sensor: what a motion detector of the shop would report in a scene."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sensing.simulation.baseband.room_images import Array
from sensing.simulation.baseband.scene import Scene, Walker
from sensing.simulation.baseband.scene_nuisances import Pet
from sensing.simulation.baseband.walking import Route

RANGE_M = 8.0
PET_RANGE_M = 4.0
CONE_DEGREES = 110.0
LEAST_MPS = 0.3
"""Slower across the zones, or straight towards the sensor, nothing changes enough to trip it."""
TRIPS_AFTER_SECONDS = 0.3
WARM_AIR_TRIPS_A_DAY = 1.0
"""Of fans, vents and sunlit curtains, for each day that they run; data sheets warn of it without a number."""

_GRID_SECONDS = 0.05
_DAY_SECONDS = 86_400
_STIRS_WARM_AIR = frozenset({"fan", "hvac", "curtain"})


def trips(scene: Scene) -> NDArray[np.bool_]:
    """Return when the sensor trips, in steps of 50 ms.

    It stands where the hub stands and looks the same way. All of this is assumed, none measured: a cone of
    110 degrees, 8 m; people trip it who move across it at 0.3 m/s or more for 0.3 s, pets within 4 m too;
    who sits never does, whatever the hands do; nothing behind a wall does; warm air does once a day.
    """
    seconds = np.arange(round(scene.seconds / _GRID_SECONDS), dtype=np.float64) * _GRID_SECONDS
    seen = np.zeros(len(seconds), bool)
    for walker in scene.people:
        if isinstance(walker, Walker):
            seen |= _sees(scene, _route(walker), seconds, RANGE_M)
    for pet in scene.nuisances:
        if isinstance(pet, Pet):
            seen |= _sees(
                scene, Route(pet.path, begins=pet.at, speed_mps=pet.speed_mps), seconds, PET_RANGE_M
            )
    return seen | _warm_air(scene, seconds)


def _route(walker: Walker) -> Route:
    stops = {stop.point: stop.seconds for stop in walker.stops}
    return Route(walker.path, begins=walker.at, speed_mps=walker.speed_mps, stops=stops)


def _sees(scene: Scene, route: Route, seconds: Array, range_m: float) -> NDArray[np.bool_]:
    from_hub = route.place(seconds) - np.array(scene.hub.position_m[:2])
    distance_m = np.hypot(*from_hub.T)
    angle = np.unwrap(np.arctan2(from_hub[:, 1], from_hub[:, 0]))
    across_mps = np.abs(np.gradient(angle, _GRID_SECONDS)) * distance_m
    aside = np.angle(np.exp(1j * (angle - math.radians(scene.hub.facing_degrees))))
    is_in_cone = np.abs(np.degrees(aside)) <= CONE_DEGREES / 2
    is_seen = is_in_cone & (distance_m <= range_m) & (across_mps >= LEAST_MPS) & (seconds >= route.begins)
    steps = round(TRIPS_AFTER_SECONDS / _GRID_SECONDS)
    lasting = np.convolve(is_seen, np.ones(steps), "full")[: len(seconds)]
    return lasting >= steps


def _warm_air(scene: Scene, seconds: Array) -> NDArray[np.bool_]:
    chance = np.random.default_rng([scene.seed, 110])
    tripped = np.zeros(len(seconds), bool)
    a_step = WARM_AIR_TRIPS_A_DAY * _GRID_SECONDS / _DAY_SECONDS
    for one in scene.nuisances:
        if one.kind in _STIRS_WARM_AIR:
            until = scene.seconds if one.until is None else one.until
            tripped |= (seconds >= one.at) & (seconds < until) & (chance.random(len(seconds)) < a_step)
    return tripped
