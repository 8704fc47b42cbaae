"""Times as people say them: "at half past six", "tomorrow evening", "on monday at 9 am".

Which instant is meant:

- "am", "pm", a part of the day ("in the evening"), or an hour that only one half of the day has (0, 13 to 23,
  "07:30") decide.
- "at 7" alone is the next seven o'clock, of the morning or the evening.
- On another day ("tomorrow at 7") the hours 7 to 11 are of the morning and 12 to 6 of the afternoon.
- An alarm on another day at 4 to 11 is in the morning, and so is waking somebody at these hours on any day.
- A day without a time means 9 in the morning; a part of a day begins at 8, 15, 18 or 20 o'clock.
- A weekday is the next such day on which the time has not passed; "next monday" is never today.
- A time that the spring change skips is the first instant after the gap; one that the autumn change repeats
  is the first of the two.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from routines.intents.spoken_duration import leading_duration, with_digits
from routines.schedule.wall_clock import instants, next_time_of_day

Part = Literal["morning", "afternoon", "evening", "night"]
Purpose = Literal["reminder", "alarm", "waking"]

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip
_BEGINS: dict[Part, time] = {
    "morning": time(8),
    "afternoon": time(15),
    "evening": time(18),
    "night": time(20),
}
_UNTIMED = time(9)
_MINUTES = {"quarter": 15, "half": 30}
_HOUR = r"(?P<hour>\d{1,2})"
_HALF = r"(?: (?P<half>am|pm))?"

_CLOCKS = [
    re.compile(r"(?:at )?(?P<word>noon|midday|midnight)(?!\w)"),
    re.compile(
        rf"(?:at )?(?:a )?(?P<past>\d{{1,2}}|quarter|half)(?: minutes?)? (?:past|after) {_HOUR}{_HALF}(?!\w)"
    ),
    re.compile(
        rf"(?:at )?(?:a )?(?P<to>\d{{1,2}}|quarter)(?: minutes?)? (?:to|before|till) {_HOUR}{_HALF}(?!\w)"
    ),
    re.compile(rf"(?:at )?{_HOUR}:(?P<minute>\d\d){_HALF}(?![\w:])"),
    re.compile(rf"(?:at )?{_HOUR} oclock{_HALF}(?!\w)"),
    re.compile(rf"(?:at )?{_HOUR}(?: (?P<minute>[1-5]\d|0 \d))? (?P<half>am|pm)(?!\w)"),
    re.compile(rf"at {_HOUR}(?: (?P<minute>[1-5]\d|0 \d))?(?![\w:])"),
]
_BARE = re.compile(rf"{_HOUR}(?: (?P<minute>[1-5]\d|0 \d))?(?![\w:])")
_DATES = [
    re.compile(r"the day after (?P<word>tomorrow)(?!\w)"),
    re.compile(r"(?P<word>today|tonight|tomorrow)(?!\w)"),
    re.compile(r"this (?P<part>morning|afternoon|evening)(?!\w)"),
    re.compile(rf"(?:on |this )?(?P<next>next )?(?P<weekday>{'|'.join(_DAYS)})(?!\w)"),
    re.compile(r"in (?P<number>\d+) (?P<unit>day|week)s?(?!\w)"),
    re.compile(r"(?P<next>next) (?P<unit>week)(?!\w)"),
    re.compile(rf"(?:on )?(?P<month>{'|'.join(_MONTHS)}) (?:the )?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?!\w)"),
    re.compile(
        rf"(?:on )?the (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of (?P<month>{'|'.join(_MONTHS)}))?(?!\w)"
    ),
]
_PARTS = re.compile(r"(?:in the |at )?(?P<part>morning|afternoon|evening|night)(?!\w)")
_RELATIVE = re.compile(r"in (?P<after>.+)|(?P<later>.+) from now")


class PastTime(ValueError):
    """The time that was named has passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clock:
    """A time of a clock: ``minute`` is negative for "quarter to"; a certain hour is one of 24."""

    hour: int
    minute: int
    is_certain: bool


@dataclass(slots=True)
class _Said:
    """The pieces of a time, as far as they were said."""

    clocks: list[_Clock] = field(default_factory=list)
    dates: list[re.Match[str]] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)


def parse_spoken_time(
    text: str, now: datetime, timezone: ZoneInfo, *, is_bare: bool = False, purpose: Purpose = "reminder"
) -> datetime | None:
    """Return the instant that a text names, or None if it says anything but a time.

    Parameters
    ----------
    text : str
        For example "tomorrow at 7:30 pm" or "in twenty minutes".
    now : datetime
        Time-zone aware.
    timezone : ZoneInfo
        Of the house.
    is_bare : bool
        A number alone is an hour: what stands before the text has said "at" already.
    purpose : {"reminder", "alarm", "waking"}
        What happens then; it decides between morning and evening.

    Returns
    -------
    datetime or None
        Later than ``now``, in the time zone of the house.

    Raises
    ------
    PastTime
        The text names a time that has passed, such as "today at 7 am" in the evening.
    """
    plain = with_digits(text)
    if relative := _RELATIVE.fullmatch(plain):
        duration, rest = leading_duration(relative["after"] or relative["later"])
        if duration is not None and not rest:
            return (now.astimezone(UTC) + duration).astimezone(timezone)
    said = _read(plain, is_bare=is_bare)
    return None if said is None else _resolve(said, now, timezone, purpose)


