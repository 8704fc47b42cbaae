"""What few tries say: exact intervals."""

from __future__ import annotations

from scipy.stats import beta

CONFIDENCE = 0.95


def share_interval(hits: int, tries: int) -> tuple[float, float]:
    """Return the interval of Clopper and Pearson (1934) for a share, 95 %; 0 to 1."""
    tail = (1 - CONFIDENCE) / 2
    low = float(beta.ppf(tail, hits, tries - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, tries - hits)) if hits < tries else 1.0
    return low, high
