"""From motion to presence: who came must have walked, who sits still is held."""

from __future__ import annotations

from dataclasses import dataclass

from sensing.observations import PresenceReason
from sensing.ultrasound.motion_classifier import MotionScore

_THRESHOLD = 0.5
_ENTRY_HOPS = 3
"""Hops of major motion in a row that make an entry: 0.15 s more than the detector's own median."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceStep:
    """What a hop changed: None for ``present`` when nothing did."""

    kind: str | None
    present: bool | None = None
    reason: PresenceReason = "timeout"


class Presence:
    """Hold presence while anything moves, and for ``hold_seconds`` after.

    Entry needs major motion; once somebody is there, minor motion counts as well.

    Parameters
    ----------
    hold_seconds : float
        Time without any motion after which the room counts as empty.
    hop_seconds : float
        Time between two calls of `process`.
    """

    def __init__(self, *, hold_seconds: float, hop_seconds: float) -> None:
        self._hold_hops = max(1, round(hold_seconds / hop_seconds))
        self.is_present = False
        self.reset()

    def reset(self) -> None:
        """Restart the counts after a gap; what was known about the room stays."""
        self._major_hops = 0
        self._quiet_hops = 0

    def process(self, score: MotionScore) -> PresenceStep:
        """Return the motion of this hop and whether it changed presence."""
        is_moving = score.major + score.minor >= _THRESHOLD
        kind = "major" if score.major >= _THRESHOLD else "minor" if is_moving else None
        self._major_hops = self._major_hops + 1 if kind == "major" else 0
        self._quiet_hops = 0 if kind else self._quiet_hops + 1
        if not self.is_present and self._major_hops >= _ENTRY_HOPS:
            self.is_present = True
            return PresenceStep(kind=kind, present=True, reason="major_motion")
        if self.is_present and self._quiet_hops >= self._hold_hops:
            self.is_present = False
            return PresenceStep(kind=None, present=False, reason="timeout")
        return PresenceStep(kind=kind)
