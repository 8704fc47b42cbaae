"""Triggers that only time can fire: time, time_pattern, cron and sun."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from routines.schedule.sun import Place
from tests.routines.house import House

BERLIN = Place(latitude=52.52, longitude=13.405)
SYDNEY = Place(latitude=-33.87, longitude=151.21)
TROMSO = Place(latitude=69.65, longitude=18.96)


def moments(
    trigger: str,
    *,
    start: str,
    until: str,
    timezone: str = "Europe/Berlin",
    place: Place | None = None,
) -> list[str]:
    """Return the local times at which a trigger fires."""
    house = House(
        f"  - {{id: a, triggers: [{{{trigger}}}], actions: [{{say: x}}]}}",
        start=datetime.fromisoformat(start),
        timezone=timezone,
        place=place,
    )
    house.wait_until(until)
    assert set(house.verdicts) <= {"fired"}
    return [at[:16] for at in house.local_times]


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ("trigger: time, at: '07:30'", ["2026-11-21T07:30", "2026-11-22T07:30", "2026-11-23T07:30"]),
        ("trigger: time, at: ['22:00', 7:30:00], weekday: fri", ["2026-11-20T22:00"]),
        ("trigger: time, at: 07:30, weekday: [sat, mon]", ["2026-11-21T07:30", "2026-11-23T07:30"]),
        ("trigger: time, at: '2026-11-21T07:30:00'", ["2026-11-21T07:30"]),
        ("trigger: time, at: '2026-11-21T07:30:00Z'", ["2026-11-21T08:30"]),
        ("trigger: time, at: ['2026-11-19T07:30:00', '2026-11-22T00:00']", ["2026-11-22T00:00"]),
        ("trigger: time_pattern, hours: /12", ["2026-11-21T00:00", "2026-11-21T12:00", "2026-11-22T00:00",
                                               "2026-11-22T12:00", "2026-11-23T00:00"]),
        ("trigger: cron, expression: '15 9 * * 0'", ["2026-11-22T09:15"]),
        ("trigger: time, at: '07:30', enabled: false", []),
    ],
)  # fmt: skip
def test_the_clock_of_the_house_fires(trigger: str, expected: list[str]) -> None:
    assert moments(trigger, start="2026-11-20T12:00Z", until="2026-11-23T10:59Z") == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("minutes: /20", ["12:20:00", "12:40:00", "13:00:00"]),
        ("minutes: 5", ["12:05:00"]),
        ("hours: 13", ["13:00:00"]),
        ("minutes: '*', seconds: 30, hours: 13", []),
        ("minutes: 30, seconds: /20", ["12:30:00", "12:30:20", "12:30:40"]),
    ],
)
def test_a_pattern_matches_what_it_names_and_zero_of_what_is_smaller(
    pattern: str, expected: list[str]
) -> None:
    house = House(f"  - {{id: a, triggers: [{{trigger: time_pattern, {pattern}}}], actions: [{{say: x}}]}}")
    house.wait(3_600)
    assert [at[11:19] for at in house.local_times] == expected


@pytest.mark.parametrize(
    ("zone", "words", "start", "expected"),
    [
        ("America/New_York", "at: '02:30'", "2026-03-07T12:00Z", ["2026-03-08T03:00:00-04:00"]),
        ("America/New_York", "at: '02:30', dst: {gap: skip}", "2026-03-07T12:00Z", []),
        ("America/New_York", "at: '01:30'", "2026-10-31T12:00Z", ["2026-11-01T01:30:00-04:00"]),
        (
            "America/New_York",
            "at: '01:30', dst: {overlap: both}",
            "2026-10-31T12:00Z",
            ["2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00"],
        ),
        ("Europe/Berlin", "at: '02:00'", "2026-10-24T12:00Z", ["2026-10-25T02:00:00+02:00"]),
        ("Europe/Berlin", "at: '12:00'", "2026-03-28T12:00Z", ["2026-03-29T12:00:00+02:00"]),
    ],
)
def test_a_daily_time_across_daylight_saving(zone: str, words: str, start: str, expected: list[str]) -> None:
    house = House(
        f"  - {{id: a, triggers: [{{trigger: time, {words}}}], actions: [{{say: x}}]}}",
        timezone=zone,
        start=datetime.fromisoformat(start),
    )
    house.wait(24 * 3600)
    assert house.local_times == expected


@pytest.mark.parametrize(
    ("place", "zone", "event", "day", "expected"),
    [
        # The almanacs of Berlin and Sydney, to the minute.
        (BERLIN, "Europe/Berlin", "sunrise", "2026-06-21", "04:43"),
        (BERLIN, "Europe/Berlin", "sunset", "2026-12-21", "15:54"),
        (SYDNEY, "Australia/Sydney", "sunrise", "2026-12-21", "05:41"),
        (SYDNEY, "Australia/Sydney", "sunset", "2026-06-21", "16:54"),
    ],
)
def test_the_sun_fires_in_both_hemispheres(
    place: Place, zone: str, event: str, day: str, expected: str
) -> None:
    [moment] = moments(
        f"trigger: sun, event: {event}",
        start=f"{day}T00:00{'+10:00' if place is SYDNEY else '+01:00'}",
        until=f"{day}T23:00{'+11:00' if place is SYDNEY else '+02:00'}",
        timezone=zone,
        place=place,
    )
    minutes = int(moment[11:13]) * 60 + int(moment[14:16])
    wanted = int(expected[:2]) * 60 + int(expected[3:])
    assert abs(minutes - wanted) <= 2


def test_an_offset_may_cross_midnight_and_goes_both_ways() -> None:
    span = {"start": "2026-06-20T22:30Z", "until": "2026-06-21T22:00Z", "place": BERLIN}
    [early] = moments("trigger: sun, event: sunrise, offset: '-03:00:00'", **span)  # type: ignore[arg-type]
    [late] = moments("trigger: sun, event: sunset, offset: 3600", **span)  # type: ignore[arg-type]
    assert early.startswith("2026-06-21T01:4")
    assert late.startswith("2026-06-21T22:3")


def test_where_the_sun_stays_up_the_fallback_time_counts() -> None:
    words = "trigger: sun, event: sunset"
    span = {"start": "2026-06-10T12:00Z", "until": "2026-06-12T12:00Z", "place": TROMSO}
    zone = {"timezone": "Europe/Oslo"}
    assert moments(words, **span, **zone) == []  # type: ignore[arg-type]
    with_time = f"{words}, fallback_time: '22:00'"
    seen = moments(with_time, **span, **zone)  # type: ignore[arg-type]
    assert seen == ["2026-06-10T22:00", "2026-06-11T22:00"]


def test_without_a_place_the_sun_fires_nothing() -> None:
    assert moments("trigger: sun, event: sunset", start="2026-06-10T12:00Z", until="2026-06-12T12:00Z") == []


@pytest.mark.parametrize(
    ("trigger", "down", "verdicts"),
    [
        ("trigger: time, at: '12:30'", 3_600, ["skipped_late"]),
        ("trigger: time, at: '12:30', catch_up: 3600", 3_600, ["caught_up"]),
        ("trigger: time, at: '12:59:30'", 3_600, ["fired"]),
        ("trigger: time, at: '2026-11-20T12:30:00', catch_up: 3600", 3_600, ["caught_up"]),
        ("trigger: time_pattern, minutes: /5, catch_up: 3600", 3_610, ["caught_up"]),
        ("trigger: cron, expression: '30 12 * * *', catch_up: 600", 3_600, ["skipped_late"]),
        ("trigger: time, at: ['12:10', '12:55'], catch_up: 600", 3_600, ["caught_up"]),
        ("trigger: time, at: '13:30', catch_up: 3600", 3_600, []),
    ],
)
def test_what_was_missed_is_caught_up_with_once_if_it_is_recent_enough(
    trigger: str, down: int, verdicts: list[str]
) -> None:
    house = House(f"  - {{id: a, triggers: [{{{trigger}}}], actions: [{{say: x}}]}}")
    house.restart(down)
    assert house.verdicts == verdicts
    assert len(house.done) == sum(verdict != "skipped_late" for verdict in verdicts)


def test_a_hub_that_sees_its_home_for_the_first_time_has_missed_nothing() -> None:
    house = House(
        "  - {id: a, triggers: [{trigger: time, at: '11:59', catch_up: 3600}], actions: [{say: x}]}",
        start=datetime(2026, 11, 20, 12, 0, tzinfo=UTC),
    )
    assert house.verdicts == []
