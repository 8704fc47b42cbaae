"""Windows of time as sets of the minutes of a week."""

from __future__ import annotations

from collections.abc import Collection
from datetime import time

from routines.vocabulary.conditions import TimeCondition
from routines.vocabulary.words import WEEKDAYS, Weekday

DAY = 24 * 60
WEEK = 7 * DAY
ALWAYS = (1 << WEEK) - 1
"""A set of minutes is a number: bit 0 is Monday's first minute."""


def minutes_of(window: TimeCondition) -> int:
    """Return the minutes that lie in a window, if only with a second; none if it never opens."""
    after, before = window.after, window.before
    days = WEEKDAYS if window.weekday is None else window.weekday
    start = 0 if after is None else _floor(after)
    end = DAY if before is None else _ceiling(before)
    if after is None or before is None or after < before:
        return _on_days(_run(start, end), days)
    evening, morning = _on_days(_run(start, DAY), days), _on_days(_run(0, end), days)
    return evening | (_a_day_later(morning) if window.weekday_of == "window_start" else morning)


def is_whole_minutes(window: TimeCondition) -> bool:
    """Return whether `minutes_of` says exactly when a window is open."""
    ends = (window.after, window.before)
    return all(end is None or (end.second, end.microsecond) == (0, 0) for end in ends)


def minutes_at(at: time, days: Collection[Weekday] | None, late_by_minutes: int = 0) -> int:
    """Return the minute of a time of day on some days, and those after it in which it may come late."""
    first = _on_days(_run(_floor(at), _floor(at) + 1), WEEKDAYS if days is None else days)
    found = first
    for _ in range(min(late_by_minutes, DAY)):
        found = later = found | _later(found, 1)
        if later == ALWAYS:
            break
    return found


def _floor(at: time) -> int:
    return at.hour * 60 + at.minute


def _ceiling(at: time) -> int:
    return _floor(at) + (1 if at.second or at.microsecond else 0)


def _run(start: int, end: int) -> int:
    return ((1 << max(0, end - start)) - 1) << start


def _on_days(minutes: int, days: Collection[Weekday]) -> int:
    return sum(minutes << (DAY * WEEKDAYS.index(day)) for day in dict.fromkeys(days))


def _a_day_later(minutes: int) -> int:
    return _later(minutes, DAY)


def _later(minutes: int, by: int) -> int:
    """Move minutes on; what leaves the week on Sunday comes in on Monday."""
    moved = minutes << by
    return (moved & ALWAYS) | (moved >> WEEK)
