"""What the hardware can and cannot see, in plain words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sensing.calibration.calibration import EMITTING_SPEAKER, Calibration
from sensing.calibration.caps import UNMEASURED_MARGIN_DB
from sensing.calibration.link_budget import FURTHEST_M, SEEN_DB, Motion, echo_snr_db, sensing_range_m

Fitness = Literal["room", "near", "unfit"]

_ROOM_M = 3.0
_NEAR_M = 1.0
_ROLLED_OFF_DB = 12.0
_WORTH_TELLING_HZ = 500.0
_BETTER_DB = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Distances in metres up to which motion should be seen, and the same in words.

    ``fitness`` is ``room`` from 3 m for somebody who walks, ``near`` from 1 m, else ``unfit``.
    """

    fitness: Fitness
    walk_m: float
    reach_m: float
    typing_m: float
    lines: tuple[str, ...]


def judge(calibration: Calibration) -> Verdict:
    """Return what this hardware should see here, by the link budget; nothing was walked."""
    walk_m, reach_m, typing_m = (_range_m(calibration, motion) for motion in Motion)
    fitness: Fitness = "room" if walk_m >= _ROOM_M else "near" if walk_m >= _NEAR_M else "unfit"
    lines = (
        *_choice(calibration),
        *_sight(fitness, walk_m, reach_m, typing_m),
        *_limit(calibration),
        *_loudness(calibration),
        *_hardware(calibration),
        *_blind(reach_m),
    )
    return Verdict(fitness=fitness, walk_m=walk_m, reach_m=reach_m, typing_m=typing_m, lines=lines)


def _range_m(calibration: Calibration, motion: Motion) -> float:
    """Return the range of a motion from the estimate for a walker at the range that was asked for."""
    reference_db = echo_snr_db(
        emitted_db=0.0,
        noise_db_hz=0.0,
        carrier_hz=calibration.carrier_hz,
        range_m=calibration.wishes.range_m,
        motion=Motion.WALK,
    )
    return sensing_range_m(
        emitted_db=calibration.snr_db - reference_db,
        noise_db_hz=0.0,
        carrier_hz=calibration.carrier_hz,
        motion=motion,
    )


def _choice(calibration: Calibration) -> Iterator[str]:
    second = calibration.second_carrier_hz
    spare = (
        "no second carrier fits" if second is None else f"{_khz(second)} is the second choice where it fades"
    )
    yield (
        f"Carrier {_khz(calibration.carrier_hz)} at {20 * math.log10(calibration.level):.0f} dBFS from "
        f"loudspeaker {EMITTING_SPEAKER + 1}; {spare}."
    )


def _sight(fitness: Fitness, walk_m: float, reach_m: float, typing_m: float) -> Iterator[str]:
    estimate = "by estimate, with free sight and one microphone"
    match fitness:
        case "unfit":
            yield (
                f"This hardware cannot sense this room: even somebody who walks is seen up to "
                f"{_metres(walk_m)} only ({estimate})."
            )
        case "near":
            yield (
                f"It sees who walks close by, up to {_metres(walk_m)}, an arm up to {_metres(reach_m)} "
                f"({estimate}): a desk, not a room."
            )
        case "room":
            yield (
                f"It should see who walks up to {_metres(walk_m)}, an arm that reaches up to "
                f"{_metres(reach_m)}, typing or a page turned up to {_metres(typing_m)} ({estimate})."
            )


def _limit(calibration: Calibration) -> Iterator[str]:
    asked = (
        f"{calibration.snr_db:.0f} dB of {SEEN_DB:.0f} dB at the {calibration.wishes.range_m:g} m asked for"
    )
    match calibration.limit:
        case "enough":
            return
        case "cap":
            yield f"More is not allowed: {asked}, at the highest level."
        case "distortion":
            yield f"More distorts in the loudspeaker or its amplifier: {asked}."
        case "compression":
            yield f"More only makes a limiter turn it down: {asked}; switch off the system's sound effects."


def _loudness(calibration: Calibration) -> Iterator[str]:
    level = f"{calibration.db_spl:.0f} dB SPL at 0.5 m, at most {calibration.cap_db_spl:.0f} allowed"
    if calibration.is_measured:
        yield f"Loudness, measured: {level}."
    else:
        yield (
            f"Loudness, assumed from a common loudspeaker and not measured: {level} "
            f"({UNMEASURED_MARGIN_DB:.0f} dB less than for a measured one)."
        )
    if calibration.wishes.has_pets:
        yield "Dogs and cats may still hear it: it is above 25 kHz and 10 dB softer, not silent to them."
    else:
        yield "Dogs and cats hear this tone; with pets at home use --pets."


def _hardware(calibration: Calibration) -> Iterator[str]:
    heard = {path.microphone for path in calibration.heard}
    deaf = [str(one + 1) for one in range(calibration.hardware.microphones) if one not in heard]
    if deaf:
        yield f"Microphone {', '.join(deaf)} hears nothing of the tone: covered, muted or broken."
    if len(heard) == 1:
        yield "With one microphone music hides much of what moves."
    yield from _roll_off(calibration)
    if calibration.interferers:
        lines = ", ".join(_khz(one.hz) for one in calibration.interferers)
        yield f"Tones of other devices were avoided: {lines}."
    yield from _other_speakers(calibration)


def _roll_off(calibration: Calibration) -> Iterator[str]:
    """Tell where the hardware's response ends, if that is well inside the band."""
    is_free = np.array([score is not None for score in calibration.score_db])
    gain_db = np.mean([path.gain_db for path in calibration.heard], axis=0)
    gain_db = np.where(is_free, gain_db, -np.inf)
    carried = np.flatnonzero(gain_db > gain_db.max() - _ROLLED_OFF_DB)
    low_hz, high_hz = calibration.hz[carried[0]], calibration.hz[carried[-1]]
    if high_hz < calibration.hz[-1] - _WORTH_TELLING_HZ:
        yield f"Above {_khz(high_hz)} the hardware carries little."
    if low_hz > calibration.hz[0] + _WORTH_TELLING_HZ:
        yield f"Below {_khz(low_hz)} the hardware carries little."


def _other_speakers(calibration: Calibration) -> Iterator[str]:
    at = int(np.argmin(np.abs(np.array(calibration.hz) - calibration.carrier_hz)))
    own_db = max(path.late_db[at] for path in calibration.heard)
    for speaker in range(calibration.hardware.speakers):
        paths = [path for path in calibration.paths if path.speaker == speaker and path.is_heard]
        if not paths:
            yield f"Loudspeaker {speaker + 1} is not heard at all."
            continue
        better_db = max(path.late_db[at] for path in paths) - own_db
        if better_db >= _BETTER_DB:
            yield (
                f"Loudspeaker {speaker + 1} reaches the room {better_db:.0f} dB better: swap it with "
                f"loudspeaker {EMITTING_SPEAKER + 1}."
            )


def _blind(reach_m: float) -> Iterator[str]:
    yield (
        "It cannot see through walls or furniture, cannot tell people from pets, and loses who sits still"
        + (f" beyond {_metres(reach_m)}." if reach_m > 0 else ".")
    )


def _khz(hz: float) -> str:
    return f"{hz / 1000:.2f} kHz"


def _metres(metres: float) -> str:
    return f"{FURTHEST_M:.0f} m and more" if metres >= FURTHEST_M else f"{metres:.1f} m"
