"""What is said to the house and no routine waits for: wishes, timers, reminders, undo, why, near misses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from routines.effects import CallService, Say
from routines.facts import Fact, HeardFact, LocationFact, PresenceFact, StateFact
from routines.intents.directory import Area, Directory, Entity
from routines.load import load_routines
from routines.outputs import Verdict
from routines.simulator import Happened, Performed, Simulator

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HOME = Directory(
    entities=(
        Entity(entity_id="light.kitchen", names=("kitchen light",), area="kitchen"),
        Entity(entity_id="light.bed", names=("bed light",), area="bedroom"),
        Entity(entity_id="lock.door", names=("front door",), area="kitchen"),
    ),
    areas=(Area(area_id="kitchen", names=("kitchen",)), Area(area_id="bedroom", names=("bedroom",))),
)
ROUTINES = """
version: 1
routines:
  - id: movie
    alias: Movie time
    triggers: [{trigger: voice, phrases: ["start movie time"]}]
    actions: [{action: light.turn_off, target: {entity_id: light.kitchen}}]
  - id: away
    alias: Nobody there
    triggers: [{trigger: presence, room: kitchen, to: not_detected, for: 60}]
    actions: [{action: light.turn_off, target: {area_id: kitchen}}]
  - id: leaving
    triggers: [{trigger: voice, phrases: ["lock up the house"]}]
    actions: [{action: lock.lock, target: {entity_id: lock.door}}]
"""


class House:
    def __init__(self) -> None:
        routines, problems = load_routines(ROUTINES, "test.yaml")
        assert problems == []
        self.simulator = Simulator(
            routines, start=NOON, timezone=ZoneInfo("Europe/Berlin"), directory=HOME, converses=True
        )
        self.happened: list[Happened] = []
        light = {"brightness": 120}
        self.simulator.begin([StateFact(entity_id="light.kitchen", state="on", attributes=light)])

    def say(self, text: str, room: str = "kitchen") -> str:
        """Say something, and return what is answered."""
        happened = self.simulator.tell(HeardFact(room=room, text=text))
        self.happened += happened
        return " ".join(said(happened))

    def tell(self, fact: Fact) -> list[Happened]:
        happened = self.simulator.tell(fact)
        self.happened += happened
        return happened

    def wait(self, seconds: float) -> list[Happened]:
        happened = list(self.simulator.advance(self.simulator.now + timedelta(seconds=seconds)))
        self.happened += happened
        return happened

    def restart(self) -> None:
        self.simulator.kill()
        self.happened += self.simulator.boot(self.simulator.now + timedelta(seconds=30))

    @property
    def calls(self) -> list[tuple[str, object]]:
        effects = [one.perform.effect for one in self.happened if isinstance(one, Performed)]
        return [(one.action, dict(one.data)) for one in effects if isinstance(one, CallService)]


def said(happened: list[Happened]) -> list[str]:
    effects = [one.perform.effect for one in happened if isinstance(one, Performed)]
    return [one.text for one in effects if isinstance(one, Say)]


@pytest.fixture
def house() -> House:
    return House()


def test_a_wish_is_carried_out_in_the_room_where_it_was_heard(house: House) -> None:
    assert house.say("turn off the lights")
    assert house.calls == [("light.turn_off", {})]


def test_a_routines_phrase_comes_before_a_built_in_wish(house: House) -> None:
    house.say("start movie time")
    assert [one.routine for one in house.happened if isinstance(one, Verdict)] == ["movie"]


def test_a_timer_rings_when_it_is_due_though_the_hub_was_restarted(house: House) -> None:
    assert "5 minutes" in house.say("set a pizza timer for 5 minutes")
    house.wait(200)
    house.restart()
    assert said(house.wait(69)) == []
    assert "pizza" in " ".join(said(house.wait(2)))
    assert house.say("how long is left on the pizza timer") == "There is no timer"


def test_a_timer_can_be_asked_about_paused_continued_extended_and_cancelled(house: House) -> None:
    house.say("set a timer for 10 minutes")
    house.wait(240)
    assert "6 minutes left" in house.say("how long is left on the timer")
    assert "paused" in house.say("pause the timer")
    assert said(house.wait(3_600)) == []
    assert "6 minutes left" in house.say("resume the timer")
    assert "8 minutes left" in house.say("add 2 minutes to the timer")
    assert "cancelled" in house.say("cancel the timer")
    assert said(house.wait(3_600)) == []


def test_a_reminder_waits_for_a_place_across_a_restart(house: House) -> None:
    assert "Whole Foods" in house.say("remind me to buy tahini when I arrive at Whole Foods")
    house.restart()
    assert said(house.tell(LocationFact(person="jane", zone="Home", event="enter"))) == []
    place = LocationFact(person="jane", zone="Whole Foods", event="enter")
    assert said(house.tell(place)) == ["Reminder: buy tahini"]
    assert said(house.tell(place)) == []


def test_undo_puts_back_what_was_done_last_and_then_what_was_done_before(house: House) -> None:
    house.say("start movie time")
    house.tell(StateFact(entity_id="light.kitchen", state="off"))
    house.say("undo that")
    assert house.calls[-1] == ("light.turn_on", {"brightness": 120})
    before = len(house.calls)
    house.say("undo that")
    assert len(house.calls) == before


def test_why_is_answered_with_the_routine_and_its_reason(house: House) -> None:
    house.tell(PresenceFact(room="kitchen", present=True))
    house.tell(PresenceFact(room="kitchen", present=False))
    house.wait(61)
    house.restart()
    answer = house.say("why did the light go off")
    assert answer == (
        "The kitchen light was turned off at 13:01 by Nobody there, because "
        "nobody is any more in kitchen, and it held"
    )
    assert "not me" in house.say("why did the bed light go on")


def test_what_was_nearly_said_is_asked_back_and_done_after_yes(house: House) -> None:
    assert house.say("smart movie time") == "Did you mean: start movie time?"
    assert house.calls == []
    house.say("yes please")
    assert [name for name, _ in house.calls] == ["light.turn_off"]


@pytest.mark.parametrize("answer", ["no", "what is the weather like on mars"])
def test_without_a_yes_nothing_is_done(house: House, answer: str) -> None:
    house.say("smart movie time")
    house.say(answer)
    house.say("yes")
    assert house.calls == []


def test_a_yes_that_comes_too_late_or_from_another_room_does_nothing(house: House) -> None:
    house.say("smart movie time")
    house.say("yes", room="bedroom")
    house.say("smart movie time")
    house.wait(30)
    house.say("yes")
    assert house.calls == []


def test_a_lock_is_never_worked_by_what_was_nearly_said(house: House) -> None:
    assert house.say("lock up the hows") == ""
    assert house.calls == []


def test_unlocking_needs_a_yes_and_locking_does_not(house: House) -> None:
    house.say("lock the front door")
    assert [name for name, _ in house.calls] == ["lock.lock"]
    assert house.say("unlock the front door") == "Shall I really unlock front door?"
    assert [name for name, _ in house.calls] == ["lock.lock"]
    house.say("yes")
    assert [name for name, _ in house.calls] == ["lock.lock", "lock.unlock"]


def test_what_nobody_understands_does_nothing(house: House) -> None:
    assert house.say("colourless green ideas sleep furiously") == ""
    assert house.happened == []
