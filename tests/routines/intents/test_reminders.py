from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routines.effects import CallService
from routines.intents.reminders import (
    AlarmRequest,
    CancelRequest,
    Chosen,
    RefusedRequest,
    ReminderRequest,
    Request,
    SpokenReminders,
    StatusRequest,
    TimerRequest,
    made_routine,
)
from routines.intents.spoken_duration import parse_spoken_duration, say_duration, with_digits
from routines.intents.spoken_time import PastTime, parse_spoken_time
from tests.routines.intents.made_up_home import CHICAGO, NOW, TABLE_OF_NOTHING

SPOKEN = SpokenReminders(people=["Jane", "Aunt Mary"], places=["Whole Foods"])


def asked(text: str, now: datetime = NOW) -> Request | None:
    return SPOKEN.recognize(text, now=now, timezone=CHICAGO)


def local(text: str, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHICAGO, fold=fold)


@pytest.mark.parametrize(
    ("text", "minutes", "name"),
    [
        ("set a timer for 5 minutes", 5, None),
        ("set a pizza timer for 5 minutes", 5, "pizza"),
        ("set a ten minute pizza timer", 10, "pizza"),
        ("Set a timer for five minutes.", 5, None),
        ("five minute timer", 5, None),
        ("set a timer for 5 minutes for the pizza", 5, "pizza"),
        ("timer for half an hour", 30, None),
        ("timer for an hour", 60, None),
        ("set a timer called tea for three minutes", 3, "tea"),
        ("set a 20 minute timer named laundry", 20, "laundry"),
        ("start another timer for an hour and a half", 90, None),
        ("set a timer for ninety seconds", 1.5, None),
        ("create a 1 hour 20 minute timer", 80, None),
        ("set an egg timer for seven and a half minutes", 7.5, "egg"),
    ],
)
def test_a_timer_is_understood(text: str, minutes: float, name: str | None) -> None:
    assert asked(text) == TimerRequest(duration=timedelta(minutes=minutes), name=name)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("wake me at 7", "2026-11-22T07:00"),
        ("wake me up at 7 tomorrow", "2026-11-22T07:00"),
        ("wake us up tomorrow at half past six", "2026-11-22T06:30"),
        ("set an alarm for 6:30 am", "2026-11-22T06:30"),
        ("set an alarm for 6:30 a.m.", "2026-11-22T06:30"),
        ("set an alarm for 6 tomorrow", "2026-11-22T06:00"),
        ("alarm at 7", "2026-11-21T19:00"),
        ("set a 7 am alarm", "2026-11-22T07:00"),
        ("set my alarm to seven fifteen on monday", "2026-11-23T07:15"),
        ("wake me up in 20 minutes", "2026-11-21T10:20"),
        ("set an alarm for 20 minutes", "2026-11-21T10:20"),
    ],
)
def test_an_alarm_is_understood(text: str, at: str) -> None:
    assert asked(text) == AlarmRequest(at=local(at))


