"""Automations of Home Assistant as routines."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent, indent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from routines.importer.automations import Imported, import_automations
from routines.load import load_routines
from routines.routine import Routine

FILE = Path(__file__).with_name("automations.yaml")


def loaded(imported: Imported) -> dict[str, Routine]:
    routines, problems = load_routines(imported.yaml, "imported.yaml")
    assert problems == []
    return {routine.id: routine for routine in routines}


def one(yaml: str) -> tuple[Routine, list[str]]:
    """Import one automation; return the routine and its notes."""
    imported = import_automations(f"- alias: it\n{indent(dedent(yaml).strip(), '  ')}\n", "a.yaml")
    [routine] = loaded(imported).values()
    return routine, [f"{note.place}: {note.message}" for note in imported.notes]


@pytest.fixture(scope="module")
def household() -> Imported:
    return import_automations(FILE.read_text(encoding="utf-8"), "automations.yaml")


def test_the_file_of_a_household_loads_without_problems(household: Imported) -> None:
    assert list(loaded(household)) == household.carried
    assert len(household.carried) == 26
    assert len(set(household.carried)) == 26


def test_everything_of_the_household_is_carried_or_noted(household: Imported) -> None:
    written = YAML(typ="safe", pure=True).load(FILE.read_text(encoding="utf-8"))
    kept = [words for words in written if "use_blueprint" not in words]
    for words, routine in zip(kept, loaded(household).values(), strict=True):
        places = [note.place for note in household.notes if note.automation == routine.id]
        lost = sum(place.startswith("triggers[") for place in places)
        assert len(routine.triggers) + lost == len(_listed(words, "trigger"))
        assert len(routine.conditions) == len(_listed(words, "condition"))
        assert len(routine.actions) == len(_listed(words, "action"))
    blueprints = [note for note in household.notes if "blueprint" in note.message]
    assert len(blueprints) == len(written) - len(kept)


def _listed(words: dict[str, object], kind: str) -> list[object]:
    value = words.get(kind, words.get(f"{kind}s", []))
    return value if isinstance(value, list) else [value]


def test_what_was_not_wholly_carried_is_disabled_and_the_rest_runs(household: Imported) -> None:
    routines = loaded(household)
    noted = {note.automation for note in household.notes}
    assert {name for name, routine in routines.items() if not routine.enabled} == noted - {""} | {
        "wake_up_light"
    }
    assert noted == {
        "",
        "button_in_the_bedroom",
        "heating_schedule",
        "count_lights_with_a_loop",
        "calendar_reminder",
        "snapshot_before_the_doorbell",
        "webhook_from_outside",
        "guest_mode_with_a_condition_that_cannot_come_over",
        "fan_with_device_actions",
        "templated_service",
        "kuche_bad_luftung",
        "time_of_the_state",
    }


def test_every_note_stands_in_the_file_too(household: Imported) -> None:
    for note in household.notes:
        assert f"{note.place}: {' '.join(note.message.split())}" in household.yaml


def test_a_trigger_that_cannot_be_carried_leaves_the_others_and_disables() -> None:
    routine, notes = one(
        """
        trigger: [{platform: webhook, webhook_id: x}, {platform: sun, event: sunset}]
        action: [{service: light.turn_on, entity_id: light.a}]
        """
    )
    assert [trigger.trigger for trigger in routine.triggers] == ["sun"]
    assert not routine.enabled
    assert notes[0].startswith("triggers[0]: the trigger 'webhook'")


@pytest.mark.parametrize(
    "condition",
    [
        "{condition: time, after: input_datetime.x}",
        "{condition: zone, entity_id: person.a, zone: zone.work}",
        "{condition: state, entity_id: sensor.a, state: input_text.b}",
        "{condition: not, conditions: [{condition: light.is_on}]}",
        "'{% if true %}true{% endif %}'",
        "{condition: sun, after: sunset, before: sunrise}",
        "{condition: state, entity_id: 0123456789abcdef, state: 'on'}",
        "'{{ this.state }}'",
        "'{{ trigger.to_state.last_changed }}'",
    ],
)
def test_a_condition_that_cannot_be_carried_never_holds(condition: str) -> None:
    routine, notes = one(f"condition: [{condition}]\naction: [{{service: light.turn_on}}]")
    [carried] = routine.conditions
    assert carried.model_dump()["value_template"] == "{{ false }}"
    assert not routine.enabled
    assert notes[0].startswith("conditions[0]: ")


@pytest.mark.parametrize(
    "action",
    [
        "{service: scene.create, data: {scene_id: x}}",
        "{service: 'light.turn_{{ x }}'}",
        "{device_id: a, domain: zha, type: squawk}",
        "{service: light.turn_on, data: {brightness: '{% set x = 1 %}{{ x }}'}}",
        "{wait_for_trigger: [{platform: calendar, entity_id: calendar.a}]}",
        "{repeat: {while: ['{{ this.x }}'], sequence: []}}",
        "{delay: {minutes: '{{ x }}'}}",
        "{service: light.turn_on, target: '{{ x }}'}",
        "{service: automation.toggle, target: {entity_id: automation.it}}",
        "{service: automation.trigger, target: {entity_id: automation.it}, data: {skip_condition: false}}",
        "{something_new: 1}",
        "{set_conversation_response: null}",
    ],
)
def test_an_action_that_cannot_be_carried_ends_the_run_with_an_error(action: str) -> None:
    routine, [note] = one(f"action: [{action}, {{service: light.turn_off}}]")
    assert routine.actions[0].model_dump()["error"] is True
    assert "Not carried over" in routine.actions[0].model_dump()["stop"]
    assert note.startswith("actions[0]: ")
    assert len(routine.actions) == 2
    assert not routine.enabled


@pytest.mark.parametrize(
    ("said", "carried"),
    [
        ("{{ states.light.x.state }}", "{{ states('light.x') }}"),
        (
            "{{ states.light.x.attributes.brightness | int(0) }}",
            "{{ state_attr('light.x', 'brightness') | int(0) }}",
        ),
        ("{{ trigger.to_state.state }}", "{{ trigger.to_state.state }}"),
        ("{{ 'states.light.x' }}", "{{ 'states.light.x' }}"),
    ],
)
def test_templates_come_over_in_words_that_the_hub_understands(said: str, carried: str) -> None:
    routine, notes = one(f"""action: [{{event: x, event_data: {{a: "{said}"}}}}]""")
    assert routine.actions[0].model_dump()["event_data"] == {"a": carried}
    assert notes == []


def test_triggers_that_share_an_id_get_their_own_and_are_asked_for_together(household: Imported) -> None:
    routine = loaded(household)["two_doors_with_one_id"]
    assert [trigger.id for trigger in routine.triggers] == ["opened", "opened_2", "closed"]
    [choose] = routine.model_dump()["actions"]
    assert (
        choose["choose"][0]["conditions"][0]["value_template"] == "{{ trigger.id in ['opened', 'opened_2'] }}"
    )
    assert choose["choose"][1]["conditions"][0]["id"] == ("closed",)


def test_a_trigger_that_is_asked_for_by_its_number_gets_it_as_id(household: Imported) -> None:
    assert [trigger.id for trigger in loaded(household)["numbered_triggers"].triggers] == [None, "1"]


def test_calls_of_imported_automations_become_commands_to_routines(household: Imported) -> None:
    first, second = loaded(household)["vacation_mode_on"].model_dump(exclude_unset=True)["actions"]
    assert [(a["do"], a["routine"]) for a in first["sequence"]] == [
        ("disable_routine", "good_morning"),
        ("disable_routine", "sunset_lights"),
    ]
    assert (second["do"], second["routine"]) == ("run_routine", "nobody_home")


def test_calls_of_automations_that_stay_behind_go_to_home_assistant() -> None:
    routine, notes = one("action: [{service: automation.turn_off, target: {entity_id: automation.other}}]")
    assert routine.actions[0].model_dump()["action"] == "automation.turn_off"
    assert notes == []


def test_two_automations_with_one_name_get_two_ids(household: Imported) -> None:
    assert {"hall_light_on_motion", "hall_light_on_motion_2"} <= set(household.carried)


def test_slots_take_any_words_and_answers_are_said(household: Imported) -> None:
    routine = loaded(household)["movie_time"]
    assert routine.lists["title"].model_dump() == {"wildcard": True}
    assert routine.actions[-1].model_dump()["say"]["text"].startswith("Enjoy")


def test_a_package_brings_scripts_that_its_automations_run() -> None:
    imported = import_automations(
        dedent(
            """
            automation:
              - alias: bed time
                trigger: [{platform: time, at: "22:00"}]
                action:
                  - {service: script.good_night}
                  - {service: script.turn_on, entity_id: script.good_night}
            script:
              good_night:
                alias: Good night
                sequence: [{service: light.turn_off, target: {area_id: living_room}}]
            input_boolean: {}
            """
        ),
        "package.yaml",
    )
    routines = loaded(imported)
    assert list(routines) == ["bed_time", "good_night"]
    assert [a["routine"] for a in routines["bed_time"].model_dump()["actions"]] == [
        "good_night",
        "good_night",
    ]
    assert [note.place for note in imported.notes] == ["package.yaml: input_boolean", "actions[0]"]
    assert routines["bed_time"].enabled
    assert "do not wait" in imported.notes[1].message


@pytest.mark.parametrize("text", ["a: [", "just a text", "- " * 3_000, "- 5", "a: 1\na: 2"])
def test_what_is_no_list_of_automations_is_a_note_and_an_empty_file(text: str) -> None:
    imported = import_automations(text, "a.yaml")
    assert loaded(imported) == {}
    assert imported.notes


def test_aliases_that_would_grow_without_bound_are_refused() -> None:
    lines = ["- &a0 {alias: x, action: [{delay: 1}]}"]
    lines += [f"- &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    [note] = import_automations("\n".join(lines), "a.yaml").notes
    assert "too large" in note.message


def test_a_result_that_is_too_long_for_one_file_says_so() -> None:
    many = "".join(f"- {{alias: a{n}, action: [{{service: light.turn_on}}]}}\n" for n in range(1_500))
    notes = import_automations(many, "a.yaml").notes
    assert "64 KiB" in notes[-1].message


_WORDS = st.sampled_from(
    [
        "on",
        "off",
        "light.a",
        "sensor.b",
        "00:05:00",
        "{{ now().hour }}",
        "{% x %}",
        "a\nb ",
        "",
        "é: #",
        "7",
        "{{",
    ]
)
_KEYS = [
    "platform",
    "entity_id",
    "to",
    "for",
    "service",
    "data",
    "condition",
    "state",
    "choose",
    "sequence",
    "conditions",
    "if",
    "then",
    "repeat",
    "count",
    "delay",
    "at",
    "parallel",
    "or",
    "id",
    "enabled",
]
_VALUES = st.recursive(
    _WORDS | st.none() | st.booleans() | st.integers(-5, 100),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(_KEYS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
_KINDS = st.sampled_from(["state", "time", "sun", "template", "mqtt", "event", "conversation", "zone"])


@settings(max_examples=150, deadline=None)
@given(
    triggers=st.lists(st.builds(lambda kind, rest: {"platform": kind, "x": rest}, _KINDS, _VALUES) | _VALUES),
    conditions=_VALUES,
    actions=_VALUES,
    settings_=st.dictionaries(
        st.sampled_from(["alias", "mode", "max", "variables", "description", "initial_state"]), _VALUES
    ),
)
def test_whatever_is_imported_the_result_loads(
    triggers: object, conditions: object, actions: object, settings_: dict[str, object]
) -> None:
    words = {**settings_, "trigger": triggers, "condition": conditions, "action": actions}
    imported = import_automations(json.dumps([words]), "a.yaml")
    assert len(loaded(imported)) == 1
