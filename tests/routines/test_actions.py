"""What each action does, how it fails, and what the others see of it."""

from __future__ import annotations

import pytest

from routines.effects import CallService, FireEvent, Notify, Outcome, Play, Publish, Say
from routines.facts import Fact, Json
from tests.routines.house import Hands, House, actions, heard, message, presence, routines_of, state


def ran(text: str, *facts: Fact, more: str = "", seconds: float = 300) -> House:
    """Return a house in which actions were started by a message and had time to end."""
    house = House(actions(text, more), given=facts)
    house.tell(message(payload="hi"))
    house.wait(seconds)
    return house


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("{action: light.turn_on, target: {entity_id: light.a}, data: {x: '{{ 1 + 1 }}'}}",
         CallService(action="light.turn_on", target={"entity_id": "light.a"}, data={"x": 2})),
        ("{service: light.turn_on, entity_id: light.a}",
         CallService(action="light.turn_on", target={"entity_id": "light.a"})),
        ("{scene: scene.evening}",
         CallService(action="scene.turn_on", target={"entity_id": "scene.evening"})),
        ("{publish: {topic: 'a/{{ trigger.payload }}', payload: {x: [1]}, retain: true, qos: 2}}",
         Publish(topic="a/hi", payload='{"x": [1]}', retain=True, qos=2)),
        ("{action: mqtt.publish, data: {topic: a, payload: b}}", Publish(topic="a", payload="b")),
        ("{notify: careful}", Notify(message="careful")),
        ("{notify: {message: '{{ trigger.payload }}', title: t, target: ann, data: {tag: 1}}}",
         Notify(message="hi", title="t", target="ann", data={"tag": 1})),
        ("{event: ring, event_data: {who: '{{ trigger.payload }}'}}",
         FireEvent(event_type="ring", data={"who": "hi"})),
        ("{play: bell.wav, room: den, volume: 0.5}",
         Play(source="bell.wav", speaker="den", room="den", volume=0.5)),
        ("{play: {file: bell.wav}}", Play(source="bell.wav", speaker=None)),
        ("{say: hello, volume: 35, spatial: {from: '{{ 40 + 5 }}'}}",
         Say(text="hello", volume=35.0, spatial={"from": 45})),
        ("{say: {message: hello}, speaker: [one, two]}", Say(text="hello", speaker=["one", "two"])),
        ("{say: hello, speaker: {area_id: den}}", Say(text="hello", speaker="den")),
        ("{say: hello, speaker: follow}", Say(text="hello", speaker="hall", follow=True)),
        ("{say: hello, speaker: nearest}", Say(text="hello", speaker="hall")),
    ],
)  # fmt: skip
def test_an_action_becomes_its_effect(written: str, meant: object) -> None:
    house = ran(f"[{written}]", presence(room="hall"))
    assert house.effects == [meant]
    assert house.results == ["finished"]


@pytest.mark.parametrize(
    ("speaker", "fact", "heard_by"),
    [
        ("origin", heard("hello", room="den", device="hub1"), "hub1"),
        ("same_room", heard("hello", room="den"), "den"),
        ("same_room", presence(room="attic"), "attic"),
        ("nearest", heard("hello", room="den", device="hub1"), "hall"),
        ("kitchen_hub", heard("hello", room="den"), "kitchen_hub"),
        ("origin", message(), None),
    ],
)
def test_the_reply_comes_from_where_it_is_meant_to(speaker: str, fact: Fact, heard_by: str | None) -> None:
    house = House(
        f"  - id: a\n    triggers:\n      - {{trigger: voice, phrases: [hello]}}\n"
        f"      - {{trigger: presence, room: attic}}\n      - {{trigger: mqtt, topic: go}}\n"
        f"    actions: [{{say: x, speaker: {speaker}}}]",
        given=[presence(room="porch")],
    )
    house.tell(presence(room="hall"), after=5)
    house.tell(fact, after=5)
    [said] = house.effects
    assert isinstance(said, Say)
    assert said.speaker == heard_by


def test_a_failed_action_is_tried_again_as_often_as_retry_says() -> None:
    for failures, timed, result in (
        (2, [(0, "light.turn_on"), (5, "light.turn_on"), (10, "light.turn_on"), (10, "end")], "finished"),
        (3, [(0, "light.turn_on"), (5, "light.turn_on"), (10, "light.turn_on")], "failed"),
    ):
        house = House(actions("[{action: light.turn_on, retry: {times: 2, delay: 5}}, {say: end}]"))
        for _ in range(failures):
            house.fail("light.turn_on")
        house.tell(message())
        house.wait(60)
        assert (house.timed, house.results) == (timed, [result])


