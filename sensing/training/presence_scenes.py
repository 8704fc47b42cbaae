"""Scenes that presence is learnt from and measured on: drawn at random, split by families.

Rooms, hardware and people of the splits come from disjoint seeds, what a nuisance is like from disjoint
ranges (see `presence_nuisances`): nobody is scored on a fan that was learnt.
"""

from __future__ import annotations

import math
import zlib

import numpy as np

from sensing.simulation.baseband.scene import Scene
from sensing.simulation.baseband.scene_nuisances import Neighbour, Nuisance
from sensing.training.presence_nuisances import Chance, Setting, Split, draw_faults, draw_nuisances

PASSING = frozenset({"neighbour", "pet", "door"})
"""Nuisances that come and go by themselves."""
_PASSES = 12
_STRETCHES = 3

_NO_WALLS = {"order": 0, "waves": 0, "reverberation_seconds": 0.05}

PEOPLE = ("nobody", "walks_in", "walks_at_once", "sits_down", "sits", "close_hand", "two")
"""Who is there: nobody; somebody walks in and out again, once or twice; walks from the first moment; walks
in and sits down; has been sitting; moves the hands near the device; two walk."""
STRONG = "strong"
"""Somebody who walks in and reflects more, or more simply, than a body should: what is learnt of people must
not hang on one model of them."""
SIMPLE = "simple"
"""The same in a room that sends nothing back: one way there and back, and so a line and little else."""


def draw_scene(split: Split, number: int, *, people: str, nuisance: str, seconds: float = 45.0) -> Scene:
    """Return a scene of a split; the same arguments give the same scene.

    Parameters
    ----------
    number : int
        Counts the scenes of this kind.
    people : str
        One of `PEOPLE`, `STRONG` or `SIMPLE`.
    nuisance : str
        One of `presence_nuisances.NUISANCES`; present from a random moment, often from the start.
    """
    chance = np.random.default_rng([zlib.crc32(f"{split} {people} {nuisance}".encode()), number])
    size_m = _size(chance)
    hub_m, facing_degrees = _hub_place(chance, size_m)
    carrier_hz, rate_hz = _carrier(chance)
    setting = Setting(
        split=split, chance=chance, size_m=size_m, hub_m=hub_m, carrier_hz=carrier_hz, seconds=seconds
    )
    at = 0.0 if chance.random() < 0.5 else setting.uniform(0, 0.6) * seconds
    until = setting.uniform(0.7, 1.0) * seconds if chance.random() < 0.3 else None
    return Scene.model_validate(
        {
            "seconds": seconds,
            "seed": int(chance.integers(1 << 31)),
            "carrier_hz": carrier_hz,
            "rate_hz": rate_hz,
            "level_db": setting.uniform(62, 80),
            "room": _room(setting) | (_NO_WALLS if people == SIMPLE else {}),
            "hub": _hub(setting, facing_degrees),
            "people": _people(people, setting),
            "nuisances": [one.model_dump() for one in draw_nuisances(nuisance, setting, at, until)],
            "faults": [one.model_dump() for one in draw_faults(nuisance, setting, at, until)],
            "clocks": {"drift_ppm": float(chance.normal(0, 20)), "bits": int(chance.choice([16, 24]))},
        }
    )


def draw_empty_hour(
    split: Split, number: int, *, nuisance: str, hour: int = 0, seconds: float = 3_600.0
) -> Scene:
    """Return an hour in which nobody comes, and something goes on and off that is nobody.

    Machines, curtains and music come for several stretches, neighbours pass one door a dozen times; the first
    minute is quiet.

    Parameters
    ----------
    hour : int
        Hours of the same number take place in the same room, with the same door.
    """
    scene = draw_scene(split, number, people="nobody", nuisance="quiet", seconds=seconds)
    drawn = [zlib.crc32(f"{split} hour {nuisance}".encode()), number]
    of_room, of_hour = (
        Setting(
            split=split,
            chance=np.random.default_rng(numbers),
            size_m=scene.room.size_m,
            hub_m=scene.hub.position_m,
            carrier_hz=scene.carrier_hz,
            seconds=seconds,
        )
        for numbers in (drawn, [*drawn, hour])
    )
    setting = of_hour if hour else of_room
    moving = draw_nuisances(nuisance, setting, 0.0, None)
    faults = draw_faults(nuisance, setting, 0.0, None)
    if nuisance in PASSING:
        moving += [one for _ in range(_PASSES - 1) for one in draw_nuisances(nuisance, setting, 0.0, None)]
        door = moving[0] if setting is of_room else draw_nuisances(nuisance, of_room, 0.0, None)[0]
        return scene.model_copy(update={"nuisances": tuple(_by_door(door, one) for one in moving)})
    edges = np.sort(setting.chance.uniform(60, seconds, 2 * _STRETCHES)).reshape(-1, 2)
    if nuisance == "music":
        edges = edges[:1]  # the room has one loudspeaker, which plays one piece
    stretches = [{"at": float(at), "until": float(until)} for at, until in edges]
    return scene.model_copy(
        update={
            "nuisances": tuple(one.model_copy(update=when) for one in moving for when in stretches),
            "faults": tuple(one.model_copy(update=when) for one in faults for when in stretches),
        }
    )


