"""Sunrise and sunset: the only door to ``astral``.

``astral`` says where the sun stands; the crossing of the horizon is searched here, between a lowest and a
highest point of the sun. Its own sunrise and sunset go by the UTC date: one a year is lost where they cross
UTC midnight (sunrise in Dhaka, sunset in Chicago), and the date is not that of the calendar on the wall.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from math import acos, degrees
from typing import Literal
from zoneinfo import ZoneInfo

import astral
import astral.sun

from routines.schedule.wall_clock import instants, wall_time

SunEvent = Literal["sunrise", "sunset"]

SEARCH_DAYS = 367
# The upper edge of the sun is seen on the horizon: 16' for its radius and 34' for refraction (the definition
# of the US Naval Observatory and of the almanacs).
HORIZON_DEGREES = -50 / 60
EARTH_RADIUS_M = 6_371_000.0
# A year of both events for a few places.
_CACHED_DAYS = 8 * 2 * 366
_NOON = time(12)
_DAY = timedelta(days=1)
_HALF_DAY = timedelta(hours=12)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the sun is watched from; longitudes east of Greenwich are positive.

    The elevation is the height above the surroundings: the horizon lies lower for who stands higher.
    """

    latitude: float
    longitude: float
    elevation_m: float = 0.0


def sun_event(event: SunEvent, day: date, place: Place, timezone: ZoneInfo) -> datetime | None:
    """Return the sunrise or sunset on a day of the calendar of a time zone.

    Near the polar circles the sun can set twice on one day, just after midnight and just before the next:
    then it is the first.

    Returns
    -------
    datetime or None
        In UTC, to the second. None on a day without: polar night, midnight sun, or between a sunset just
        before midnight and one just after the next.
    """
    events = _events_of_day(event, day, place, timezone)
    return events[0] if events else None


def next_sun_event(
    event: SunEvent,
    after: datetime,
    place: Place,
    timezone: ZoneInfo,
    *,
    offset: timedelta = timedelta(0),
    fallback: time | None = None,
) -> datetime | None:
    """Return the first instant strictly later than ``after`` that is an offset away from a sunrise or sunset.

    Parameters
    ----------
    offset : timedelta
        Added to the event itself, so that it may lead into another day.
    fallback : time, optional
        What counts, without the offset, on a day that has no such event.

    Returns
    -------
    datetime or None
        In UTC. None when no day within 367 has the event.
    """
    after = after.astimezone(UTC)
    earliest, latest = min(offset, timedelta(0)), max(offset, timedelta(0))
    day = (after - latest).astimezone(timezone).date() - _DAY
    last = (after - earliest).astimezone(timezone).date() + SEARCH_DAYS * _DAY
    best: datetime | None = None
    while day <= last:
        # An offset and the fallback without it are not in the order of their days.
        if best is not None and _noon_of(day, timezone) - _DAY + earliest > best:
            return best
        due = [instant + offset for instant in _events_of_day(event, day, place, timezone)]
        if not due and fallback is not None and _is_on_the_calendar(day, timezone):
            due = list(instants(datetime.combine(day, fallback), timezone))
        best = min(
            (instant for instant in (*due, best) if instant is not None and instant > after), default=None
        )
        day += _DAY
    return best


def is_up(place: Place, at: datetime) -> bool:
    """Return whether the sun is up, which it is from sunrise on and until sunset."""
    return sun_elevation_degrees(place, at) >= _horizon_degrees(place)


def sun_elevation_degrees(place: Place, at: datetime) -> float:
    """Return how high the centre of the sun stands above the horizontal, leaving refraction out."""
    return _elevation_degrees(_observer(place), at.astimezone(UTC))


@lru_cache(maxsize=_CACHED_DAYS)
def _events_of_day(event: SunEvent, day: date, place: Place, timezone: ZoneInfo) -> tuple[datetime, ...]:
    # The calendar and the sun count days differently, by a whole day in Kiritimati.
    solar_noon = _noon_of(day, timezone) + timedelta(hours=place.longitude / 15)
    found = (_crossing(event, solar_noon.date() + shift * _DAY, place) for shift in (-1, 0, 1))
    return tuple(
        instant for instant in found if instant is not None and wall_time(instant, timezone).date() == day
    )


@lru_cache(maxsize=_CACHED_DAYS)
def _crossing(event: SunEvent, solar_day: date, place: Place) -> datetime | None:
    """Return when the sun crosses the horizon on a day from one lowest point of the sun to the next."""
    observer, horizon = _observer(place), _horizon_degrees(place)

    def is_done(at: datetime) -> bool:
        return (_elevation_degrees(observer, at) >= horizon) == (event == "sunrise")

    noon = astral.sun.noon(observer, solar_day)
    start = noon - _HALF_DAY if event == "sunrise" else noon
    if is_done(start) or not is_done(start + _HALF_DAY):
        return None
    seconds = bisect_left(
        range(_HALF_DAY // _SECOND), True, key=lambda second: is_done(start + second * _SECOND)
    )
    crossing: datetime = start + seconds * _SECOND
    return crossing


def _observer(place: Place) -> astral.Observer:
    return astral.Observer(place.latitude, place.longitude)


def _elevation_degrees(observer: astral.Observer, at: datetime) -> float:
    return float(astral.sun.elevation(observer, at, with_refraction=False))


def _horizon_degrees(place: Place) -> float:
    """Return where the horizon lies: lower for who stands high (plain geometry of a sphere)."""
    dip = degrees(acos(EARTH_RADIUS_M / (EARTH_RADIUS_M + max(place.elevation_m, 0.0))))
    return HORIZON_DEGREES - dip


def _noon_of(day: date, timezone: ZoneInfo) -> datetime:
    return datetime.combine(day, _NOON, tzinfo=timezone).astimezone(UTC)


def _is_on_the_calendar(day: date, timezone: ZoneInfo) -> bool:
    """Return whether the time zone has this day; Apia went without 30 December 2011."""
    return bool(instants(datetime.combine(day, _NOON), timezone, gap="skip"))
