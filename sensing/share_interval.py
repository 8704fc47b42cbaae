"""What few tries say about a share."""

from __future__ import annotations

from scipy.stats import beta

_TAIL = 0.025


def share_interval(hits: int, tries: int) -> tuple[float, float]:
    """Return the interval of Clopper and Pearson (1934) for a share, 95 %, 0 to 1; all of it for no tries."""
    low = float(beta.ppf(_TAIL, hits, tries - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - _TAIL, hits + 1, tries - hits)) if hits < tries else 1.0
    return low, high
