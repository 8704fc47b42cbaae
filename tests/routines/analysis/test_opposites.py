"""One routine switches on what another switches off at the same time."""

from __future__ import annotations

import pytest

from tests.routines.analysis.looking import findings

TWO = """
- id: one
  triggers: [{{{first}}}]
  {first_more}
  actions: [{{action: light.turn_on, target: {{entity_id: light.a}}}}]
- id: two
  triggers: [{{{second}}}]
  {second_more}
  actions: [{action}]
"""
OFF = "{action: light.turn_off, target: {entity_id: light.a}}"
ALIAS = "alias: nothing more"


def opposites(
    first: str, second: str, first_more: str = ALIAS, second_more: str = ALIAS, action: str = OFF
) -> int:
    yaml = TWO.format(
        first=first, second=second, first_more=first_more, second_more=second_more, action=action
    )
    return len(findings(yaml, "opposite_actions"))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("trigger: presence, room: hall, to: detected", "trigger: presence, to: detected"),
        ("trigger: time, at: '07:00'", "trigger: time, at: ['06:00', '07:00'], weekday: [mon]"),
        ("trigger: state, entity_id: switch.a, to: 'on'", "trigger: state, entity_id: switch.a"),
        ("trigger: sun, event: sunset, offset: '-00:10:00'", "trigger: sun, event: sunset, offset: -600"),
        ("trigger: cron, expression: '0 7 * * *'", "trigger: cron, expression: '0  7 * * *'"),
        ("trigger: event, event_type: x", "trigger: event, event_type: [x, y], event_data: {b: 1}"),
        ("trigger: location, event: leave", "trigger: location, person: jane, event: leave"),
        ("trigger: mqtt, topic: a/b", "trigger: mqtt, topic: a/b, payload: x"),
        ("trigger: hub", "trigger: hub_start"),
    ],
)
def test_two_routines_that_may_start_together_and_disagree_are_found(first: str, second: str) -> None:
    assert opposites(first, second) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("trigger: presence, room: hall, to: detected", "trigger: presence, room: bath, to: detected"),
        ("trigger: presence, room: hall, to: detected", "trigger: presence, room: hall, to: not_detected"),
        ("trigger: presence, room: hall", "trigger: presence, room: hall, for: '00:10:00'"),
        ("trigger: presence, level: major", "trigger: presence, level: minor"),
        ("trigger: time, at: '07:00', weekday: [sat, sun]", "trigger: time, at: '07:00', weekday: [mon]"),
        ("trigger: time, at: '07:00'", "trigger: time, at: '07:01'"),
        ("trigger: state, entity_id: switch.a, to: 'on'", "trigger: state, entity_id: switch.a, to: 'off'"),
        ("trigger: state, entity_id: switch.a, not_to: x", "trigger: state, entity_id: switch.a, to: x"),
        ("trigger: sun, event: sunset", "trigger: sun, event: sunrise"),
        (
            "trigger: event, event_type: x, event_data: {b: 2}",
            "trigger: event, event_type: x, event_data: {b: 1}",
        ),
        ("trigger: location, person: bob", "trigger: location, person: jane"),
        ("trigger: mqtt, topic: a/b, payload: y", "trigger: mqtt, topic: a/b, payload: x"),
    ],
)
def test_triggers_that_never_fire_together_are_not_found(first: str, second: str) -> None:
    assert opposites(first, second) == 0


PRESENT = "trigger: presence, room: hall"


@pytest.mark.parametrize(
    ("first_more", "second_more"),
    [
        (
            "conditions: [{condition: state, entity_id: switch.night, state: 'on'}]",
            "conditions: [{condition: state, entity_id: switch.night, state: ['off', idle]}]",
        ),
        (
            "conditions: \"{{ is_state('switch.night', 'on') }}\"",
            "conditions: [{not: [{condition: state, entity_id: switch.night, state: 'on'}]}]",
        ),
        ("active: {after: '22:00', before: '06:00'}", "active: {after: '06:00', before: '22:00'}"),
        ("active: {weekday: [mon]}", "conditions: [{condition: time, weekday: [tue, wed]}]"),
        (
            "conditions: [{condition: numeric_state, entity_id: sensor.x, below: 10}]",
            "conditions: [{condition: numeric_state, entity_id: sensor.x, above: 10}]",
        ),
        ("conditions: [{condition: sun, after: sunset}]", "conditions: [{condition: sun, before: sunset}]"),
        ("enabled: false", ALIAS),
    ],
)
def test_routines_whose_conditions_exclude_each_other_are_not_found(
    first_more: str, second_more: str
) -> None:
    assert opposites(PRESENT, PRESENT) == 1
    assert opposites(PRESENT, PRESENT, first_more, second_more) == 0


@pytest.mark.parametrize(
    "action",
    [
        "{action: light.turn_on, target: {entity_id: light.a}}",
        "{action: light.turn_off, target: {entity_id: light.b}}",
        "{delay: 5}, {action: light.turn_off, target: {entity_id: light.a}}",
        "{stop: enough}, {action: light.turn_off, target: {entity_id: light.a}}",
        "{if: [{condition: trigger, id: 'presence[1]'}], then: [" + OFF + "]}",
    ],
)
def test_the_same_state_another_thing_or_another_time_is_not_opposite(action: str) -> None:
    assert opposites(PRESENT, PRESENT, action=action) == 0


def test_branches_side_by_side_that_disagree_are_found_and_those_that_exclude_each_other_are_not() -> None:
    yaml = """
    - id: a
      actions:
        - parallel:
            - {action: lock.lock, target: {entity_id: lock.door}}
            - sequence:
                - %s
                - {action: lock.unlock, target: {entity_id: lock.door}}
    """
    [finding] = findings(yaml % "{say: hello}", "opposite_actions")
    assert finding.path == ("actions", 0, "parallel", 1, "sequence", 1)
    assert findings(yaml % "{delay: 10}", "opposite_actions") == []


def test_the_second_routine_is_told_with_the_names_of_both_triggers() -> None:
    yaml = TWO.format(
        first=f"id: come, {PRESENT}", second=PRESENT, first_more=ALIAS, second_more=ALIAS, action=OFF
    )
    [finding] = findings(yaml, "opposite_actions")
    assert (finding.routine, finding.path) == ("two", ("actions", 0))
    assert "'one' makes it on" in finding.message
    assert "'come'" in finding.message
