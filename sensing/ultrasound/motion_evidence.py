"""What one hop's scores say for and against somebody, in nats."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sensing.ultrasound.motion_classifier import MotionScore

CORRELATED_HOPS = 1.5
"""A window of 128 ms is heard in 2.6 hops of 50 ms, of which the classifier has weighed most by itself."""

MAJOR_LOGIT = 4.0
"""Nobody's tails are known beyond 1 in 50: however sure the classifier is, a hop counts 2.7 nats at most."""

GESTURE_HOPS = 8.0
MINOR_LOGIT = 4.0
"""The hops of a gesture (0.6 to 1.1 s) are one event: together they may weigh some 8 nats, one hop 0.5."""

PETS_DISCOUNT = 0.4
"""A cat that runs scores as a person who walks for a moment; with pets each hop says that much less."""

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


def evidence_of(score: MotionScore, *, pets: bool = False) -> MotionEvidence:
    """Return what a hop's scores say by themselves.

    A calibrated probability p under even odds says ``log(p / (1 - p))``. That is clipped and divided by
    the number of hops that say the same.
    """
    major = _clipped_logit(score.major, MAJOR_LOGIT) / CORRELATED_HOPS
    minor = max(0.0, _clipped_logit(score.major + score.minor, MINOR_LOGIT)) / GESTURE_HOPS
    if pets and major > 0.0:
        major *= 1.0 - PETS_DISCOUNT
    return MotionEvidence(major=major, minor=minor)


def _clipped_logit(probability: float, most: float) -> float:
    edge = 1.0 / (1.0 + math.exp(most))
    inside = min(max(probability, edge), 1.0 - edge)
    return math.log(inside / (1.0 - inside))
