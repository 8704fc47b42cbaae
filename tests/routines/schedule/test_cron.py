"""Cron times: what is refused and why, and when the others come.

The expected times are found by trying every minute: the sets of minutes and hours are written out beside each
expression, days are those of the calendar, and ``forward_clock`` says when the clock shows them.
"""

from __future__ import annotations

from bisect import bisect_right
from calendar import monthrange
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routines.schedule.cron import next_cron, parse_cron
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

BERLIN = ZoneInfo("Europe/Berlin")


def every_day(day: date) -> bool:
    return True


@dataclass(frozen=True)
class Case:
    expression: str
    minutes: Collection[int]
    hours: Collection[int]
    days: Callable[[date], bool] = every_day

    def matches(self, wall: datetime) -> bool:
        return wall.minute in self.minutes and wall.hour in self.hours and self.days(wall.date())


WITH_A_STAR = [
    Case("*/5 * * * *", range(0, 60, 5), range(24)),
    Case("*/10 3 * * *", range(0, 60, 10), {3}),
    Case("*/30 0 * * *", {0, 30}, {0}),
    Case("17 */2 * * *", {17}, range(0, 24, 2)),
    Case("* 1,2 * * *", range(60), {1, 2}),
    Case("0 * * * *", {0}, range(24)),
    Case("30 * * * SUN", {30}, range(24), lambda day: day.weekday() == 6),
]
OF_CERTAIN_TIMES = [
    Case("30 2 * * *", {30}, {2}),
    Case("0,15,45 0-3 * * *", {0, 15, 45}, range(4)),
    Case("10-50/20 23 * * SAT,SUN", {10, 30, 50}, {23}, lambda day: day.weekday() in (5, 6)),
    Case("0 0 * * *", {0}, {0}),
    Case("59 1 1-7 * *", {59}, {1}, lambda day: day.day <= 7),
]
SPARSE = [
    Case("30 2 L * *", {30}, {2}, lambda day: day.day == monthrange(day.year, day.month)[1]),
    Case("0 0 * * 7#2", {0}, {0}, lambda day: day.weekday() == 6 and 8 <= day.day <= 14),
    Case("15 1 * * 7L", {15}, {1}, lambda day: day.weekday() == 6 and (day + 7 * DAY).month != day.month),
    # Neither day starts with a star: either will do, as in cron.
    Case("0 2 13 * FRI", {0}, {2}, lambda day: day.day == 13 or day.weekday() == 4),
    Case("0 0 1 JAN,jul *", {0}, {0}, lambda day: day.day == 1 and day.month in (1, 7)),
]


def name_of(case: Case) -> str:
    return case.expression


def chain(expression: str, start: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    """Return all times after the start and until the end, each asked for from the one before."""
    found = []
    after = next_cron(expression, start, zone)
    while after is not None and after <= end:
        found.append(after)
        after = next_cron(expression, after, zone)
    return found


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("61 * * * *", 'the minute can be 0 to 59, not "61"'),
        ("* 24 * * *", 'the hour can be 0 to 23, not "24"'),
        ("* * 0 * *", 'the day of the month can be 1 to 31, L or LW, not "0"'),
        ("* * * FEBRUARY *", 'the month can be 1 to 12 or JAN to DEC, not "FEBRUARY"'),
        ("* * * * mo", 'the day of the week can be 0 to 7 or SUN to SAT, not "mo"'),
        ("60 0 0 1 1 *", 'the second can be 0 to 59, not "60"'),
        ("5-2 * * * *", 'the minute can be 0 to 59, not "5-2"'),
        ("*/0 * * * *", 'the minute can be 0 to 59, not "*/0"'),
        ("* * *", "(with seconds first), and has 3"),
        ("@daily", "(with seconds first), and has 1"),
        ("", "(with seconds first), and has 0"),
    ],
)
def test_a_bad_expression_is_refused_with_the_field_that_is_wrong(expression: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_cron(expression)
    assert str(caught.value).startswith(f'"{expression}" is no cron time: ')
    assert str(caught.value).endswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("expression", ["0 0 30 2 *", "0 0 31 2,4,6 *", "0 0 0 30 FEB *", "0 0 */15 2 MON#5"])
def test_an_expression_that_never_comes_is_refused(expression: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_cron(expression)
    expected = f'"{expression}" never comes: no such day of the month is in the months it names'
    assert str(caught.value) == expected


def test_an_expression_that_never_comes_has_no_next_time() -> None:
    assert next_cron("0 0 */15 2 MON#5", datetime(2026, 1, 1, tzinfo=UTC), BERLIN) is None


def test_spaces_do_not_matter() -> None:
    assert parse_cron("  0   7 * *\tMON-FRI\n") == "0 7 * * MON-FRI"


TERMS = st.sampled_from(
    ["*", "0", "1", "5", "29", "31", "59", "1-5", "9-2", "L", "LW", "MON", "jan", "5#5", "6L", "W"]
)
ODD_FIELDS = st.text("0123456789*/-,#LWMONJA", min_size=1, max_size=5)
FIELDS = st.one_of(
    TERMS, st.builds("{}/{}".format, TERMS, TERMS), st.builds("{},{}".format, TERMS, TERMS), ODD_FIELDS
)


def complaint(text: str) -> str:
    try:
        parse_cron(text)
    except ValueError as error:
        return str(error)
    return ""


@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(st.just("*"), FIELDS), min_size=5, max_size=6).map(" ".join))
def test_whatever_is_written_comes_some_day_or_is_refused_in_one_line(text: str) -> None:
    found = complaint(text)
    if found:
        assert found.startswith((f'"{text}" is no cron time: the ', f'"{text}" never comes: '))
        assert "\n" not in found
    else:
        assert next_cron(text, datetime(2026, 1, 1, tzinfo=UTC), BERLIN) is not None


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("case", WITH_A_STAR, ids=name_of)
def test_with_a_star_in_front_cron_goes_by_the_time_that_passes(name: str, case: Case) -> None:
    clock = forward_clock(name)
    for change in clock.changes:
        start, end = change.at - 5 * HOUR, change.at + 5 * HOUR
        minutes = (start + n * MINUTE for n in range(1, 601))
        expected = [minute for minute in minutes if case.matches(shown(minute, clock.zone))]
        assert chain(case.expression, start, end, clock.zone) == expected


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("case", OF_CERTAIN_TIMES, ids=name_of)
def test_at_certain_times_cron_comes_once_for_each_of_them(name: str, case: Case) -> None:
    clock = forward_clock(name)
    for change in clock.changes:
        around = shown(change.at, clock.zone).date()
        walls = (
            datetime.combine(day, time(hour, minute))
            for day in days(around - 2 * DAY, around + 40 * DAY)
            if case.days(day)
            for hour in case.hours
            for minute in case.minutes
        )
        expected = sorted({due for wall in walls for due in clock.due(wall, "next_valid", "first")})
        start, end = change.at - DAY, change.at + DAY
        within = [due for due in expected if start < due <= end]
        assert chain(case.expression, start, end, clock.zone) == within
        for n in range(-9, 10):
            after = change.at + n * 20 * MINUTE + timedelta(seconds=13)
            assert next_cron(case.expression, after, clock.zone) == expected[bisect_right(expected, after)]


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("case", SPARSE, ids=name_of)
def test_two_years_of_a_rare_time_are_those_of_the_calendar(name: str, case: Case) -> None:
    clock = forward_clock(name)
    (hour,), (minute,) = case.hours, case.minutes
    expected = [
        due
        for day in days()
        if case.days(day)
        for due in clock.due(datetime.combine(day, time(hour, minute)), "next_valid", "first")
    ]
    start = datetime.combine(FIRST_DAY, time(), tzinfo=clock.zone) - timedelta(seconds=1)
    end = datetime.combine(LAST_DAY, time(23, 59), tzinfo=clock.zone)
    assert chain(case.expression, start, end, clock.zone) == expected


