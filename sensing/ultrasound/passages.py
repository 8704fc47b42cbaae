"""Who only passes by: short walks after which nothing moves, learnt and then not taken for entries."""

from __future__ import annotations

from dataclasses import replace

from sensing.ultrasound.motion_evidence import MotionEvidence

_LONGEST_SECONDS = 4.0
"""Who walks for longer was in the room; past an open door it takes one to two."""
_APART_SECONDS = 5.0
"""What moves again sooner is the same walk."""
_MARGIN = 1.25
"""The next one may pass a little nearer."""
_MOST = 80.0
"""Nats. Who comes into the worst room is told 1.5 s of clear walking later."""
_FORGETTING_SECONDS = 43_200.0


class Passages:
    """Learn how much evidence those bring who pass by, and ask for more.

    A walk of less than 4 s that was told as an entry, and after which nothing moved until the room was given
    up, was nobody who came in. From then on so much evidence of each walk is not counted. What stays below
    that confirms it; without any it is forgotten within a day.

    Parameters
    ----------
    hop_seconds : float
        Time between two calls of `process`.
    """

    def __init__(self, *, hop_seconds: float) -> None:
        self._hop_seconds = hop_seconds
        self._kept = 1.0 - hop_seconds / _FORGETTING_SECONDS
        self._level = 0.0
        self._walk_nats = self._walk_seconds = 0.0
        self._quiet_seconds = _APART_SECONDS
        self._visit_nats: float | None = None
        self._is_visit = False

    @property
    def are_known(self) -> bool:
        """Whether people pass by who would have been taken for somebody."""
        return self._level > 0.0

    def begin(self) -> None:
        """Take in that somebody has been noticed."""
        self._visit_nats = None
        self._is_visit = True

    def end(self) -> None:
        """Take in that the room has been given up."""
        if self._is_visit and self._visit_nats is not None:
            self._learn(self._visit_nats)
        self._is_visit = False

    def forget_visit(self) -> None:
        """Take in that nobody knows how the visit went on."""
        self._is_visit = False

    def process(self, evidence: MotionEvidence, *, is_vacant: bool) -> MotionEvidence:
        """Return the evidence of a hop; in a vacant room without what those bring who pass by."""
        self._level *= self._kept
        if evidence.major <= 0.0 and evidence.minor <= 0.0:
            self._pass_quiet_hop(is_vacant=is_vacant)
            return evidence
        if self._quiet_seconds >= _APART_SECONDS:
            self._walk_nats = self._walk_seconds = 0.0
            if self._visit_nats is not None:
                self._is_visit = False  # who moves again after the walk has come in
        self._quiet_seconds = 0.0
        if evidence.major <= 0.0:
            return evidence
        explained = min(evidence.major, max(0.0, self._level - self._walk_nats)) if is_vacant else 0.0
        self._walk_nats += evidence.major
        self._walk_seconds += self._hop_seconds
        return replace(evidence, major=evidence.major - explained)

    def _pass_quiet_hop(self, *, is_vacant: bool) -> None:
        was_walking = self._quiet_seconds < _APART_SECONDS
        self._quiet_seconds += self._hop_seconds
        if not was_walking or self._quiet_seconds < _APART_SECONDS:
            return
        is_short = 0.0 < self._walk_seconds <= _LONGEST_SECONDS
        if is_vacant and is_short and self.are_known:
            self._learn(self._walk_nats)
        if self._is_visit and self._visit_nats is None:
            self._visit_nats = self._walk_nats if is_short else None
            self._is_visit = is_short

    def _learn(self, nats: float) -> None:
        self._level = min(_MOST, max(self._level, _MARGIN * nats))
