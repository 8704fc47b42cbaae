"""What a run leaves behind: what it changed, how to undo it, and why things are as they are."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import pytest

from routines.effects import CallService
from routines.engine import Engine
from routines.explain import explain_run, explain_verdict
from routines.facts import HeardFact, Json, UndoRequested
from routines.intents.directory import Area, Directory, Entity
from routines.outputs import Perform, Verdict
from routines.undo import putting_back
from tests.routines.house import NOON, Hands, House, actions, message, routines_of, state

LAMP = "{action: light.turn_off, target: {entity_id: light.a}}"
UNDO = UndoRequested(who="test")


def calls(house: House) -> list[tuple[str, Json, Mapping[str, Json]]]:
    found = [effect for effect in house.effects if isinstance(effect, CallService)]
    return [(one.action, one.target.get("entity_id"), one.data) for one in found]


@pytest.mark.parametrize(
    ("entity", "value", "attributes", "expected"),
    [
        ("light.a", "on", {"brightness": 80, "rgb_color": [1, 2, 3], "color_temp_kelvin": 2700},
         [("light.turn_on", {"brightness": 80, "color_temp_kelvin": 2700})]),
        ("light.a", "off", {"brightness": None}, [("light.turn_off", {})]),
        ("switch.a", "on", {}, [("switch.turn_on", {})]),
        ("fan.a", "on", {"percentage": 30}, [("fan.turn_on", {"percentage": 30})]),
        ("cover.a", "open", {"current_position": 40}, [("cover.set_cover_position", {"position": 40})]),
        ("cover.a", "closed", {}, [("cover.close_cover", {})]),
        ("cover.a", "opening", {}, []),
        ("climate.a", "heat", {"temperature": 21}, [("climate.set_hvac_mode", {"hvac_mode": "heat"}),
                                                    ("climate.set_temperature", {"temperature": 21})]),
        ("media_player.a", "paused", {"volume_level": 0.4},
         [("media_player.volume_set", {"volume_level": 0.4}),
          ("media_player.media_pause", {})]),
        ("input_number.a", "5", {}, [("input_number.set_value", {"value": "5"})]),
        ("input_select.a", "day", {}, [("input_select.select_option", {"option": "day"})]),
        ("lock.a", "locked", {}, [("lock.lock", {})]),
        ("lock.a", "unlocked", {}, []),
        ("alarm_control_panel.a", "disarmed", {}, []),
        ("light.a", "unavailable", {}, []),
        ("sensor.a", "5", {}, []),
    ],
)  # fmt: skip
def test_an_entity_is_put_back_by_the_calls_that_bring_its_state_about(
    entity: str, value: str, attributes: dict[str, Json], expected: list[tuple[str, Json]]
) -> None:
    back = putting_back({entity: {"state": value, "attributes": attributes}})
    assert [(one.action, dict(one.data)) for one in back] == expected
    assert all(one.target == {"entity_id": entity} for one in back)


def test_a_run_remembers_what_was_before_its_first_touch() -> None:
    house = House(
        actions(
            f"[{LAMP}, {{delay: 1}}, {LAMP}, {{action: light.toggle, target: {{entity_id: light.new}}}}]"
        ),
        given=[state("light.a", "on", brightness=80)],
    )
    house.tell(message(), state("light.a", "off"))
    house.wait(5)
    before = house.ends[0].before
    assert before == {"light.a": {"state": "on", "attributes": {"brightness": 80}}, "light.new": None}


def test_undo_takes_back_the_last_run_then_the_one_before_and_each_once() -> None:
    house = House(
        actions(f"[{LAMP}]")
        + "  - {id: b, triggers: [{trigger: mqtt, topic: b}], actions: [{action: switch.turn_on,"
        " target: {entity_id: [switch.s, switch.t]}}]}\n",
        given=[state("light.a", "on"), state("switch.s", "off"), state("switch.t", "off")],
    )
    house.tell(message(), message("b"))
    for _ in range(3):
        house.tell(UNDO)
    assert [(action, entity) for action, entity, _ in calls(house)[2:]] == [
        ("switch.turn_off", "switch.t"),
        ("switch.turn_off", "switch.s"),
        ("light.turn_on", "light.a"),
    ]


def test_undo_survives_a_restart_and_rows_in_any_order() -> None:
    hands = Hands(
        routines_of(
            "  - {id: z, triggers: [{trigger: mqtt, topic: z}], actions: [{action: light.turn_off,"
            " target: {entity_id: light.z}}]}\n"
            "  - {id: b, triggers: [{trigger: mqtt, topic: b}], actions: [{action: light.turn_off,"
            " target: {entity_id: light.b}}]}\n"
        )
    )
    for name in "zb":
        hands.tell(state(f"light.{name}", "on"))
    for name in "zbzbzbzbzbzb":
        hands.tell(message(name))
        hands.answer_all()
        hands.pass_time(1)
    for name in "bzbz":
        hands.kill()
        hands.tell(UNDO)
        assert isinstance(hands.open[-1], Perform)
        effect = hands.open[-1].effect
        assert isinstance(effect, CallService)
        assert effect.target == {"entity_id": f"light.{name}"}
        hands.answer_all()


def test_a_second_undo_waits_for_the_first_and_is_not_lost() -> None:
    hands = Hands(routines_of(actions(f"[{LAMP}]", "    mode: parallel\n")))
    hands.tell(state("light.a", "on"))
    for _ in range(2):
        hands.tell(message())
        hands.answer_all()
    hands.tell(UNDO)
    hands.tell(UNDO)
    hands.answer_all()
    assert [text for _, text in hands.performed] == ["light.turn_off"] * 2 + ["light.turn_on"] * 2


def test_nothing_to_undo_is_no_trouble() -> None:
    house = House(actions("[{say: x}]"))
    house.tell(UNDO, message(), UNDO)
    assert house.done == ["x"]


@pytest.mark.parametrize(
    ("restore", "done"),
    [
        ("{when: run_end}", ["light.turn_off", "switch.turn_on", "end", "switch.turn_off", "light.turn_on"]),
        (
            "{targets: {entity_id: light.a}, when: run_end}",
            ["light.turn_off", "switch.turn_on", "end", "light.turn_on"],
        ),
    ],
)
def test_a_routine_puts_back_at_its_end_what_it_promised_to(restore: str, done: list[str]) -> None:
    text = f"[{LAMP}, {{action: switch.turn_on, target: {{entity_id: switch.s}}}}, {{say: end}}%s]"
    given = [state("light.a", "on"), state("switch.s", "off")]
    for ending in ("", ", {stop: no, error: true}", ", {say: '{{ nobody }}'}"):
        house = House(actions(text % ending, f"    restore: {restore}\n"), given=given)
        house.tell(message())
        assert house.done == done


def test_restore_in_the_middle_puts_back_what_was_touched_so_far_even_after_a_failure() -> None:
    house = House(
        actions(
            f"[{LAMP}, {{action: light.turn_on, target: {{entity_id: light.b}}}}, {{restore: {{}}}},"
            " {say: end}]"
        ),
        given=[state("light.a", "on"), state("light.b", "on", brightness=3)],
    )
    house.fail("light.turn_off", "broken")
    house.tell(message())
    assert house.results == ["failed"]
    house.tell(message())
    assert [(one[0], one[1]) for one in calls(house)[1:]] == [
        ("light.turn_off", "light.a"),
        ("light.turn_on", "light.b"),
        ("light.turn_on", "light.b"),
        ("light.turn_on", "light.a"),
    ]


DIRECTORY = Directory(
    entities=(
        Entity(entity_id="light.a", names=("Reading Lamp",), area="den"),
        Entity(entity_id="light.b", names=("Floor Lamp",), area="den"),
    ),
    areas=(Area(area_id="den", names=("Den",)),),
)


def test_a_target_that_is_a_room_touches_everything_in_it() -> None:
    house = House(
        actions("[{action: light.turn_off, target: {area_id: den}}]"),
        given=[state("light.a", "on"), state("light.b", "off")],
        directory=DIRECTORY,
    )
    house.tell(message())
    assert set(house.ends[0].before) == {"light.a", "light.b"}


def test_the_house_says_why_a_lamp_is_off_also_after_a_restart() -> None:
    def engine() -> Engine:
        routines = routines_of(actions(f"[{LAMP}]", "    alias: Good night\n"))
        return Engine(routines, timezone=ZoneInfo("UTC"), directory=DIRECTORY, converses=True)

    first, second = engine(), engine()
    first.start(now=NOON)
    first.handle(message(), now=NOON)
    second.recall(first.changes())
    second.start(now=NOON)
    question = HeardFact(room="den", text="Why did the reading lamp go off?")
    said = [one.effect for one in second.handle(question, now=NOON) if isinstance(one, Perform)]
    assert "The Reading Lamp was turned off at 12:00 by Good night, because message on go" in str(said)
    other = HeardFact(room="den", text="Why is the floor lamp on?")
    said = [one.effect for one in second.handle(other, now=NOON) if isinstance(one, Perform)]
    assert "It was not me" in str(said)


def test_runs_and_verdicts_are_told_in_sentences() -> None:
    house = House(actions(f"[{LAMP}, {{stop: done}}]"), given=[state("light.a", "on")])
    house.tell(message())
    lines = explain_run(house.ends[0], ZoneInfo("UTC"))
    assert lines[0] == "2026-11-20 12:00:00  a ran because message on go"
    assert lines[-1] == "    it finished at 12:00:00: done"
    [verdict] = [one for one in house.seen if isinstance(one, Verdict)]
    assert explain_verdict(verdict, ZoneInfo("UTC")) == (
        "2026-11-20 12:00:00  a ran (mqtt[0]: message on go)"
    )


def test_undo_ends_a_run_that_is_still_at_it_and_puts_back_what_it_changed() -> None:
    house = House(actions(f"[{LAMP}, {{delay: 3600}}, {LAMP.replace('light.a', 'light.b')}]"))
    house.tell(state("light.a", "on"), message())
    house.tell(UNDO, after=5)
    house.wait(4_000)
    assert calls(house) == [("light.turn_off", "light.a", {}), ("light.turn_on", "light.a", {})]
    assert house.results == ["stopped", "finished"]
