"""What few tries say, where the exact interval is wider than needed."""

from __future__ import annotations

import math

from scipy.stats import norm

CONFIDENCE = 0.95


def wilson_interval(hits: int, tries: int) -> tuple[float, float]:
    """Return the score interval of Wilson (1927) for a share, 95 %; 0 to 1."""
    z = float(norm.ppf((1 + CONFIDENCE) / 2))
    share = hits / tries
    middle = share + z**2 / (2 * tries)
    half = z * math.sqrt(share * (1 - share) / tries + (z / (2 * tries)) ** 2)
    whole = 1 + z**2 / tries
    return max(0.0, (middle - half) / whole), min(1.0, (middle + half) / whole)
