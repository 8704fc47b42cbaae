"""How large a share has been lately, and whether that is much."""

from __future__ import annotations

import math


class RunningShare:
    """Smooth a share and compare it with a threshold, half of which ends what it began.

    Parameters
    ----------
    seconds : float
        Time to reach 63 % of a step.
    threshold : float
        Share, 0 to 1, from which on it counts as high.
    """

    def __init__(self, *, seconds: float, hop_seconds: float, threshold: float) -> None:
        self._pole = math.exp(-hop_seconds / seconds)
        self._threshold = threshold
        self._share = 0.0
        self.is_high = False

    def follow(self, share: float) -> None:
        """Take in the share of the next hop."""
        self._share = self._pole * self._share + (1.0 - self._pole) * share
        self.is_high = self._share >= (self._threshold / 2 if self.is_high else self._threshold)
