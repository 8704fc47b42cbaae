"""One acoustic calibration of two hubs, as each of them goes through it: what is said, and what follows.

The leader serves the music, the partner follows it. The leader proposes, both chirp and listen, the partner
tells what it heard, the leader reckons, and only the partner's trim changes. A session has a deadline in
every state, so it ends whatever gets lost; a message that does not belong to its state changes nothing.
All times are on the leader's clock, which the partner follows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hub.sync.acoustic_offset import AcousticOffset, Arrivals, Unsure, two_way_offset
from hub.sync.chirp_plan import ChirpPlan
from hub.sync.pair_messages import (
    LARGEST_OFFSET_SECONDS,
    Abort,
    Accept,
    Applied,
    Heard,
    PairMessage,
    Placement,
    PlanOffered,
    Propose,
    Refuse,
    Result,
)

AHEAD_SECONDS = 2.5
"""From the proposal to the first chirp."""
ARM_SECONDS = 1.2
"""So long before it the leader must know that the other takes part: sound is on its way to a card for half a
second, and before that the tone ends."""
HEAR_SECONDS = 5.0
"""From the last chirp until both have told what they heard, on slow machines too."""
TELL_SECONDS = 3.0
_BELIEVED_SECONDS = 1e-3
"""Time stamps alone are better than that; what is more must be heard twice."""
_AGREE_SIGMAS, _AGREE_LEAST_SECONDS = 4.0, 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Tell the other hub."""

    message: PairMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """Chirp and listen: device 0 is the leader."""

    plan: ChirpPlan
    device: int
    start_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """It worked; ``trim_seconds`` is the partner's from now on."""

    offset: AcousticOffset
    trim_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspected:
    """More than time stamps can be wrong by: to be believed it must be heard again."""

    offset: AcousticOffset


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Nothing has changed; why, in one line."""

    why: str


Outcome = Calibrated | Suspected | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The session is over: chirps end, the tone comes back."""

    outcome: Outcome


Action = Send | Arm | Done


class LeadSession:
    """The side of the hub that serves the music.

    Parameters
    ----------
    me, partner : str
        Names of both hubs at the broker.
    session : str
        16 hexadecimal digits that no other session has.
    place : Placement
        Of this hub's microphone.
    suspected : AcousticOffset or None
        What the measurement just before found and nobody believes yet.
    """

    def __init__(
        self,
        *,
        me: str,
        partner: str,
        session: str,
        plan: ChirpPlan,
        place: Placement,
        suspected: AcousticOffset | None = None,
    ) -> None:
        self._me, self._partner, self._session = me, partner, session
        self._plan = plan
        self._place = place
        self._suspected = suspected
        self._theirs: Placement | None = None
        self._at_me: Arrivals | None = None
        self._at_partner: Arrivals | None = None
        self._found: AcousticOffset | None = None
        self._start_seconds = self._deadline_seconds = math.inf
        self._is_done = False

    def begin(self, now_seconds: float) -> list[Action]:
        """Propose."""
        self._start_seconds = now_seconds + AHEAD_SECONDS
        self._deadline_seconds = self._start_seconds - ARM_SECONDS
        offered = PlanOffered.of(self._plan)
        return [
            Send(
                message=Propose(
                    session=self._session, sender=self._me, plan=offered, start_seconds=self._start_seconds
                )
            )
        ]

    def take(self, message: PairMessage, now_seconds: float) -> list[Action]:
        """Return what follows from a message."""
        if self._is_done or (message.session, message.sender) != (self._session, self._partner):
            return []
        match message:
            case Accept(place=place) if self._theirs is None and now_seconds <= self._deadline_seconds:
                self._theirs = place
                self._deadline_seconds = self._start_seconds + self._plan.seconds + HEAR_SECONDS
                return [Arm(plan=self._plan, device=0, start_seconds=self._start_seconds)]
            case Refuse(why=why) if self._theirs is None:
                return self._end(Failed(why=f"{self._partner} refuses: {why}"))
            case Abort(why=why):
                return self._end(Failed(why=f"{self._partner}: {why}"))
            case Heard() if self._theirs is not None and self._at_partner is None:
                self._at_partner = message.arrivals()
                return self._reckon(now_seconds)
            case Applied(trim_seconds=trim) if self._found is not None:
                return self._end(Calibrated(offset=self._found, trim_seconds=trim))
        return []

    def hear(self, heard: Arrivals | Unsure, now_seconds: float) -> list[Action]:
        """Return what follows from what this hub's microphone heard."""
        if self._is_done or self._theirs is None or self._at_me is not None:
            return []
        if isinstance(heard, Unsure):
            return self._give_up(str(heard))
        self._at_me = heard
        return self._reckon(now_seconds)

    def tick(self, now_seconds: float) -> list[Action]:
        """Return what follows from the time."""
        if self._is_done or now_seconds <= self._deadline_seconds:
            return []
        if self._theirs is None:
            return self._give_up(f"{self._partner} does not answer; is its hub at the same broker?")
        if self._found is not None:
            return self._give_up(f"{self._partner} did not say that it took the result")
        return self._give_up(f"{self._partner if self._at_me else self._me} has not told what it heard")

    def _reckon(self, now_seconds: float) -> list[Action]:
        if self._at_me is None or self._at_partner is None or self._theirs is None:
            return []
        try:
            found = two_way_offset(
                self._at_me,
                self._at_partner,
                own_path_metres=(self._place.own_path_metres + self._theirs.own_path_metres) / 2,
                towards_metres=(self._place.towards_metres, self._theirs.towards_metres),
            )
        except Unsure as unsure:
            return self._give_up(str(unsure))
        if abs(found.offset_seconds) > LARGEST_OFFSET_SECONDS:
            return self._give_up(f"{found.offset_seconds * 1e3:.0f} ms cannot be true of two rooms in step")
        if abs(found.offset_seconds) > _BELIEVED_SECONDS:
            if self._suspected is None:
                return self._give_up("measured once more", Suspected(offset=found))
            if not agree(self._suspected, found):
                return self._give_up(
                    f"{self._suspected.offset_seconds * 1e6:.0f} us were heard, and then "
                    f"{found.offset_seconds * 1e6:.0f} us. Try again when neither card has just started"
                )
        self._found = found
        self._deadline_seconds = now_seconds + TELL_SECONDS
        return [
            Send(
                message=Result(
                    session=self._session,
                    sender=self._me,
                    offset_seconds=found.offset_seconds,
                    sigma_seconds=found.sigma_seconds,
                    distance_metres=found.distance_metres,
                )
            )
        ]

    def _give_up(self, why: str, outcome: Outcome | None = None) -> list[Action]:
        abort = Abort(session=self._session, sender=self._me, why=why[:300])
        return [Send(message=abort), *self._end(outcome or Failed(why=why))]

    def _end(self, outcome: Outcome) -> list[Action]:
        self._is_done = True
        return [Done(outcome=outcome)]


def agree(one: AcousticOffset, other: AcousticOffset) -> bool:
    """Return whether two measurements may be of the same offset."""
    apart_seconds = abs(one.offset_seconds - other.offset_seconds)
    sigma_seconds = math.hypot(one.sigma_seconds, other.sigma_seconds)
    return apart_seconds <= max(_AGREE_SIGMAS * sigma_seconds, _AGREE_LEAST_SECONDS)
