"""Sunrise and sunset, against another program's sun.

The expected times are PyEphem's: its sun is asked how high it stands every two hours (every quarter of an
hour near the horizon), and where it has crossed the horizon in between, the moment is searched. The horizon
lies 50' below the level and there is no air, which is how almanacs define the events. Measured over these two
years the programs differ by 8 s at most below 65 degrees of latitude, by less than a minute in Tromso, and by
a little over two where the sun barely touches the horizon (Longyearbyen, 26 October 2025).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from math import acos, degrees
from typing import get_args
from zoneinfo import ZoneInfo

import ephem
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routines.schedule.sun import Place, SunEvent, is_up, next_sun_event, sun_elevation_degrees, sun_event
from tests.routines.schedule.forward_clock import (
    DAY,
    FIRST_DAY,
    HOUR,
    LAST_DAY,
    MINUTE,
    days,
    midnight_utc,
    shown,
)

EVENTS: tuple[SunEvent, ...] = get_args(SunEvent)
HORIZON_DEGREES = -50 / 60
SECOND = timedelta(seconds=1)
EPHEM_EPOCH = datetime(1899, 12, 31, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Site:
    latitude: float
    longitude: float
    zone_name: str

    @property
    def place(self) -> Place:
        return Place(latitude=self.latitude, longitude=self.longitude)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone_name)

    @property
    def tolerance(self) -> timedelta:
        """Return how far the programs may differ: the sun comes in flatter towards the poles."""
        return 15 * SECOND if abs(self.latitude) < 65 else 4 * MINUTE


SITES = {
    "Anchorage": Site(61.22, -149.90, "America/Anchorage"),
    "Apia": Site(-13.83, -171.77, "Pacific/Apia"),
    "Auckland": Site(-36.85, 174.76, "Pacific/Auckland"),
    "Berlin": Site(52.52, 13.40, "Europe/Berlin"),
    "Cape Town": Site(-33.92, 18.42, "Africa/Johannesburg"),
    "Chicago": Site(41.88, -87.63, "America/Chicago"),  # sunset passes midnight UTC
    "Dhaka": Site(23.81, 90.41, "Asia/Dhaka"),  # sunrise passes midnight UTC
    "Fairbanks": Site(64.84, -147.72, "America/Anchorage"),  # sunset passes local midnight
    "Honolulu": Site(21.31, -157.86, "Pacific/Honolulu"),
    "Kashgar": Site(39.47, 75.99, "Asia/Shanghai"),  # the clock runs three hours ahead of the sun
    "Kiritimati": Site(1.87, -157.43, "Pacific/Kiritimati"),  # the calendar runs a day ahead of the sun
    "Longyearbyen": Site(78.22, 15.63, "Arctic/Longyearbyen"),
    "McMurdo": Site(-77.85, 166.67, "Antarctica/McMurdo"),
    "New York": Site(40.71, -74.01, "America/New_York"),
    "Quito": Site(-0.18, -78.47, "America/Guayaquil"),
    "Reykjavik": Site(64.15, -21.94, "Atlantic/Reykjavik"),  # sunset passes local midnight
    "Rovaniemi": Site(66.50, 25.73, "Europe/Helsinki"),
    "Suva": Site(-18.14, 178.44, "Pacific/Fiji"),
    "Tokyo": Site(35.68, 139.69, "Asia/Tokyo"),
    "Tromso": Site(69.65, 18.96, "Europe/Oslo"),
    "Ushuaia": Site(-54.80, -68.30, "America/Argentina/Ushuaia"),
    "Utqiagvik": Site(71.29, -156.79, "America/Anchorage"),
}
TROMSO = SITES["Tromso"]
BERLIN = SITES["Berlin"]


class OtherSun:
    """PyEphem's sun at a place."""

    def __init__(self, latitude: float, longitude: float) -> None:
        self._observer = ephem.Observer()
        self._observer.lat, self._observer.lon = str(latitude), str(longitude)
        self._observer.pressure = 0
        self._sun = ephem.Sun()

    def elevation(self, at: datetime) -> float:
        self._observer.date = (at - EPHEM_EPOCH) / DAY
        self._sun.compute(self._observer)
        return degrees(self._sun.alt)

    def crossings(self, start: datetime, end: datetime, horizon: float) -> list[tuple[bool, datetime]]:
        """Return when the sun crosses the horizon, and whether it then rises."""
        found = []
        height = self.elevation(start) - horizon
        while start < end:
            # Within an hour of its highest or lowest the sun moves by less than two degrees.
            step = 2 * HOUR if abs(height) > 3 else HOUR / 4
            next_height = self.elevation(start + step) - horizon
            if (height >= 0) != (next_height >= 0):
                found.append((next_height >= 0, self._crossing(start, start + step, horizon)))
            height = next_height
            start += step
        return found

    def _crossing(self, low: datetime, high: datetime, horizon: float) -> datetime:
        before, after = self.elevation(low) - horizon, self.elevation(high) - horizon
        while high - low > 4 * MINUTE:
            middle = low + (high - low) / 2
            height = self.elevation(middle) - horizon
            if (height >= 0) == (after >= 0):
                high, after = middle, height
            else:
                low, before = middle, height
        # So close by, the sun moves in a line.
        return low + (high - low) * (before / (before - after))


