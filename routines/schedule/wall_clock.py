"""From the clock on the wall to instants, with daylight saving done right.

Where clocks jump forward some wall-clock times do not exist (a gap); where they fall back some exist twice
(an overlap). Everything here goes through :pep:`495`: the two folds of a wall-clock time give two instants,
which agree on an ordinary day, are in order in an overlap, and in reverse order in a gap.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from routines.vocabulary.words import WEEKDAYS, Weekday

Gap = Literal["next_valid", "skip"]
Overlap = Literal["first", "both"]
WallSearch = Callable[[datetime], datetime | None]

SEARCH_DAYS = 2 * 366
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def instants(
    wall: datetime, timezone: ZoneInfo, *, gap: Gap = "next_valid", overlap: Overlap = "first"
) -> tuple[datetime, ...]:
    """Return the instants that stand for a wall-clock time, in order.

    Parameters
    ----------
    wall : datetime
        Without a time zone.
    gap : {"next_valid", "skip"}
        What stands for a time that the clocks jump over: the first instant after the jump, or nothing.
    overlap : {"first", "both"}
        What stands for a time that the clocks show twice.

    Returns
    -------
    tuple of datetime
        In UTC: none, one or two.
    """
    first, second = _of_both_folds(wall, timezone)
    if first == second:
        return (first,)
    if first < second:
        return (first,) if overlap == "first" else (first, second)
    return () if gap == "skip" else (_offset_change(second, first, timezone),)


def next_time_of_day(
    at: time,
    after: datetime,
    timezone: ZoneInfo,
    *,
    weekdays: Sequence[Weekday] | None = None,
    gap: Gap = "next_valid",
    overlap: Overlap = "first",
) -> datetime | None:
    """Return the first instant strictly later than ``after`` at which the clock on the wall reads ``at``.

    Parameters
    ----------
    weekdays : sequence of Weekday, optional
        The days that count; all when left out. A time in a gap belongs to the day it would have been on, even
        where the clocks jump over the whole day (Apia, 30 December 2011).
    gap, overlap
        As for `instants`. With ``gap="skip"`` a day without this time is passed over.

    Returns
    -------
    datetime or None
        In UTC. None when no day within two years has it.
    """
    after = after.astimezone(UTC)
    # Clocks that fall back across midnight show the end of yesterday a second time.
    day = after.astimezone(timezone).date() - _DAY
    for _ in range(SEARCH_DAYS):
        if weekdays is None or WEEKDAYS[day.weekday()] in weekdays:
            for instant in instants(datetime.combine(day, at), timezone, gap=gap, overlap=overlap):
                if instant > after:
                    return instant
        day += _DAY
    return None


def next_as_time_passes(search: WallSearch, after: datetime, timezone: ZoneInfo) -> datetime | None:
    """Return the first whole second strictly later than ``after`` at which the clock shows what is searched.

    Only what the clock really shows counts: twice in an overlap, never in a gap.

    Parameters
    ----------
    search : WallSearch
        Returns the first wall-clock time, from the given one on, that is looked for; None if there is none.

    Returns
    -------
    datetime or None
        In UTC.
    """
    start = after.astimezone(UTC).replace(microsecond=0) + _SECOND
    while True:
        now = wall_time(start, timezone)
        wall = search(now)
        change = _change_within_a_day(start, timezone)
        if change is not None and (wall is None or start + (wall - now) >= change):
            start = change
            continue
        if wall is None:
            return None
        if wall - now < _DAY:
            return start + (wall - now)
        found = instants(wall, timezone, gap="skip")
        if found:
            return found[0]
        (start,) = instants(wall, timezone)


def next_by_calendar(search: WallSearch, after: datetime, timezone: ZoneInfo) -> datetime | None:
    """Return the first instant strictly later than ``after`` for what is searched, once for each wall time.

    What a gap holds falls due together, at the first instant after the gap; what an overlap repeats falls due
    the first time only.

    Parameters
    ----------
    search : WallSearch
        As for `next_as_time_passes`.

    Returns
    -------
    datetime or None
        In UTC.
    """
    after = after.astimezone(UTC)
    # From the time on the wall would do as well, but in a repeated hour it may try 3600 seconds in vain.
    wall = search(_first_unrepeated(after, timezone))
    while wall is not None:
        (instant,) = instants(wall, timezone)
        if instant > after:
            return instant
        wall = search(wall + _SECOND)
    return None


def wall_time(instant: datetime, timezone: ZoneInfo) -> datetime:
    """Return what the clock on the wall shows, as a datetime without a time zone."""
    return instant.astimezone(timezone).replace(tzinfo=None, fold=0)


def _first_unrepeated(after: datetime, timezone: ZoneInfo) -> datetime:
    """Return the wall-clock time, in whole seconds, from which on the clock shows what is new.

    That is the time on the wall, except while the clock shows an hour for the second time: then it is the end
    of this hour.
    """
    local = after.astimezone(timezone)
    wall = local.replace(tzinfo=None, fold=0, microsecond=0)
    if not local.fold:
        return wall
    first, second = _of_both_folds(wall, timezone)
    return wall + (_offset_change(first, second, timezone) - first)


def _change_within_a_day(start: datetime, timezone: ZoneInfo) -> datetime | None:
    """Return when the UTC offset changes; no zone has changed it twice within a day."""
    end = start + _DAY
    if wall_time(end, timezone) - wall_time(start, timezone) == _DAY:
        return None
    return _offset_change(start, end, timezone)


def _offset_change(low: datetime, high: datetime, timezone: ZoneInfo) -> datetime:
    """Return the first instant with another UTC offset than ``low``; ``high`` has the new one."""
    before = low.astimezone(timezone).utcoffset()
    seconds = -int((low - high) // _SECOND)
    changed = bisect_left(
        range(seconds),
        True,
        key=lambda second: (low + second * _SECOND).astimezone(timezone).utcoffset() != before,
    )
    # Offsets change on whole seconds, which ``low`` need not be on.
    return (low + changed * _SECOND).replace(microsecond=0)


def _of_both_folds(wall: datetime, timezone: ZoneInfo) -> tuple[datetime, datetime]:
    return (
        wall.replace(tzinfo=timezone, fold=0).astimezone(UTC),
        wall.replace(tzinfo=timezone, fold=1).astimezone(UTC),
    )