@pytest.mark.parametrize("name", ZONES)
def test_a_change_of_the_clocks_seen_from_a_month_before_is_the_same_change(name: str) -> None:
    clock = forward_clock(name)
    for change in clock.changes:
        # The last hour before the jump, on the day that the clock shows then.
        last = shown(change.at - MINUTE, clock.zone)
        for hour in {last.hour, shown(change.at, clock.zone).hour}:
            expression = f"*/10 {hour} {last.day} {last.month} *"
            tens = (last.replace(hour=hour, minute=minute) for minute in range(0, 60, 10))
            expected = sorted(due for wall in tens for due in clock.due(wall, "skip", "both"))
            start, end = change.at - 30 * DAY, change.at + 2 * DAY
            assert chain(expression, start, end, clock.zone) == expected


def test_the_leap_day_comes_in_2028() -> None:
    found = next_cron("0 12 29 2 *", datetime(2026, 1, 1, tzinfo=UTC), BERLIN)
    assert found == datetime(2028, 2, 29, 11, tzinfo=UTC)


def test_six_fields_begin_with_seconds() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    found = chain("*/20 0 8 * * *", start, start + DAY, BERLIN)
    assert found == [start + 7 * HOUR + timedelta(seconds=seconds) for seconds in (0, 20, 40)]


@pytest.mark.parametrize("seconds", ["", "0 ", "* "])
def test_a_time_in_a_gap_comes_at_its_end_with_seconds_and_without(seconds: str) -> None:
    # Clocks jump from 02:00 to 03:00 at 01:00 UTC on 29 March 2026.
    start = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert chain(f"{seconds}30 2 * * *", start, start + 24 * HOUR, BERLIN) == [start + 13 * HOUR]


@pytest.mark.parametrize(
    ("zone", "expression", "start", "expected"),
    [
        # Each of these goes wrong where the time zone is left to the library.
        ("Australia/Lord_Howe", "*/10 3 * * *", "2026-10-03T23:00+10:30", "2026-10-04T03:00+11:00"),
        ("America/Santiago", "*/30 * 6 9 *", "2026-08-03T23:00-04:00", "2026-09-06T01:00-03:00"),
        ("America/New_York", "45 1 * * *", "2026-11-01T01:30-05:00", "2026-11-02T01:45-05:00"),
    ],
)
def test_odd_changes_of_the_clocks_do_not_mislead_cron(
    zone: str, expression: str, start: str, expected: str
) -> None:
    found = next_cron(expression, datetime.fromisoformat(start), ZoneInfo(zone))
    assert found == datetime.fromisoformat(expected)


@settings(max_examples=150, deadline=None)
@given(
    case=st.sampled_from(WITH_A_STAR + OF_CERTAIN_TIMES + SPARSE),
    after=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    wait=st.timedeltas(timedelta(0), 40 * DAY),
    name=st.sampled_from(ZONES),
)
def test_asking_later_never_gives_an_earlier_time(
    case: Case, after: datetime, wait: timedelta, name: str
) -> None:
    zone = ZoneInfo(name)
    found = next_cron(case.expression, after, zone)
    later = next_cron(case.expression, after + wait, zone)
    assert found is not None
    assert later is not None
    assert after < found
    assert found == later or found <= after + wait < later
