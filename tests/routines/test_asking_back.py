"""What was not clearly heard, and what opens the house: asked back, acted on after a yes, never guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routines.certainty import Certainty
from routines.effects import CallService, Say
from routines.explain import explain_run, explain_verdict
from routines.facts import HeardFact, StateFact
from routines.intents.directory import Directory, Entity
from routines.load import load_routines
from routines.opening import opened_by, opened_by_routine
from routines.outputs import RunEnded, Verdict
from routines.routine import Routine
from routines.simulator import Happened, Performed, Simulator

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HOME = Directory(
    entities=(
        Entity(entity_id="light.kitchen", names=("kitchen light",), area="kitchen"),
        Entity(entity_id="lock.door", names=("front door",), area="hall"),
        Entity(entity_id="cover.garage", names=("garage",), area="hall", device_class="garage"),
        Entity(entity_id="cover.blinds", names=("blinds",), area="kitchen", device_class="blind"),
    ),
)
ROUTINES = """
version: 1
routines:
  - id: movie
    triggers: [{trigger: voice, phrases: ["start movie time"]}]
    actions: [{action: light.turn_off, target: {entity_id: light.kitchen}}]
  - id: blinds
    triggers: [{trigger: voice, phrases: ["good morning blinds"]}]
    actions: [{action: cover.open_cover, target: {entity_id: cover.blinds}}]
  - id: welcome
    triggers: [{trigger: voice, phrases: ["i am home"], match: {fuzzy: 0.5, confirm_below: 0.5}}]
    actions: [{run_routine: doors}]
  - id: doors
    triggers: [{trigger: mqtt, topic: doors}]
    actions:
      - if: "{{ true }}"
        then: [{action: lock.unlock, target: {entity_id: lock.door}}]
  - id: helper
    triggers: [{trigger: mqtt, topic: help}]
    actions:
      - say: Somebody rings. Who is it?
      - wait_for_trigger: [{trigger: voice, phrases: ["let them in"]}]
      - {action: cover.toggle, target: {entity_id: cover.garage}}
