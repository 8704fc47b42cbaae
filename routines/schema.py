"""The shape of a routine file as JSON Schema, with which editors complete and check while one writes.

It is made from the models. What validators turn into the long form before the models see it, the short forms
and Home Assistant's words, the models cannot tell; it is added here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from routines.facts import Json
from routines.routine import RoutineFile

Schema = dict[str, Json]
_TEXT: Schema = {"type": "string"}
_CONDITION: Schema = {"$ref": "#/$defs/Condition"}
_ACTION: Schema = {"$ref": "#/$defs/Action"}
_UNIONS = {
    "StateTrigger": "Trigger",
    "StateCondition": "Condition",
    "CallAction": "Action",
    "WordList": "List",
}
"""Members by which the unions of the models are known."""
_MARKS: Mapping[str, str] = {
    "Action": "One thing to do; the key that names it says which: action, say, delay, choose …",
    "Condition": "What must hold: condition: … says which kind; or one of and, or, not; or a template.",
    "Trigger": "What starts the routine; trigger: … says which kind.",
    "List": "What a {slot} of a phrase may be.",
}


def routine_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of a routine file."""
    made = RoutineFile.model_json_schema(mode="validation")
    definitions = made.pop("$defs")
    unions: dict[str, Schema] = {}
    schema = _tidied({**made, "$defs": definitions}, unions)
    assert isinstance(schema, dict)
    parts = schema["$defs"]
    assert isinstance(parts, dict)
    parts |= {name: {"description": _MARKS[name], **union} for name, union in unions.items()}
    _accept_single_items(parts)
    _accept_short_conditions(parts)
    _accept_short_actions(parts)
    _accept_other_words(parts)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Routine file"}


def _tidied(value: Json, unions: dict[str, Schema]) -> Json:
    """Name each union once, and take out what says nothing: titles made from keys, OpenAPI's words."""
    if isinstance(value, list):
        return [_tidied(item, unions) for item in value]
    if not isinstance(value, dict):
        return value
    union = _union_name(value)
    if union is not None:
        members = value.get("oneOf")
        unions[union] = {"anyOf": _tidied(members, unions)}
        return {"$ref": f"#/$defs/{union}"}
    tidy: Schema = {}
    for key, item in value.items():
        if key in ("properties", "$defs", "patternProperties") and isinstance(item, dict):
            tidy[key] = {
                name: _without_title(_tidied(part, unions), name, key) for name, part in item.items()
            }
        elif key == "description" and isinstance(item, str):
            tidy[key] = re.sub(r"``", "`", " ".join(item.split()))
        elif key == "minLength" and value.get("type") != "string":
            # What is meant is the list; of a text in its place it says that it may not be empty.
            tidy |= {"minItems": item} if value.get("type") == "array" else {"minItems": item, key: item}
        elif key != "discriminator":
            tidy[key] = _tidied(item, unions)
    if "patternProperties" in tidy:
        tidy["additionalProperties"] = False
    return tidy


def _union_name(schema: Schema) -> str | None:
    members = schema.get("oneOf")
    if isinstance(members, list) and members and isinstance(members[0], dict):
        return _UNIONS.get(str(members[0].get("$ref", "")).rpartition("/")[2])
    return None


def _without_title(schema: Json, name: str, where: str) -> Json:
    if not isinstance(schema, dict):
        return schema
    rest = {key: item for key, item in schema.items() if key != "title"}
    return (
        {"title": re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize(), **rest}
        if where == "$defs"
        else rest
    )


def _properties(parts: Schema, name: str) -> Schema:
    """Return the keys of a model, to be changed in place."""
    part = parts[name]
    assert isinstance(part, dict)
    return _inside(part)


def _or_one(items: Json) -> Json:
    """Accept a list, or one item without the list."""
    return {"anyOf": [items, {"type": "array", "items": items}]}