def _by_door(door: Nuisance, passing: Nuisance) -> Nuisance:
    """Return a neighbour behind another one's door, all else as it is: a room does not change its walls."""
    if not isinstance(door, Neighbour) or not isinstance(passing, Neighbour):
        return passing
    return passing.model_copy(
        update={"path": door.path, "aperture_db": door.aperture_db, "doorway_m": door.doorway_m}
    )


def _size(chance: Chance) -> tuple[float, float, float]:
    width, depth, height = (chance.uniform(*side) for side in ((2.6, 7.0), (2.6, 6.0), (2.3, 3.0)))
    return float(width), float(depth), float(height)


def _carrier(chance: Chance) -> tuple[float, int]:
    if chance.random() < 0.75:
        return float(chance.uniform(18_800, 23_200)), 48_000
    return float(chance.uniform(24_000, 40_000)), 96_000


def _hub_place(
    chance: Chance, size_m: tuple[float, float, float]
) -> tuple[tuple[float, float, float], float]:
    """Return a device that stands by a wall and looks into the room: metres and degrees."""
    width, depth, _ = size_m
    along, inset = float(chance.uniform(0.25, 0.75)), float(chance.uniform(0.15, 0.5))
    x, y, facing = (
        (along * width, inset, 90.0),
        (width - inset, along * depth, 180.0),
        (along * width, depth - inset, 270.0),
        (inset, along * depth, 0.0),
    )[int(chance.integers(4))]
    return (x, y, float(chance.uniform(0.5, 1.5))), facing + float(chance.normal(0, 20))


def _room(setting: Setting) -> dict[str, object]:
    return {
        "size_m": setting.size_m,
        "absorption": setting.uniform(0.15, 0.55),
        "scattering": setting.uniform(0.2, 0.6),
        "reverberation_seconds": setting.uniform(0.12, 0.4),
        "order": int(setting.chance.choice([1, 2])),
        "kept_images": int(setting.chance.choice([5, 7, 9])),
        "temperature_c": setting.uniform(15, 29),
        "humidity_percent": setting.uniform(25, 75),
    }


def _hub(setting: Setting, facing_degrees: float) -> dict[str, object]:
    return {
        "position_m": setting.hub_m,
        "facing_degrees": facing_degrees,
        "microphones": int(setting.chance.choice([1, 2, 2, 2, 4])),
        "radius_m": setting.uniform(0.03, 0.05),
        "speaker_angle_degrees": setting.uniform(30, 75),
        "speaker_floor_db": setting.uniform(-18, -9),
        "noise_db": setting.uniform(-12, 6),
        "jitter_dbc": setting.uniform(-114, -92),
        "full_scale_db": setting.uniform(110, 130),
    }


def _people(people: str, setting: Setting) -> list[dict[str, object]]:
    begins = setting.uniform(0.15, 0.7) * setting.seconds
    match people:
        case "nobody":
            return []
        case "walks_in":
            again = [begins + 0.3 * setting.seconds] if setting.chance.random() < 0.4 else []
            return [_walker(setting, at, "leaves") for at in (begins, *again)]
        case "walks_at_once":
            return [_walker(setting, 0.0, str(setting.chance.choice(["leaves", "sits", "stays"])))]
        case "sits_down":
            return [_walker(setting, begins, "sits")]
        case "sits":
            return [_sitter(setting, nearest_m=0.8, furthest_m=3.5)]
        case "close_hand":
            return [_sitter(setting, nearest_m=0.35, furthest_m=0.9) | {"gestures_per_minute": 25.0}]
        case "strong" | "simple":
            return [_strong_walker(setting, begins)]
        case "two":
            later = begins + setting.uniform(0, 6)
            return [_walker(setting, begins, "sits"), _walker(setting, later, "leaves")]
    raise ValueError(f"nobody is called {people!r}; there are {', '.join(PEOPLE)}")


def _walker(setting: Setting, at: float, then: str) -> dict[str, object]:
    """Return somebody who comes from a wall, goes by a few places, and stays or leaves."""
    chance = setting.chance
    path = [setting.place_at_wall()]
    path += [setting.place() for _ in range(int(chance.integers(1, 5)))]
    if then == "leaves":
        path.append(path[0])
    stops = [
        {"point": number, "seconds": setting.uniform(0.5, 4)}
        for number in range(1, len(path) - 1)
        if chance.random() < 0.3
    ]
    return {
        "kind": "walker",
        "at": at,
        "path": path,
        "speed_mps": setting.uniform(0.5, 1.6),
        "stops": stops,
        "then": then,
        "height_m": setting.uniform(1.5, 1.95),
        "gestures_per_minute": setting.uniform(1, 12),
    }


def _strong_walker(setting: Setting, at: float) -> dict[str, object]:
    then = str(setting.chance.choice(["leaves", "sits", "stays"]))
    has_limbs = bool(setting.chance.random() < 0.5)
    return _walker(setting, at, then) | {"echo_db": setting.uniform(0, 28), "has_limbs": has_limbs}


def _sitter(setting: Setting, *, nearest_m: float, furthest_m: float) -> dict[str, object]:
    for _ in range(200):
        spot = setting.place(nearest_m)
        if math.dist(spot, setting.hub_m[:2]) <= furthest_m:
            break
    return {
        "kind": "sitter",
        "position_m": spot,
        "facing_degrees": setting.uniform(0, 360),
        "gestures_per_minute": setting.uniform(1, 12),
        "breaths_hz": setting.uniform(0.2, 0.32),
        "breath_m": setting.uniform(0.0015, 0.004),
        "height_m": setting.uniform(1.5, 1.95),
    }
