"""Time patterns: what they may be, and when they match.

The expected times are found by trying every minute (or second) and asking what the clock shows, with the
meaning of each part written out once more in ``part_matches``.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routines.schedule.time_pattern import Part, TimePattern, next_match
from tests.routines.schedule.forward_clock import (
    DAY,
    HOUR,
    LAST_DAY,
    MINUTE,
    ZONES,
    Change,
    ForwardClock,
    forward_clock,
    midnight_utc,
    shown,
)

Parts = tuple[Part | None, Part | None, Part | None]
SECOND = timedelta(seconds=1)
BERLIN = ZoneInfo("Europe/Berlin")
EVERY_HOUR: list[Parts] = [
    (None, "/5", None),
    (None, "/7", None),
    (None, 30, None),
    ("*", None, None),
    ("/1", "/10", 0),
    (None, "59", 0),
]
CERTAIN_HOURS: list[Parts] = [
    ("/2", None, None),
    (2, "/15", None),
    (0, 30, None),
    ("2", "*", None),
    (23, "/20", None),
    ("/3", 7, None),
    (1, "*", 0),
]


def part_matches(part: Part | None, value: int) -> bool:
    text = str(part)
    if part is None or text == "*":
        return True
    return value % int(text[1:]) == 0 if text.startswith("/") else value == int(text)


def clock_matches(parts: Parts, wall: datetime) -> bool:
    """Return whether a pattern that gives the minutes or is of the whole hour matches a whole minute."""
    hours, minutes, _ = parts
    return part_matches(hours, wall.hour) and part_matches(0 if minutes is None else minutes, wall.minute)


def chain(parts: Parts, start: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    """Return all matches after the start and until the end, each asked for from the one before."""
    pattern = TimePattern.parse(*parts)
    found = []
    after = next_match(pattern, start, zone)
    while after <= end:
        found.append(after)
        after = next_match(pattern, after, zone)
    return found


def walls_around(change: Change, clock: ForwardClock) -> list[datetime]:
    middle = shown(change.at, clock.zone)
    return [middle + n * MINUTE for n in range(-30 * 60, 30 * 60)]


@pytest.mark.parametrize(
    ("parts", "hours", "minutes", "seconds"),
    [
        ((None, "/5", None), 24, 12, 1),
        ((None, None, "/10"), 24, 60, 6),
        (("/2", None, None), 12, 1, 1),
        ((3, None, "/10"), 1, 1, 6),
        (("*", "*", "*"), 24, 60, 60),
        (("/7", 7, 8), 4, 1, 1),
        ((" 5 ", "/59", None), 1, 2, 1),
    ],
)
def test_a_smaller_unit_left_out_is_zero_and_a_larger_one_any(
    parts: Parts, hours: int, minutes: int, seconds: int
) -> None:
    pattern = TimePattern.parse(*parts)
    assert (len(pattern.hours), len(pattern.minutes), len(pattern.seconds)) == (hours, minutes, seconds)
    if parts[0] is not None and parts[1] is None:
        assert pattern.minutes == {0}
    if parts[2] is None:
        assert pattern.seconds == {0}


def test_every_n_counts_from_zero_and_starts_anew_each_hour() -> None:
    assert TimePattern.parse(minutes="/25").minutes == {0, 25, 50}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((None, "/90", None), '"/90" never matches: minutes go from 0 to 59'),
        ((24, None, None), '"24" never matches: hours go from 0 to 23'),
        ((None, None, "/0"), '"/0" never matches: nothing happens every 0 seconds'),
        ((None, "1-5", None), '"1-5" is no pattern for minutes: write a number, "*" or "/" and a number'),
        ((None, "-1", None), '"-1" is no pattern for minutes: write a number, "*" or "/" and a number'),
        (("", None, None), '"" is no pattern for hours: write a number, "*" or "/" and a number'),
        (("//5", None, None), '"//5" is no pattern for hours: write a number, "*" or "/" and a number'),
        ((None, None, None), "a time pattern needs hours, minutes or seconds"),
    ],
)
def test_a_part_that_cannot_match_is_refused_in_words(parts: Parts, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        TimePattern.parse(*parts)
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("parts", EVERY_HOUR, ids=str)
def test_a_pattern_of_every_hour_matches_whenever_the_clock_shows_it(name: str, parts: Parts) -> None:
    clock = forward_clock(name)
    for middle in [change.at for change in clock.changes] or [midnight_utc(LAST_DAY)]:
        start, end = middle - 4 * HOUR, middle + 4 * HOUR
        minutes = (start + n * MINUTE for n in range(1, 8 * 60 + 1))
        expected = [minute for minute in minutes if clock_matches(parts, shown(minute, clock.zone))]
        assert chain(parts, start, end, clock.zone) == expected


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("parts", CERTAIN_HOURS, ids=str)
def test_a_pattern_of_certain_hours_matches_once_for_each_time_of_the_day(name: str, parts: Parts) -> None:
    clock = forward_clock(name)
    for change in clock.changes:
        start, end = change.at - DAY, change.at + DAY
        expected = sorted(
            {
                due
                for wall in walls_around(change, clock)
                if clock_matches(parts, wall)
                for due in clock.due(wall, "next_valid", "first")
            }
        )
        within = [due for due in expected if start < due <= end]
        assert chain(parts, start, end, clock.zone) == within
        pattern = TimePattern.parse(*parts)
        for n in range(-9, 10):
            after = change.at + n * 20 * MINUTE + 13 * SECOND
            assert next_match(pattern, after, clock.zone) == expected[bisect_right(expected, after)]


@pytest.mark.parametrize("name", ["America/New_York", "Australia/Lord_Howe", "Africa/Cairo"])
@pytest.mark.parametrize("seconds", ["/20", "/1", 59, "/45"])
def test_seconds_go_on_through_a_change_of_the_clocks(name: str, seconds: Part) -> None:
    zone = ZoneInfo(name)
    for change in forward_clock(name).changes:
        start, end = change.at - 5 * MINUTE, change.at + 5 * MINUTE
        every = (start + n * SECOND for n in range(1, 601))
        expected = [second for second in every if part_matches(seconds, shown(second, zone).second)]
        assert chain((None, None, seconds), start, end, zone) == expected


def test_each_second_of_a_skipped_hour_together_happens_once() -> None:
    # Clocks jump from 02:00 to 03:00 at 01:00 UTC on 29 March 2026.
    start = datetime(2026, 3, 28, 12, tzinfo=UTC)
    found = chain((2, "*", "*"), start, start + DAY, BERLIN)
    assert found == [datetime(2026, 3, 29, 1, tzinfo=UTC)]


PARTS = st.none() | st.just("*") | st.integers(0, 23) | st.integers(1, 23).map(lambda n: f"/{n}")


@settings(max_examples=200, deadline=None)
@given(
    parts=st.tuples(PARTS, PARTS, PARTS).filter(lambda parts: any(part is not None for part in parts)),
    after=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    wait=st.timedeltas(timedelta(0), 2 * HOUR),
    name=st.sampled_from(ZONES),
)
def test_a_match_is_later_on_a_whole_second_and_never_earlier_for_asking_later(
    parts: Parts, after: datetime, wait: timedelta, name: str
) -> None:
    zone = ZoneInfo(name)
    pattern = TimePattern.parse(*parts)
    found, later = next_match(pattern, after, zone), next_match(pattern, after + wait, zone)
    assert after < found
    assert found.microsecond == 0
    assert found == later or found <= after + wait < later
    clock = shown(found, zone)
    after_a_gap = clock - shown(found - SECOND, zone) > SECOND
    shows_it = (
        clock.hour in pattern.hours and clock.minute in pattern.minutes and clock.second in pattern.seconds
    )
    assert shows_it or after_a_gap