@cache
def other_events(name: str) -> dict[SunEvent, list[datetime]]:
    site = SITES[name]
    start, end = midnight_utc(FIRST_DAY - 2 * DAY), midnight_utc(LAST_DAY + 3 * DAY)
    crossings = OtherSun(site.latitude, site.longitude).crossings(start, end, HORIZON_DEGREES)
    return {
        "sunrise": [at for rises, at in crossings if rises],
        "sunset": [at for rises, at in crossings if not rises],
    }


@pytest.mark.parametrize("name", SITES)
@pytest.mark.parametrize("event", EVENTS)
def test_two_years_of_events_are_those_of_the_other_sun(name: str, event: SunEvent) -> None:
    site, expected = SITES[name], other_events(name)[event]
    after = expected[0] - HOUR
    for other in expected:
        found = next_sun_event(event, after, site.place, site.zone)
        assert found is not None
        assert abs(found - other) < site.tolerance
        after = found


@pytest.mark.parametrize("name", SITES)
@pytest.mark.parametrize("event", EVENTS)
def test_each_day_of_the_calendar_has_the_event_that_the_clock_shows_on_it(
    name: str, event: SunEvent
) -> None:
    site = SITES[name]
    expected: dict[date, datetime] = {}
    in_doubt: set[date] = set()
    for at in other_events(name)[event]:
        expected.setdefault(shown(at, site.zone).date(), at)
        # At midnight a second or a minute decides which day an event is on.
        around = {shown(at + shift, site.zone).date() for shift in (-site.tolerance, site.tolerance)}
        in_doubt |= around if len(around) == 2 else set()
    for day in days(date(2026, 1, 1)):
        if day in in_doubt:
            continue
        found = sun_event(event, day, site.place, site.zone)
        assert (found is None) == (day not in expected)
        if found is not None:
            assert shown(found, site.zone).date() == day
            assert abs(found - expected[day]) < site.tolerance


@pytest.mark.parametrize("name", ["Anchorage", "Auckland", "Chicago", "Dhaka", "Kashgar", "Kiritimati"])
@pytest.mark.parametrize("event", EVENTS)
def test_away_from_the_poles_every_day_has_one_of_its_own(name: str, event: SunEvent) -> None:
    site = SITES[name]
    found = [sun_event(event, day, site.place, site.zone) for day in days(date(2026, 1, 1))]
    assert None not in found
    assert len(set(found)) == 365


@pytest.mark.parametrize(
    ("day", "sunrises", "sunsets"),
    [
        (date(2026, 1, 5), False, False),  # polar night
        (date(2026, 6, 21), False, False),  # midnight sun
        (date(2026, 3, 20), True, True),
        (date(2026, 12, 21), False, False),
    ],
)
def test_tromso_has_no_events_in_polar_night_and_midnight_sun(
    day: date, sunrises: bool, sunsets: bool
) -> None:
    assert (sun_event("sunrise", day, TROMSO.place, TROMSO.zone) is not None) == sunrises
    assert (sun_event("sunset", day, TROMSO.place, TROMSO.zone) is not None) == sunsets