def _read(plain: str, *, is_bare: bool) -> _Said | None:
    """Return the pieces of a text that consists of them, each kind at most once."""
    said = _Said()
    clocks = [*_CLOCKS, _BARE] if is_bare else _CLOCKS
    rest = plain
    while rest:
        if found := _first(_DATES, rest):
            said.dates.append(found)
        elif (found := _first(clocks, rest)) and (clock := _clock(found)):
            said.clocks.append(clock)
        elif found := _PARTS.match(rest):
            said.parts.append(_part(found["part"]))
        else:
            return None
        rest = rest[found.end() :].strip()
    is_once = len(said.clocks) <= 1 and len(said.dates) <= 1 and len(said.parts) <= 1
    return said if plain and is_once else None


def _first(patterns: Sequence[re.Pattern[str]], text: str) -> re.Match[str] | None:
    return next((found for pattern in patterns if (found := pattern.match(text))), None)


def _part(word: str) -> Part:
    return next(part for part in _BEGINS if part == word)


def _clock(found: re.Match[str]) -> _Clock | None:
    """Return the time of a clock, or None if no clock shows it."""
    said = found.groupdict()
    if word := said.get("word"):
        return _Clock(hour=24 if word == "midnight" else 12, minute=0, is_certain=True)
    hour, minute = int(said["hour"]), int((said.get("minute") or "0").replace(" ", ""))
    is_certain = not 1 <= hour <= 12 or said["hour"].startswith("0")
    if past := said.get("past"):
        minute = _MINUTES.get(past) or int(past)
    if before := said.get("to"):
        minute = -(_MINUTES.get(before) or int(before))
    if not (hour < 24 and -60 < minute < 60):
        return None
    if not is_certain and (half := said.get("half")):
        return _Clock(hour=hour % 12 + (12 if half == "pm" else 0), minute=minute, is_certain=True)
    return _Clock(hour=hour, minute=minute, is_certain=is_certain)


def _resolve(said: _Said, now: datetime, timezone: ZoneInfo, purpose: Purpose) -> datetime | None:
    today = now.astimezone(timezone).date()
    named = _named_day(said, today) if said.dates else None
    if said.dates and named is None:
        return None
    part = _said_part(said)
    if said.clocks:
        clock = said.clocks[0]
        is_today = named is None or named == today
        hours = (clock.hour,) if clock.is_certain else _hours(clock.hour, part, purpose, is_today=is_today)
        minutes = [(60 * hour + clock.minute) % (1440 if hour == 0 else 2880) for hour in hours]
    elif part is None and (named is None or named == today):
        return None
    else:
        begins = _BEGINS[part] if part else _UNTIMED
        minutes = [60 * begins.hour + begins.minute]
    if named is None:
        clocks = [time(m // 60 % 24, m % 60) for m in minutes]
        coming = [at for clock in clocks if (at := next_time_of_day(clock, now, timezone)) is not None]
        return min(coming).astimezone(timezone)
    return _on_day(said, named, minutes, now, timezone)


def _said_part(said: _Said) -> Part | None:
    """Return the part of the day that was said by itself or with the day."""
    if said.parts:
        return said.parts[0]
    parts = said.dates[0].groupdict() if said.dates else {}
    if parts.get("word") == "tonight":
        return "night"
    return _part(parts["part"]) if parts.get("part") else None


def _named_day(said: _Said, today: date) -> date | None:
    """Return the first day from today on that was named; None if there is no such day."""
    found = said.dates[0]
    parts = found.groupdict()
    if word := parts.get("word"):
        ahead = 2 if found.group().startswith("the day after") else int(word == "tomorrow")
        return today + timedelta(days=ahead)
    if weekday := parts.get("weekday"):
        ahead = (_DAYS.index(weekday) - today.weekday()) % 7
        return today + timedelta(days=7 if parts["next"] and ahead == 0 else ahead)
    if unit := parts.get("unit"):
        return today + timedelta(days=int(parts.get("number") or 1) * (7 if unit == "week" else 1))
    if parts.get("day"):
        return _day_of_month(int(parts["day"]), parts.get("month"), today)
    return today


def _day_of_month(day: int, month: str | None, today: date) -> date | None:
    """Return the next such day; the 31st is never that of a shorter month."""
    for ahead in range(48):
        year, index = divmod(today.month - 1 + ahead, 12)
        if month is not None and _MONTHS[index] != month:
            continue
        try:
            found = date(today.year + year, index + 1, day)
        except ValueError:
            continue
        if found >= today:
            return found
    return None


def _hours(hour: int, part: Part | None, purpose: Purpose, *, is_today: bool) -> tuple[int, ...]:
    """Return the hours that an hour of the clock can mean; those past 23 are of the next day."""
    early, late = hour % 12, hour % 12 + 12
    match part:
        case "morning":
            return (early,)
        case "afternoon":
            return (late,)
        case "evening" | "night":
            return (late,) if 4 <= hour <= 11 else (early + 24,)
    if purpose == "waking" and 4 <= hour <= 11:
        return (early,)
    if is_today:
        return (early, late)
    return (early,) if (7 if purpose == "reminder" else 4) <= hour <= 11 else (late,)


def _on_day(
    said: _Said, day: date, minutes: Sequence[int], now: datetime, timezone: ZoneInfo
) -> datetime | None:
    """Return the first of some times of a day that is still to come."""
    weeks = 2 if said.dates[0].groupdict().get("weekday") else 1
    for week in range(weeks):
        first = day + timedelta(days=7 * week)
        walls = [datetime.combine(first, time()) + timedelta(minutes=minute) for minute in minutes]
        coming = [at for wall in walls for at in instants(wall, timezone) if at > now]
        if coming:
            return min(coming).astimezone(timezone)
    raise PastTime(f"{said.dates[0].group()} at that time has passed")
