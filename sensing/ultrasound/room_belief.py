"""The chances that nobody, somebody who walks, or somebody who keeps still is in the room."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sensing.ultrasound.motion_evidence import MotionEvidence

PRESENT_ABOVE = 0.95
VACANT_BELOW = 0.05
"""Presence begins and ends with nineteen to one, so it never flickers between."""

EXIT_SHARE = 0.2
"""Of all walks in a room this share ends outside; the others end in a chair."""
DOOR_EXIT_SHARE = 0.92
"""Of those that end at a door that opens: after it nobody moves, whom one would have seen come back."""

_ENTRY_SECONDS = 1_800.0
"""Somebody comes twice an hour."""
_WALK_SECONDS = 8.0
_RISING_SHARE = 0.25
"""One in four motions of who sits is as large as a step."""
_WALKING_ABOVE = 0.5
_FADING_SECONDS = 5.0
"""The last steps of somebody who walks away look like gestures."""
_UNSEEN_EXIT_SECONDS = 90_000.0
"""Two exits an hour, of which one in fifty is not seen as a walk."""

_SOONER = 0.85
"""The hold is a maximum: this leaves time for the last steps, which are hard to tell from a gesture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Likelihoods:
    """What a hop says for each way to be there against nobody, in nats."""

    moving: float
    still: float


class RoomBelief:
    """A hidden Markov model with the states vacant, moving and still.

    Nobody comes in without walking, so there is no way from vacant to still; who is still leaves by
    walking, or unseen at a low rate. Who is still is told from nobody by what is not seen: gestures at a
    rate of ``lambda p_d`` make the odds after a quiet time T ``exp(-lambda p_d T)`` (Poisson). The rate, of
    gestures and larger motions, is such that the hold time is not exceeded after a walk, which may have
    ended outside; after a gesture, which made sure that nobody had left, it is about twice as long.

    Parameters
    ----------
    hold_seconds : float
        Longest quiet time after a walk until the room is vacant.
    entry_factor : float
        Multiplies the rate at which people come.

    Attributes
    ----------
    vacant, moving, still : float
        Probabilities; their sum is 1.
    """

    def __init__(self, *, hop_seconds: float, hold_seconds: float, entry_factor: float) -> None:
        odds = PRESENT_ABOVE / VACANT_BELOW * (1.0 - EXIT_SHARE) / EXIT_SHARE
        motions_per_second = math.log(odds) / (_SOONER * hold_seconds)
        self._gestures_per_hop = (1.0 - _RISING_SHARE) * motions_per_second * hop_seconds
        self._rises_per_hop = _RISING_SHARE * motions_per_second * hop_seconds
        self._fading_hops = round(_FADING_SECONDS / hop_seconds)
        self._hop_seconds = hop_seconds
        self._entry_factor = entry_factor
        self.forget()

    @property
    def occupied(self) -> float:
        """Probability that somebody is there."""
        return self.moving + self.still

    @property
    def seconds_since_walk(self) -> float:
        """Sensed time since somebody walked, as far as that is believed."""
        return self._hops_since_walk * self._hop_seconds

    def forget(self) -> None:
        """Return to knowing nothing: somebody may sit there, as after a restart."""
        self.vacant, self.moving, self.still = 0.5, 0.0, 0.5
        self._hops_since_walk = self._fading_hops

    def likelihoods(self, evidence: MotionEvidence, *, counts_minor: bool, heard: float) -> Likelihoods:
        """Return what a hop says for each state.

        Parameters
        ----------
        counts_minor : bool
            Whether minor motion may speak for somebody; it never brings anybody in.
        heard : float
            Share of the band, 0 to 1, from whose silence something can be concluded.
        """
        minor = evidence.minor if counts_minor else 0.0
        major = evidence.major if evidence.major > 0.0 else evidence.major * heard
        is_fading = self._hops_since_walk < self._fading_hops
        return Likelihoods(
            moving=max(major, minor) if minor > 0.0 else major,
            still=(0.0 if is_fading else minor) - self._gestures_per_hop * heard,
        )

    def step(
        self, said: Likelihoods, *, exit_share: float, entry_boost: float = 1.0, exit_boost: float = 1.0
    ) -> None:
        """Let a hop pass, then weigh what it said.

        Parameters
        ----------
        exit_share : float
            Share of walks that end outside, 0 to 1.
        entry_boost, exit_boost : float
            How many times likelier than usual somebody comes, or leaves unseen.
        """
        came = self.vacant * min(1.0, entry_boost * self._entry_factor * self._hop_seconds / _ENTRY_SECONDS)
        ended = self.moving * self._hop_seconds / _WALK_SECONDS
        rose = self.still * self._rises_per_hop
        slipped_out = self.still * exit_boost * self._hop_seconds / _UNSEEN_EXIT_SECONDS
        vacant = self.vacant - came + ended * exit_share + slipped_out
        moving = (self.moving + came - ended + rose) * math.exp(said.moving)
        still = (self.still + ended * (1.0 - exit_share) - rose - slipped_out) * math.exp(said.still)
        total = vacant + moving + still
        self.vacant, self.moving, self.still = vacant / total, moving / total, still / total
        self._hops_since_walk = 0 if self.moving > _WALKING_ABOVE else self._hops_since_walk + 1

    def left_by_door(self) -> None:
        """Weigh anew how a walk has ended that was taken for any other."""
        stayed = self.still * (1.0 - DOOR_EXIT_SHARE) / (1.0 - EXIT_SHARE)
        self.vacant += self.still - stayed
        self.still = stayed
