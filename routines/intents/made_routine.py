"""The routine that a timer, an alarm or a reminder is: plain data in the words of routine YAML."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from routines.effects import CallService
from routines.facts import Json
from routines.intents.requests import AlarmRequest, ReminderRequest, TimerRequest
from routines.intents.spoken_duration import say_duration


def made_routine(
    request: TimerRequest | AlarmRequest | ReminderRequest,
    *,
    number: int,
    room: str | None,
    now: datetime,
    timezone: ZoneInfo,
    calls: Sequence[CallService] = (),
) -> dict[str, Json]:
    """Return the routine that does what was asked for, once.

    Parameters
    ----------
    request : TimerRequest, AlarmRequest or ReminderRequest
        What was asked for.
    number : int
        Makes the id unique: ``timer-3``.
    room : str or None
        Where it is said; None leaves it to the house.
    now : datetime
        When a timer begins.
    timezone : ZoneInfo
        Of the house: times are written as its clocks show them.
    calls : sequence of CallService
        What a timer's command does when the time has come.

    Raises
    ------
    ValueError
        A timer has a command and no calls to do it, or a reminder has neither a time nor a place.
    """
    match request:
        case TimerRequest(duration=duration, command=command):
            if command is not None and not calls:
                raise ValueError(f"nobody said what {command!r} is to do")
            at = now.astimezone(UTC) + duration
            actions = [_call(call) for call in calls] if command else [_say(_timer_text(request), room)]
            kind, alias, trigger = "timer", _timer_name(request), _at(at, timezone)
        case AlarmRequest(at=at, text=text):
            shown = at.astimezone(timezone)
            kind, alias, trigger = "alarm", f"Alarm at {clock_text(shown)}", _at(at, timezone)
            actions = [_say(text or f"It is {clock_text(shown)}", room)]
        case ReminderRequest(text=text):
            kind, alias, trigger = "reminder", f"Reminder: {text}", _reminder_trigger(request, timezone)
            actions = [_say(f"Reminder: {text}", room)]
    alias = _plain(alias)
    return {
        "id": f"{kind}-{number}",
        "alias": alias,
        "once": True,
        "triggers": [trigger],
        "actions": [*actions],
    }


def clock_text(shown: datetime) -> str:
    """Return a time as it is said: "7:05 AM"."""
    return shown.strftime("%I:%M %p").lstrip("0")


def _timer_name(request: TimerRequest) -> str:
    name = request.name or request.command or _length(request.duration)
    words = f"{name} timer" if request.command is None else f"Later: {name}"
    return words[:1].upper() + words[1:]


def _timer_text(request: TimerRequest) -> str:
    return f"Your {request.name or _length(request.duration)} timer is done"


def _length(duration: timedelta) -> str:
    """Return a duration as it stands before a noun: "5 minute"."""
    return say_duration(duration).removesuffix("s")


def _say(text: str, room: str | None) -> dict[str, Json]:
    words = _plain(text)
    return {"say": words} if room is None else {"say": words, "speaker": {"area_id": room}}


def _plain(text: str) -> str:
    """Return a text without braces: in a routine they would be a template, and be run."""
    return text.replace("{", "").replace("}", "")


def _call(call: CallService) -> dict[str, Json]:
    action: dict[str, Json] = {"action": call.action}
    if call.target:
        action["target"] = dict(call.target)
    if call.data:
        action["data"] = dict(call.data)
    return action


def _reminder_trigger(request: ReminderRequest, timezone: ZoneInfo) -> dict[str, Json]:
    if request.at is not None:
        return _at(request.at, timezone)
    if request.place is None:
        raise ValueError("a reminder needs a time or a place")
    trigger: dict[str, Json] = {
        "trigger": "location",
        "zone": _plain(request.place),
        "event": request.event or "enter",
    }
    if request.person is not None:
        trigger["person"] = _plain(request.person)
    return trigger


def _at(instant: datetime, timezone: ZoneInfo) -> dict[str, Json]:
    """Return a time trigger for one instant, as the clocks of the house show it.

    Seconds are rounded up: a timer is never early. Of the two same times in the night of the autumn change
    the second is written with its offset; without it, a timer set just before would ring an hour early.
    """
    whole = instant if instant.microsecond == 0 else instant.replace(microsecond=0) + timedelta(seconds=1)
    shown = whole.astimezone(timezone)
    text = shown.isoformat() if shown.fold else shown.replace(tzinfo=None).isoformat()
    return {"trigger": "time", "at": text}
