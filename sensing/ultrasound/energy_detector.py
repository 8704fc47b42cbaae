"""Motion from band energy alone: no model, always there."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

import numpy as np

from sensing.ultrasound.doppler_features import FAST_BANDS, SLOW_BANDS, DopplerFrame
from sensing.ultrasound.motion_classifier import MotionScore

_HOPS = 6
"""A median over 0.3 s: a door that slams or a jingle of keys is shorter."""

MAJOR_DB = 14.0
MINOR_DB = 11.0
_SLOPE_DB = 1.5


class EnergyDetector:
    """Compare the median of the strongest band with a threshold over its floor.

    On real phone recordings quiet hops stay below 10 dB and walkers stand at 16 to 35 dB.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the past."""
        self._fast_db: deque[float] = deque(maxlen=_HOPS)
        self._slow_db: deque[float] = deque(maxlen=_HOPS)

    def score(self, frames: Sequence[DopplerFrame]) -> list[MotionScore]:
        """Return scores that cross 0.5 at the thresholds."""
        return [self._score(frame) for frame in frames]

    def _score(self, frame: DopplerFrame) -> MotionScore:
        self._fast_db.append(float(frame.bands_db[FAST_BANDS].max()))
        self._slow_db.append(float(frame.bands_db[SLOW_BANDS].max()))
        if len(self._fast_db) < _HOPS:
            return MotionScore(major=0.0, minor=0.0)
        fast_db = float(np.median(self._fast_db))
        any_db = max(fast_db, float(np.median(self._slow_db)))
        major = _logistic((fast_db - MAJOR_DB) / _SLOPE_DB)
        moving = _logistic((any_db - MINOR_DB) / _SLOPE_DB)
        return MotionScore(major=major, minor=max(0.0, moving - major))


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, x))))
