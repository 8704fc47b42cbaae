"""Timers, alarms and reminders as routines made at run time: set, found, held, extended and forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from routines.effects import CallService
from routines.facts import Json
from routines.intents.made_routine import clock_text, made_routine
from routines.intents.requests import (
    AlarmRequest,
    CancelRequest,
    Chosen,
    ExtendRequest,
    PauseRequest,
    RefusedRequest,
    ReminderRequest,
    Request,
    ResumeRequest,
    StatusRequest,
    TimerRequest,
)
from routines.intents.spoken_duration import say_duration
from routines.routine import Routine
from routines.vocabulary.triggers import LocationTrigger, TimeTrigger

_NOTE = "made"
"""Variable of a made routine that says how it was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of the made routines, and what is answered."""

    reply: str
    made: tuple[Routine, ...] = ()
    forgotten: tuple[str, ...] = ()


def answer_request(
    request: Request,
    known: Mapping[str, Routine],
    *,
    room: str | None,
    now: datetime,
    timezone: ZoneInfo,
    calls: Sequence[CallService] = (),
) -> Change:
    """Return what a request about timers, alarms and reminders changes, and the answer to it.

    Parameters
    ----------
    known : mapping
        The routines that were made before, by id.
    calls : sequence of CallService
        What a timer's command does when the time has come.
    """
    match request:
        case TimerRequest() | AlarmRequest() | ReminderRequest():
            number = 1 + max((_number(one) for one in known), default=0)
            data = made_routine(request, number=number, room=room, now=now, timezone=timezone, calls=calls)
            note: dict[str, Json] = {"room": room}
            if isinstance(request, TimerRequest):
                note |= {"name": request.name, "seconds": request.duration.total_seconds()}
            routine = Routine.model_validate({**data, "variables": {_NOTE: note}})
            return Change(reply=_set_words(request, timezone), made=(routine,))
        case RefusedRequest(reason=reason):
            return Change(reply=reason)
        case _:
            return _about_known(request, known, room=room, now=now, timezone=timezone)


def _set_words(request: TimerRequest | AlarmRequest | ReminderRequest, timezone: ZoneInfo) -> str:
    match request:
        case TimerRequest(duration=duration, command=None, name=name):
            return f"{name.capitalize() + ' timer' if name else 'Timer'} set for {say_duration(duration)}"
        case TimerRequest(duration=duration):
            return f"I will do that in {say_duration(duration)}"
        case AlarmRequest(at=at):
            return f"Alarm set for {_when(at, timezone)}"
        case ReminderRequest(at=datetime() as at):
            return f"I will remind you {_when(at, timezone)}"
        case ReminderRequest(place=place, event=event):
            return f"I will remind you when {'you leave' if event == 'leave' else 'you get to'} {place}"


def _when(at: datetime, timezone: ZoneInfo) -> str:
    local = at.astimezone(timezone)
    return f"{local:%A} at {clock_text(local)}"


def _about_known(
    request: CancelRequest | StatusRequest | PauseRequest | ResumeRequest | ExtendRequest,
    known: Mapping[str, Routine],
    *,
    room: str | None,
    now: datetime,
    timezone: ZoneInfo,
) -> Change:
    meant = _meant(request.which, known.values(), room)
    kind = request.which.kind
    if not meant:
        return Change(reply=f"There is no such {kind}" if known else f"There is no {kind}")
    if isinstance(request, CancelRequest):
        if len(meant) > 1 and not request.which.is_every:
            return Change(reply=f"There are {len(meant)} {kind}s; say which, or all of them")
        return Change(reply=f"{_names(meant)} cancelled", forgotten=tuple(one.id for one in meant))
    if isinstance(request, StatusRequest):
        return Change(reply=". ".join(_status(one, now, timezone) for one in meant))
    if len(meant) > 1:
        return Change(reply=f"There are {len(meant)} {kind}s; say which")
    return _rescheduled(request, meant[0], now, timezone)


def _meant(which: Chosen, known: Iterable[Routine], room: str | None) -> list[Routine]:
    """Return the made routines that are meant; of several, those of the room where it was asked."""
    found = [one for one in known if one.id.startswith(f"{which.kind}-")]
    if which.name is not None:
        wanted = which.name.casefold()
        found = [one for one in found if wanted in (one.alias or "").casefold()]
    if which.started_for is not None:
        found = [one for one in found if _noted(one).get("seconds") == which.started_for.total_seconds()]
    if which.room is not None:
        found = [one for one in found if _noted(one).get("room") == which.room]
    here = [one for one in found if room is not None and _noted(one).get("room") == room]
    return here if here and not which.is_every and len(found) > 1 else found


def _rescheduled(
    request: PauseRequest | ResumeRequest | ExtendRequest, one: Routine, now: datetime, timezone: ZoneInfo
) -> Change:
    due, left = _due(one, timezone), _left(one, now, timezone)
    if due is None or left is None:
        return Change(reply=f"{one.alias} waits for a place, not for a time")
    is_held = not one.enabled
    if isinstance(request, PauseRequest):
        held = {**_written(one), "enabled": False}
        return Change(
            reply=f"{one.alias} paused with {say_duration(left)} left",
            made=(_noting(held, {"left": left.total_seconds()}),),
        )
    if isinstance(request, ExtendRequest):
        left = max(timedelta(0), left + request.by)
    written = _written(one)
    if isinstance(request, ExtendRequest) and is_held:
        return Change(
            reply=f"{one.alias}: {say_duration(left)} left",
            made=(_noting(written, {"left": left.total_seconds()}),),
        )
    at = (now + left).isoformat()
    written |= {"enabled": True, "triggers": [{"trigger": "time", "at": at}]}
    return Change(reply=f"{one.alias}: {say_duration(left)} left", made=(_noting(written, {"left": None}),))


def _status(one: Routine, now: datetime, timezone: ZoneInfo) -> str:
    due, left = _due(one, timezone), _left(one, now, timezone)
    if due is None or left is None:
        place = next((t.zone for t in one.triggers if isinstance(t, LocationTrigger)), None)
        return f"{one.alias}, at {', '.join(place or ('any place',))}"
    if not one.enabled:
        return f"{one.alias} is paused with {say_duration(left)} left"
    if one.id.startswith("timer-"):
        return f"{one.alias}: {say_duration(left)} left"
    return f"{one.alias}, {_when(due, timezone)}"


def _due(one: Routine, timezone: ZoneInfo) -> datetime | None:
    at = next((t.at[0] for t in one.triggers if isinstance(t, TimeTrigger)), None)
    if not isinstance(at, datetime):
        return None
    return at if at.tzinfo else at.replace(tzinfo=timezone)


def _left(one: Routine, now: datetime, timezone: ZoneInfo) -> timedelta | None:
    held = _noted(one).get("left")
    if isinstance(held, int | float):
        return timedelta(seconds=held)
    due = _due(one, timezone)
    return None if due is None else max(timedelta(0), due - now)


def _noted(one: Routine) -> Mapping[str, Json]:
    note = one.variables.get(_NOTE)
    return note if isinstance(note, dict) else {}


def _noting(written: dict[str, Json], more: Mapping[str, Json]) -> Routine:
    routine = Routine.model_validate(written)
    return routine.model_copy(update={"variables": {_NOTE: {**_noted(routine), **more}}})


def _written(one: Routine) -> dict[str, Json]:
    written: dict[str, Json] = one.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return written


def _names(routines: Sequence[Routine]) -> str:
    return " and ".join(one.alias or one.id for one in routines)


def _number(routine_id: str) -> int:
    last = routine_id.rpartition("-")[2]
    return int(last) if last.isdecimal() else 0
