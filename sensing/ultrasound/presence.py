"""From motion to presence: who came must have walked, who sits still is held."""

from __future__ import annotations

from dataclasses import dataclass

from sensing.observations import DegradedState, PresenceReason
from sensing.ultrasound.motion_classifier import MotionScore
from sensing.ultrasound.motion_evidence import MotionEvidence, evidence_of
from sensing.ultrasound.motion_memory import RECALL_SECONDS, MotionKind, MotionMemory
from sensing.ultrasound.nuisance_level import NuisanceLevel
from sensing.ultrasound.passages import Passages
from sensing.ultrasound.presence_door import PresenceDoor
from sensing.ultrasound.room_belief import EXIT_SHARE, PRESENT_ABOVE, VACANT_BELOW, RoomBelief
from sensing.ultrasound.running_share import RunningShare

_FORGOTTEN_BELOW = 0.001
"""A room that was given up is watched for gestures until it is that unlikely that it was an error."""

_ENTRY_WINDOW_SECONDS = 0.6
_ENTRY_HOPS = 2
_PETS_WINDOW_SECONDS = 1.0
_PETS_HOPS = 8
"""A cat's dash past the speaker fills a hop or two; a person who crosses the room fills eight of twenty."""

_MIN_HOLD_SECONDS = 10.0
"""Nobody is given up sooner, whatever a door says: standing at it is no exit."""

_LEAST_HEARD = 0.1
"""A room under loud music all the time is still given up, after about three times the hold."""

_MASKED_SECONDS = 3.0
_MASKED_SHARE = 0.4

_NUISANCE_CERTAIN = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceVerdict:
    """What is known about the room from now on.

    Attributes
    ----------
    present : bool or None
        None when nobody can tell.
    confidence : float
        Probability that it is so, 0 to 1.
    """

    present: bool | None
    reason: PresenceReason
    explanation: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceStep:
    """What moved in a hop besides what the room always shows, and the verdict if it changed."""

    kind: MotionKind | None
    verdict: PresenceVerdict | None = None


