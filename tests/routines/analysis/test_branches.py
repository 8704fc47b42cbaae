"""What is never done, never holds or never starts."""

from __future__ import annotations

import pytest

from tests.routines.analysis.looking import findings

CHOOSE = """
- id: a
  triggers: [{{trigger: hub, id: one}}, {{trigger: presence, id: two}}]
  actions:
    - choose:
        - {{conditions: {first}, sequence: [{{say: first}}]}}
        - {{conditions: {second}, sequence: [{{say: second}}]}}
      default: [{{say: else}}]
"""
ON = "{condition: state, entity_id: light.a, state: 'on'}"
DARK = "{condition: sun, after: sunset}"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (f"[{ON}]", f"[{ON}]"),
        (f"[{ON}]", f"[{DARK}, {ON}]"),
        ("[{condition: state, entity_id: light.a, state: ['on', 'off']}]", f"[{ON}]"),
        (f"[{ON}]", f"[{{and: [{DARK}, {ON}]}}]"),
        (f"[{{or: [{ON}, {{condition: state, entity_id: light.a, state: idle}}]}}]", f"[{ON}]"),
        ("[{condition: trigger, id: [one, two]}]", "\"{{ trigger.id == 'one' }}\""),
        (
            "[{condition: numeric_state, entity_id: sensor.t, above: 10}]",
            "[{condition: numeric_state, entity_id: sensor.t, above: 20}]",
        ),
        ("[{condition: time, after: '20:00', before: '06:00'}]", "[{condition: time, after: '22:00'}]"),
        ("[{not: [{condition: state, entity_id: light.a, state: 'off'}]}]", f"[{ON}]"),
    ],
)
def test_a_way_that_an_earlier_one_always_takes_is_never_done(first: str, second: str) -> None:
    [finding] = findings(CHOOSE.format(first=first, second=second), "unreachable")
    assert finding.path == ("actions", 0, "choose", 1)
    assert "way 1" in finding.message


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (f"[{DARK}, {ON}]", f"[{ON}]"),
        (f"[{ON}]", "[{condition: state, entity_id: light.b, state: 'on'}]"),
        (f"[{ON}]", "[{condition: state, entity_id: light.a, state: ['on', 'off']}]"),
        ("[{condition: state, entity_id: light.a, state: 'on', for: 60}]", f"[{ON}]"),
        ("[{condition: time, after: '20:00:30'}]", "[{condition: time, after: '20:00:10'}]"),
        ("\"{{ states('sensor.a') | int > 3 }}\"", "\"{{ states('sensor.a') | int > 2 }}\""),
        (
            "[{condition: numeric_state, entity_id: s.t, above: s.u}]",
            "[{condition: numeric_state, entity_id: s.t, above: 20}]",
        ),
        (f"{{or: [{ON}, {DARK}]}}", "[{condition: state, entity_id: light.a, state: 'off'}]"),
    ],
)
def test_a_way_that_may_be_taken_is_not_found(first: str, second: str) -> None:
    assert findings(CHOOSE.format(first=first, second=second), "unreachable") == []


@pytest.mark.parametrize("always", ["[]", '"{{ true }}"'])
def test_nothing_follows_a_way_without_conditions(always: str) -> None:
    found = findings(CHOOSE.format(first=always, second=f"[{ON}]"), "unreachable")
    assert [finding.path for finding in found] == [("actions", 0, "default"), ("actions", 0, "choose", 1)]


def test_a_last_way_without_conditions_and_without_default_is_fine() -> None:
    yaml = CHOOSE.format(first=f"[{ON}]", second="[]").replace("default: [{say: else}]", "alias: x")
    assert findings(yaml, "unreachable") == []


BOTH = "- {{id: a, {more} conditions: [{conditions}], actions: [{{say: x}}]}}"


@pytest.mark.parametrize(
    "conditions",
    [
        f"{ON}, {{condition: state, entity_id: light.a, state: 'off'}}",
        f"{ON}, {{not: [{ON}]}}",
        "{condition: numeric_state, entity_id: s.t, above: 20, below: 20}",
        "{condition: numeric_state, entity_id: s.t, above: 20}, "
        "{condition: numeric_state, entity_id: s.t, below: 10}",
        "{condition: presence, room: hall}, {condition: presence, room: hall, present: false}",
        "{condition: trigger, id: a}, {condition: trigger, id: b}",
        "{condition: time, weekday: [mon]}, {condition: time, weekday: [tue]}",
        f"{{or: [{{and: [{ON}, {{condition: state, entity_id: light.a, state: 'off'}}]}}, {DARK}]}}",
    ],
)
def test_conditions_that_never_hold_together_are_found(conditions: str) -> None:
    assert len(findings(BOTH.format(more="", conditions=conditions), "contradiction")) == 1


