"""The JSON Schema of routine files accepts what the models accept, and refuses what they refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pytest

from routines.facts import Json
from routines.load import load_routines
from routines.positions import YamlDocument, parse_yaml
from routines.schema import routine_schema

SCHEMA = routine_schema()

EVENING = """
version: 1
routines:
  - id: kitchen_presence_lights
    alias: Kitchen lights follow people
    description: On when someone is there in the dark, off after 10 quiet minutes.
    mode: restart
    max_exceeded: silent
    on_restart: resume
    suppress: {for: "00:02:00", scope: trigger, except: [clear]}
    active:
      - {after: "06:30", before: "23:30", weekday: [mon, tue, wed, thu, fri]}
      - {after: "08:00", before: "00:30", weekday: [sat, sun], weekday_of: window_start}
    triggers:
      - {trigger: presence, id: arrive, room: kitchen, to: detected, level: any, min_confidence: 0.7}
      - trigger: presence
        id: clear
        room: kitchen
        to: not_detected
        for: "00:10:00"
        ignore_own_motion: "00:00:05"
    actions:
      - choose:
          - conditions:
              - {condition: trigger, id: arrive}
              - {condition: sun, after: sunset, after_offset: "-00:30:00"}
              - {condition: state, entity_id: light.kitchen, state: "off"}
            sequence:
              - action: light.turn_on
                target: {area_id: kitchen}
                data: {brightness_pct: "{{ 20 if now().hour >= 22 else 80 }}"}
                retry: {times: 2, delay: "00:00:02"}
                continue_on_error: true
          - conditions: [{condition: trigger, id: clear}]
            sequence:
              - {action: light.turn_off, target: {area_id: kitchen}}
    tests:
      - name: off only after ten empty minutes, even across a restart
        at: "2026-11-20T21:00:00"
        given: {light.kitchen: "on", presence.kitchen: detected}
        when:
          - {presence: kitchen, to: not_detected}
          - {advance: "00:06:00"}
          - {restart: "00:01:00"}
          - {expect: {calls: []}}
        expect:
          calls: [{action: light.turn_off, target: {area_id: kitchen}}]
      - name: second arrival inside two minutes is suppressed and says so
        at: "2026-11-20T21:00:00"
        given: {light.kitchen: "off", presence.kitchen: not_detected}
        when:
          - {presence: kitchen, to: detected}
          - {set: {light.kitchen: "off"}}
        expect:
          calls_count: 1
          verdicts: {arrive: [fired, suppressed]}
"""
MOVIE = """
version: 1
lists:
  movie: {wildcard: true}
  minutes: {range: {from: 1, to: 180}}
routines:
  - id: movie_time
    alias: Movie time
    mode: queued
    max: 3
    triggers:
      - trigger: voice
        id: start
        phrases:
          - "[start|begin] movie time [in [the] {area}]"
          - "(watch|play) {movie} [in [the] {area}]"
          - "we're going to watch {movie} [for {minutes} minutes]"
        match: {fuzzy: 0.85, confirm_below: 0.93}
        rooms: any
      - {trigger: mqtt, id: app, topic: roomwise/v1/set/routine/movie_time/run, max_age: "00:00:30"}
      - trigger: time
        id: friday
        at: "20:30:00"
        weekday: fri
        dst: {gap: next_valid, overlap: first}
        catch_up: "00:15:00"
    variables:
      room: "{{ trigger.slots.area | default(trigger.room) | default('living_room') }}"
      title: "{{ trigger.slots.movie | default('') }}"
    conditions:
      - or:
          - {condition: trigger, id: [start, app]}
          - {condition: presence, room: living_room, state: detected, for: "00:05:00"}
    restore: {targets: {area_id: "{{ room }}"}, when: run_end}
    actions:
      - alias: Prepare the room
        parallel:
          - action: light.turn_on
            target: {area_id: "{{ room }}"}
            data: {brightness_pct: 10, transition: 4}
          - sequence:
              - if: [{condition: state, entity_id: cover.blinds, state: open}]
                then: [{action: cover.close_cover, target: {entity_id: cover.blinds}}]
      - if: "{{ title != '' }}"
        then:
          - action: media_player.search_media
            target: {entity_id: media_player.tv}
            data: {search_query: "{{ title }}"}
            response_variable: found
            continue_on_error: true
      - say: "{{ 'Playing ' ~ title if title else 'Enjoy the film' }}"
        speaker: same_room
        volume: 35
        spatial: {from: "{{ trigger.azimuth | default(0) }}"}
      - wait_for_trigger:
          - {trigger: state, entity_id: media_player.tv, to: ["idle", "off"], for: "00:01:00"}
          - {trigger: presence, room: "{{ room }}", to: not_detected, for: "00:20:00"}
        timeout: "04:00:00"
        continue_on_timeout: false
      - repeat:
          count: 3
          sequence:
            - action: light.turn_on
              target: {area_id: "{{ room }}"}
              data: {brightness_pct: "{{ repeat.index * 20 }}"}
            - delay: "00:00:05"
      - stop: done
    tests:
      - name: slots reach the action and the reply comes from the room that heard it
        when:
          - {say: "watch blade runner in the living room", heard_by: kitchen_hub}
        expect:
          slots: {movie: blade runner, area: living_room}
          said: {text: Playing blade runner, speaker: kitchen_hub}