class PresenceFilter:
    """Bayesian filter over vacant, moving and still, with the evidence that the moment allows.

    Entry needs major motion. After it minor motion counts too, and holds presence the longer the surer it
    made that nobody had left. Only hops that are given pass time: without sensing nothing is concluded.

    Parameters
    ----------
    hold_seconds : float
        Longest quiet time after a walk until the room counts as empty; after a gesture about twice that.
    hop_seconds : float
        Time between two calls of `process`.
    sensitivity : float
        Greater than zero, at most 10; multiplies the odds that somebody comes. 10 saves
        one or two hops of walking.
    pets : bool
        Whether animals live here: entry then needs stronger and longer major motion.

    Attributes
    ----------
    is_present : bool or None
        None while it is not known.
    """

    def __init__(
        self, *, hold_seconds: float, hop_seconds: float, sensitivity: float = 1.0, pets: bool = False
    ) -> None:
        self._min_hold_seconds = min(_MIN_HOLD_SECONDS, hold_seconds / 2)
        self._pets = pets
        self._belief = RoomBelief(
            hop_seconds=hop_seconds, hold_seconds=hold_seconds, entry_factor=sensitivity
        )
        self._nuisance = NuisanceLevel(hop_seconds=hop_seconds)
        self._passages = Passages(hop_seconds=hop_seconds)
        self._memory = MotionMemory(hop_seconds=hop_seconds)
        self._door = PresenceDoor(hop_seconds=hop_seconds)
        self._masked = RunningShare(seconds=_MASKED_SECONDS, hop_seconds=hop_seconds, threshold=_MASKED_SHARE)
        self._forget()

    def _forget(self) -> None:
        self.is_present: bool | None = None
        self._has_entered = False
        self._counts_minor = True
        self._belief.forget()
        self._passages.forget_visit()
        self._memory.forget()
        self._door.forget()

    @property
    def occupied(self) -> float:
        """Probability that somebody is there, 0 to 1."""
        return self._belief.occupied

    @property
    def degraded(self) -> tuple[DegradedState, ...]:
        """What keeps the room from being sensed as well as it could be."""
        states: list[DegradedState] = []
        if self._masked.is_high:
            states.append("music_masked")
        if self._nuisance.is_costly:
            states.append("fan_dominated")
        return tuple(states)

    @property
    def explanation(self) -> str:
        """Why the room is still taken as occupied; empty when it is not."""
        if not self.is_present:
            return ""
        music = ", music masks the rest" if self._masked.is_high else ""
        if self._memory.quiet_seconds < 1.0:
            return f"somebody moves{music}"
        if self._memory.gestures:
            return f"held: {self._memory.gestures} minor in {RECALL_SECONDS:.0f} s{music}"
        return f"held: quiet for {30 * int(self._memory.quiet_seconds / 30)} s{music}"

    def door_opened(self) -> None:
        """Take in that a door of the room has just been opened."""
        if self._door.open(is_present=self.is_present is True, memory=self._memory):
            self._belief.left_by_door()

    def lose_track(self, reason: PresenceReason, explanation: str) -> PresenceVerdict | None:
        """Know nothing any more; return that, unless it was so."""
        was_known = self.is_present is not None
        self._forget()
        if not was_known:
            return None
        return PresenceVerdict(present=None, reason=reason, explanation=explanation, confidence=1.0)

    def process(self, score: MotionScore, masked: float = 0.0) -> PresenceStep:
        """Return what a hop shows and changes.

        Parameters
        ----------
        masked : float
            Share of the band, 0 to 1, that music makes useless: silence there says nothing.
        """
        self._masked.follow(masked)
        seen = evidence_of(score, is_occupied=self.is_present is True, pets=self._pets)
        # who comes through a door that has just opened does not pass by
        is_vacant = self.is_present is False and self._door.entry_boost <= 1.0
        evidence = self._passages.process(self._nuisance.without(seen), is_vacant=is_vacant)
        self._learn_nuisance(seen, score)
        kind = _kind(evidence)
        self._memory.remember(kind)
        self._door.pass_hop(kind)
        self._update(evidence, heard=max(_LEAST_HEARD, 1.0 - masked))
        told: MotionKind | None = "minor" if kind and score.major < score.minor else kind
        return PresenceStep(kind=told, verdict=self._verdict())

    def _learn_nuisance(self, seen: MotionEvidence, score: MotionScore) -> None:
        is_vacant = not self.is_present and self._belief.occupied < 0.5
        if is_vacant or score.nuisance >= _NUISANCE_CERTAIN:
            self._nuisance.learn(seen, is_vacant=is_vacant)

    def _update(self, evidence: MotionEvidence, *, heard: float) -> None:
        self._belief.step(
            self._belief.likelihoods(evidence, counts_minor=self._counts_minor, heard=heard),
            # where nobody has been noticed yet, what ends was no walk, and nobody sits down after it
            exit_share=self._door.exit_share(EXIT_SHARE) if self._counts_minor else 1.0,
            entry_boost=self._door.entry_boost,
            exit_boost=self._door.exit_boost,
        )
        if self.is_present is False and self._belief.occupied < _FORGOTTEN_BELOW:
            self._has_entered = self._counts_minor = False

    def _verdict(self) -> PresenceVerdict | None:
        occupied = self._belief.occupied
        # nobody knows yet whether somebody sits there: that must not make an entry cheaper
        entered = self._belief.moving if self.is_present is None else occupied
        if not self.is_present and entered > PRESENT_ABOVE and (self._has_entered or self._has_walked()):
            return self._begin(occupied)
        is_quiet = self._belief.seconds_since_walk >= self._min_hold_seconds
        if self.is_present is not False and occupied < VACANT_BELOW and is_quiet:
            return self._end(1.0 - occupied)
        return None

    def _has_walked(self) -> bool:
        if self._pets:
            return self._memory.majors_within(_PETS_WINDOW_SECONDS) >= _PETS_HOPS
        return self._memory.majors_within(_ENTRY_WINDOW_SECONDS) >= _ENTRY_HOPS

    def _begin(self, confidence: float) -> PresenceVerdict:
        if self._has_walked():
            reason: PresenceReason = "major_motion"
            pets = " (more is asked for because of pets)" if self._pets else ""
            passers = " for longer than those who pass by" if self._passages.are_known else ""
            explanation = f"somebody walked{passers}{self._door.words}{pets}"
        else:
            reason = "minor_motion"
            explanation = "somebody moved soon after the room was given up"
        self.is_present = self._has_entered = self._counts_minor = True
        self._door.begin()
        self._passages.begin()
        return PresenceVerdict(present=True, reason=reason, explanation=explanation, confidence=confidence)

    def _end(self, confidence: float) -> PresenceVerdict:
        quiet = f"nothing has moved for {self._memory.quiet_seconds:.0f} s"
        was_known = self.is_present is not None
        by_door = was_known and self._door.tells_exit
        self.is_present = False
        self._passages.end()
        if not was_known:
            self._counts_minor = False
        return PresenceVerdict(
            present=False,
            reason="door" if by_door else "timeout",
            explanation=f"a door opened after somebody walked, then {quiet}" if by_door else quiet,
            confidence=confidence,
        )


def _kind(evidence: MotionEvidence) -> MotionKind | None:
    if evidence.major > 0.0:
        return "major"
    return "minor" if evidence.minor > 0.0 else None