def test_continue_on_error_hides_what_fails_at_run_time_but_no_fault_of_the_author() -> None:
    for text, result in (
        ("{say: '{{ nobody }}', continue_on_error: true}", "finished"),
        ("{say: '{{ 1 / 0 }}', continue_on_error: true}", "failed"),
        ("{delay: '{{ trigger.payload }}', continue_on_error: true}", "failed"),
        ("{say: x, volume: '{{ 500 }}', continue_on_error: true}", "failed"),
        ("{run_routine: nobody, continue_on_error: true}", "finished"),
        ("{run_routine: nobody}", "failed"),
        ("{repeat: {for_each: '{{ 1 }}', sequence: [{say: x}]}, continue_on_error: true}", "failed"),
        ("{sequence: [{say: '{{ nobody }}'}, {say: never}], continue_on_error: true}", "finished"),
        ("{condition: [{condition: state, entity_id: light.x, state: 'on'}], continue_on_error: true}",
         "finished"),
        ("{condition: state, entity_id: light.x, state: 'on'}", "failed"),
    ):  # fmt: skip
        house = ran(f"[{text}, {{say: after}}]")
        assert house.results == [result], text
        assert house.done == (["after"] if result == "finished" else []), text


def test_a_response_reaches_the_variables_of_what_follows() -> None:
    hands = Hands(
        routines_of(actions("[{action: x.y, response_variable: found}, {say: '{{ found.a[0] }}'}]"))
    )
    hands.tell(message())
    [call] = [one.effect for one in hands.open]
    assert call == CallService(action="x.y", wants_response=True)
    hands.answer(0, Outcome(response={"a": ["yes"]}))
    hands.answer_all()
    assert hands.performed[-1][1] == "yes"


@pytest.mark.parametrize(
    ("text", "done"),
    [
        ("[{if: '{{ true }}', then: {say: a}, else: {say: b}}]", ["a"]),
        ("[{if: 1 > 2, then: [{say: a}], else: [{say: b}]}]", ["b"]),
        ("[{if: '{{ false }}', then: [{say: a}]}, {say: c}]", ["c"]),
        ("[{if: '{{ nobody }}', then: [{say: a}], else: [{say: b}]}, {say: c}]", ["c"]),
        ("[{choose: [{conditions: '{{ false }}', sequence: [{say: a}]},"
         " {conditions: [], sequence: [{say: b}]}]}]",
         ["b"]),
        ("[{choose: [{conditions: '{{ false }}', sequence: [{say: a}]}], default: [{say: b}]}]", ["b"]),
        ("[{choose: [{conditions: '{{ nobody }}', sequence: [{say: a}]},"
         " {conditions: [], sequence: [{say: b}]}],"
         " default: [{say: c}]}, {say: d}]", ["d"]),
        ("[{condition: '{{ true }}'}, {say: a}]", ["a"]),
        ("[{or: ['{{ false }}', '{{ true }}']}, '{{ true }}', {say: a}]", ["a"]),
        ("['{{ false }}', {say: a}]", []),
        ("[{say: a, enabled: false}, {say: b}]", ["b"]),
        ("[{condition: '{{ false }}', enabled: false}, {say: b}]", ["b"]),
        ("[{sequence: [{say: a}, {sequence: {say: b}}]}, {say: c}]", ["a", "b", "c"]),
        ("[{say: a}, {stop: enough}, {say: b}]", ["a"]),
        ("[{sequence: [{if: '{{ true }}', then: [{stop: enough}]}]}, {say: b}]", []),
        ("[{variables: {x: 1, y: '{{ x + 1 }}'}}, {say: '{{ y }}'}]", ["2"]),
    ],
)  # fmt: skip
def test_a_way_is_taken_and_the_run_goes_on(text: str, done: list[str]) -> None:
    house = ran(text)
    assert (house.done, house.results) == (done, ["finished"])


def test_a_stop_says_why_and_with_error_the_run_has_failed() -> None:
    well, badly = ran("[{stop: '{{ trigger.payload }}'}]"), ran("[{stop: no, error: true}]")
    assert [(one.ends[0].result, one.ends[0].why) for one in (well, badly)] == [
        ("finished", "hi"),
        ("failed", "no"),
    ]


@pytest.mark.parametrize(
    ("loop", "done"),
    [
        ("count: 3", ["1 True False", "2 False False", "3 False True"]),
        ("count: '{{ 1 + 1 }}'", ["1 True False", "2 False True"]),
        ("count: 0", []),
        ("for_each: []", []),
    ],
)
def test_a_counted_loop_knows_its_rounds(loop: str, done: list[str]) -> None:
    words = "{{ repeat.index }} {{ repeat.first }} {{ repeat.last }}"
    assert ran(f"[{{repeat: {{{loop}, sequence: [{{say: '{words}'}}]}}}}]").done == done