"""
ROUTINE_LIST, PROBLEMS = load_routines(ROUTINES, "test.yaml")
CERTAINTY = Certainty()
DOUBT = (CERTAINTY.ask + CERTAINTY.sure) / 2
OPENING = ["unlock the front door", "open the garage", "i am home", "unlock the front door in 5 minutes"]
HARMLESS = ["start movie time", "turn off the kitchen light", "good morning blinds", "lock the front door"]


class House:
    def __init__(self) -> None:
        assert PROBLEMS == []
        self.simulator = Simulator(
            ROUTINE_LIST, start=NOON, timezone=ZoneInfo("UTC"), directory=HOME, converses=True
        )
        self.simulator.begin([StateFact(entity_id="light.kitchen", state="on")])
        self.seen: list[Happened] = []

    def say(
        self, text: str, confidence: float = 1.0, room: str = "kitchen", *, is_answer: bool = False
    ) -> str:
        happened = self.simulator.tell(
            HeardFact(room=room, text=text, confidence=confidence, is_answer=is_answer)
        )
        self.seen += happened
        effects = [one.perform.effect for one in happened if isinstance(one, Performed)]
        return " ".join(one.text for one in effects if isinstance(one, Say))

    def wait(self, seconds: float) -> None:
        self.seen += self.simulator.advance(self.simulator.now + timedelta(seconds=seconds))

    @property
    def calls(self) -> list[str]:
        effects = [one.perform.effect for one in self.seen if isinstance(one, Performed)]
        return [one.action for one in effects if isinstance(one, CallService)]

    @property
    def told(self) -> str:
        """All that ``routine explain`` would say."""
        verdicts = [explain_verdict(one, ZoneInfo("UTC")) for one in self.seen if isinstance(one, Verdict)]
        runs = [
            line
            for one in self.seen
            if isinstance(one, RunEnded)
            for line in explain_run(one, ZoneInfo("UTC"))
        ]
        return "\n".join([*verdicts, *runs])


@pytest.fixture
def house() -> House:
    return House()


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(HARMLESS + OPENING), st.floats(0, 1))
def test_one_sentence_acts_only_if_it_was_surely_heard_and_opens_nothing(
    text: str, confidence: float
) -> None:
    house = House()
    answer = house.say(text, confidence)
    house.wait(600)
    acts = text in HARMLESS and confidence >= CERTAINTY.sure
    assert bool(house.calls) == acts
    if confidence < CERTAINTY.ask:
        assert answer == ""
    elif not acts:
        assert answer.startswith(("Did you mean: ", "Shall I really ", "I did not hear that clearly"))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(OPENING), st.floats(0, 1), st.floats(0, 1))
def test_the_house_opens_only_after_a_sure_sentence_and_a_sure_yes(
    text: str, said: float, yes: float
) -> None:
    house = House()
    house.say(text, said)
    house.say("yes", yes)
    house.wait(600)
    assert bool(house.calls) == (said >= CERTAINTY.secure and yes >= CERTAINTY.sure)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(OPENING), st.floats(0.5, 1))
def test_without_the_wake_word_a_yes_that_opens_the_house_is_as_sure_as_the_wish(
    text: str, yes: float
) -> None:
    house = House()
    question = house.say(text)
    asked_again = house.say("yes", yes, is_answer=True)
    house.wait(600)
    assert bool(house.calls) == (yes >= CERTAINTY.secure)
    if yes < CERTAINTY.secure:
        assert asked_again == question


def test_without_the_wake_word_a_sure_yes_is_enough_for_what_opens_nothing(house: House) -> None:
    house.say("start movie time", DOUBT)
    house.say("yes", CERTAINTY.sure, is_answer=True)
    assert house.calls == ["light.turn_off"]


@pytest.mark.parametrize(("text", "confidence"), [("", 0.0), ("yes", CERTAINTY.ask / 2)])
def test_an_unclear_answer_ends_the_question_kindly(house: House, text: str, confidence: float) -> None:
    house.say("start movie time", DOUBT)
    assert house.say(text, confidence, is_answer=True) == "I did not understand that, so I leave it."
    assert house.say("yes") == ""
    assert house.calls == []


def test_unclear_speech_is_no_answer_where_nothing_was_asked(house: House) -> None:
    assert house.say("", 0.0, is_answer=True) == ""


def test_an_answer_is_awaited_to_the_question_that_was_asked_where_it_was_heard(house: House) -> None:
    hearing = house.simulator.engine.hearing
    for room in ("kitchen", ""):
        question = house.say("start movie time", DOUBT, room)
        assert hearing.awaits_answer(question, "any-run", house.simulator.now) == (room == "kitchen")
    again = house.say("unlock the front door", CERTAINTY.sure)
    assert again == "I did not hear that clearly. Please say it again."
    assert hearing.awaits_answer(again, "any-run", house.simulator.now)
    assert not hearing.awaits_answer("Dinner is ready.", "any-run", house.simulator.now)
    house.wait(30)
    assert not hearing.awaits_answer(again, "any-run", house.simulator.now)


def test_an_answer_is_awaited_to_what_a_routine_asks_before_it_waits_for_words(house: House) -> None:
    from routines.facts import MessageFact

    hearing = house.simulator.engine.hearing
    happened = house.simulator.tell(MessageFact(topic="help", payload=""))
    [asked] = [one.perform for one in happened if isinstance(one, Performed)]
    assert isinstance(asked.effect, Say)
    assert hearing.awaits_answer(asked.effect.text, asked.run_id, house.simulator.now)
    assert not hearing.awaits_answer(asked.effect.text, "another-run", house.simulator.now)


def test_what_was_unsurely_heard_is_done_after_a_yes_and_explained(house: House) -> None:
    assert house.say("turn off the kitchen light", DOUBT) == "Did you mean: turn off the kitchen light?"
    assert house.calls == []
    house.say("yes please")
    assert house.calls == ["light.turn_off"]
    assert "heard 'turn off the kitchen light' in kitchen, 38% sure" in house.told
    assert "and 'yes please' to 'Did you mean: turn off the kitchen light?'" in house.told


def test_a_yes_that_may_be_none_is_asked_for_once_more(house: House) -> None:
    question = house.say("start movie time", DOUBT)
    assert house.say("yes", DOUBT) == question
    assert house.calls == []
    house.say("yes")
    assert house.calls == ["light.turn_off"]


def test_noise_is_neither_a_yes_nor_a_no(house: House) -> None:
    house.say("start movie time", DOUBT)
    for noise in ("yes", "no", "turn on the kitchen light"):
        assert house.say(noise, CERTAINTY.ask / 2) == ""
    assert house.calls == []
    house.say("yes")
    assert house.calls == ["light.turn_off"]


def test_why_nothing_was_done_is_explained(house: House) -> None:
    house.say("start movie time", CERTAINTY.ask / 2)
    assert (
        "movie did not run: it was not heard surely enough (voice[0]: heard 'start movie time'" in house.told
    )
    house.say("start movie time", DOUBT)
    house.say("no thanks")
    assert "movie did not run: somebody said no when the hub asked back" in house.told
    house.say("i am home", CERTAINTY.sure)
    assert "50% sure, and to unlock front door takes 80%" in house.told


def test_what_was_nearly_said_and_unsurely_heard_is_nobodys(house: House) -> None:
    assert house.say("smart movie time").startswith("Did you mean")
    house.say("no")
    assert house.say("smart movie time", DOUBT) == ""


def test_a_routine_that_opens_the_house_asks_though_it_was_only_nearly_said(house: House) -> None:
    assert house.say("i am homy") == "Shall I really unlock front door?"


def test_a_wait_for_words_that_open_the_house_asks_too(house: House) -> None:
    from routines.facts import MessageFact

    house.seen += house.simulator.tell(MessageFact(topic="help", payload=""))
    assert house.say("let them in") == "Shall I really open garage?"
    house.say("yes")
    assert house.calls == ["cover.toggle"]


def test_a_timer_that_was_asked_back_counts_from_the_yes(house: House) -> None:
    house.say("set a timer for 5 minutes", DOUBT)
    house.wait(15)
    house.say("yes")
    house.wait(10)
    assert "4 minutes" in house.say("how long is left on the timer")
    house.wait(100)
    assert "3 minutes" in house.say("how long is left on the timer")


@pytest.mark.parametrize(
    ("action", "target", "words"),
    [
        ("lock.unlock", {"entity_id": "lock.door"}, "unlock front door"),
        ("lock.open", {"area_id": "hall"}, "open front door"),
        ("lock.unlock", {"entity_id": "lock.back_door"}, "unlock back door"),
        ("lock.unlock", {"entity_id": "{{ which }}"}, "unlock it"),
        ("lock.lock", {"entity_id": "lock.door"}, None),
        ("alarm_control_panel.alarm_disarm", {}, "disarm it"),
        ("alarm_control_panel.alarm_arm_away", {}, None),
        ("cover.open_cover", {"entity_id": ["cover.blinds", "cover.garage"]}, "open garage"),
        ("cover.set_cover_position", {"area_id": "hall"}, "open garage"),
        ("homeassistant.turn_on", {"entity_id": "cover.garage"}, "open garage"),
        ("cover.open_cover", {"entity_id": "cover.blinds"}, None),
        ("cover.open_cover", {"entity_id": "{{ trigger.slots.which }}"}, "open it"),
        ("cover.open_cover", {"device_id": "abc"}, "open it"),
        ("cover.open_cover", {"entity_id": "all"}, "open it"),
        ("cover.close_cover", {"entity_id": "cover.garage"}, None),
        ("light.turn_on", {"area_id": "hall"}, None),
    ],
)
def test_what_opens_the_house(action: str, target: dict[str, object], words: str | None) -> None:
    call = CallService(action=action, target=target)  # type: ignore[arg-type]
    assert opened_by([call], HOME) == words
    routine = Routine.model_validate({"id": "a", "actions": [{"action": action, "target": target}]})
    assert opened_by_routine(routine, {"a": routine}, HOME) == words


def test_routines_that_run_each_other_are_looked_at_once() -> None:
    routines = {
        name: Routine.model_validate({"id": name, "actions": [{"run_routine": other}]})
        for name, other in (("a", "b"), ("b", "a"))
    }
    assert opened_by_routine(routines["a"], routines, HOME) is None


def test_the_steps_of_certainty_must_rise() -> None:
    with pytest.raises(ValueError, match="must rise"):
        Certainty(ask=0.6, sure=0.5)
