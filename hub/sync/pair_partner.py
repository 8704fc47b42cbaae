"""One acoustic calibration, as the hub that follows goes through it; see `hub.sync.pair_session`."""

from __future__ import annotations

from hub.sync.acoustic_offset import Arrivals, Unsure
from hub.sync.pair_messages import (
    Abort,
    Accept,
    Applied,
    Heard,
    PairMessage,
    Placement,
    Propose,
    Refuse,
    Result,
)
from hub.sync.pair_session import (
    AHEAD_SECONDS,
    ARM_SECONDS,
    HEAR_SECONDS,
    TELL_SECONDS,
    Action,
    Arm,
    Calibrated,
    Done,
    Failed,
    Outcome,
    Send,
)

_LARGEST_TRIM_SECONDS = 0.25


class PartnerSession:
    """The side of the hub that follows.

    Parameters
    ----------
    proposal : Propose
        What the leader has sent.
    trim_seconds : float
        Of this hub until now.
    """

    def __init__(self, proposal: Propose, *, me: str, place: Placement, trim_seconds: float) -> None:
        self._me, self._leader, self._session = me, proposal.sender, proposal.session
        self._plan = proposal.plan.plan()
        self._start_seconds = proposal.start_seconds
        self._place = place
        self._trim_seconds = trim_seconds
        self._has_heard = False
        self._deadline_seconds = self._start_seconds + self._plan.seconds + HEAR_SECONDS
        self._is_done = False

    def begin(self, now_seconds: float, *, why_not: str | None = None) -> list[Action]:
        """Accept, or refuse where there is a reason or no time."""
        ahead_seconds = self._start_seconds - now_seconds
        if why_not is None and not ARM_SECONDS <= ahead_seconds <= 2 * AHEAD_SECONDS:
            why_not = f"the chirps should begin in {ahead_seconds:.1f} s"
        if why_not is not None:
            refusal = Refuse(session=self._session, sender=self._me, why=why_not[:300])
            return [Send(message=refusal), *self._end(Failed(why=why_not))]
        accept = Accept(session=self._session, sender=self._me, place=self._place)
        arm = Arm(plan=self._plan, device=1, start_seconds=self._start_seconds)
        return [Send(message=accept), arm]

    def take(self, message: PairMessage, _now_seconds: float) -> list[Action]:
        """Return what follows from a message."""
        if self._is_done or (message.session, message.sender) != (self._session, self._leader):
            return []
        match message:
            case Abort(why=why):
                return self._end(Failed(why=why))
            case Result() if self._has_heard:
                trim = self._trim_seconds + message.offset_seconds
                if abs(trim) > _LARGEST_TRIM_SECONDS:
                    return self._give_up(f"{self._me} would have to play {trim * 1e3:.0f} ms earlier")
                applied = Applied(session=self._session, sender=self._me, trim_seconds=trim)
                done = Calibrated(offset=message.offset(), trim_seconds=trim)
                return [Send(message=applied), *self._end(done)]
        return []

    def hear(self, heard: Arrivals | Unsure, now_seconds: float) -> list[Action]:
        """Return what follows from what this hub's microphone heard."""
        if self._is_done or self._has_heard:
            return []
        if isinstance(heard, Unsure):
            return self._give_up(str(heard))
        self._has_heard = True
        self._deadline_seconds = max(self._deadline_seconds, now_seconds) + TELL_SECONDS
        return [
            Send(
                message=Heard(
                    session=self._session,
                    sender=self._me,
                    later_seconds=heard.later_seconds,
                    sigma_seconds=heard.sigma_seconds,
                    snr_db=heard.snr_db,
                )
            )
        ]

    def tick(self, now_seconds: float) -> list[Action]:
        """Return what follows from the time."""
        if self._is_done or now_seconds <= self._deadline_seconds:
            return []
        if self._has_heard:
            return self._end(Failed(why=f"{self._leader} has not told a result"))
        return self._end(Failed(why=f"{self._me} has recorded nothing"))

    def _give_up(self, why: str) -> list[Action]:
        abort = Abort(session=self._session, sender=self._me, why=why[:300])
        return [Send(message=abort), *self._end(Failed(why=why))]

    def _end(self, outcome: Outcome) -> list[Action]:
        self._is_done = True
        return [Done(outcome=outcome)]
