"""Routines that start themselves or each other."""

from __future__ import annotations

import pytest

from routines.intents.directory import Area, Directory, Entity
from tests.routines.analysis.looking import findings

SELF = """
- id: a
  triggers: [{{trigger: state, entity_id: light.a, {trigger}}}]
  {more}
  actions: [{action}]
"""


def in_one(trigger: str, action: str, more: str = "alias: A") -> list[str]:
    found = findings(SELF.format(trigger=trigger, action=action, more=more), "loop")
    return [finding.severity for finding in found]


ON = "{action: light.turn_on, target: {entity_id: light.a}}"
OFF = "{action: light.turn_off, target: {entity_id: light.a}}"
TOGGLE = "{action: light.toggle, target: {entity_id: light.a}}"


def test_a_toggle_of_what_any_change_starts_goes_on_for_ever() -> None:
    assert in_one("to: null", TOGGLE) == ["warning"]


def test_switching_off_and_on_again_what_starts_the_routine_goes_on_for_ever() -> None:
    assert in_one("to: 'on'", f"{OFF}, {{delay: 5}}, {ON}") == ["warning"]


def test_repeating_what_already_is_comes_to_rest_and_is_a_hint() -> None:
    assert in_one("to: 'on'", ON) == ["hint"]


@pytest.mark.parametrize(
    ("trigger", "action", "more"),
    [
        ("to: 'on'", OFF, "alias: the state that is set is not waited for"),
        ("from: 'off', to: ['off']", OFF, "alias: from and to cannot be met"),
        ("not_to: 'off'", OFF, "alias: the state is left out"),
        ("to: unavailable", TOGGLE, "alias: no action makes a thing unavailable"),
        ("to: 'on'", "{action: light.turn_on, target: {entity_id: light.b}}", "alias: another light"),
        ("to: 'on'", ON.replace("light.a}}", "light.a}, data: {brightness_pct: 5}}"), "alias: dims only"),
        ("to: null", ON, "conditions: [{condition: state, entity_id: light.a, state: 'off'}]"),
        ("to: null", f"{{if: [\"{{{{ is_state('light.a', 'off') }}}}\"], then: [{ON}]}}", "alias: a branch"),
        ("to: null", TOGGLE, "suppress: {for: 60}"),
        ("to: null", TOGGLE, "enabled: false"),
    ],
)
def test_what_cannot_start_itself_again_is_no_loop(trigger: str, action: str, more: str) -> None:
    assert in_one(trigger, action, more) == []


PAIR = """
- id: a
  triggers: [{trigger: state, entity_id: switch.a, to: 'on'}]
  actions:
    - {action: switch.turn_on, target: {entity_id: switch.b}}
    - {action: switch.turn_off, target: {entity_id: switch.a}}
- id: b
  triggers: [{trigger: state, entity_id: switch.b, to: 'on'}]
  actions:
    - {action: switch.turn_on, target: {entity_id: switch.a}}
    - {action: switch.turn_off, target: {entity_id: switch.b}}
"""


def test_two_routines_that_start_each_other_are_found_once_and_both_are_named() -> None:
    [finding] = findings(PAIR, "loop")
    assert (finding.routine, finding.path, finding.severity) == ("a", ("actions", 0), "warning")
    assert "'b'" in finding.message
    assert "switch.a, switch.b" in finding.message


def test_two_routines_in_a_row_are_no_circle() -> None:
    assert (
        findings(
            PAIR.replace("turn_on, target: {entity_id: switch.a}", "turn_on, target: {entity_id: switch.c}"),
            "loop",
        )
        == []
    )


def test_two_switches_that_follow_each_other_come_to_rest() -> None:
    yaml = """
    - id: a
      triggers: [{trigger: state, entity_id: switch.a, to: 'on'}]
      actions: [{action: switch.turn_on, target: {entity_id: switch.b}}]
    - id: b
      triggers: [{trigger: state, entity_id: switch.b, to: 'on'}]
      actions: [{action: switch.turn_on, target: {entity_id: switch.a}}]
    """
    assert [finding.severity for finding in findings(yaml, "loop")] == ["hint"]


def test_an_area_reaches_the_lights_in_it_when_the_home_is_known() -> None:
    yaml = """
    - id: a
      triggers: [{trigger: state, entity_id: light.desk}]
      actions: [{action: light.toggle, target: {area_id: study}}]
    """
    home = Directory(
        entities=(Entity(entity_id="light.desk", names=("desk",), area="study"),),
        areas=(Area(area_id="study", names=("study",)),),
    )
    assert len(findings(yaml, "loop", directory=home)) == 1
    assert findings(yaml, "loop") == []


MESSAGES = """
- id: a
  triggers: [{{trigger: mqtt, topic: {topic}, payload: go}}]
  actions: [{{publish: {{topic: house/a, payload: {payload}}}}}]
"""


@pytest.mark.parametrize(
    ("topic", "payload", "count"),
    [
        ("house/a", "go", 1),
        ("house/+", "go", 1),
        ("'house/#'", "'{{ trigger.payload }}'", 1),
        ("house/b", "go", 0),
        ("house/a", "stop", 0),
        ("+", "go", 0),
    ],
)
def test_a_message_may_start_the_routine_that_sent_it(topic: str, payload: str, count: int) -> None:
    assert len(findings(MESSAGES.format(topic=topic, payload=payload), "loop")) == count


@pytest.mark.parametrize(("button", "count"), [("1", 1), ("2", 0)])
def test_an_event_starts_a_routine_only_with_its_data(button: str, count: int) -> None:
    yaml = f"""
    - id: a
      triggers: [{{trigger: event, event_type: pressed, event_data: {{button: 1}}}}]
      actions: [{{event: pressed, event_data: {{button: {button}}}}}]
    """
    assert len(findings(yaml, "loop")) == count


def test_routines_that_run_each_other_are_a_circle_and_one_that_runs_another_is_not() -> None:
    yaml = """
    - {id: a, actions: [{run_routine: b}]}
    - {id: b, actions: [{run_routine: %s}]}
    - {id: c, actions: [{say: end}]}
    """
    assert len(findings(yaml % "a", "loop")) == 1
    assert findings(yaml % "c", "loop") == []
