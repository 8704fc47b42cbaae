"""Rooms of which only the scores are known: every 50 ms hop is one, time passes only by them."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from functools import cache
from itertools import chain

from sensing.ultrasound.motion_classifier import MotionScore
from sensing.ultrasound.presence import PresenceFilter, PresenceVerdict

HOP_SECONDS = 0.05
QUIET = MotionScore(major=0.002, minor=0.01)
WALKING = MotionScore(major=0.97, minor=0.025)
GESTURE = MotionScore(major=0.02, minor=0.9)
CERTAIN = MotionScore(major=1.0, minor=0.0)

Change = tuple[float, PresenceVerdict]


def hops(seconds: float) -> int:
    return round(seconds / HOP_SECONDS)


def lasting(score: MotionScore, seconds: float) -> list[MotionScore]:
    return [score] * hops(seconds)


def room(*, hold_seconds: float = 180.0, sensitivity: float = 1.0, pets: bool = False) -> PresenceFilter:
    return PresenceFilter(
        hold_seconds=hold_seconds, hop_seconds=HOP_SECONDS, sensitivity=sensitivity, pets=pets
    )


def fed(presence: PresenceFilter, scores: Iterable[MotionScore], masked: float = 0.0) -> list[Change]:
    """Return the verdicts with the seconds since the first of these scores."""
    changes = []
    for number, score in enumerate(scores, 1):
        verdict = presence.process(score, masked).verdict
        if verdict is not None:
            changes.append((number * HOP_SECONDS, verdict))
    return changes


@cache
def _empty_room(sensitivity: float, pets: bool) -> PresenceFilter:
    presence = room(sensitivity=sensitivity, pets=pets)
    fed(presence, lasting(QUIET, 300))
    assert presence.is_present is False
    return presence


def empty_room(*, sensitivity: float = 1.0, pets: bool = False) -> PresenceFilter:
    return deepcopy(_empty_room(sensitivity, pets))


@cache
def _somebody_sits() -> PresenceFilter:
    presence = empty_room()
    fed(presence, chain(lasting(WALKING, 4), lasting(QUIET, 30), lasting(GESTURE, 0.8)))
    assert presence.is_present
    return presence


def somebody_sits() -> PresenceFilter:
    """Return a room in which somebody has walked in, sat down, and moved a hand."""
    return deepcopy(_somebody_sits())


def somebody_walks() -> PresenceFilter:
    presence = somebody_sits()
    fed(presence, chain(lasting(QUIET, 60), lasting(WALKING, 4)))
    assert presence.is_present
    return presence


def entry_seconds(presence: PresenceFilter, score: MotionScore = WALKING) -> float:
    return next((at for at, verdict in fed(presence, lasting(score, 5)) if verdict.present), float("inf"))