@pytest.mark.parametrize(
    ("text", "what", "at"),
    [
        ("remind me to call mum at 7 tomorrow", "call mum", "2026-11-22T07:00"),
        ("remind me tomorrow at eight to call mum", "call mum", "2026-11-22T08:00"),
        ("remind me in twenty minutes to check the oven", "check the oven", "2026-11-21T10:20"),
        ("remind me to check the oven in twenty minutes", "check the oven", "2026-11-21T10:20"),
        ("remind me about the meeting at 3", "the meeting", "2026-11-21T15:00"),
        ("set a reminder for 7 to call mum", "call mum", "2026-11-21T19:00"),
        ("set a reminder to water the plants tonight", "water the plants", "2026-11-21T20:00"),
        ("remind me to buy 2 eggs at noon", "buy 2 eggs", "2026-11-21T12:00"),
        ("remind me on monday at 9 am to pay the rent", "pay the rent", "2026-11-23T09:00"),
        ("remind me to pay the rent on the 1st", "pay the rent", "2026-12-01T09:00"),
        ("remind me to go to bed tonight at eleven", "go to bed", "2026-11-21T23:00"),
        ("remind me to call Bob at work at quarter to nine pm", "call Bob at work", "2026-11-21T20:45"),
    ],
)
def test_a_reminder_for_a_time_is_understood(text: str, what: str, at: str) -> None:
    assert asked(text) == ReminderRequest(text=what, at=local(at))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("remind me to buy figs when I arrive at Whole Foods", ("buy figs", "Whole Foods", "enter", None)),
        ("remind me to buy tahini when i get to whole foods", ("buy tahini", "Whole Foods", "enter", None)),
        ("remind me when I'm at work to print the forms", ("print the forms", "work", "enter", None)),
        ("remind me to lock up when I leave home", ("lock up", "home", "leave", None)),
        ("remind me to lock up when we leave the house", ("lock up", "home", "leave", None)),
        ("remind me to feed the cat when I get home", ("feed the cat", "home", "enter", None)),
        ("remind me when I get back home to feed the cat", ("feed the cat", "home", "enter", None)),
        ("remind Jane to lock up when she leaves the office", ("lock up", "office", "leave", "Jane")),
        ("remind aunt mary to call when she arrives home", ("call", "home", "enter", "Aunt Mary")),
    ],
)
def test_a_reminder_for_a_place_is_understood(text: str, expected: tuple[str, str, str, str | None]) -> None:
    request = asked(text)
    assert isinstance(request, ReminderRequest)
    assert (request.text, request.place, request.event, request.person) == expected
    assert request.at is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cancel the pizza timer", CancelRequest(which=Chosen(kind="timer", name="pizza"))),
        ("cancel all timers", CancelRequest(which=Chosen(kind="timer", is_every=True))),
        ("cancel my timers", CancelRequest(which=Chosen(kind="timer", is_every=True))),
        ("cancel my alarm", CancelRequest(which=Chosen(kind="alarm"))),
        ("stop the timer", CancelRequest(which=Chosen(kind="timer"))),
        (
            "cancel the 5 minute timer",
            CancelRequest(which=Chosen(kind="timer", started_for=timedelta(minutes=5))),
        ),
        ("delete my reminder to buy milk", CancelRequest(which=Chosen(kind="reminder", name="buy milk"))),
        ("how long is left on the pizza timer", StatusRequest(which=Chosen(kind="timer", name="pizza"))),
        ("how much time is left on my timer", StatusRequest(which=Chosen(kind="timer"))),
        ("when is my alarm", StatusRequest(which=Chosen(kind="alarm"))),
        ("which timers are running", StatusRequest(which=Chosen(kind="timer", is_every=True))),
    ],
)
def test_what_was_set_is_asked_for_and_cancelled(text: str, expected: Request) -> None:
    assert asked(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("remind me to buy milk", "Tell me also when or where I shall remind you"),
        ("remind me to call when I get up", "Tell me also when or where I shall remind you"),
        ("remind me today at 7 am to go", "Today at that time has passed"),
        (
            "remind me to buy tahini when I arrive at Whole Foods tomorrow",
            "I can remind you at a place or at a time, but not at both",
        ),
    ],
)
def test_what_cannot_be_kept_is_refused(text: str, reason: str) -> None:
    assert asked(text) == RefusedRequest(reason=reason)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "turn on the lights",
            "what time is it",
            "what timer",
            "set a timer",
            "wake me up",
            "set the alarm",
        ),
        "the timer for the pizza is five minutes",
        "remind me",
        "is the alarm on",
        "set a timer for pizza",
        "turn off the lights in 5 minutes",
        "I remember the timer",
        "add milk to the shopping list",
    ],
)
def test_other_sentences_are_left_alone(text: str) -> None:
    assert asked(text) is None


