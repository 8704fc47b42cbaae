"""How often a wake word errs: counts, and what few of them say about the rate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998, 0.999)
"""Scores at which misses are weighed against false accepts."""
CHUNKS_PER_HOUR = 3_600 / 0.08
_REFRACTORY_CHUNKS = 12


def false_accepts(scores: NDArray[np.float32], threshold: float) -> int:
    """Return how often the threshold is reached, counting what lies within 1 s of the last once."""
    places = np.flatnonzero(scores >= threshold)
    return int((np.diff(places, prepend=-100) > _REFRACTORY_CHUNKS).sum())


def rate_at_most(events: int, hours: float) -> float | None:
    """Return the rate an hour that is not exceeded with 95 % (Garwood 1936); None for no hours."""
    return float(chi2.ppf(0.95, 2 * (events + 1)) / 2 / hours) if hours > 0 else None