def test_a_loop_goes_through_items_of_any_kind() -> None:
    items = "[{n: a}, {n: '{{ trigger.payload }}'}]"
    text = f"[{{repeat: {{for_each: {items}, sequence: [{{say: '{{{{ repeat.item.n }}}}'}}]}}}}]"
    assert ran(text).done == ["a", "hi"]


def test_a_loop_around_a_loop_keeps_its_own_count() -> None:
    house = ran(
        "[{repeat: {for_each: [a, b], sequence:"
        " [{repeat: {count: 2, sequence: [{say: '{{ repeat.index }}'}]}},"
        " {sequence: [{repeat: {count: 1, sequence: [{stop: '', enabled: false}, {say: '{{ nobody }}'}]}}],"
        " continue_on_error: true}, {say: '{{ repeat.item }}{{ repeat.index }}'}]}}]"
    )
    assert house.done == ["1", "2", "a1", "1", "2", "b2"]


@pytest.mark.parametrize(
    ("loop", "rounds", "result"),
    [
        ("while: '{{ repeat is none or repeat.index < 3 }}'", 0, "finished"),
        ("while: '{{ n < 3 }}'", 3, "finished"),
        ("while: '{{ nobody }}'", 0, "finished"),
        ("until: '{{ n >= 2 }}'", 2, "finished"),
        ("until: '{{ nobody }}'", 1, "finished"),
        ("while: '{{ true }}', max_iterations: 7", 7, "failed"),
        ("until: '{{ false }}'", 1_000, "failed"),
        ("count: 5, max_iterations: 4", 0, "failed"),
    ],
)
def test_a_loop_ends_when_it_should_or_at_its_cap(loop: str, rounds: int, result: str) -> None:
    text = f"[{{repeat: {{{loop}, sequence: [{{variables: {{n: '{{{{ n + 1 }}}}'}}}}, {{event: x}}]}}}}]"
    house = ran(text, more="    variables: {n: 0}\n")
    assert (len(house.done), house.results) == (rounds, [result])


def test_loops_inside_loops_that_never_wait_are_cut_off_soon() -> None:
    loop = "{repeat: {while: '{{ true }}', max_iterations: 10000, sequence: [%s]}}"
    inner = loop % "{wait_for: '{{ true }}'}, {delay: 0}"
    house = ran(f"[{loop % inner}]")
    assert house.results == ["failed"]
    assert "endless loop" in house.ends[0].why


def test_branches_go_side_by_side_and_are_waited_for() -> None:
    house = ran("[{parallel: [[{delay: 10}, {say: slow}], {say: fast}, {sequence: [{delay: 5}, {say: mid}]}]}, {say: end}]")  # noqa: E501  # fmt: skip
    assert house.timed == [(0, "fast"), (5, "mid"), (10, "slow"), (10, "end")]


def test_what_a_branch_sets_only_it_sees() -> None:
    house = ran(
        "[{variables: {x: 0}}, {parallel: [[{variables: {x: 1}}, {delay: 1}, {say: 'a{{ x }}'},"
        " {wait_for: '{{ x == 1 }}', timeout: 5}, {say: 'c{{ wait.completed }}'}],"
        " [{delay: 2}, {say: 'b{{ x }}'}]]}, {say: 'd{{ x }}{{ wait is defined }}'}]"
    )
    assert house.done == ["a1", "cTrue", "b0", "d0False"]


@pytest.mark.parametrize(
    ("branch", "result", "why"),
    [("{say: '{{ nobody }}'}", "failed", "nobody"), ("{stop: enough}", "finished", "enough"),
     ("'{{ false }}'", "finished", "false"), ("{delay: '{{ [] }}'}", "failed", "duration")],
)  # fmt: skip
def test_a_branch_that_ends_the_run_lets_the_others_end_first(branch: str, result: str, why: str) -> None:
    house = ran(f"[{{parallel: [{branch}, [{{delay: 5}}, {{say: other}}]]}}, {{say: never}}]")
    assert (house.timed, house.results) == ([(5, "other")], [result])
    assert why in house.ends[0].why


LIT = "{trigger: state, entity_id: light.a, to: 'on', id: lit}"
WAIT = f"{{wait_for_trigger: [{LIT}, {{trigger: mqtt, topic: t}}]%s}}"
SAID = "{say: '{{ wait.completed }} {{ wait.trigger.id if wait.completed else none }} {{ wait.remaining }}'}"