@pytest.mark.parametrize("name", ["Tromso", "Longyearbyen", "McMurdo"])
def test_after_polar_night_or_midnight_sun_the_next_event_is_the_other_suns_first(name: str) -> None:
    site = SITES[name]
    for event, month in ((event, month) for event in EVENTS for month in range(1, 13)):
        after = datetime(2025, month, 15, tzinfo=UTC)
        expected = other_events(name)[event]
        found = next_sun_event(event, after, site.place, site.zone)
        assert found is not None
        assert abs(found - expected[bisect_right(expected, after)]) < site.tolerance


def test_both_sunsets_of_a_day_with_two_are_found() -> None:
    twice = [
        (early, late)
        for early, late in pairwise(other_events("Tromso")["sunset"])
        if shown(early, TROMSO.zone).date() == shown(late, TROMSO.zone).date()
    ]
    assert twice
    for early, late in twice:
        first = sun_event("sunset", shown(early, TROMSO.zone).date(), TROMSO.place, TROMSO.zone)
        assert first is not None
        assert abs(first - early) < TROMSO.tolerance
        second = next_sun_event("sunset", first, TROMSO.place, TROMSO.zone)
        assert second is not None
        assert abs(second - late) < TROMSO.tolerance


def test_the_fallback_counts_on_days_without_the_event_and_goes_without_the_offset() -> None:
    found = []
    after = datetime(2026, 11, 24, 12, tzinfo=UTC)
    for _ in range(6):
        instant = next_sun_event(
            "sunset", after, TROMSO.place, TROMSO.zone, offset=timedelta(minutes=-30), fallback=time(15, 30)
        )
        assert instant is not None
        after = instant
        found.append(shown(after, TROMSO.zone).replace(second=0))
    sunsets = [shown(at, TROMSO.zone) for at in other_events("Tromso")["sunset"]]
    last_days = [wall - HOUR / 2 for wall in sunsets if datetime(2026, 11, 25) < wall < datetime(2027, 1, 1)]
    assert [wall.date() for wall in found] == list(days(date(2026, 11, 25), date(2026, 11, 30)))
    for wall in found:
        other = [last for last in last_days if last.date() == wall.date()]
        assert abs(wall - other[0]) < 5 * MINUTE if other else wall.time() == time(15, 30)


def test_an_event_of_tomorrow_with_its_offset_may_come_before_todays_fallback() -> None:
    # The first sunset of 2026 there is shortly after noon on 15 January; the day before has the fallback.
    sunset = next_sun_event("sunset", datetime(2026, 1, 5, tzinfo=UTC), TROMSO.place, TROMSO.zone)
    assert sunset is not None
    assert shown(sunset, TROMSO.zone).date() == date(2026, 1, 15)
    offset, fallback = timedelta(hours=-20), time(23)
    after = sunset + offset - SECOND
    for expected in (sunset + offset, datetime(2026, 1, 14, 23, tzinfo=TROMSO.zone)):
        found = next_sun_event("sunset", after, TROMSO.place, TROMSO.zone, offset=offset, fallback=fallback)
        assert found == expected
        after = expected


def test_a_negative_offset_may_lead_into_the_day_before() -> None:
    site = SITES["Reykjavik"]
    # In late June the sun sets there a few minutes past midnight.
    sunset = sun_event("sunset", date(2026, 6, 20), site.place, site.zone)
    assert sunset is not None
    assert shown(sunset, site.zone).time() < time(0, 10)
    before = timedelta(hours=-1)
    found = next_sun_event("sunset", sunset + before - SECOND, site.place, site.zone, offset=before)
    assert found == sunset + before
    assert shown(found, site.zone).date() == date(2026, 6, 19)


def test_the_day_that_apia_went_without_has_no_event_and_no_fallback() -> None:
    site = SITES["Apia"]
    gone = date(2011, 12, 30)
    assert [sun_event(event, gone, site.place, site.zone) for event in EVENTS] == [None, None]
    last = sun_event("sunset", gone - DAY, site.place, site.zone)
    first = sun_event("sunset", gone + DAY, site.place, site.zone)
    assert last is not None
    assert first is not None
    assert abs(first - last - DAY) < 2 * MINUTE
    assert next_sun_event("sunset", last, site.place, site.zone, fallback=time(0, 0)) == first


