"""What people ask the house to remember: timers, alarms and reminders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Kind = Literal["timer", "alarm", "reminder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerRequest:
    """Say so when a while has passed, or then do what ``command`` asks for, a sentence of its own."""

    duration: timedelta
    name: str | None = None
    command: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRequest:
    """Wake or call at an instant (in the time zone of the house)."""

    at: datetime
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderRequest:
    """Remind of something at an instant, or when somebody comes to a place or leaves it.

    ``person`` is a name as spoken; None is whoever spoke.
    """

    text: str
    at: datetime | None = None
    place: str | None = None
    event: Literal["enter", "leave"] | None = None
    person: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which timer, alarm or reminder is meant: what is None was not said.

    Attributes
    ----------
    started_for : timedelta or None
        The length it was set to ("the five minute timer").
    room : str or None
        Where it was set.
    is_every : bool
        All of the kind.
    """

    kind: Kind
    name: str | None = None
    started_for: timedelta | None = None
    room: str | None = None
    is_every: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequest:
    """Forget what was set."""

    which: Chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRequest:
    """Say how long it is until then."""

    which: Chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseRequest:
    """Hold a timer."""

    which: Chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeRequest:
    """Let a held timer go on."""

    which: Chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendRequest:
    """Give a timer more time; less where ``by`` is negative."""

    which: Chosen
    by: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRequest:
    """A wish that was understood and cannot be met; ``reason`` is a sentence to say."""

    reason: str


Request = (
    TimerRequest
    | AlarmRequest
    | ReminderRequest
    | CancelRequest
    | StatusRequest
    | PauseRequest
    | ResumeRequest
    | ExtendRequest
    | RefusedRequest
)
