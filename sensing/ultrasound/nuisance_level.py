"""How much the empty room itself looks like somebody: learnt, and then subtracted."""

from __future__ import annotations

from sensing.ultrasound.motion_evidence import MOST_MAJOR, MOST_MINOR, MotionEvidence

_EMPTY_QUANTILE = 0.98
"""A curtain that stirs for a second in twenty is to be learnt too."""
_OCCUPIED_QUANTILE = 0.6
"""While people are there, only what two hops of five exceed is the room's: people pause more often."""

_LEARNING = 0.01
"""Share of the full scale that is learnt in a second: a fan at half of it within a minute."""

_MOST = 0.75
"""Somebody who walks is noticed beside the worst nuisance, later: a quarter of the evidence is left."""

_SPREAD = 0.3
"""What exceeds the level by less than this share of the full scale is the same nuisance, a little louder."""

_COSTLY = 0.25
"""Above this share of the full scale entries are noticed late, which has to be told."""


class NuisanceLevel:
    """Follow a quantile of the evidence and take it off.

    Quantiles are followed by stochastic approximation (Robbins and Monro 1951): up by ``q`` steps when
    exceeded, down by ``1 - q`` when not.

    Parameters
    ----------
    hop_seconds : float
        Time between two calls of `learn`.
    """

    def __init__(self, *, hop_seconds: float) -> None:
        self._step = _LEARNING * hop_seconds
        self._major = self._minor = 0.0

    @property
    def is_costly(self) -> bool:
        """Whether what is taken off makes the room much less sensitive."""
        return max(self._major / MOST_MAJOR, self._minor / MOST_MINOR) >= _COSTLY

    def learn(self, evidence: MotionEvidence, *, is_vacant: bool) -> None:
        """Take in a hop that is known to be the room's: it is vacant, or something certainly disturbs."""
        quantile = _EMPTY_QUANTILE if is_vacant else _OCCUPIED_QUANTILE
        self._major = self._followed(self._major, evidence.major, MOST_MAJOR, quantile)
        self._minor = self._followed(self._minor, evidence.minor, MOST_MINOR, quantile)

    def without(self, evidence: MotionEvidence) -> MotionEvidence:
        """Return the evidence less what the room itself shows; what is explained by that counts as quiet."""
        major = evidence.major
        if major > 0.0:
            is_explained = major <= self._major + min(self._major, _SPREAD * MOST_MAJOR)
            major = -MOST_MAJOR if is_explained and self._major > 0.0 else major - self._major
        is_explained = evidence.minor <= self._minor + min(self._minor, _SPREAD * MOST_MINOR)
        return MotionEvidence(major=major, minor=0.0 if is_explained else evidence.minor - self._minor)

    def _followed(self, level: float, value: float, scale: float, quantile: float) -> float:
        step = self._step * scale
        if value > level:
            return min(level + quantile * step, value, _MOST * scale)
        return max(0.0, level - (1.0 - quantile) * step)