@pytest.mark.parametrize(
    ("more", "script", "done", "result"),
    [
        (", timeout: 10", [(4, state("light.a", "on"))], [(4, "True lit 6.0")], "finished"),
        ("", [(400, message("t"))], [(400, "True mqtt[1] None")], "finished"),
        (", timeout: 10", [], [(10, "False None 0.0")], "finished"),
        (", timeout: 10, continue_on_timeout: false", [], [], "stopped"),
        (", timeout: 0", [], [(0, "False None 0.0")], "finished"),
    ],
)
def test_a_wait_ends_with_its_trigger_or_its_time(
    more: str, script: list[tuple[float, Fact]], done: list[Json], result: str
) -> None:
    house = House(actions(f"[{WAIT % more}, {SAID}]"), given=[state("light.a", "off")])
    house.tell(message())
    for after, fact in script:
        house.tell(fact, after=after)
    house.wait(100)
    assert (house.timed, house.results) == (done, [result])


def test_a_fact_that_fires_two_triggers_of_a_wait_ends_it_once() -> None:
    hands = Hands(
        routines_of(
            actions(
                "[{wait_for_trigger: [{trigger: state, entity_id: light.a, to: 'on'}, {trigger: state,"
                " entity_id: light.a}]}, {say: one}, {say: two}]"
            )
        )
    )
    hands.tell(state("light.a", "off"))
    hands.tell(message())
    hands.tell(state("light.a", "on"))
    assert [text for _, text in hands.performed] == ["one"]


def test_the_triggers_of_a_wait_see_the_variables_of_the_run() -> None:
    house = House(
        actions(
            "[{variables: {lamp: light.a, room: den, n: '5'}}, {wait_for_trigger: {trigger: template,"
            " value_template: \"{{ is_state(lamp, 'on') }}\"}, timeout: 9}, {say: '{{ wait.completed }}'},"
            " {wait_for_trigger: {trigger: presence, room: '{{ room }}'}}, {say: here},"
            " {wait_for_trigger: {trigger: mqtt, topic: t, value_template: '{{ payload == n }}',"
            " payload: 'True'}}, {say: five},"
            " {wait_for_trigger: {trigger: voice, phrases: ['(yes|no) please']}},"
            " {say: '{{ wait.trigger.sentence }}'}]"
        ),
        given=[state("light.a", "off")],
    )
    house.tell(message(), state("light.a", "on"), presence(room="den"), message("t", "4"), message("t", "5"))
    house.tell(heard("yes please"))
    assert house.done == ["True", "here", "five", "yes please"]


@pytest.mark.parametrize(
    ("condition", "script", "at"),
    [
        ("{condition: state, entity_id: light.a, state: 'on'}", [(5, state("light.a", "on"))], 5),
        ("{condition: state, entity_id: light.a, state: 'off'}", [], 0),
        ("{condition: time, after: '12:01'}", [], 60),
        ("'{{ now().minute == 2 }}'", [], 120),
        ("{condition: presence, room: den}", [(7, presence(room="den"))], 7),
    ],
)
def test_conditions_are_waited_for_and_may_hold_already(
    condition: str, script: list[tuple[float, Fact]], at: float
) -> None:
    house = House(actions(f"[{{wait_for: {condition}}}, {{say: x}}]"), given=[state("light.a", "off")])
    house.tell(message())
    for after, fact in script:
        house.tell(fact, after=after)
    house.wait(300)
    assert house.timed == [(at, "x")]


def test_another_routine_is_run_enabled_and_disabled() -> None:
    house = House(
        actions("[{run_routine: b}, {disable_routine: b}, {delay: 10}, {enable_routine: b}]")
        + "  - {id: b, triggers: [{trigger: mqtt, topic: b}], conditions: ['{{ false }}'],"
        " actions: [{say: '{{ trigger.id }}'}]}\n"
    )
    house.tell(message(), message("b"))
    house.tell(message("b"), after=11)
    assert house.done == ["a"]
    assert house.verdicts == ["fired", "fired", "disabled", "condition_false"]


def test_the_trace_tells_every_step_with_its_path() -> None:
    house = ran(
        "[{if: '{{ false }}', then: [{say: a}], else: [{say: b}]}, {delay: 2}, {parallel: [{say: c}]}]"
    )
    assert "actions[0].if[0]: false" in house.trace
    assert "actions[0].else[0] say 'b': ok" in house.trace
    assert "actions[1] wait until 2026-11-20T12:00:02+00:00: ok" in house.trace
    assert "actions[2].parallel[0][0] say 'c': ok" in house.trace


def test_a_very_long_run_keeps_the_beginning_and_the_end_of_its_trace() -> None:
    house = ran("[{repeat: {count: 700, sequence: [{say: '{{ repeat.index }}'}]}}]")
    trace = house.ends[0].trace
    assert len(trace) == 500
    assert ("say '1'" in trace[0].what, "say '700'" in trace[-1].what) == (True, True)
