"""The engine in virtual time: from a fact over the gate to a run."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routines.effects import Outcome
from routines.facts import Fact
from routines.outputs import RunEnded
from tests.routines.house import (
    Hands,
    House,
    actions,
    ask,
    heard,
    message,
    presence,
    routines_of,
    state,
)


def test_presence_starts_a_routine_once_until_the_room_was_empty() -> None:
    house = House("  - {id: a, triggers: [{trigger: presence, room: hall}], actions: [{say: hello}]}")
    for present in (True, True, False, True):
        house.tell(presence(present), after=1)
    assert house.timed == [(1, "hello"), (4, "hello")]


def test_a_delay_waits_in_virtual_time_and_the_trace_tells_it() -> None:
    house = House(
        "  - {id: a, triggers: [{trigger: presence}], actions: [{say: one}, {delay: 90}, {say: two}]}"
    )
    house.tell(presence())
    house.wait(200)
    assert house.timed == [(0, "one"), (90, "two")]
    assert [step.result for step in house.ends[0].trace] == ["ok", "ok", "ok"]


def test_a_failed_action_ends_the_run_and_a_forgiven_one_does_not() -> None:
    strict, forgiving = (
        House(actions(f"[{{say: one{more}}}, {{say: two}}]")) for more in ("", ", continue_on_error: true")
    )
    for house in (strict, forgiving):
        house.fail("say")
        house.tell(message())
    assert (strict.done, strict.results) == (["one"], ["failed"])
    assert (forgiving.done, forgiving.results) == (["one", "two"], ["finished"])
    assert "it is broken" in strict.ends[0].why


def test_choose_takes_the_first_way_whose_conditions_hold() -> None:
    house = House(
        "  - id: a\n    mode: parallel\n    triggers: [{trigger: mqtt, topic: 'door/+'}]\n    actions:\n"
        "      - choose:\n"
        "          - conditions: [{condition: time, after: '22:00', before: '06:00'}]\n"
        "            sequence: [{say: night}]\n"
        "        default: [{say: day}]"
    )
    house.tell(message("door/front"), message("door/front/lock"))
    house.tell(message("door/back"), after=13 * 3600)
    assert house.done == ["day", "night"]


def test_a_routine_can_be_asked_for_by_name_whatever_its_conditions_say() -> None:
    house = House("  - {id: a, conditions: ['{{ false }}'], actions: [{say: x}]}")
    house.tell(ask(), ask("nobody"))
    assert house.results == ["finished"]
    assert house.ends[0].reason == "asked by test"


def test_a_year_of_a_daily_routine_runs_every_day() -> None:
    house = House(
        "  - {id: a, triggers: [{trigger: time, at: '07:30'}],"
        " actions: [{say: x}, {delay: 5 min}, {say: y}]}",
        timezone="Europe/Berlin",
    )
    house.wait(365 * 24 * 3600)
    assert len(house.done) == 2 * 365


@given(
    st.lists(
        st.tuples(st.sampled_from(["on", "off", "here", "gone", "say"]), st.integers(0, 40)), max_size=30
    ),
    st.sampled_from(["single", "restart", "queued", "parallel"]),
)
@settings(max_examples=40, deadline=None)
def test_every_run_that_fires_ends_exactly_once_and_does_nothing_after(
    script: list[tuple[str, int]], mode: str
) -> None:
    house = House(
        f"  - id: a\n    mode: {mode}\n    triggers:\n"
        "      - {trigger: state, entity_id: light.a, to: 'on', for: 5}\n"
        "      - {trigger: presence, room: hall}\n"
        "      - {trigger: voice, phrases: [go]}\n"
        "    actions: [{say: one}, {delay: 20}, {say: two}]",
        given=[state("light.a", "off")],
    )
    facts: dict[str, Fact] = {
        "on": state("light.a", "on"),
        "off": state("light.a", "off"),
        "here": presence(),
        "gone": presence(False),
        "say": heard("go"),
    }
    for name, seconds in script:
        house.tell(facts[name], after=seconds)
    house.wait(10_000)
    ended: set[str] = set()
    for one in house.seen:
        if isinstance(one, RunEnded):
            assert one.run_id not in ended
            ended.add(one.run_id)
        elif not hasattr(one, "verdict"):
            assert getattr(one, "perform", one).run_id not in ended
    assert len(ended) == house.verdicts.count("fired")


def test_the_stages_of_a_trigger_come_in_the_order_of_the_book() -> None:
    house = House(
        "  - id: a\n    triggers: [{trigger: state, entity_id: light.a, to: 'on'}]\n"
        "    active: [{after: '08:00', before: '20:00'}]\n    suppress: {for: 60}\n"
        "    conditions: [{condition: state, entity_id: switch.b, state: 'on'}]\n    actions: [{delay: 600}]",
        given=[state("light.a", "off"), state("switch.b", "on")],
    )

    def flip() -> None:
        house.tell(state("light.a", "off"), state("light.a", "on"))

    flip()  # fired
    flip()  # suppressed comes before the condition
    house.tell(state("switch.b", "off"))
    flip()
    house.wait(61)
    flip()  # the condition comes before the mode
    house.tell(state("switch.b", "on"))
    flip()  # the mode
    house.wait(9 * 3600)
    flip()  # outside the window, whatever else
    house.tell(state("light.a", "unavailable"), state("light.a", "on"))
    expected = ["fired", "suppressed", "suppressed", "condition_false", "mode_dropped", "outside_active"]
    assert house.verdicts == [*expected, "unavailable_ignored"]


def test_a_disabled_routine_says_so_before_anything_else() -> None:
    house = House(
        "  - id: a\n    enabled: false\n    active: [{after: '20:00'}]\n"
        "    triggers: [{trigger: state, entity_id: light.a, to: 'on'}]\n    actions: [{say: x}]"
    )
    house.tell(state("light.a", "on"), state("light.a", "off"), state("light.a", "on"))
    assert house.verdicts == ["disabled", "disabled"]


def test_suppression_begins_at_the_start_of_a_run_and_not_at_a_false_condition() -> None:
    house = House(
        "  - id: a\n    mode: parallel\n    suppress: {for: 10}\n"
        "    triggers: [{trigger: mqtt, topic: go}]\n"
        "    conditions: [{condition: state, entity_id: light.a, state: 'on'}]\n"
        "    actions: [{delay: 20}, {say: x}]",
        given=[state("light.a", "off")],
    )
    house.tell(message(), state("light.a", "on"), message())
    house.tell(message(), after=9.9)
    house.tell(message(), after=0.1)
    assert house.verdicts == ["condition_false", "fired", "suppressed", "fired"]


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("trigger", ["fired", "fired", "fired", "suppressed", "suppressed", "fired"]),
        ("routine", ["fired", "suppressed", "fired", "suppressed", "suppressed", "fired"]),
    ],
)
def test_suppression_is_of_one_trigger_or_of_all_but_the_excepted(scope: str, expected: list[str]) -> None:
    house = House(
        f"  - id: a\n    suppress: {{for: 10, scope: {scope}, except: [never]}}\n    triggers:\n"
        "      - {trigger: mqtt, topic: one, id: one}\n      - {trigger: mqtt, topic: two, id: two}\n"
        "      - {trigger: mqtt, topic: never, id: never}\n    actions: [{say: x}]"
    )
    for topic in ("one", "two", "never", "one", "two", "never"):
        house.tell(message(topic))
    assert house.verdicts == expected


def test_an_effect_that_is_answered_twice_counts_once() -> None:
    hands = Hands(routines_of(actions("[{say: one}, {delay: 5}, {say: two}, {say: three}]")))
    hands.tell(message())
    first = hands.answer()
    hands.engine.complete(first.run_id, first.step, Outcome(), now=hands.now)
    assert hands.performed == [(0, "one")]
    hands.pass_time(5)
    hands.engine.complete("no such run", "", Outcome(), now=hands.now)
    hands.answer_all()
    assert hands.performed == [(0, "one"), (5, "two"), (5, "three")]


def test_editing_a_routine_leaves_its_runs_as_they_began_and_the_timers_of_others() -> None:
    one = "  - {id: a, triggers: [{trigger: mqtt, topic: go}], actions: [{delay: 10}, {say: %s}]}\n"
    other = (
        "  - {id: b, triggers: [{trigger: state, entity_id: light.a, to: 'on', for: 10}],"
        " actions: [{say: held}]}\n"
    )
    hands = Hands(routines_of(one % "old" + other))
    hands.tell(state("light.a", "off"))
    hands.tell(state("light.a", "on"))
    hands.tell(message())
    hands.pass_time(5)
    hands.engine.replace(routines_of(one % "new" + other), now=hands.now)
    hands.pass_time(5)
    hands.answer_all()
    hands.tell(message())
    hands.pass_time(10)
    assert hands.performed == [(10, "held"), (10, "old"), (20, "new")]


def test_editing_a_trigger_forgets_what_it_held_and_removing_a_routine_its_triggers() -> None:
    yaml = (
        "  - {id: b, triggers: [{trigger: state, entity_id: light.a, to: 'on', for: %d}],"
        " actions: [{say: held}]}\n"
    )
    for after in (routines_of(yaml % 9), []):
        hands = Hands(routines_of(yaml % 10))
        hands.tell(state("light.a", "off"))
        hands.tell(state("light.a", "on"))
        hands.engine.replace(after, now=hands.now)
        hands.pass_time(60)
        hands.save()
        assert hands.performed == []
        assert [row for row in hands.rows if row.kind == "held"] == []


@pytest.mark.parametrize("by_seconds", [-3_600, -40, 40, 3_600, 86_400])
def test_a_clock_that_is_set_leaves_durations_as_they_are(by_seconds: int) -> None:
    hands = Hands(
        routines_of(
            actions("[{delay: 20}, {say: slept}]")
            + "  - {id: b, triggers: [{trigger: state, entity_id: light.a, to: 'on', for: 20}],"
            " suppress: {for: 30}, actions: [{say: held}]}\n"
            "  - {id: c, triggers: [{trigger: mqtt, topic: go}], actions: [{repeat: {for_each:"
            " [{until: never}], sequence: [{wait_for: '{{ false }}', timeout: 20}, {say: waited}]}}]}\n"
        )
    )
    hands.tell(state("light.a", "off"))
    hands.tell(state("light.a", "on"))
    hands.tell(message())
    hands.pass_time(10)
    by = timedelta(seconds=by_seconds)
    hands.now += by
    hands.engine.clock_was_set(by, now=hands.now)
    hands.kill()  # what is written down has been moved too
    hands.pass_time(9.9)
    assert hands.performed == []
    hands.pass_time(0.1)
    assert {text for _, text in hands.performed} == {"slept", "held", "waited"}
    hands.answer_all()
    for value in ("off", "on"):
        hands.tell(state("light.a", value))
    hands.pass_time(20)  # 30 seconds of suppression began with the run
    assert hands.verdicts[-1] == "suppressed"


@pytest.mark.parametrize(
    ("by_hours", "after_seconds", "verdict"),
    [(-2, 3 * 3600, "fired"), (2, 0, "skipped_late"), (-24, 3600, "fired")],
)
def test_times_of_day_that_a_clock_jumps_over_are_late_and_those_it_repeats_have_been(
    by_hours: int, after_seconds: int, verdict: str
) -> None:
    hands = Hands(routines_of("  - {id: a, triggers: [{trigger: time, at: '13:00'}], actions: [{say: x}]}"))
    by = timedelta(hours=by_hours)
    hands.now += by
    hands.engine.clock_was_set(by, now=hands.now)
    hands.pass_time(after_seconds - 1)
    assert hands.verdicts == ([] if after_seconds else [verdict])
    hands.pass_time(1)
    assert hands.verdicts == [verdict]