def test_no_sentence_that_means_nothing_makes_a_routine() -> None:
    taken = {text for text in TABLE_OF_NOTHING if asked(text) is not None}
    assert taken == {"remind me to call mum at 7", "wake me at 7"}


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("at 7", "2026-11-21T19:00"),
        ("at 11", "2026-11-21T11:00"),
        ("tomorrow at 7", "2026-11-22T07:00"),
        ("tomorrow at 3", "2026-11-22T15:00"),
        ("tomorrow at twelve", "2026-11-22T12:00"),
        ("half past six", "2026-11-21T18:30"),
        ("ten to seven tomorrow", "2026-11-22T06:50"),
        ("quarter to one", "2026-11-21T12:45"),
        ("quarter to twelve am", "2026-11-21T23:45"),
        ("noon", "2026-11-21T12:00"),
        ("tomorrow at noon", "2026-11-22T12:00"),
        ("midnight", "2026-11-22T00:00"),
        ("tonight at midnight", "2026-11-22T00:00"),
        ("tonight at one", "2026-11-22T01:00"),
        ("at 07:30", "2026-11-22T07:30"),
        ("at 19:05", "2026-11-21T19:05"),
        ("at seven oh five", "2026-11-21T19:05"),
        ("at 7 in the morning", "2026-11-22T07:00"),
        ("this evening", "2026-11-21T18:00"),
        ("tomorrow morning", "2026-11-22T08:00"),
        ("on friday", "2026-11-27T09:00"),
        ("saturday at 9", "2026-11-21T21:00"),
        ("saturday at 9 am", "2026-11-28T09:00"),
        ("next saturday", "2026-11-28T09:00"),
        ("the day after tomorrow at 10", "2026-11-23T10:00"),
        ("december 24th at 5 pm", "2026-12-24T17:00"),
        ("the 31st", "2026-12-31T09:00"),
        ("in 2 days at 9", "2026-11-23T09:00"),
        ("two hours from now", "2026-11-21T12:00"),
    ],
)
def test_a_spoken_time_is_the_next_such_time(text: str, at: str) -> None:
    assert parse_spoken_time(text, NOW, CHICAGO) == local(at)


@pytest.mark.parametrize(
    "text", ["", "today", "7", "at 25", "at 7 at 8", "2 at noon", "soon", "at 7:99", "february 30th", "at"]
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert parse_spoken_time(text, NOW, CHICAGO) is None


def test_a_time_of_today_that_has_passed_is_said_to_have() -> None:
    with pytest.raises(PastTime):
        parse_spoken_time("today at 7 am", NOW, CHICAGO)


def test_a_time_in_the_gap_of_spring_is_the_first_after_it() -> None:
    evening = local("2027-03-13T22:00")
    assert parse_spoken_time("at 2:30 am", evening, CHICAGO) == local("2027-03-14T03:00")
    assert parse_spoken_time("tomorrow at 2:30 am", evening, CHICAGO) == local("2027-03-14T03:00")


def test_a_time_that_autumn_repeats_is_the_first_of_two() -> None:
    evening = local("2026-10-31T22:00")
    found = parse_spoken_time("at 1:30 am", evening, CHICAGO)
    assert found is not None
    assert found.astimezone(UTC) == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


def test_hours_from_now_are_real_hours_across_both_changes() -> None:
    for before in (local("2027-03-14T01:30"), local("2026-11-01T00:45")):
        found = parse_spoken_time("in two hours", before, CHICAGO)
        assert found is not None
        assert found.astimezone(UTC) - before.astimezone(UTC) == timedelta(hours=2)


def test_a_timer_into_the_repeated_hour_keeps_its_offset() -> None:
    now = local("2026-11-01T01:50")
    made = made_routine(
        TimerRequest(duration=timedelta(minutes=20)), number=1, room=None, now=now, timezone=CHICAGO
    )
    assert made["triggers"] == [{"trigger": "time", "at": "2026-11-01T01:10:00-06:00"}]


@given(
    now=st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)).map(lambda t: t.replace(tzinfo=UTC)),
    hour=st.integers(1, 12),
    minute=st.integers(0, 59),
    half=st.sampled_from(["am", "pm"]),
    day=st.sampled_from(["", "tomorrow ", "on monday ", "on sunday "]),
)
def test_every_clock_time_is_found_ahead(now: datetime, hour: int, minute: int, half: str, day: str) -> None:
    found = parse_spoken_time(f"{day}at {hour}:{minute:02} {half}", now, CHICAGO)
    assert found is not None
    assert now < found <= now + timedelta(days=8)
    is_in_gap = (found.month, found.hour, found.minute) == (3, 3, 0)
    assert is_in_gap or (found.hour, found.minute) == (hour % 12 + (12 if half == "pm" else 0), minute)


