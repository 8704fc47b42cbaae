"""What one hop's scores say for and against somebody, in nats."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sensing.ultrasound.motion_classifier import MotionScore

CORRELATED_HOPS = 1.5
"""A window of 128 ms is heard in 2.6 hops of 50 ms, of which the classifier has weighed most by itself."""

MAJOR_LOGIT = 4.0
"""Nobody's tails are known beyond 1 in 50: however sure the classifier is, a hop counts 2.7 nats at most."""

LEAST_MAJOR = 0.1
"""Gestures alone leave less than this for walking."""

GESTURE_HOPS = 8.0
MINOR_LOGIT = 4.0
"""The hops of a gesture (0.6 to 1.1 s) are one event: together they may weigh some 8 nats, one hop 0.5."""

PETS_DISCOUNT = 0.4
"""A cat that runs scores as a person who walks for a moment; with pets each hop says that much less."""

_TINY = 1e-6
MOST_MAJOR = MAJOR_LOGIT / CORRELATED_HOPS
MOST_MINOR = MINOR_LOGIT / GESTURE_HOPS


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionEvidence:
    """Logarithms of likelihood ratios against an empty room, in nats.

    Attributes
    ----------
    major : float
        For somebody who walks, -`MOST_MAJOR` to `MOST_MAJOR`; quiet speaks against it.
    minor : float
        For somebody who moves at all, 0 to `MOST_MINOR`; what quiet says depends on its length, not on hops.
    """

    major: float
    minor: float


def evidence_of(score: MotionScore, *, is_occupied: bool = False, pets: bool = False) -> MotionEvidence:
    """Return what a hop's scores say by themselves.

    For calibrated probabilities the ratio of likelihoods is ``major / none``: nobody gestures in an empty
    room, so what looks like a gesture does not speak against somebody who begins to walk slowly. It does not
    speak for one either: without some major motion there is no evidence of it. Ratios are clipped and
    divided by the number of hops that say the same.

    Parameters
    ----------
    is_occupied : bool
        Whether somebody is known to be there: then a gesture does speak against walking.
    """
    otherwise = 1.0 - score.major if is_occupied else score.none
    major = _clipped(_log_ratio(score.major, otherwise), MAJOR_LOGIT) / CORRELATED_HOPS
    moving = _log_ratio(score.major + score.minor, score.none)
    minor = max(0.0, _clipped(moving, MINOR_LOGIT)) / GESTURE_HOPS
    if major > 0.0:
        major *= (1.0 - PETS_DISCOUNT if pets else 1.0) * (score.major >= LEAST_MAJOR)
    return MotionEvidence(major=major, minor=minor)


def _log_ratio(probability: float, other: float) -> float:
    return math.log(max(probability, _TINY) / max(other, _TINY))


def _clipped(logit: float, most: float) -> float:
    return min(max(logit, -most), most)
