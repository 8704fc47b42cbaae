"""Run modes: single, restart, queued, parallel, and what no order of events may break."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routines.effects import Outcome
from routines.outputs import RunEnded, Verdict
from tests.routines.house import Hands, House, actions, ask, message, routines_of, state


def many(mode: str, text: str, more: str = "") -> str:
    return actions(text, f"    mode: {mode}\n{more}")


@pytest.mark.parametrize(
    ("mode", "finished", "stopped", "dropped"),
    [("single", 1, 0, 4), ("restart", 1, 4, 0), ("queued", 3, 0, 2), ("parallel", 3, 0, 2)],
)
def test_five_triggers_at_once_do_what_the_mode_says(
    mode: str, finished: int, stopped: int, dropped: int
) -> None:
    house = House(many(mode, "[{delay: 1}, {say: x}]", "    max: 3\n"))
    for _ in range(5):
        house.tell(message())
    house.wait(60)
    assert (house.results.count("finished"), house.results.count("stopped")) == (finished, stopped)
    assert house.verdicts.count("mode_dropped") == dropped
    assert house.done == ["x"] * finished


def test_a_queue_goes_first_in_first_out_and_its_max_counts_the_running_one() -> None:
    house = House(many("queued", "[{say: '{{ trigger.payload }}'}, {delay: 10}]", "    max: 3\n"))
    for payload in "abcd":
        house.tell(message(payload=payload), after=1)
    house.wait(60)
    assert house.timed == [(1, "a"), (11, "b"), (21, "c")]
    assert "2 in the queue" in house.reasons[-1]


def test_the_next_in_the_queue_begins_also_after_a_failure_and_after_a_stop() -> None:
    house = House(many("queued", "[{say: '{{ trigger.payload }}'}, {stop: enough, error: true}]"))
    house.fail("say")
    for payload in "abc":
        house.tell(message(payload=payload))
    assert (house.done, house.results) == (["a", "b", "c"], ["failed"] * 3)


def test_a_restart_puts_the_new_run_in_place_before_the_old_one_ends() -> None:
    house = House(many("restart", "[{say: '{{ trigger.payload }}'}, {delay: 10}, {say: end}]"))
    house.tell(message(payload="a"))
    house.tell(message(payload="b"), after=5)
    house.wait(60)
    assert house.timed == [(0, "a"), (5, "b"), (15, "end")]
    kinds = [type(one).__name__ for one in house.seen]
    assert kinds[:5] == ["Verdict", "Performed", "Verdict", "RunEnded", "Performed"]


def test_an_answer_to_a_run_that_was_restarted_meanwhile_counts_for_nothing() -> None:
    hands = Hands(routines_of(many("restart", "[{say: one}, {say: two}]")))
    hands.tell(message())
    hands.tell(message())
    hands.answer()
    assert [text for _, text in hands.performed] == ["one", "one"]
    hands.answer_all()
    assert [one.result for one in hands.ends] == ["stopped", "finished"]


def test_a_restarted_run_puts_back_what_the_first_one_found() -> None:
    house = House(
        many(
            "restart",
            "[{action: light.turn_off, target: {entity_id: light.a}}, {delay: 10}]",
            "    restore: {when: run_end}\n",
        ),
        given=[state("light.a", "on", brightness=90)],
    )
    house.tell(message())
    house.tell(state("light.a", "off"))
    house.tell(message(), after=5)
    house.wait(60)
    assert house.done == ["light.turn_off", "light.turn_off", "light.turn_on"]
    assert house.effects[-1].data == {"brightness": 90}  # type: ignore[union-attr]


def test_a_routine_that_runs_itself_stops_at_a_depth_and_never_restarts_itself() -> None:
    for mode, runs in (("single", 1), ("restart", 1), ("parallel", 9), ("queued", 9)):
        house = House(many(mode, "[{say: x}, {run_routine: a}]", "    max: 50\n"))
        house.tell(message())
        assert (len(house.done), len(house.ends)) == (runs, runs), mode
        assert house.verdicts[-1] == "mode_dropped"
        assert set(house.results) == {"finished"}


def test_two_routines_that_run_each_other_end() -> None:
    house = House(
        "  - {id: a, mode: restart, triggers: [{trigger: mqtt, topic: go}], actions: [{run_routine: b}]}\n"
        "  - {id: b, mode: restart, actions: [{say: x}, {run_routine: a}]}\n"
    )
    house.tell(message())
    assert house.done == ["x"]
    assert house.verdicts[-1] == "mode_dropped"
    assert set(house.results) == {"finished"}


def test_a_routine_may_restart_another_that_runs_of_its_own() -> None:
    house = House(
        "  - {id: a, triggers: [{trigger: mqtt, topic: go}], actions: [{run_routine: b}]}\n"
        "  - {id: b, mode: restart, actions: [{say: begin}, {delay: 10}, {say: end}]}\n"
    )
    house.tell(ask("b"))
    house.tell(message(), after=5)
    house.wait(60)
    assert house.timed == [(0, "begin"), (5, "begin"), (15, "end")]


def test_thousands_of_commands_at_once_are_no_trouble() -> None:
    house = House(
        many("single", "[{repeat: {count: 900, sequence: [{disable_routine: b}, {run_routine: b}]}}]")
        + "  - {id: b, actions: [{variables: {x: 1}}]}\n"
    )
    house.tell(message())
    assert house.results == ["finished"] * 901


STEPS = st.lists(
    st.one_of(
        st.just(("go", 0)),
        st.tuples(st.just("answer"), st.integers(0, 20)),
        st.tuples(st.just("fail"), st.integers(0, 20)),
        st.tuples(st.just("wait"), st.integers(1, 12)),
        st.tuples(st.just("kill"), st.integers(0, 12)),
    ),
    max_size=25,
)


def runs_in(hands: Hands) -> dict[int, bool]:
    """Return the numbers of the runs that are not over, and which of them wait in the queue."""
    hands.save()
    rows = [(row.key, row.content) for row in hands.rows if row.kind == "run"]
    return {number(key): bool(content["is_queued"]) for key, content in rows if isinstance(content, dict)}


def take(hands: Hands, name: str, value: int) -> None:
    match name:
        case "go":
            hands.tell(message())
        case "answer" | "fail" if hands.open:
            ok = name == "answer"
            hands.answer(value % len(hands.open), Outcome(ok=ok, error=None if ok else "broken"))
        case "wait":
            hands.pass_time(value)
        case "kill":
            hands.kill(value)


@given(STEPS, st.sampled_from(["single", "restart", "queued", "parallel"]), st.integers(1, 4))
@settings(max_examples=120, deadline=None)
def test_no_order_of_triggers_answers_time_and_crashes_breaks_the_rules(
    steps: list[tuple[str, int]], mode: str, most: int
) -> None:
    hands = Hands(
        routines_of(
            many(
                mode,
                "[{say: one}, {parallel: [{delay: 5}, {say: two}]}, {wait_for: '{{ false }}', timeout: 3},"
                " {say: three}]",
                f"    max: {most}\n",
            )
        )
    )
    newest = [0]
    for name, value in steps:
        take(hands, name, value)
        runs = runs_in(hands)
        active = {run for run, is_queued in runs.items() if not is_queued}
        limit = 1 if mode in ("single", "restart", "queued") else most
        assert len(active) <= limit
        assert len(runs) <= (1 if mode in ("single", "restart") else most)
        newest[0] = max(newest[0], *runs, 0)
        assert mode != "restart" or active <= {newest[0]}
    for _ in range(60):
        hands.answer_all()
        hands.pass_time(10)
    _check_lives(hands, mode)


def number(run_id: str) -> int:
    return int(run_id.rpartition("-")[2])


def _check_lives(hands: Hands, mode: str) -> None:
    fired = sum(isinstance(one, Verdict) and one.verdict == "fired" for one in hands.outputs)
    ended = [one.run_id for one in hands.outputs if isinstance(one, RunEnded)]
    assert len(ended) == len(set(ended)) == fired
    assert runs_in(hands) == {}
    if mode == "queued":
        assert [number(one) for one in ended] == sorted(number(one) for one in ended)
    if mode == "restart" and ended:
        assert {one.result for one in hands.ends[:-1]} <= {"stopped", "finished", "failed"}
        assert max(number(one) for one in ended) == number(ended[-1])
    seen: set[str] = set()
    for one in hands.outputs:
        if isinstance(one, RunEnded):
            seen.add(one.run_id)
        elif not isinstance(one, Verdict):
            assert one.run_id not in seen, "a run did something after its end"
    hands.save()
    assert {row.kind for row in hands.rows} <= {"undo", "touch", "count"}
