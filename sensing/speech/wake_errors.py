"""How often a wake word errs, and what few tries say about it: counts, and intervals of 95 %."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, chi2

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998, 0.999)
"""Scores at which misses are weighed against false accepts."""
CHUNKS_PER_HOUR = 3_600 / 0.08
_REFRACTORY_CHUNKS = 12
_TAIL = 0.025


def false_accepts(scores: NDArray[np.float32], threshold: float) -> int:
    """Return how often the threshold is reached, counting what lies within 1 s of the last once."""
    places = np.flatnonzero(scores >= threshold)
    return int((np.diff(places, prepend=-100) > _REFRACTORY_CHUNKS).sum())


def share_interval(hits: int, tries: int) -> tuple[float, float]:
    """Return the interval of Clopper and Pearson (1934) for a share, 0 to 1; all of it for no tries."""
    low = float(beta.ppf(_TAIL, hits, tries - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - _TAIL, hits + 1, tries - hits)) if hits < tries else 1.0
    return low, high


def rate_at_most(events: int, hours: float) -> float | None:
    """Return the rate an hour that is not exceeded with 95 % (Garwood 1936); None for no hours."""
    return float(chi2.ppf(0.95, 2 * (events + 1)) / 2 / hours) if hours > 0 else None