def test_who_stands_high_sees_the_sun_earlier_by_the_dip_of_the_horizon() -> None:
    # Zugspitze, 2962 m: the line of sight touches the globe 1.75 degrees below the level.
    site = Site(47.42, 10.98, "Europe/Berlin")
    dip = degrees(acos(6371 / (6371 + 2.962)))
    place = Place(latitude=site.latitude, longitude=site.longitude, elevation_m=2962)
    start = datetime(2026, 5, 1, tzinfo=UTC)
    other = OtherSun(site.latitude, site.longitude)
    crossings = other.crossings(start, start + 30 * DAY, HORIZON_DEGREES - dip)
    assert len(crossings) == 60
    for rises, at in crossings:
        found = next_sun_event("sunrise" if rises else "sunset", at - HOUR, place, site.zone)
        assert found is not None
        assert abs(found - at) < site.tolerance


def test_a_place_below_the_sea_has_a_level_horizon() -> None:
    low = Place(latitude=31.5, longitude=35.5, elevation_m=-430)
    level = Place(latitude=31.5, longitude=35.5)
    day, zone = date(2026, 6, 1), ZoneInfo("Asia/Jerusalem")
    assert sun_event("sunset", day, low, zone) == sun_event("sunset", day, level, zone)


def test_where_the_sun_never_sets_there_is_no_next_sunset_but_the_fallback() -> None:
    moon = Place(latitude=45, longitude=0, elevation_m=384_400_000)
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert next_sun_event("sunset", now, moon, ZoneInfo("UTC")) is None
    assert next_sun_event("sunset", now, moon, ZoneInfo("UTC"), fallback=time(18)) == now + 6 * HOUR


@pytest.mark.parametrize("latitude", [-90.0, 90.0])
def test_at_the_poles_there_is_an_answer(latitude: float) -> None:
    pole = Place(latitude=latitude, longitude=0)
    for event in EVENTS:
        found = next_sun_event(event, datetime(2026, 1, 1, tzinfo=UTC), pole, ZoneInfo("UTC"))
        assert found is not None


MOMENTS = st.datetimes(datetime(2025, 1, 3), datetime(2026, 12, 1), timezones=st.just(UTC))
NAMES = st.sampled_from(sorted(SITES))


@settings(max_examples=200, deadline=None)
@given(name=NAMES, at=MOMENTS)
def test_the_elevation_is_that_of_the_other_sun(name: str, at: datetime) -> None:
    site = SITES[name]
    other = OtherSun(site.latitude, site.longitude).elevation(at)
    # Parallax and the coarser formula.
    assert abs(sun_elevation_degrees(site.place, at) - other) < 0.03
    if abs(other - HORIZON_DEGREES) > 0.03:
        assert is_up(site.place, at) == (other > HORIZON_DEGREES)


@settings(max_examples=60, deadline=None)
@given(name=NAMES, at=MOMENTS)
def test_the_sun_is_up_from_the_second_of_sunrise_until_the_second_of_sunset(name: str, at: datetime) -> None:
    site = SITES[name]
    for event in EVENTS:
        found = next_sun_event(event, at, site.place, site.zone)
        assert found is not None
        assert is_up(site.place, found) == (event == "sunrise")
        assert is_up(site.place, found - SECOND) == (event == "sunset")


@settings(max_examples=120, deadline=None)
@given(
    name=NAMES,
    event=st.sampled_from(EVENTS),
    after=MOMENTS,
    offset=st.timedeltas(-40 * HOUR, 40 * HOUR),
    fallback=st.none() | st.times(),
)
def test_the_next_is_the_first_of_all_days_events_and_fallbacks(
    name: str, event: SunEvent, after: datetime, offset: timedelta, fallback: time | None
) -> None:
    site = SITES[name]
    due = []
    near = list(days(after.date() - 5 * DAY, after.date() + 5 * DAY))
    for day in near:
        found = sun_event(event, day, site.place, site.zone)
        if found is not None:
            due.append(found + offset)
            # A day may have two.
            second = next_sun_event(event, found, site.place, site.zone)
            if second is not None and shown(second, site.zone).date() == day:
                due.append(second + offset)
        elif fallback is not None:
            due.append(datetime.combine(day, fallback, tzinfo=site.zone).astimezone(UTC))
    found = next_sun_event(event, after, site.place, site.zone, offset=offset, fallback=fallback)
    assert found is not None
    assert found > after
    later = [instant for instant in due if instant > after]
    if later and min(later) < midnight_utc(near[-1]) - 3 * DAY:
        assert found == min(later)
    else:
        assert found >= midnight_utc(near[-1]) - 3 * DAY