_LISTS: Mapping[str, Sequence[str]] = {
    "Routine": ("conditions", "actions", "active"),
    "Choice": ("conditions", "sequence"),
    "ChooseAction": ("default",),
    "IfAction": ("then", "else"),
    "Loop": ("sequence",),
    "Branch": ("sequence",),
    "SequenceAction": ("sequence",),
    "ConditionAction": ("condition",),
    "AndCondition": ("conditions",),
    "OrCondition": ("conditions",),
    "NotCondition": ("conditions",),
    "Suppress": ("except",),
    "Expected": ("said", "notified", "played"),
}
"""Lists whose one item may stand without a list."""
_TESTS: Mapping[str, Sequence[str]] = {
    "IfAction": ("if",),
    "Loop": ("while", "until"),
    "WaitForAction": ("wait_for",),
}


def _accept_single_items(parts: Schema) -> None:
    for name, keys in _LISTS.items():
        properties = _properties(parts, name)
        for key in keys:
            properties[key] = _or_single(properties[key])
    for name, keys in _TESTS.items():
        for key in keys:
            tests: Json = {"type": "array", "items": _CONDITION, "minItems": 1}
            _properties(parts, name)[key] = {"anyOf": [_CONDITION, tests, {"type": "boolean"}]}
    _properties(parts, "ParallelAction")["parallel"] = {
        "type": "array",
        "items": {"anyOf": [{"$ref": "#/$defs/Branch"}, _ACTION, {"type": "array", "items": _ACTION}]},
    }
    verdicts: Json = {"type": "object", "additionalProperties": _or_one(_TEXT)}
    _properties(parts, "Expected")["verdicts"] = {"anyOf": [verdicts, {"type": "null"}]}


def _or_single(schema: Json) -> Json:
    choices = _choices(schema)
    single = [one["items"] for one in choices if isinstance(one, dict) and "items" in one]
    kept: Schema = {}
    if isinstance(schema, dict):
        kept = {key: schema[key] for key in ("description", "default") if key in schema}
    bare = [_bare(one) for one in choices]
    return {**kept, "anyOf": [*single, *bare]}


def _bare(schema: Json) -> Json:
    dropped = ("default", "description", "title")
    return {k: v for k, v in schema.items() if k not in dropped} if isinstance(schema, dict) else schema


def _choices(schema: Json) -> list[Json]:
    if isinstance(schema, dict) and isinstance(schema.get("anyOf"), list):
        return list(schema["anyOf"])  # type: ignore[arg-type]
    return [schema]


def _accept_short_conditions(parts: Schema) -> None:
    shared: Schema = {"alias": {"anyOf": [_TEXT, {"type": "null"}]}, "enabled": {"type": "boolean"}}
    groups: list[Json] = [
        _mapping({word: _or_one(_CONDITION), **shared}, word) for word in ("and", "or", "not")
    ]
    condition = parts["Condition"]
    assert isinstance(condition, dict)
    parts["Condition"] = {**condition, "anyOf": [*_choices(condition), *groups, {**_TEXT, "minLength": 1}]}
    _properties(parts, "PresenceCondition")["present"] = {"type": "boolean"}


def _mapping(properties: Schema, *required: str) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _accept_short_actions(parts: Schema) -> None:
    call = _properties(parts, "CallAction")
    call |= {"service": call["action"], "entity_id": _or_one(_TEXT)}
    _require_one(parts, "CallAction", "action", "service")
    _accept_content(parts, "SayAction", "say", "Speech", "text", "message")
    _accept_content(parts, "PlayAction", "play", "Sound", "source", "file")
    notify = _properties(parts, "NotifyAction")
    notify["notify"] = {"anyOf": [_TEXT, notify["notify"]]}
    _properties(parts, "WaitForAction")["wait_template"] = _TEXT
    _require_one(parts, "WaitForAction", "wait_for", "wait_template")
    _accept_commands(parts)
    shared = {
        key: call[key]
        for key in ("alias", "enabled", "continue_on_error", "retry", "data", "response_variable")
    }
    scene = _mapping({"scene": _TEXT, **shared}, "scene")
    action = parts["Action"]
    assert isinstance(action, dict)
    parts["Action"] = {**action, "anyOf": [*_choices(action), scene, *_conditions_as_actions(parts)]}


