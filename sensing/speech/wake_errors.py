"""How often a wake word errs: counts, and what few of them say about the rate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from sensing.speech.wake_word import REFRACTORY_CHUNKS

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998, 0.999)
"""Scores at which misses are weighed against false accepts."""
CHUNKS_PER_HOUR = 3_600 / 0.08


def accepts(scores: NDArray[np.float32], threshold: float) -> list[int]:
    """Return the chunks in which a phrase counts as heard, with a pause after each as in `WakeWord`."""
    chunks: list[int] = []
    for place in np.flatnonzero(scores >= threshold):
        if not chunks or place - chunks[-1] >= REFRACTORY_CHUNKS:
            chunks.append(int(place))
    return chunks


def false_accepts(scores: NDArray[np.float32], threshold: float) -> int:
    """Return how often other sound is taken for the phrase."""
    return len(accepts(scores, threshold))


def rate_at_most(events: int, hours: float) -> float | None:
    """Return the rate an hour that is not exceeded with 95 % (Garwood 1936); None for no hours."""
    return float(chi2.ppf(0.95, 2 * (events + 1)) / 2 / hours) if hours > 0 else None
