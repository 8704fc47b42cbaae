"""Random routines in random lives: nothing raises, everything ends, and restarts change nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from routines.facts import Fact, Json
from tests.routines.house import NOON, House, event, heard, location, message, presence, state

LEAVES: st.SearchStrategy[Json] = st.sampled_from(
    [
        {"say": "one"},
        {"say": "{{ x }} {{ repeat.index | default('-') }} {{ wait.completed | default('-') }}"},
        {"action": "light.turn_on", "target": {"entity_id": "light.a"}},
        {"action": "light.toggle", "target": {"entity_id": "light.b"}, "retry": {"times": 1, "delay": 2.3}},
        {"delay": 3.1},
        {"delay": 0},
        {"delay": "{{ x }}"},
        {"variables": {"x": "{{ x + 1 }}"}},
        {"wait_for": "{{ is_state('light.a', 'on') }}", "timeout": 4.7},
        {
            "wait_for": {"condition": "state", "entity_id": "light.b", "state": "on", "for": 2.2},
            "timeout": 7.9,
        },
        {"wait_for_trigger": {"trigger": "state", "entity_id": "light.a", "for": 1.9}, "timeout": 6.6},
        {"wait_for_trigger": {"trigger": "time_pattern", "seconds": "/5"}},
        {
            "wait_for_trigger": {"trigger": "presence", "room": "hall"},
            "timeout": 2.6,
            "continue_on_timeout": False,
        },
        {"condition": "state", "entity_id": "light.a", "state": "on"},
        {"stop": "enough"},
        {"say": "{{ nobody }}", "continue_on_error": True},
        {"restore": {}},
        {"run_routine": "b"},
        {"publish": {"topic": "t", "payload": "{{ x }}"}},
    ]
)  # fmt: skip


def _larger(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    some = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.builds(lambda body: {"sequence": body}, some),
        st.builds(lambda n, body: {"repeat": {"count": n, "sequence": body}}, st.integers(0, 3), some),
        st.builds(
            lambda body: {
                "repeat": {"until": "{{ repeat.index >= 2 }}", "max_iterations": 4, "sequence": body}
            },
            some,
        ),
        st.builds(lambda one, two: {"parallel": [{"sequence": one}, {"sequence": two}]}, some, some),
        st.builds(
            lambda one, two: {"if": "{{ is_state('light.a', 'on') }}", "then": one, "else": two}, some, some
        ),
    )


ACTIONS = st.lists(st.recursive(LEAVES, _larger, max_leaves=6), min_size=1, max_size=4)
FACTS: Sequence[Fact] = (
    message(),
    state("light.a", "on"),
    state("light.a", "off"),
    state("light.a", "unavailable"),
    state("light.b", "on"),
    state("light.b", "off"),
    presence(),
    presence(False),
    heard("hello"),
    event("ring"),
    location("ann", "home"),
)
EVENTS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, len(FACTS) - 1)), max_size=8)
MODES = st.sampled_from(["single", "restart", "queued", "parallel"])


def yaml_of(actions: Sequence[Json], mode: str) -> str:
    routine: Json = {
        "id": "a",
        "mode": mode,
        "max": 3,
        "variables": {"x": 0},
        "restore": {"when": "run_end"},
        "triggers": [
            {"trigger": "mqtt", "topic": "go"},
            {"trigger": "state", "entity_id": "light.b", "to": "on", "for": 3.4},
            {"trigger": "presence", "room": "hall", "to": "not_detected", "for": 4.45},
        ],
        "actions": list(actions),
    }
    other: Json = {"id": "b", "mode": "queued", "actions": [{"delay": 2.05}, {"say": "b"}]}
    return "".join(f"  - {json.dumps(one)}\n" for one in (routine, other))


def lived(
    actions: Sequence[Json], mode: str, events: Sequence[tuple[int, int]], restarts: Sequence[float]
) -> House:
    house = House(yaml_of(actions, mode), given=[state("light.a", "off"), state("light.b", "off")])
    house.tell(message())
    happens = [(at + 0.25, FACTS[which]) for at, which in events]
    for at, fact in sorted([*happens, *((at, None) for at in restarts)], key=lambda one: one[0]):
        house.wait(max(0.0, at - (house.simulator.now - NOON).total_seconds()))
        if fact is None:
            house.restart(0)
        else:
            house.tell(fact)
    house.wait(600)
    return house


@given(ACTIONS, MODES, EVENTS, st.lists(st.integers(0, 240).map(lambda at: at / 8), min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_restarts_change_nothing_in_any_life(
    actions: list[Json], mode: str, events: list[tuple[int, int]], restarts: list[float]
) -> None:
    undisturbed, restarted = lived(actions, mode, events, []), lived(actions, mode, events, restarts)
    # What falls due at the very same instant has no order that a restart could keep.
    assert sorted(restarted.timed) == sorted(undisturbed.timed)
    assert sorted(restarted.results) == sorted(undisturbed.results)
    assert sorted(restarted.verdicts) == sorted(undisturbed.verdicts)
    assert len(undisturbed.ends) == undisturbed.verdicts.count("fired")