@given(seconds=st.integers(1, 200_000))
def test_a_duration_that_is_said_is_understood(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_spoken_duration(say_duration(duration)) == duration


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("Twenty-five", "25"),
        ("six thirty", "6 30"),
        ("seven oh five", "7 0 5"),
        ("one hundred and twenty", "120"),
        ("half past six p.m.", "half past 6 pm"),
        ("a hundred", "100"),
        ("6:30pm", "6:30 pm"),
        ("1.5 hours", "1.5 hours"),
    ],
)
def test_numbers_are_written_as_digits(text: str, digits: str) -> None:
    assert with_digits(text) == digits


def test_a_timer_is_a_routine_that_happens_once() -> None:
    made = made_routine(
        TimerRequest(duration=timedelta(minutes=5), name="pizza"),
        number=3,
        room="kitchen",
        now=NOW.replace(microsecond=1),
        timezone=CHICAGO,
    )
    assert made == {
        "id": "timer-3",
        "alias": "Pizza timer",
        "once": True,
        "triggers": [{"trigger": "time", "at": "2026-11-21T10:05:01"}],
        "actions": [{"say": "Your pizza timer is done", "speaker": {"area_id": "kitchen"}}],
    }


def test_a_timer_without_a_name_is_called_by_its_length() -> None:
    request = TimerRequest(duration=timedelta(minutes=5))
    made = made_routine(request, number=1, room=None, now=NOW, timezone=CHICAGO)
    assert (made["alias"], made["actions"]) == ("5 minute timer", [{"say": "Your 5 minute timer is done"}])


def test_a_delayed_command_does_its_calls() -> None:
    request = TimerRequest(duration=timedelta(minutes=5), command="turn off the tv")
    call = CallService(action="media_player.turn_off", target={"entity_id": "media_player.tv"})
    made = made_routine(request, number=1, room="hall", now=NOW, timezone=CHICAGO, calls=[call])
    assert made["actions"] == [
        {"action": "media_player.turn_off", "target": {"entity_id": "media_player.tv"}}
    ]
    with pytest.raises(ValueError, match="turn off the tv"):
        made_routine(request, number=1, room="hall", now=NOW, timezone=CHICAGO)


def test_a_place_reminder_waits_for_the_place() -> None:
    request = asked("remind me to buy tahini when I arrive at Whole Foods")
    assert isinstance(request, ReminderRequest)
    made = made_routine(request, number=5, room="hall", now=NOW, timezone=CHICAGO)
    assert made["id"] == "reminder-5"
    assert made["triggers"] == [{"trigger": "location", "zone": "Whole Foods", "event": "enter"}]
    assert made["actions"] == [{"say": "Reminder: buy tahini", "speaker": {"area_id": "hall"}}]


def test_somebody_elses_place_reminder_waits_for_that_person() -> None:
    request = ReminderRequest(text="call", place="home", event="leave", person="Jane")
    made = made_routine(request, number=5, room=None, now=NOW, timezone=CHICAGO)
    assert made["triggers"] == [{"trigger": "location", "zone": "home", "event": "leave", "person": "Jane"}]


def test_an_alarm_says_the_time() -> None:
    made = made_routine(
        AlarmRequest(at=local("2026-11-22T07:00")), number=4, room=None, now=NOW, timezone=CHICAGO
    )
    assert (made["alias"], made["actions"]) == ("Alarm at 7:00 AM", [{"say": "It is 7:00 AM"}])


def test_a_reminder_needs_a_time_or_a_place() -> None:
    with pytest.raises(ValueError, match="a time or a place"):
        made_routine(ReminderRequest(text="x"), number=1, room=None, now=NOW, timezone=CHICAGO)


def test_what_was_said_is_never_run_as_a_template() -> None:
    request = ReminderRequest(text="say {{ states('lock.front') }}", at=local("2026-11-22T07:00"))
    made = made_routine(request, number=1, room=None, now=NOW, timezone=CHICAGO)
    assert "{" not in str(made["alias"])
    assert made["actions"] == [{"say": "Reminder: say  states('lock.front') "}]