def _conditions_as_actions(parts: Schema) -> list[Json]:
    """Accept a condition among the actions; it may say what actions may: ``continue_on_error``."""
    found: list[Json] = []
    for one in _choices(parts["Condition"]):
        whole = parts[_name_of(one)] if _name_of(one) else one
        if isinstance(whole, dict) and isinstance(whole.get("properties"), dict):
            properties: Json = {**_inside(whole), "continue_on_error": {"type": "boolean"}}
            whole = {**whole, "properties": properties}
        found.append(whole)
    return found


def _inside(schema: Schema) -> Schema:
    properties = schema["properties"]
    assert isinstance(properties, dict)
    return properties


def _name_of(reference: Json) -> str:
    return str(reference.get("$ref", "")).rpartition("/")[2] if isinstance(reference, dict) else ""


def _accept_content(parts: Schema, model: str, key: str, content: str, text: str, other_text: str) -> None:
    """Accept a text instead of a mapping, with the rest of the mapping beside it."""
    inside, outside = _properties(parts, content), _properties(parts, model)
    inside[other_text] = inside[text]
    _require_one(parts, content, text, other_text)
    for beside in ("speaker", "room", "volume", "spatial"):
        if beside in inside:
            outside[beside] = inside[beside]
    part = parts[content]
    assert isinstance(part, dict)
    loose = {name: item for name, item in part.items() if name != "additionalProperties"}
    outside[key] = {"anyOf": [_TEXT, {**loose, "additionalProperties": False}]}


def _accept_commands(parts: Schema) -> None:
    properties = _properties(parts, "RoutineAction")
    commands = ("enable_routine", "disable_routine", "run_routine")
    properties |= dict.fromkeys(commands, properties["routine"])
    routine = parts["RoutineAction"]
    assert isinstance(routine, dict)
    del routine["required"]
    routine["oneOf"] = [{"required": ["do", "routine"]}, *_any_required(commands)]


def _require_one(parts: Schema, name: str, key: str, other: str) -> None:
    """Require one of two names of a key instead of the first."""
    part = parts[name]
    assert isinstance(part, dict)
    required = part.pop("required", [])
    assert isinstance(required, list)
    part["required"] = [one for one in required if one != key]
    ways = part.setdefault("allOf", [])
    assert isinstance(ways, list)
    ways.append({"oneOf": [{"required": [key]}, {"required": [other]}]})


_OTHER_KEYS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "VoiceTrigger": {"phrases": ("command",), "rooms": ("room",)},
    "LocationTrigger": {"person": ("entity_id",)},
    "CronTrigger": {"expression": ("schedule", "at")},
}
_OTHER_KINDS: Mapping[str, Sequence[str]] = {
    "VoiceTrigger": ("conversation",),
    "LocationTrigger": ("zone",),
    "HubTrigger": ("homeassistant", "hub_start"),
}


def _accept_other_words(parts: Schema) -> None:
    """Accept Home Assistant's names of triggers and of their keys."""
    for name in map(_name_of, _choices(parts["Trigger"])):
        properties = _properties(parts, name)
        kind = properties["trigger"]
        assert isinstance(kind, dict)
        properties["trigger"] = {"enum": [kind["const"], *_OTHER_KINDS.get(name, ())]}
        properties["platform"] = properties["trigger"]
        _require_one(parts, name, "trigger", "platform")
        for key, others in _OTHER_KEYS.get(name, {}).items():
            _accept_other_keys(parts, name, key, others)


def _accept_other_keys(parts: Schema, name: str, key: str, others: Sequence[str]) -> None:
    part, properties = parts[name], _properties(parts, name)
    assert isinstance(part, dict)
    properties |= dict.fromkeys(others, properties[key])
    required, ways = part["required"], part["allOf"]
    assert isinstance(required, list)
    assert isinstance(ways, list)
    if key in required:
        part["required"] = [one for one in required if one != key]
        ways.append({"anyOf": _any_required((key, *others))})


def _any_required(keys: Sequence[str]) -> list[Json]:
    return [{"required": [key]} for key in keys]