@pytest.mark.parametrize(
    "conditions",
    [
        f"{ON}, {{condition: state, entity_id: light.a, state: ['on', 'off']}}",
        f"{{or: [{ON}, {{condition: state, entity_id: light.a, state: 'off'}}]}}",
        "{condition: state, entity_id: [light.a, light.b], match: any, state: 'off'}, " + ON,
        f"{ON}, {{condition: state, entity_id: light.a, attribute: x, state: 'off'}}",
        f"{ON}, {{condition: state, entity_id: light.a, state: 'off', enabled: false}}",
        "{condition: numeric_state, entity_id: s.t, above: 20, below: 21}",
        "{condition: time, after: '22:00'}, {condition: time, after: '21:00', before: '06:00'}",
        "{condition: sun, after: sunset, before: sunrise}",
        '"{{ false }}"',
    ],
)
def test_conditions_that_may_hold_together_are_not_found(conditions: str) -> None:
    yaml = BOTH.format(more="", conditions=conditions)
    assert findings(yaml, "contradiction") == findings(yaml, "never_matches") == []


@pytest.mark.parametrize(
    ("window", "count"),
    [
        ("before: '00:00'", 1),
        ("weekday: []", 1),
        ("after: '20:00', before: '00:00'", 0),
        ("after: '08:00', before: '08:00'", 0),
        ("before: '00:01'", 0),
    ],
)
def test_a_window_that_never_opens_is_found(window: str, count: int) -> None:
    yaml = BOTH.format(more="", conditions=f"{{condition: time, {window}}}")
    assert len(findings(yaml, "never_matches")) == count


def test_active_windows_that_the_conditions_rule_out_are_found() -> None:
    yaml = BOTH.format(more="active: {{weekday: %s}},", conditions="{condition: time, weekday: [sat, sun]}")
    yaml = yaml.replace("{{", "{").replace("}}", "}")
    assert len(findings(yaml % "[mon, tue]", "contradiction")) == 1
    assert findings(yaml % "[fri, sat]", "contradiction") == []


@pytest.mark.parametrize(
    ("actions", "path"),
    [
        ("{stop: x}, {say: y}", ("actions", 1)),
        ("{repeat: {for_each: [], sequence: [{say: x}]}}", ("actions", 0, "repeat", "for_each")),
        ("{repeat: {count: 0, sequence: [{say: x}]}}", ("actions", 0, "repeat", "count")),
        ("{if: ['{{ x }}'], then: [{stop: x}, {say: y}]}", ("actions", 0, "then", 1)),
    ],
)
def test_actions_that_are_never_done_are_found(actions: str, path: tuple[str | int, ...]) -> None:
    [finding] = findings(f"- {{id: a, actions: [{actions}]}}", "unreachable")
    assert finding.path == path


@pytest.mark.parametrize(
    "actions",
    [
        "{say: y}, {stop: x}",
        "{stop: x, enabled: false}, {say: y}",
        "{if: ['{{ x }}'], then: [{stop: x}]}, {say: y}",
        "{repeat: {for_each: '{{ things }}', sequence: [{say: x}]}}",
        "{stop: x}, {say: y, enabled: false}",
    ],
)
def test_actions_that_may_be_done_are_not_found(actions: str) -> None:
    assert findings(f"- {{id: a, actions: [{actions}]}}", "unreachable") == []


def test_a_routine_that_nothing_starts_is_a_hint_unless_another_runs_it() -> None:
    yaml = "- {id: a, actions: [{say: x}]}\n- {id: b, triggers: [{trigger: hub}], actions: [{%s: a}]}"
    assert [f.severity for f in findings(yaml % "enable_routine", "never_runs")] == ["hint"]
    assert findings(yaml % "run_routine", "never_runs") == []


ONE = "- {{id: a, triggers: [{{{trigger}}}], {more}, actions: [{{say: x}}]}}"


@pytest.mark.parametrize(
    ("trigger", "more"),
    [
        ("trigger: numeric_state, entity_id: s.t, above: 30, below: 20", "alias: x"),
        ("trigger: state, entity_id: s.t, from: a, to: a", "alias: x"),
        ("trigger: time, at: '2026-01-05 10:00:00', weekday: [tue]", "alias: x"),
        ("trigger: time, at: '12:00'", "active: {after: '20:00', before: '06:00'}"),
        ("trigger: time, at: '12:00', weekday: [mon]", "conditions: [{condition: time, weekday: [sun]}]"),
        ("trigger: hub, id: a", "conditions: [{condition: trigger, id: b}]"),
    ],
)
def test_a_trigger_that_never_starts_anything_is_found(trigger: str, more: str) -> None:
    [finding] = findings(ONE.format(trigger=trigger, more=more), "never_matches")
    assert finding.path == ("triggers", 0)


@pytest.mark.parametrize(
    ("trigger", "more"),
    [
        ("trigger: numeric_state, entity_id: s.t, above: 20, below: 30", "alias: x"),
        ("trigger: state, entity_id: s.t, from: a, to: [a, b]", "alias: x"),
        ("trigger: time, at: '2026-01-05 10:00:00', weekday: [mon]", "alias: x"),
        ("trigger: time, at: '05:59'", "active: {after: '20:00', before: '06:00'}"),
        ("trigger: time, at: '02:30'", "active: {after: '03:00', before: '06:00'}"),
        ("trigger: time, at: '12:00', catch_up: '10:00:00'", "active: {after: '20:00', before: '06:00'}"),
        ("trigger: hub, id: b", "conditions: [{condition: trigger, id: b}]"),
    ],
)
def test_a_trigger_that_may_start_something_is_not_found(trigger: str, more: str) -> None:
    assert findings(ONE.format(trigger=trigger, more=more), "never_matches") == []
