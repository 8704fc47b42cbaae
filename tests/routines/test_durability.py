"""A restart at any point of a routine's life: the same effects at the same times as without one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routines.effects import CallService, Effect, Outcome, Publish, Say, is_repeatable
from routines.facts import Fact
from routines.outputs import Perform
from routines.routine import Routine
from tests.routines.house import (
    NOON,
    Hands,
    House,
    actions,
    message,
    presence,
    routines_of,
    state,
)

Life = list[tuple[float, Fact]]
GO: Life = [(1, message(payload="a"))]
ON: Life = [(0, state("light.a", "off")), (1, message()), (5, state("light.a", "on"))]

LIVES: dict[str, tuple[str, Life]] = {
    "delay": (actions("[{say: one}, {delay: 10}, {say: two}, {delay: 10}, {say: three}]"), GO),
    "retry": (actions("[{action: light.turn_on, retry: {times: 3, delay: 5}}, {say: done}]"), GO),
    "wait for a held trigger": (
        actions(
            "[{wait_for_trigger: {trigger: state, entity_id: light.a, to: 'on', for: 12}, timeout: 40},"
            " {say: '{{ wait.trigger.entity_id }}'}]"
        ),
        ON,
    ),
    "wait that times out": (
        actions(
            "[{wait_for_trigger: {trigger: state, entity_id: light.a, to: gone}, timeout: 20},"
            " {say: '{{ wait.completed }}'}]"
        ),
        ON,
    ),
    "wait for conditions": (
        actions(
            "[{wait_for: {condition: state, entity_id: light.a, state: 'on', for: 9}, timeout: 60}, {say: x}]"
        ),
        ON,
    ),
    "held trigger": (
        "  - {id: a, triggers: [{trigger: state, entity_id: light.a, to: 'on', for: 20}],"
        " actions: [{say: '{{ trigger.to_state.state }}'}]}",
        ON,
    ),
    "held absence": (
        "  - {id: a, triggers: [{trigger: presence, room: hall, to: not_detected, for: 20}],"
        " actions: [{say: gone}]}",
        [(0, presence()), (3, presence(False))],
    ),
    "held that breaks off": (
        "  - {id: a, triggers: [{trigger: state, entity_id: light.a, to: 'on', for: 20}],"
        " actions: [{say: never}]}",
        [*ON, (14, state("light.a", "off"))],
    ),
    "queue": (
        actions("[{say: '{{ trigger.payload }}'}, {delay: 7}]", "    mode: queued\n"),
        [(1, message(payload="a")), (2, message(payload="b")), (3, message(payload="c"))],
    ),
    "parallel branches": (
        actions(
            "[{variables: {x: 0}}, {parallel: [[{delay: 12}, {say: slow}], [{variables: {x: 7}}, {delay: 5},"
            " {say: 'x is {{ x }}'}, {delay: 12}, {say: last}], {say: now}]}, {say: 'joined {{ x }}'}]"
        ),
        GO,
    ),
    "loops inside loops": (
        actions(
            "[{repeat: {for_each: [a, b], sequence: [{repeat: {count: 2, sequence: [{delay: 3},"
            " {say: '{{ repeat.index }}'}]}}, {say: '{{ repeat.item }}'}]}}, {say: '{{ repeat is none }}'}]"
        ),
        GO,
    ),
    "a way that was taken": (
        actions(
            "[{choose: [{conditions: {condition: state, entity_id: light.a, state: 'off'}, sequence:"
            " [{delay: 20}, {say: was off}]}], default: [{say: was on}]}]"
        ),
        ON,
    ),
    "suppression": (
        actions("[{say: x}]", "    suppress: {for: 15}\n"),
        [(1, message()), (10, message()), (15.5, message()), (17, message())],
    ),
    "variables and a response": (
        actions(
            "[{variables: {n: 1}}, {delay: 4}, {variables: {n: '{{ n + 1 }}'}}, {delay: 4},"
            " {variables: {n: '{{ n + 1 }}'}}, {say: '{{ n }}'}]"
        ),
        GO,
    ),
    "what is put back at the end": (
        actions(
            "[{action: light.turn_off, target: {entity_id: light.b}}, {delay: 10}]",
            "    restore: {when: run_end}\n",
        ),
        [(0, state("light.b", "on", brightness=7)), (1, message()), (2, state("light.b", "off"))],
    ),
    "time of day": (
        "  - {id: a, triggers: [{trigger: time, at: '12:00:20'}], actions: [{say: x}]}",
        [],
    ),
    "a time that a run waits for": (
        actions("[{wait_for_trigger: {trigger: time, at: '12:00:20'}}, {say: x}]"),
        GO,
    ),
    "disabled by another": (
        actions("[{disable_routine: b}, {delay: 15}, {enable_routine: b}]")
        + "  - {id: b, triggers: [{trigger: time_pattern, seconds: /5}], actions: [{say: tick}]}\n",
        GO,
    ),
}
END = 60.0


def lived(name: str, restarts: list[tuple[float, float]]) -> list[tuple[float, str]]:
    """Live a life, with the hub down at some times, and return what was done when."""
    yaml, facts = LIVES[name]
    house = House(yaml)
    if name == "retry":
        house.fail("light.turn_on")
        house.fail("light.turn_on")
    events: list[tuple[float, Fact | float]] = sorted([*facts, *restarts], key=lambda one: one[0])
    for at, what in events:
        house.wait(at - (house.simulator.now - NOON).total_seconds())
        if isinstance(what, float):
            house.restart(what)
        else:
            house.tell(what)
    house.wait(END - (house.simulator.now - NOON).total_seconds())
    assert "failed" not in house.results
    return house.timed


@pytest.mark.parametrize("name", LIVES)
@given(moment=st.floats(0, 40).map(lambda at: round(at, 2)))
@settings(max_examples=12, deadline=None)
def test_a_restart_at_any_moment_changes_nothing(name: str, moment: float) -> None:
    assert lived(name, [(moment, 0.0)]) == lived(name, [])


@pytest.mark.parametrize("name", LIVES)
def test_a_restart_every_second_changes_nothing(name: str) -> None:
    assert lived(name, [(at + 0.5, 0.0) for at in range(50)]) == lived(name, [])


@pytest.mark.parametrize("name", LIVES)
@given(moment=st.integers(0, 40), down=st.integers(1, 15))
@settings(max_examples=12, deadline=None)
def test_what_fell_due_while_the_hub_was_down_is_done_when_it_is_back_in_the_same_order(
    name: str, moment: int, down: int
) -> None:
    begin, end = moment + 0.25, moment + 0.25 + down
    facts = LIVES[name][1]
    if any(begin < at <= end for at, _ in facts):
        return  # a fact that nobody hears leads to another life
    expected, seen = lived(name, []), lived(name, [(begin, float(down))])
    if name == "disabled by another":
        return  # ticks that were missed are not made up for
    assert [text for _, text in seen] == [text for _, text in expected]
    for (was, _), (now, _) in zip(expected, seen, strict=True):
        assert was <= now <= max(was, end) + down, "late by at most as long as the hub was down"


@pytest.mark.parametrize("times", [1, 2, 3])
def test_effects_in_hand_are_repeated_only_if_nobody_would_notice(times: int) -> None:
    yaml = actions(
        "[{say: hello}, {action: light.turn_on}, {action: light.toggle}, {action: cover.open_cover},"
        " {publish: {topic: t, payload: x}}, {publish: {topic: t, payload: kept, retain: true}},"
        " {notify: hi}, {event: ring}, {play: a.wav}, {action: script.anything}, {action: lock.unlock},"
        " {action: media_player.volume_up}, {say: end}]"
    )
    hands = Hands(routines_of(yaml))
    hands.tell(message())
    while hands.open:
        _, in_hand = hands.performed[-1]
        for _ in range(times):
            hands.kill()  # performed, perhaps, but never answered
            if not hands.open or hands.performed[-1][1] != in_hand:
                break
        else:
            hands.answer()
    done = [text for _, text in hands.performed]
    assert [one.result for one in hands.ends] == ["finished"]
    often = {text for text in done if done.count(text) > 1}
    assert often == {"light.turn_on", "cover.open_cover", "t=kept", "lock.unlock"}
    assert set(done) - often >= {"hello", "light.toggle", "t=x", "hi", "ring", "a.wav", "end"}


def test_the_rows_say_what_is_in_hand_before_it_is_performed() -> None:
    hands = Hands(routines_of(actions("[{say: one}, {say: two}]")))
    hands.tell(message())
    [row] = [row for row in hands.rows if row.kind == "run"]
    assert "one" in str(row.content)
    assert hands.engine.has_urgent_changes() is False
    hands.engine.handle(message(), now=hands.now)
    hands.engine.complete(hands.open[0].run_id, hands.open[0].step, Outcome(), now=hands.now)
    assert hands.engine.has_urgent_changes() is True


@pytest.mark.parametrize(
    ("policy", "done", "results"),
    [
        ("resume", ["one", "two 2", "one", "two 2"], ["finished", "finished"]),
        ("abort", ["one"], ["stopped", "stopped"]),
        ("restart", ["one", "one", "two 2", "one", "two 2"], ["finished", "finished"]),
    ],
)
def test_a_run_in_flight_and_the_queue_behind_it_follow_on_restart(
    policy: str, done: list[str], results: list[str]
) -> None:
    house = House(
        actions(
            "[{say: one}, {variables: {n: '{{ n + 1 }}'}}, {delay: 10}, {say: 'two {{ n }}'}]",
            f"    mode: queued\n    on_restart: {policy}\n    variables: {{n: 1}}\n",
        )
    )
    house.tell(message(), message())
    house.wait(5)
    house.restart(2)
    house.wait(60)
    assert (house.done, house.results) == (done, results)


def test_an_aborted_run_still_puts_back_what_it_promised_to() -> None:
    house = House(
        actions(
            "[{action: light.turn_off, target: {entity_id: light.b}}, {delay: 10}, {say: never}]",
            "    on_restart: abort\n    restore: {when: run_end}\n",
        ),
        given=[state("light.b", "on")],
    )
    house.tell(message())
    house.restart()
    assert house.done == ["light.turn_off", "light.turn_on"]


@pytest.mark.parametrize(
    ("down", "more", "verdict"),
    [
        (100, "", "skipped_late"),
        (100, ", catch_up: 200", "caught_up"),
        (30, "", "fired"),
        (400, ", catch_up: 200", "skipped_late"),
    ],
)
def test_a_missed_time_is_caught_up_with_as_its_trigger_says(down: int, more: str, verdict: str) -> None:
    house = House(
        f"  - {{id: a, triggers: [{{trigger: time, at: ['12:00:10', '12:00:20']{more}}}],"
        " actions: [{say: x}]}"
    )
    house.wait(5)
    house.restart(down)
    assert house.verdicts == [verdict]
    assert house.done == ([] if verdict == "skipped_late" else ["x"])
    house.wait(86_400)
    assert len(house.verdicts) == 3


@pytest.mark.parametrize(
    ("down", "more", "verdict"),
    [
        (14 * 60, "", "caught_up"),
        (16 * 60, "", "skipped_late"),
        (16 * 60, ", catch_up: 3600", "caught_up"),
        (5 * 60, ", catch_up: 0", "skipped_late"),
    ],
)
def test_a_held_trigger_that_fell_due_while_down_runs_unless_it_is_too_late(
    down: int, more: str, verdict: str
) -> None:
    house = House(
        f"  - {{id: a, triggers: [{{trigger: state, entity_id: light.a, to: 'on', for: 20{more}}}],"
        " actions: [{say: x}]}",
        given=[state("light.a", "off")],
    )
    house.tell(state("light.a", "on"))
    house.restart(down)
    assert house.verdicts == [verdict]


def test_a_wait_of_a_run_goes_on_however_late_it_is() -> None:
    house = House(
        actions(
            "[{wait_for_trigger: {trigger: state, entity_id: light.a, to: 'on', for: 20}, timeout: 50},"
            " {say: '{{ wait.completed }}'}]"
        ),
        given=[state("light.a", "off")],
    )
    house.tell(message(), state("light.a", "on"))
    house.restart(3_600)
    assert house.done == ["True"]


@pytest.mark.parametrize(
    ("missed", "verdicts", "done"),
    [
        ([], ["fired"], ["x"]),
        ([state("light.a", "off")], ["held_not_long_enough"], []),
        ([state("light.a", "off"), state("light.a", "on")], ["held_not_long_enough"], []),
    ],
)
def test_what_the_links_tell_after_a_restart_decides_whether_it_still_holds(
    missed: list[Fact], verdicts: list[str], done: list[str]
) -> None:
    house = House(
        "  - {id: a, triggers: [{trigger: state, entity_id: light.a, to: 'on', for: 20}],"
        " actions: [{say: x}]}",
        given=[state("light.a", "off")],
    )
    house.tell(state("light.a", "on"))
    house.restart(5, missed[:1])
    house.tell(*missed[1:])
    house.wait(60)
    assert (house.verdicts[:1], house.done) == (verdicts, done if len(missed) < 2 else ["x"])


def test_rows_that_cannot_be_read_are_dropped_and_the_hub_starts() -> None:
    hands = Hands(routines_of(actions("[{delay: 10}, {say: x}]")))
    hands.tell(message())
    [(kind, key)] = [place for place in hands._rows if place[0] == "run"]
    row = hands._rows[kind, key]
    assert isinstance(row.content, dict)
    row.content["routine"] = {"id": "a", "from another version": True}
    hands.kill()
    hands.pass_time(60)
    assert hands.performed == []
    assert [row for row in hands.rows if row.kind == "run"] == []


def test_a_routine_goes_through_its_row_unchanged() -> None:
    for yaml, _ in LIVES.values():
        for routine in routines_of(yaml):
            written = routine.model_dump(mode="json", by_alias=True, exclude_unset=True)
            assert Routine.model_validate(written) == routine


def test_nothing_is_remembered_of_a_life_that_is_over() -> None:
    for name, (yaml, facts) in LIVES.items():
        hands = Hands(routines_of(yaml))
        for at, fact in facts:
            hands.pass_time(at - (hands.now - NOON).total_seconds())
            hands.answer_all()
            hands.tell(fact)
        for _ in range(90):
            hands.answer_all()
            hands.pass_time(1)
        hands.save()
        stays = {"state", "presence", "undo", "touch", "suppressed", "enabled", "count", "clock"}
        assert {row.kind for row in hands.rows} <= stays, name
        assert all(isinstance(one, Perform) for one in hands.open)
        assert hands.now - NOON > timedelta(seconds=60)


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        (CallService(action="light.turn_on", data={"brightness_pct": 40}), True),
        (CallService(action="light.turn_on", data={"brightness_step_pct": 10}), False),
        (CallService(action="light.toggle"), False),
        (CallService(action="script.turn_on"), False),
        (CallService(action="button.press"), False),
        (CallService(action="media_player.volume_set"), True),
        (CallService(action="media_player.volume_up"), False),
        (Publish(topic="a", payload="b"), False),
        (Publish(topic="a", payload="b", retain=True), True),
        (Say(text="a"), False),
    ],
)
def test_only_what_sets_a_state_may_be_done_again_after_a_crash(effect: Effect, expected: bool) -> None:
    assert is_repeatable(effect) is expected
