"""When the triggers fall due that only time can fire."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from routines.schedule.cron import next_cron
from routines.schedule.sun import Place, next_sun_event
from routines.schedule.time_pattern import TimePattern, next_match
from routines.schedule.wall_clock import instants, next_time_of_day
from routines.vocabulary.triggers import (
    ClockTrigger,
    CronTrigger,
    SunTrigger,
    TimePatternTrigger,
    TimeTrigger,
)

ON_TIME = timedelta(seconds=60)
"""How late a busy hub may be without calling it late."""
CATCH_UP_HELD = timedelta(minutes=15)
"""How late a ``for:`` is still acted on, unless the trigger says otherwise."""


def next_due(
    trigger: ClockTrigger, after: datetime, timezone: ZoneInfo, place: Place | None
) -> datetime | None:
    """Return the first instant later than ``after`` at which a trigger falls due, None when it never does."""
    match trigger:
        case TimeTrigger():
            found = (_next_at(trigger, at, after, timezone) for at in trigger.at)
            return min((one for one in found if one is not None), default=None)
        case TimePatternTrigger(hours=hours, minutes=minutes, seconds=seconds):
            return next_match(TimePattern.parse(hours, minutes, seconds), after, timezone)
        case CronTrigger(expression=expression):
            return next_cron(expression, after, timezone)
        case SunTrigger(event=event, offset=offset, fallback_time=fallback):
            if place is None:
                return None
            return next_sun_event(event, after, place, timezone, offset=offset, fallback=fallback)
        case _:
            assert_never(trigger)


def _next_at(
    trigger: TimeTrigger, at: time | datetime, after: datetime, timezone: ZoneInfo
) -> datetime | None:
    gap, overlap = trigger.dst.gap, trigger.dst.overlap
    if isinstance(at, datetime):
        once = (at.astimezone(UTC),) if at.tzinfo else instants(at, timezone, gap=gap, overlap=overlap)
        return next((instant for instant in once if instant > after), None)
    return next_time_of_day(at, after, timezone, weekdays=trigger.weekday, gap=gap, overlap=overlap)


def words_for(trigger: ClockTrigger, due: datetime, timezone: ZoneInfo) -> str:
    """Return why a trigger fired, for people."""
    local = due.astimezone(timezone)
    match trigger:
        case SunTrigger(event=event, offset=offset):
            shift = f" {'+' if offset > timedelta(0) else '-'} {abs(offset)}" if offset else ""
            return f"{event}{shift} at {local:%H:%M}"
        case TimePatternTrigger() | CronTrigger():
            return f"it is {local:%H:%M:%S}"
        case TimeTrigger():
            return f"it is {local:%H:%M}"
        case _:
            assert_never(trigger)