"""
ACTIONS = [
    "{say: hello}",
    "{say: {message: hello, volume: 20}}",
    "{say: hello, speaker: [a, b], volume: '{{ 5 }}'}",
    "{play: bell.wav, volume: 0.5}",
    "{play: {file: bell.wav}}",
    "{notify: hello}",
    "{notify: {message: hello, title: x}}",
    "{service: light.turn_on, entity_id: light.a}",
    "{action: mqtt.publish, data: {topic: a, payload: {b: 1}}}",
    "{publish: {topic: a, payload: [1]}, retry: {times: 2}}",
    "{wait_template: \"{{ is_state('a.b', 'on') }}\", timeout: 5}",
    "{wait_for: {condition: state, entity_id: a.b, state: on}}",
    "{wait_for_trigger: {platform: state, entity_id: a.b}}",
    "{scene: scene.evening}",
    "{condition: state, entity_id: a.b, state: 'on', continue_on_error: true}",
    '{condition: "{{ true }}"}',
    "{condition: [{condition: state, entity_id: a.b, state: 'on'}], alias: both}",
    "{or: [\"{{ true }}\", {condition: time, after: '07:00'}]}",
    '"{{ now().hour > 7 }}"',
    "{enable_routine: a}",
    "{disable_routine: b, alias: x}",
    "{run_routine: a}",
    "{do: run_routine, routine: a}",
    '{choose: [{conditions: "{{ true }}", sequence: {say: x}}], default: {say: y}}',
    "{if: true, then: {say: x}, else: {say: y}}",
    "{if: [{not: [{condition: presence, room: hall, present: true}]}], then: []}",
    '{repeat: {while: "{{ x }}", sequence: {say: x}}}',
    "{repeat: {for_each: [1, 2], sequence: [{say: x}]}}",
    "{parallel: [{say: x}, [{say: y}], {sequence: [{say: z}], alias: z}]}",
    "{parallel: [{repeat: {count: 1, sequence: []}}]}",
    "{sequence: [{say: x}]}",
    "{variables: {a: 1}}",
    "{event: x, event_data: {a: 1}}",
    "{delay: {minutes: 5}}",
    "{delay: 5 min}",
    "{restore: {when: now}}",
    "{stop: x, error: true}",
]
TRIGGERS = [
    "{platform: state, entity_id: [a.b], to: on}",
    "{trigger: state, entity_id: a.b, to: null, for: '{{ 5 }}'}",
    "{trigger: conversation, command: [hello]}",
    "{trigger: voice, phrases: hello, room: hall}",
    "{trigger: zone, entity_id: person.a, zone: zone.home, event: enter}",
    "{trigger: homeassistant, event: start}",
    "{platform: hub_start}",
    "{trigger: cron, schedule: '0 7 * * *'}",
    "{trigger: cron, at: '0 7 * * *'}",
    "{trigger: time_pattern, minutes: /5}",
    "{trigger: time, at: ['07:00', '2026-01-05 10:00:00']}",
    "{trigger: sun, event: sunset, offset: -600}",
    "{trigger: numeric_state, entity_id: a.b, above: 5, below: sensor.x}",
    "{trigger: presence, level: major, room: [a, b]}",
]
REFUSED_ACTIONS = [
    "{say: hello, loud: true}",
    "{action: light}",
    "{action: light.turn_on, service: light.turn_on, colour: red}",
    "{nothing: 1}",
    "{delay: [1]}",
    "{repeat: {count: 20000, sequence: []}}",
    "{repeat: {count: 1}}",
    "{if: [], then: [{say: x}]}",
    "{choose: [{conditions: []}]}",
    "{choose: [{conditions: [], sequence: [{saay: x}]}]}",
    "{condition: state, entity_id: a.b}",
    "{condition: weather, state: x}",
    "{if: [], then: [{say: x, to: y}]}",
    "{publish: {payload: x}}",
    "{enable_routine: 'not an id'}",
    "{do: burn_routine, routine: a}",
    "{parallel: [{sequence: [{say: x}], wrong: 1}]}",
    "7",
]
REFUSED_TRIGGERS = [
    "{trigger: state}",
    "{trigger: state, entity_id: a.b, two: x}",
    "{trigger: moon}",
    "{entity_id: a.b}",
    "{trigger: presence, to: gone}",
    "{trigger: presence, min_confidence: 2}",
    "{trigger: voice, phrases: []}",
    "{trigger: cron}",
    "{trigger: sun, event: noon}",
]


def document(yaml: str) -> Json:
    read = parse_yaml(yaml, "x.yaml")
    assert isinstance(read, YamlDocument)
    return read.data


def with_action(action: str) -> str:
    return f"version: 1\nroutines:\n  - id: a\n    actions:\n      - {action}\n"


def with_trigger(trigger: str) -> str:
    return f"version: 1\nroutines:\n  - id: a\n    triggers:\n      - {trigger}\n    actions: [{{say: x}}]\n"


def fits(value: Json, schema: Json, root: Mapping[str, Json] = SCHEMA) -> bool:
    """Check the part of JSON Schema that is used here; unknown keywords are a mistake of the test."""
    assert isinstance(schema, dict)
    assert schema.keys() <= _KNOWN, schema.keys() - _KNOWN
    if "$ref" in schema:
        parts = root["$defs"]
        assert isinstance(parts, dict)
        if not fits(value, parts[str(schema["$ref"]).rpartition("/")[2]], root):
            return False
    groups = {key: [fits(value, one, root) for one in _parts(schema, key)] for key in _GROUPS}
    if ("anyOf" in schema and not any(groups["anyOf"])) or not all(groups["allOf"]):
        return False
    if "oneOf" in schema and sum(groups["oneOf"]) != 1:
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if "enum" in schema and value not in schema["enum"]:  # type: ignore[operator]
        return False
    return _fits_type(value, schema, root)


def _parts(schema: dict[str, Json], key: str) -> list[Json]:
    parts = schema.get(key, [])
    assert isinstance(parts, list)
    return parts


_GROUPS = ("anyOf", "oneOf", "allOf")
_KNOWN = frozenset(
    {
        "$ref",
        "$defs",
        "$schema",
        "title",
        "description",
        "default",
        "anyOf",
        "oneOf",
        "allOf",
        "const",
        "enum",
    }
    | {"type", "properties", "required", "additionalProperties", "patternProperties", "items", "pattern"}
    | {"minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum"}
)
_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}


def _fits_type(value: Json, schema: dict[str, Json], root: Mapping[str, Json]) -> bool:
    kind = schema.get("type")
    if kind is not None and (
        not isinstance(value, _TYPES[str(kind)])
        or (isinstance(value, bool) and kind in ("integer", "number"))
    ):
        return False
    match value:
        case str():
            return len(value) >= int(str(schema.get("minLength", 0))) and bool(
                re.search(str(schema.get("pattern", "")), value)
            )
        case bool() | None:
            return True
        case int() | float():
            return (
                float(str(schema.get("minimum", "-inf"))) <= value <= float(str(schema.get("maximum", "inf")))
            )
        case list():
            items = schema.get("items", {})
            return len(value) >= int(str(schema.get("minItems", 0))) and all(
                fits(one, items, root) for one in value
            )
        case dict():
            return _fits_object(value, schema, root)


def _fits_object(value: dict[str, Json], schema: dict[str, Json], root: Mapping[str, Json]) -> bool:
    properties, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    others, required = schema.get("additionalProperties", {}), schema.get("required", [])
    assert isinstance(properties, dict)
    assert isinstance(patterns, dict)
    assert isinstance(required, list)
    for key, item in value.items():
        found = [properties[key]] if key in properties else []
        found += [part for pattern, part in patterns.items() if re.search(pattern, key)]
        if not found and others is False:
            return False
        if not all(
            fits(item, part, root) for part in found or ([others] if isinstance(others, dict) else [])
        ):
            return False
    return all(key in value for key in required)


@pytest.mark.parametrize("text", [EVENING, MOVIE], ids=["evening", "movie"])
def test_the_reference_examples_fit_the_schema_and_load(text: str) -> None:
    assert load_routines(text, "x.yaml")[1] == []
    assert fits(document(text), SCHEMA)


@pytest.mark.parametrize("yaml", [*map(with_action, ACTIONS), *map(with_trigger, TRIGGERS)])
def test_short_forms_and_other_words_fit_the_schema_and_load(yaml: str) -> None:
    assert load_routines(yaml, "x.yaml")[1] == []
    assert fits(document(yaml), SCHEMA)


@pytest.mark.parametrize("yaml", [*map(with_action, REFUSED_ACTIONS), *map(with_trigger, REFUSED_TRIGGERS)])
def test_what_the_models_refuse_does_not_fit_the_schema(yaml: str) -> None:
    assert load_routines(yaml, "x.yaml")[1] != []
    assert not fits(document(yaml), SCHEMA)


@pytest.mark.parametrize(
    "yaml",
    [
        "{version: 2}",
        "{version: 1, routine: []}",
        "{version: 1, routines: [{id: a, actions: [], colour: red}]}",
        "{version: 1, lists: {Big: {wildcard: true}}}",
        "{version: 1, routines: [{id: a, actions: [{say: x}], conditions: [{or: [], retry: {}}]}]}",
    ],
)
def test_unknown_keys_and_wrong_values_of_the_file_do_not_fit(yaml: str) -> None:
    assert load_routines(yaml, "x.yaml")[1] != []
    assert not fits(document(yaml), SCHEMA)


def test_every_part_says_what_it_is() -> None:
    parts = SCHEMA["$defs"]
    assert isinstance(parts, dict)
    silent = [name for name, part in parts.items() if isinstance(part, dict) and not part.get("description")]
    assert silent == ["JsonValue"]


def test_the_schema_is_plain_json_and_names_its_draft() -> None:
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
