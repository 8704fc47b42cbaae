"""The engine in virtual time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routines.effects import Outcome
from routines.engine import Engine
from routines.facts import Fact, HeardFact, MessageFact, PresenceFact, RunRequested, StateFact, TimePassed
from routines.load import load_routines
from routines.outputs import Output, Perform, RunEnded, Verdict

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class House:
    """Drives an engine as the hub does, in virtual time; effects succeed unless told otherwise."""

    def __init__(self, yaml: str, timezone: str = "UTC", start: datetime = NOON) -> None:
        routines, problems = load_routines(f"version: 1\nroutines:\n{yaml}", "test.yaml")
        assert problems == []
        self.engine = Engine(routines, timezone=ZoneInfo(timezone))
        self.now = start
        self.seen: list[Output] = []
        self.fails = False
        self.holds_effects = False
        self.engine.handle(TimePassed(), now=start)

    def tell(self, fact: Fact, after_seconds: float = 0) -> None:
        self.wait(after_seconds)
        self._take(self.engine.handle(fact, now=self.now))

    def wait(self, seconds: float) -> None:
        end = self.now + timedelta(seconds=seconds)
        while (due := self.engine.next_deadline(self.now)) is not None and due <= end:
            self.now = due
            self._take(self.engine.handle(TimePassed(), now=due))
        self.now = end

    def _take(self, outputs: list[Output]) -> None:
        for output in outputs:
            self.seen.append(output)
            if isinstance(output, Perform) and not self.holds_effects:
                outcome = Outcome(ok=not self.fails, error="it is broken" if self.fails else None)
                self._take(self.engine.complete(output.run_id, outcome, now=self.now))

    @property
    def performed(self) -> list[tuple[float, str]]:
        return [
            ((o.at - NOON).total_seconds(), str(getattr(o.effect, "text", "")))
            for o in self.seen
            if isinstance(o, Perform)
        ]

    @property
    def verdicts(self) -> list[str]:
        return [output.verdict for output in self.seen if isinstance(output, Verdict)]

    @property
    def results(self) -> list[str]:
        return [output.result for output in self.seen if isinstance(output, RunEnded)]


def presence(present: bool, room: str = "hall") -> PresenceFact:
    return PresenceFact(room=room, present=present)


def lamp(new: str, old: str | None = "off") -> StateFact:
    return StateFact(entity_id="light.a", old=old, new=new)


def test_presence_starts_a_routine_once_until_the_room_was_empty() -> None:
    house = House("  - {id: a, triggers: [{trigger: presence, room: hall}], actions: [{say: hello}]}")
    for present in (True, True, False, True):
        house.tell(presence(present), after_seconds=1)
    assert house.performed == [(1, "hello"), (4, "hello")]


def test_a_delay_waits_in_virtual_time_and_the_trace_tells_it() -> None:
    house = House(
        "  - {id: a, triggers: [{trigger: presence}], actions: [{say: one}, {delay: 90}, {say: two}]}"
    )
    house.tell(presence(True))
    house.wait(200)
    assert house.performed == [(0, "one"), (90, "two")]
    ended = house.seen[-1]
    assert isinstance(ended, RunEnded)
    assert [step.result for step in ended.trace] == ["ok", "ok", "ok"]


def test_absence_must_last_as_long_as_for_says() -> None:
    house = House(
        "  - id: a\n    triggers: [{trigger: presence, room: hall, to: not_detected, for: '00:05:00'}]\n"
        "    actions: [{say: off}]"
    )
    house.tell(presence(True))
    house.tell(presence(False), after_seconds=10)
    house.tell(presence(True), after_seconds=299)
    house.tell(presence(False), after_seconds=10)
    house.wait(301)
    assert house.verdicts == ["held_not_long_enough", "fired"]
    assert house.performed == [(10 + 299 + 10 + 300, "off")]


def test_an_entity_that_comes_back_from_unavailable_fires_nothing_and_says_why() -> None:
    house = House(
        "  - {id: a, triggers: [{trigger: state, entity_id: light.a, to: 'on'}], actions: [{say: x}]}"
    )
    house.tell(lamp("on", old="unavailable"))
    house.tell(lamp("on", old=None))
    assert house.verdicts == ["unavailable_ignored", "unavailable_ignored"]
    house.tell(lamp("on"))
    assert house.verdicts[-1] == "fired"


def test_a_condition_on_an_unknown_value_cannot_be_decided_and_nothing_runs() -> None:
    house = House(
        "  - id: a\n    triggers: [{trigger: presence}]\n"
        "    conditions:\n      - condition: not\n"
        "        conditions: [{condition: state, entity_id: light.a, state: 'on'}]\n"
        "    actions: [{say: x}]"
    )
    house.tell(presence(True))
    assert house.verdicts == ["cannot_decide"]
    assert "conditions[0].not[0]" in next(o.reason for o in house.seen if isinstance(o, Verdict))
    house.tell(presence(False))
    house.tell(lamp("off", old="on"))
    house.tell(presence(True))
    assert house.verdicts[-1] == "fired"


def test_an_unknown_value_does_not_matter_where_it_cannot_change_the_answer() -> None:
    house = House(
        "  - id: a\n    triggers: [{trigger: presence}]\n    conditions:\n"
        "      - condition: or\n        conditions:\n"
        "          - {condition: state, entity_id: light.a, state: 'on'}\n"
        "          - {condition: presence, room: hall}\n    actions: [{say: x}]"
    )
    house.tell(presence(True))
    assert house.verdicts == ["fired"]


def test_a_failed_action_ends_the_run_and_a_forgiven_one_does_not() -> None:
    yaml = "  - {id: a, triggers: [{trigger: presence}], actions: [{say: one%s}, {say: two}]}"
    strict, forgiving = House(yaml % ""), House(yaml % ", continue_on_error: true")
    for house in (strict, forgiving):
        house.fails = True
        house.tell(presence(True))
    assert [text for _, text in strict.performed] == ["one"]
    assert strict.results == ["failed"]
    assert [text for _, text in forgiving.performed] == ["one", "two"]


def test_choose_takes_the_first_way_whose_conditions_hold() -> None:
    house = House(
        "  - id: a\n    mode: parallel\n    triggers: [{trigger: mqtt, topic: 'door/+'}]\n    actions:\n"
        "      - choose:\n"
        "          - conditions: [{condition: time, after: '22:00', before: '06:00'}]\n"
        "            sequence: [{say: night}]\n"
        "        default: [{say: day}]"
    )
    house.tell(MessageFact(topic="door/front", payload="open"))
    house.tell(MessageFact(topic="door/front/lock", payload="open"))
    house.tell(MessageFact(topic="door/back", payload="open"), after_seconds=13 * 3600)
    assert [text for _, text in house.performed] == ["day", "night"]


def test_a_phrase_starts_its_routine_whatever_the_case_and_punctuation() -> None:
    house = House(
        "  - {id: a, triggers: [{trigger: voice, phrases: ['(good night|time for bed)']}],"
        " actions: [{say: x}]}"
    )
    house.tell(HeardFact(room="hall", text="Time for bed!"))
    house.tell(HeardFact(room="hall", text="time for breakfast"))
    assert house.verdicts == ["fired"]


def test_a_routine_can_be_asked_for_by_name() -> None:
    house = House("  - {id: a, actions: [{say: x}]}")
    house.tell(RunRequested(routine="a", who="app"))
    assert house.results == ["finished"]


@pytest.mark.parametrize(
    ("zone", "at", "start", "expected"),
    [
        ("America/New_York", "02:30", "2026-03-07T12:00+00:00", ["2026-03-08T03:00:00-04:00"]),
        ("America/New_York", "01:30", "2026-10-31T12:00+00:00", ["2026-11-01T01:30:00-04:00"]),
        ("Europe/Berlin", "02:00", "2026-10-24T12:00+00:00", ["2026-10-25T02:00:00+02:00"]),
        ("Europe/Berlin", "12:00", "2026-03-28T12:00+00:00", ["2026-03-29T12:00:00+02:00"]),
    ],
)
def test_a_daily_time_fires_once_a_day_across_daylight_saving(
    zone: str, at: str, start: str, expected: list[str]
) -> None:
    house = House(
        f"  - {{id: a, triggers: [{{trigger: time, at: '{at}'}}], actions: [{{say: x}}]}}",
        timezone=zone,
        start=datetime.fromisoformat(start),
    )
    house.wait(24 * 3600)
    local = [o.at.astimezone(ZoneInfo(zone)).isoformat() for o in house.seen if isinstance(o, Perform)]
    assert local == expected


def test_a_year_of_a_daily_routine_runs_every_day() -> None:
    house = House(
        "  - {id: a, triggers: [{trigger: time, at: '07:30'}],"
        " actions: [{say: x}, {delay: 5 min}, {say: y}]}",
        timezone="Europe/Berlin",
    )
    house.wait(365 * 24 * 3600)
    assert len(house.performed) == 2 * 365


@given(st.sampled_from(["single", "restart", "queued", "parallel"]), st.integers(2, 8))
def test_the_run_mode_decides_what_triggers_in_one_tick_do(mode: str, triggers: int) -> None:
    house = House(
        f"  - {{id: a, mode: {mode}, max: 5, triggers: [{{trigger: mqtt, topic: t}}],"
        " actions: [{delay: 1}, {say: x}]}"
    )
    for _ in range(triggers):
        house.tell(MessageFact(topic="t", payload=""))
    house.wait(60)
    finished, stopped = house.results.count("finished"), house.results.count("stopped")
    expected = {
        "single": (1, 0),
        "restart": (1, triggers - 1),
        "queued": (min(triggers, 5), 0),
        "parallel": (min(triggers, 5), 0),
    }
    assert (finished, stopped) == expected[mode]
    assert house.verdicts.count("fired") == finished + stopped
    assert len(house.verdicts) == triggers


@given(
    st.lists(
        st.tuples(st.sampled_from(["on", "off", "here", "gone", "say"]), st.integers(0, 40)), max_size=30
    ),
    st.sampled_from(["single", "restart", "queued", "parallel"]),
)
def test_every_run_that_fires_ends_exactly_once_and_does_nothing_after(
    script: list[tuple[str, int]], mode: str
) -> None:
    house = House(
        f"  - id: a\n    mode: {mode}\n    triggers:\n"
        "      - {trigger: state, entity_id: light.a, to: 'on', for: 5}\n"
        "      - {trigger: presence, room: hall}\n"
        "      - {trigger: voice, phrases: [go]}\n"
        "    actions: [{say: one}, {delay: 20}, {say: two}]"
    )
    facts: dict[str, Fact] = {
        "on": lamp("on"),
        "off": lamp("off", old="on"),
        "here": presence(True),
        "gone": presence(False),
        "say": HeardFact(room="hall", text="go"),
    }
    for name, seconds in script:
        house.tell(facts[name], after_seconds=seconds)
    house.wait(10_000)
    ended: set[str] = set()
    for output in house.seen:
        if isinstance(output, Perform):
            assert output.run_id not in ended
        elif isinstance(output, RunEnded):
            assert output.run_id not in ended
            ended.add(output.run_id)
    assert len(ended) == house.verdicts.count("fired")
