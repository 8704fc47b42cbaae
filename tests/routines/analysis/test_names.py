"""Names that nothing answers to."""

from __future__ import annotations

import pytest

from routines.intents.directory import Area, Directory, Entity
from tests.routines.analysis.looking import findings

HOME = Directory(
    entities=(Entity(entity_id="light.hall", names=("hall light",), area="hall"),),
    areas=(Area(area_id="hall", names=("hall", "entrance")),),
)


@pytest.mark.parametrize(
    ("routine", "path"),
    [
        (
            "actions: [{action: light.turn_on, target: {entity_id: light.hal}}]",
            ("actions", 0, "target", "entity_id"),
        ),
        ("actions: [{say: \"{{ states('light.hal') }}\"}]", ("actions", 0, "say", "text")),
        (
            "actions: [{if: \"is_state('light.hal', 'on')\", then: [{say: x}]}]",
            ("actions", 0, "if", 0, "value_template"),
        ),
        (
            "actions: [{say: x}], triggers: [{trigger: state, entity_id: [light.hall, light.hal]}]",
            ("triggers", 0, "entity_id"),
        ),
        (
            "actions: [{say: x}], "
            "conditions: [{condition: numeric_state, entity_id: light.hall, above: light.hal}]",
            ("conditions", 0, "above"),
        ),
    ],
)
def test_an_unknown_entity_is_found_wherever_it_stands_with_the_near_one(
    routine: str, path: tuple[str | int, ...]
) -> None:
    [finding] = findings(f"- {{id: a, {routine}}}", "unknown_entity", directory=HOME)
    assert finding.path == path
    assert finding.message == "the home has no entity 'light.hal'"
    assert finding.hint == "did you mean 'light.hall'?"


@pytest.mark.parametrize(
    "routine",
    [
        "actions: [{action: light.turn_on, target: {entity_id: [light.hall, sensor.more]}}]",
        "actions: [{action: light.turn_on, target: {entity_id: all}}]",
        "actions: [{action: light.turn_on, target: {entity_id: \"{{ 'light.' ~ 'x' }}\"}}]",
        'actions: [{say: "{{ trigger.slots.area }} light.nowhere"}]',
        "actions: [{say: x}], tests: [{name: t, given: {light.nowhere: 'on'}}]",
        "actions: [{event: x, event_data: {entity_id: light.nowhere}}]",
    ],
)
def test_what_is_known_or_is_no_name_of_an_entity_is_not_found(routine: str) -> None:
    known = ["sensor.more"]
    assert findings(f"- {{id: a, {routine}}}", "unknown_entity", directory=HOME, entities=known) == []


def test_nothing_is_unknown_in_a_home_that_is_not_known() -> None:
    assert findings("- {id: a, actions: [{action: a.b, target: {entity_id: x.y}}]}", "unknown_entity") == []


@pytest.mark.parametrize(
    ("room", "hint"), [("hal", "did you mean 'hall'?"), ("entrance", "the id of entrance is 'hall'")]
)
def test_an_unknown_area_is_found_with_what_may_be_meant(room: str, hint: str) -> None:
    yaml = f"- {{id: a, triggers: [{{trigger: presence, room: {room}}}], actions: [{{say: x}}]}}"
    assert [finding.hint for finding in findings(yaml, "unknown_area", directory=HOME)] == [hint]


def test_a_known_area_a_template_and_a_home_without_areas_are_fine() -> None:
    yaml = '- {id: a, actions: [{action: a.b, target: {area_id: [hall, "{{ trigger.room }}"]}}]}'
    assert findings(yaml, "unknown_area", directory=HOME) == []
    assert findings(yaml.replace("hall", "attic"), "unknown_area", directory=Directory()) == []


def test_a_routine_that_does_not_exist_is_an_error_and_one_that_does_is_not() -> None:
    yaml = "- {id: a, actions: [{disable_routine: evenin}]}\n- {id: evening, actions: [{run_routine: a}]}"
    [finding] = findings(yaml, "unknown_routine")
    assert (finding.severity, finding.hint) == ("error", "did you mean 'evening'?")


IDS = """
- id: a
  triggers: [{trigger: hub, id: start}, {trigger: presence}]
  actions: [{if: [%s], then: [{say: x}]}]
- {id: b, actions: [{run_routine: a}]}
"""


@pytest.mark.parametrize("condition", ["{condition: trigger, id: strat}", "\"{{ trigger.id == 'strat' }}\""])
def test_a_trigger_id_that_no_trigger_has_is_an_error(condition: str) -> None:
    [finding] = findings(IDS % condition, "unknown_trigger")
    assert (finding.severity, finding.hint) == ("error", "did you mean 'start'?")


@pytest.mark.parametrize(
    "condition",
    [
        "{condition: trigger, id: [start, 'presence[1]']}",
        "\"{{ trigger.id in ['start', 'b'] }}\"",
        "{condition: trigger, id: b}",
        "{condition: trigger, id: strat, enabled: false}",
    ],
)
def test_ids_of_triggers_and_of_routines_that_run_this_one_are_known(condition: str) -> None:
    assert findings(IDS % condition, "unknown_trigger") == []
