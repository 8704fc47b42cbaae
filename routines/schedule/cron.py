"""Cron times: the only door to ``cronsim``.

``cronsim`` reads the expression and searches the calendar without a time zone. What daylight saving does to
the result is decided here: on its own it gives, in a time zone, hours that do not exist (00:00 in Santiago on
the day it is jumped over), skips some that do (03:00 on Lord Howe Island, where clocks jump by half an hour),
and finds what is past while an hour repeats.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from routines.schedule.wall_clock import next_as_time_passes, next_by_calendar

# What cronsim calls a field, what a person calls it, and what it may hold; in the order of six fields.
FIELDS = (
    ("second", "second", "0 to 59"),
    ("minute", "minute", "0 to 59"),
    ("hour", "hour", "0 to 23"),
    ("day-of-month", "day of the month", "1 to 31, L or LW"),
    ("month", "month", "1 to 12 or JAN to DEC"),
    ("day-of-week", "day of the week", "0 to 7 or SUN to SAT"),
)
_DAY_FIELD = 3
_MONTH_FIELD = 4
_ANY_TIME = datetime(2024, 1, 1)
_SECOND = timedelta(seconds=1)


def parse_cron(expression: str) -> str:
    """Return a cron expression with single spaces, once it is known to be good.

    Five fields (minute, hour, day of the month, month, day of the week), or six with seconds first.

    Raises
    ------
    ValueError
        When it cannot be read, with the field that is wrong, or when it never comes.
    """
    fields = expression.split()
    text = " ".join(fields)
    if len(fields) not in (5, 6):
        raise ValueError(
            f'"{text}" is no cron time: it needs five fields (minute, hour, day of the month, month, day of '
            f"the week) or six (with seconds first), and has {len(fields)}"
        )
    try:
        CronSim(text, _ANY_TIME)
    except CronSimError as error:
        raise ValueError(_what_is_wrong(fields, str(error))) from error
    if _at_or_after(text, _ANY_TIME) is None:
        raise ValueError(_never_comes(text))
    return text


def next_cron(expression: str, after: datetime, timezone: ZoneInfo) -> datetime | None:
    """Return the first instant strictly later than ``after`` that a cron expression matches.

    Where the clocks change it goes by the rule of Debian's cron. When the minute or the hour begins with a
    star it goes by the time that really passes: it matches in both of two repeated hours, and nothing in an
    hour that is jumped over. Otherwise it happens as often as on any other day: what a gap holds happens
    once, at the first instant after it; what an overlap repeats, the first time only. Seconds do not matter
    for this.

    Parameters
    ----------
    expression : str
        As `parse_cron` returns it.

    Returns
    -------
    datetime or None
        In UTC. None when it does not come within fifty years.
    """
    minute, hour = expression.split()[-5:-3]
    has_star = minute.startswith("*") or hour.startswith("*")
    rule = next_as_time_passes if has_star else next_by_calendar
    return rule(partial(_at_or_after, expression), after.astimezone(UTC), timezone)


def _at_or_after(expression: str, wall: datetime) -> datetime | None:
    return next(CronSim(expression, wall - _SECOND), None)


def _what_is_wrong(fields: list[str], message: str) -> str:
    text = " ".join(fields)
    six = fields if len(fields) == 6 else ["0", *fields]
    for place, (cronsim_name, name, values) in enumerate(FIELDS):
        if message == f"Bad {cronsim_name}":
            if place == _DAY_FIELD and _is_good([*six[:_MONTH_FIELD], "*", *six[_MONTH_FIELD + 1 :]]):
                return _never_comes(text)
            return f'"{text}" is no cron time: the {name} can be {values}, not "{six[place]}"'
    return f'"{text}" is no cron time: {message}'


def _is_good(fields: list[str]) -> bool:
    try:
        CronSim(" ".join(fields), _ANY_TIME)
    except CronSimError:
        return False
    return True


def _never_comes(text: str) -> str:
    return f'"{text}" never comes: no such day of the month is in the months it names'
