"""Home Assistant's time pattern: "every five minutes", "at a quarter past every second hour"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Self
from zoneinfo import ZoneInfo

from routines.schedule.wall_clock import next_as_time_passes, next_by_calendar

Part = str | int
ANY = "*"
HOURS = 24
MINUTES = 60
SECONDS = 60
_DAY = timedelta(days=1)


def parse_part(value: Part, unit: str, *, limit: int) -> frozenset[int]:
    """Return the values of one unit of time that a pattern names.

    Parameters
    ----------
    value : str or int
        ``"*"`` for every value, ``"/n"`` for those that n divides (0 among them), or one number.
    unit : str
        What the message calls it: "hours".
    limit : int
        One more than the largest value.

    Raises
    ------
    ValueError
        When it cannot be read, or names a value that the unit does not have.
    """
    text = str(value).strip()
    if text == ANY:
        return frozenset(range(limit))
    digits = text.removeprefix("/")
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f'"{text}" is no pattern for {unit}: write a number, "*" or "/" and a number')
    number = int(digits)
    if text == digits:
        if number >= limit:
            raise ValueError(f'"{text}" never matches: {unit} go from 0 to {limit - 1}')
        return frozenset({number})
    if number == 0:
        raise ValueError(f'"{text}" never matches: nothing happens every 0 {unit}')
    if number >= limit:
        raise ValueError(f'"{text}" never matches: {unit} go from 0 to {limit - 1}')
    return frozenset(range(0, limit, number))


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePattern:
    """The hours, minutes and seconds of the clock on the wall at which something falls due."""

    hours: frozenset[int]
    minutes: frozenset[int]
    seconds: frozenset[int]

    @classmethod
    def parse(
        cls, hours: Part | None = None, minutes: Part | None = None, seconds: Part | None = None
    ) -> Self:
        """Return the pattern of a trigger, by Home Assistant's rule for what is left out.

        A unit that is left out is 0 when a larger one is given, and any otherwise: ``minutes="/5"`` is every
        fifth minute of every hour at second 0.

        Raises
        ------
        ValueError
            When a part cannot be read, or all are left out.
        """
        if hours is None and minutes is None and seconds is None:
            raise ValueError("a time pattern needs hours, minutes or seconds")
        if minutes is None and hours is not None:
            minutes = 0
        if seconds is None and minutes is not None:
            seconds = 0
        return cls(
            hours=parse_part(ANY if hours is None else hours, "hours", limit=HOURS),
            minutes=parse_part(ANY if minutes is None else minutes, "minutes", limit=MINUTES),
            seconds=parse_part(ANY if seconds is None else seconds, "seconds", limit=SECONDS),
        )


def next_match(pattern: TimePattern, after: datetime, timezone: ZoneInfo) -> datetime:
    """Return the first instant strictly later than ``after`` that a pattern matches.

    Where the clocks change it goes by the rule of Debian's cron. A pattern of every hour goes by the time
    that really passes: it matches in both of two repeated hours, and nothing in an hour that is jumped
    over. A pattern of certain hours happens as often as on any other day: what a gap holds happens once, at
    the first instant after it; what an overlap repeats happens the first time only.

    Returns
    -------
    datetime
        In UTC, on a whole second.
    """
    every_hour = len(pattern.hours) == HOURS
    rule = next_as_time_passes if every_hour else next_by_calendar
    match = rule(partial(_at_or_after, pattern), after, timezone)
    # Each part has a value, so that a day never passes without a match.
    assert match is not None
    return match


def _at_or_after(pattern: TimePattern, wall: datetime) -> datetime:
    """Return the first wall-clock time from ``wall`` on that the pattern matches."""
    first_second = min(pattern.seconds)
    if wall.hour in pattern.hours:
        if wall.minute in pattern.minutes:
            second = _next_of(pattern.seconds, wall.second)
            if second is not None:
                return wall.replace(second=second)
        minute = _next_of(pattern.minutes, wall.minute + 1)
        if minute is not None:
            return wall.replace(minute=minute, second=first_second)
    hour = _next_of(pattern.hours, wall.hour + 1)
    day: date = wall.date()
    if hour is None:
        hour = min(pattern.hours)
        day += _DAY
    return datetime.combine(day, time(hour, min(pattern.minutes), first_second))


def _next_of(values: Iterable[int], least: int) -> int | None:
    return min((value for value in values if value >= least), default=None)
