"""Clock changes found by asking every minute what the clock on the wall shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

# Half-hour shifts, negative daylight saving, shifts at or across midnight, shifts for a month of fasting, odd
# offsets, both hemispheres, and zones that stand still.
ZONES = (
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Tehran",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Europe/Berlin",
    "Europe/Dublin",
    "Pacific/Apia",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "UTC",
)
FIRST_DAY = date(2025, 1, 1)
LAST_DAY = date(2026, 12, 31)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def days(first: date = FIRST_DAY, last: date = LAST_DAY) -> Iterator[date]:
    day = first
    while day <= last:
        yield day
        day += DAY


def shown(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def midnight_utc(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


@dataclass(frozen=True)
class Change:
    """The minute at which the clocks change; ``gap`` is how far they jump forward, negative for back."""

    at: datetime
    gap: timedelta


@cache
def changes(zone: ZoneInfo, first: date = FIRST_DAY, last: date = LAST_DAY) -> tuple[Change, ...]:
    """Return every minute of these days that is not followed by the next on the clock."""
    found = []
    for day in days(first, last):
        start = midnight_utc(day)
        if shown(start + DAY, zone) - shown(start, zone) == DAY:
            continue
        found += [
            Change(start + n * MINUTE, jump - MINUTE)
            for n in range(24 * 60)
            if (jump := shown(start + n * MINUTE, zone) - shown(start + (n - 1) * MINUTE, zone)) != MINUTE
        ]
    return tuple(found)


class ForwardClock:
    """All instants for the wall-clock minutes of two years of a zone."""

    def __init__(self, zone: ZoneInfo, first: date = FIRST_DAY, last: date = LAST_DAY) -> None:
        self.zone = zone
        self.changes = changes(zone, first - 2 * DAY, last + 2 * DAY)
        self._near: dict[datetime, list[datetime]] = {}
        for change in self.changes:
            reach = DAY + abs(change.gap)
            for n in range(-(reach // MINUTE), reach // MINUTE):
                instant = change.at + n * MINUTE
                self._near.setdefault(shown(instant, zone), []).append(instant)

    def instants(self, wall: datetime) -> list[datetime]:
        """Return the instants at which the clock shows a minute: none in a gap, two in an overlap."""
        if wall in self._near:
            return self._near[wall]
        if any(self._is_in_gap(change, wall) for change in self.changes):
            return []
        # Away from changes the offset of the same time the UTC clock shows is that of the day.
        instant = wall.replace(tzinfo=UTC)
        instant -= shown(instant, self.zone) - wall
        assert shown(instant, self.zone) == wall
        return [instant]

    def end_of_gap(self, wall: datetime) -> datetime:
        (change,) = (change for change in self.changes if self._is_in_gap(change, wall))
        return change.at

    def due(self, wall: datetime, gap: str, overlap: str) -> list[datetime]:
        """Return what falls due for a wall-clock minute under these policies."""
        found = self.instants(wall)
        if not found:
            return [self.end_of_gap(wall)] if gap == "next_valid" else []
        return found[:1] if overlap == "first" else found

    def _is_in_gap(self, change: Change, wall: datetime) -> bool:
        after = shown(change.at, self.zone)
        return after - change.gap <= wall < after


@cache
def forward_clock(name: str) -> ForwardClock:
    return ForwardClock(ZoneInfo(name))
