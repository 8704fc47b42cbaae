"""The clock on the wall: what daylight saving does to a time of day.

The expected values come from ``forward_clock``, which only ever converts instants to wall-clock times, and
from the table of what Home Assistant's own search gave.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routines.schedule.wall_clock import Gap, Overlap, instants, next_by_calendar, next_time_of_day
from routines.vocabulary.words import WEEKDAYS, Weekday
from tests.routines.schedule.forward_clock import (
    DAY,
    FIRST_DAY,
    HOUR,
    LAST_DAY,
    MINUTE,
    ZONES,
    days,
    forward_clock,
    shown,
)

TIMES = [
    time(0),
    time(0, 30),
    time(1, 30),
    time(2),
    time(2, 30),
    time(3),
    time(12),
    time(23, 30),
    time(23, 59),
]
GAPS: tuple[Gap, ...] = ("next_valid", "skip")
OVERLAPS: tuple[Overlap, ...] = ("first", "both")
POLICIES = list(product(GAPS, OVERLAPS))
NEW_YORK = ZoneInfo("America/New_York")
BERLIN = ZoneInfo("Europe/Berlin")
APIA = ZoneInfo("Pacific/Apia")
KWAJALEIN = ZoneInfo("Pacific/Kwajalein")


def firings(at: time, start: str, count: int, zone: ZoneInfo, **policy: str) -> list[str]:
    """Return the next firings, each found from the one before, as local times with their offsets."""
    found = []
    after = datetime.fromisoformat(start)
    for _ in range(count):
        instant = next_time_of_day(at, after, zone, **policy)  # type: ignore[arg-type]
        assert instant is not None
        after = instant
        found.append(after.astimezone(zone).isoformat(timespec="minutes"))
    return found


def test_a_time_in_new_yorks_spring_gap_comes_at_its_end() -> None:
    assert firings(time(2, 30), "2026-03-07T02:30-05:00", 2, NEW_YORK) == [
        "2026-03-08T03:00-04:00",
        "2026-03-09T02:30-04:00",
    ]


def test_a_skipped_time_in_new_yorks_spring_gap_is_what_home_assistant_does() -> None:
    assert firings(time(2, 30), "2026-03-07T02:30-05:00", 1, NEW_YORK, gap="skip") == [
        "2026-03-09T02:30-04:00"
    ]


@pytest.mark.parametrize(
    ("at", "zone", "start", "twice"),
    [
        (
            time(1, 30),
            NEW_YORK,
            "2026-10-31T01:30-04:00",
            ["2026-11-01T01:30-04:00", "2026-11-01T01:30-05:00", "2026-11-02T01:30-05:00"],
        ),
        (
            time(2, 0),
            BERLIN,
            "2026-10-24T02:00+02:00",
            ["2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00", "2026-10-26T02:00+01:00"],
        ),
    ],
)
def test_a_time_that_autumn_repeats_comes_once_and_as_in_home_assistant_twice_if_asked(
    at: time, zone: ZoneInfo, start: str, twice: list[str]
) -> None:
    assert firings(at, start, 2, zone) == [twice[0], twice[2]]
    assert firings(at, start, 3, zone, overlap="both") == twice


def test_noon_on_the_day_of_the_change_is_noon() -> None:
    assert firings(time(12), "2026-03-29T12:00+02:00", 1, BERLIN) == ["2026-03-30T12:00+02:00"]


def test_a_time_that_is_due_now_is_next_due_tomorrow() -> None:
    now = datetime(2026, 6, 1, 5, 0, tzinfo=UTC)
    assert next_time_of_day(time(7), now, BERLIN) == now + DAY
    assert next_time_of_day(time(7), now - timedelta(microseconds=1), BERLIN) == now


def test_no_weekday_is_never() -> None:
    assert next_time_of_day(time(7), datetime(2026, 6, 1, tzinfo=UTC), BERLIN, weekdays=()) is None


def test_results_are_in_utc_whatever_zone_the_question_is_in() -> None:
    asked = datetime(2026, 6, 1, 12, tzinfo=ZoneInfo("Asia/Tokyo"))
    answer = next_time_of_day(time(7), asked, BERLIN)
    assert answer is not None
    assert answer.tzinfo is UTC


def test_the_day_that_apia_went_without_comes_together_at_the_start_of_the_next() -> None:
    gone = datetime(2011, 12, 30, 7)
    end = datetime(2011, 12, 31, tzinfo=APIA).astimezone(UTC)
    assert instants(gone, APIA, gap="skip") == ()
    assert instants(gone, APIA) == (end,)
    assert firings(time(7), "2011-12-29T08:00-10:00", 2, APIA) == [
        "2011-12-31T00:00+14:00",
        "2011-12-31T07:00+14:00",
    ]
    assert firings(time(7), "2011-12-29T08:00-10:00", 1, APIA, gap="skip") == ["2011-12-31T07:00+14:00"]
    friday = next_time_of_day(time(7), end, APIA, weekdays=["fri"])
    assert friday == datetime(2012, 1, 6, 7, tzinfo=APIA)


def test_a_gap_ends_on_its_second_whatever_fraction_is_asked_for() -> None:
    end = datetime(2026, 3, 8, 7, tzinfo=UTC)
    assert instants(datetime(2026, 3, 8, 2, 30, 0, 1), NEW_YORK) == (end,)
    assert instants(datetime(2026, 3, 8, 2, 59, 59, 999_999), NEW_YORK) == (end,)


def test_yesterday_evening_comes_again_where_clocks_fall_back_across_midnight() -> None:
    # Until 2011 Newfoundland put its clocks back from 00:01 to 23:01 of the day before.
    assert firings(
        time(23, 30), "2010-11-07T00:00:30-02:30", 2, ZoneInfo("America/St_Johns"), overlap="both"
    ) == ["2010-11-06T23:30-03:30", "2010-11-07T23:30-03:30"]


def test_a_repeated_hour_is_passed_over_at_once() -> None:
    asked = []

    def every_second_of_that_hour(wall: datetime) -> datetime:
        asked.append(wall)
        day = wall.date() if wall.hour <= 1 else wall.date() + DAY
        return max(wall, datetime.combine(day, time(1)))

    again = datetime(2026, 11, 1, 6, 10, 20, tzinfo=UTC)  # 01:10 in New York for the second time
    found = next_by_calendar(every_second_of_that_hour, again, NEW_YORK)
    assert found == datetime(2026, 11, 2, 1, tzinfo=NEW_YORK)
    assert asked == [datetime(2026, 11, 1, 2)]


def test_kwajalein_crosses_the_date_line_both_ways_without_losing_its_place() -> None:
    # 1969 a day nearly twice, 1993 a day not at all: firings stay in order and end up on the new side.
    for start in (datetime(1969, 9, 28, tzinfo=UTC), datetime(1993, 8, 18, tzinfo=UTC)):
        for gap, overlap in POLICIES:
            after = start
            for _ in range(8):
                instant = next_time_of_day(time(7), after, KWAJALEIN, gap=gap, overlap=overlap)
                assert instant is not None
                assert after < instant <= after + 2 * DAY
                after = instant


@pytest.mark.parametrize("name", ZONES)
def test_every_day_of_two_years_has_the_instants_that_the_clock_shows(name: str) -> None:
    clock = forward_clock(name)
    for day in days():
        for at in TIMES:
            wall = datetime.combine(day, at)
            assert instants(wall, clock.zone) == tuple(clock.due(wall, "next_valid", "first"))


def test_the_zones_of_this_test_do_have_gaps_and_overlaps_of_several_kinds() -> None:
    jumps = {change.gap for name in ZONES for change in forward_clock(name).changes}
    assert jumps == {sign * hours * HOUR for sign in (-1, 1) for hours in (0.5, 1, 2)}


@pytest.mark.parametrize("name", ZONES)
def test_every_minute_around_a_change_has_the_instants_that_the_clock_shows(name: str) -> None:
    clock = forward_clock(name)
    for change in clock.changes:
        around = shown(change.at, clock.zone)
        for n in range(-3 * 60, 3 * 60):
            wall = around + n * MINUTE
            for gap, overlap in POLICIES:
                due = tuple(clock.due(wall, gap, overlap))
                assert instants(wall, clock.zone, gap=gap, overlap=overlap) == due


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("weekdays", [None, ("sat", "sun"), ("mon",)], ids=str)
def test_two_years_of_firings_are_those_of_the_calendar(
    name: str, weekdays: tuple[Weekday, ...] | None
) -> None:
    clock = forward_clock(name)
    for at in (time(0), time(0, 30), time(2, 30), time(23, 30)):
        expected = [
            instant
            for day in days()
            if weekdays is None or WEEKDAYS[day.weekday()] in weekdays
            for instant in clock.due(datetime.combine(day, at), "next_valid", "first")
        ]
        after = expected[0] - MINUTE
        for instant in expected:
            assert next_time_of_day(at, after, clock.zone, weekdays=weekdays) == instant
            after = instant


@pytest.mark.parametrize("name", ZONES)
def test_the_next_time_of_day_is_right_from_any_moment_near_a_change(name: str) -> None:
    clock = forward_clock(name)
    for change, at, (gap, overlap) in product(clock.changes, TIMES, POLICIES):
        local_day = shown(change.at, clock.zone).date()
        if not FIRST_DAY <= local_day <= LAST_DAY:
            continue
        expected = [
            instant
            for day in days(local_day - 3 * DAY, local_day + 4 * DAY)
            for instant in clock.due(datetime.combine(day, at), gap, overlap)
        ]
        for n in range(-8, 9):
            after = change.at + n * 20 * MINUTE
            found = next_time_of_day(at, after, clock.zone, gap=gap, overlap=overlap)
            assert found == expected[bisect_right(expected, after)]


ZONE_NAMES = st.sampled_from(sorted(available_timezones()))
MOMENTS = st.datetimes(datetime(1960, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))


@settings(max_examples=150, deadline=None)
@given(name=ZONE_NAMES, after=MOMENTS, at=st.times())
def test_in_any_zone_the_next_time_is_the_first_that_the_clock_shows(
    name: str, after: datetime, at: time
) -> None:
    zone = ZoneInfo(name)
    found = next_time_of_day(at, after, zone, gap="skip", overlap="both")
    assert found is not None
    assert found > after
    assert shown(found, zone).time() == at
    # Quarter of an hour by quarter of an hour, the clock has not passed the time on the way there.
    start = after
    while start < found:
        end = min(start + 15 * MINUTE, found - timedelta(microseconds=1))
        before, later = shown(start, zone), shown(end, zone)
        if later - before == end - start:
            passed = (datetime.combine(day, at) for day in (before.date(), later.date()))
            assert not any(before < wall <= later for wall in passed)
        start += 15 * MINUTE


@settings(max_examples=150, deadline=None)
@given(name=ZONE_NAMES, after=MOMENTS, wait=st.timedeltas(timedelta(0), 3 * DAY), at=st.times())
def test_asking_later_never_gives_an_earlier_answer(
    name: str, after: datetime, wait: timedelta, at: time
) -> None:
    zone = ZoneInfo(name)
    for gap, overlap in POLICIES:
        early = next_time_of_day(at, after, zone, gap=gap, overlap=overlap)
        late = next_time_of_day(at, after + wait, zone, gap=gap, overlap=overlap)
        assert early is not None
        assert late is not None
        # Either the same answer, or the first had passed when the second was asked.
        assert early == late or early <= after + wait < late


@settings(max_examples=100, deadline=None)
@given(name=ZONE_NAMES, day=st.dates(date(1960, 1, 1), date(2060, 1, 1)), at=st.times())
def test_in_any_zone_a_time_has_one_instant_by_default_and_the_clock_shows_it_or_has_jumped_over_it(
    name: str, day: date, at: time
) -> None:
    zone = ZoneInfo(name)
    wall = datetime.combine(day, at)
    (instant,) = instants(wall, zone)
    just_before = instant - timedelta(microseconds=1)
    assert shown(instant, zone) == wall or shown(just_before, zone) < wall < shown(instant, zone)
