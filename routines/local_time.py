"""When a time of day comes next, with daylight saving done right."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from routines.vocabulary.words import WEEKDAYS, Weekday


def next_occurrence(
    at: time, after: datetime, timezone: ZoneInfo, weekdays: Sequence[Weekday] | None = None
) -> datetime:
    """Return the first instant later than ``after`` at which the clock on the wall reads ``at``.

    A time that the spring change skips happens at the first instant after the gap; a time that the autumn
    change repeats happens once, the first time.

    Returns
    -------
    datetime
        In UTC.
    """
    day = after.astimezone(timezone).date() - timedelta(days=1)
    while True:
        if weekdays is None or WEEKDAYS[day.weekday()] in weekdays:
            instant = _instant(datetime.combine(day, at), timezone)
            if instant > after:
                return instant
        day += timedelta(days=1)


def _instant(wall: datetime, timezone: ZoneInfo) -> datetime:
    """Return the instant of a wall-clock time; fold 0 is the first of two."""
    instant = wall.replace(tzinfo=timezone, fold=0).astimezone(UTC)
    if instant.astimezone(timezone).replace(tzinfo=None) == wall:
        return instant
    # In the gap: fold 0 used the offset before it, fold 1 the one after; the clocks jump in between.
    low = wall.replace(tzinfo=timezone, fold=1).astimezone(UTC)
    high = instant
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(timezone).replace(tzinfo=None) < wall:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)
