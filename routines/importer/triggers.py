"""Home Assistant's triggers as ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from pydantic import TypeAdapter, ValidationError

from routines.facts import Json
from routines.importer.expressions import Expressions
from routines.importer.words import (
    NotCarried,
    Words,
    duration,
    entity_list,
    flag,
    listed,
    mapping,
    number_or_entity,
    one_or_many,
    only,
    signed_duration,
)
from routines.templates.template import is_template
from routines.vocabulary.lists import slot_names
from routines.vocabulary.triggers import Trigger

_BASE = frozenset({"id", "alias", "enabled", "variables", "trigger", "platform"})
_READ: TypeAdapter[object] = TypeAdapter(Trigger)
_INSTEAD: Mapping[str, str] = {
    "calendar": "use a time trigger, or an event that Home Assistant fires",
    "device": "use a state, event or mqtt trigger of the same device",
    "geo_location": "use a zone trigger of a person",
    "persistent_notification": "use a state or event trigger",
    "webhook": "use an mqtt trigger, or an automation in Home Assistant that fires an event",
}


def flattened(triggers: Json) -> list[Json]:
    """Return triggers without the lists in the list."""
    found: list[Json] = []
    for one in listed(triggers):
        nested = one.get("triggers") if isinstance(one, dict) else None
        found += flattened(nested) if nested is not None else [one]
    return found


def name_triggers(triggers: Sequence[Json], asked: frozenset[str]) -> tuple[list[Json], dict[str, list[str]]]:
    """Give each trigger its own id, and return what the old ids have become.

    Parameters
    ----------
    asked : frozenset of str
        Ids that conditions ask for; a trigger without one goes by its number in Home Assistant.
    """
    named: list[Json] = []
    renamed: dict[str, list[str]] = {}
    used: set[str] = set()
    said_ids = {str(one["id"]) for one in triggers if isinstance(one, dict) and one.get("id") is not None}
    for number, one in enumerate(triggers):
        if not isinstance(one, dict):
            named.append(one)
            continue
        said = one.get("id")
        old = str(said) if said is not None else str(number)
        if said is None and old not in asked:
            named.append(one)
            continue
        new, count = old, 1
        while new in used or (count > 1 and new in said_ids):
            count += 1
            new = f"{old}_{count}"
        used.add(new)
        renamed.setdefault(old, []).append(new)
        named.append({**one, "id": new})
    return named, renamed


def carry_trigger(value: Json, expressions: Expressions) -> Words:
    """Return a trigger in the words of routines.

    Raises
    ------
    NotCarried
        There is none like it.
    """
    words = mapping(value, "a trigger")
    kind = words.get("trigger", words.get("platform"))
    carry = _KINDS.get(str(kind))
    if carry is None:
        instead = _INSTEAD.get(str(kind), "write a trigger of your own for it")
        raise NotCarried(f"the trigger '{kind}' is not known here; {instead}")
    rest = {key: item for key, item in words.items() if key not in _BASE}
    found = carry(rest, expressions)
    carried: Words = {"trigger": found["trigger"], **_base(words, expressions), **found}
    try:
        _READ.validate_python(carried)
    except ValidationError as error:
        raise NotCarried(f"the trigger '{kind}': {_first(error)}") from error
    return carried


def _first(error: ValidationError) -> str:
    return error.errors()[0]["msg"].removeprefix("Value error, ")


def _base(words: Words, expressions: Expressions) -> Words:
    base: Words = {}
    if words.get("id") is not None:
        base["id"] = str(words["id"])
    if words.get("alias") is not None:
        base["alias"] = str(words["alias"])
    if "enabled" in words:
        base["enabled"] = flag(words["enabled"], "enabled")
    if words.get("variables"):
        base["variables"] = expressions.value(words["variables"])
    return base


def _held(words: Words, expressions: Expressions) -> Words:
    return {"for": expressions.value(duration(words["for"]))} if words.get("for") is not None else {}


_FROM_TO = ("from", "to", "not_from", "not_to")


def _state(words: Words, expressions: Expressions) -> Words:
    only(words, {"entity_id", *_FROM_TO, "attribute", "for"}, "a state trigger")
    kept = {key: words[key] for key in (*_FROM_TO, "attribute") if key in words}
    if kept.get("attribute", "") is None:
        del kept["attribute"]
    return {
        "trigger": "state",
        "entity_id": one_or_many(entity_list(words.get("entity_id"))),
        **kept,
        **_held(words, expressions),
    }


def _numeric_state(words: Words, expressions: Expressions) -> Words:
    only(
        words,
        {"entity_id", "above", "below", "attribute", "value_template", "for"},
        "a numeric_state trigger",
    )
    found: Words = {
        "trigger": "numeric_state",
        "entity_id": one_or_many(entity_list(words.get("entity_id"))),
    }
    for limit in ("above", "below"):
        if words.get(limit) is not None:
            found[limit] = number_or_entity(words[limit])
    if words.get("attribute") is not None:
        found["attribute"] = words["attribute"]
    if words.get("value_template") is not None:
        found["value_template"] = expressions.text(str(words["value_template"]))
    return found | _held(words, expressions)


def _sun(words: Words, _: Expressions) -> Words:
    only(words, {"event", "offset"}, "a sun trigger")
    offset = signed_duration(words.get("offset"))
    return {
        "trigger": "sun",
        "event": words.get("event"),
        **({} if offset in (None, 0) else {"offset": offset}),
    }


def _time(words: Words, _: Expressions) -> Words:
    only(words, {"at", "weekday"}, "a time trigger")
    at = listed(words.get("at"))
    for one in at:
        if not isinstance(one, str) or not one[:1].isdigit():
            raise NotCarried(f"a time that is kept elsewhere ({one}); write the time of day itself")
    weekday: Words = {"weekday": words["weekday"]} if words.get("weekday") is not None else {}
    return {"trigger": "time", "at": at[0] if len(at) == 1 else at, **weekday}


def _time_pattern(words: Words, _: Expressions) -> Words:
    only(words, {"hours", "minutes", "seconds"}, "a time_pattern trigger")
    return {"trigger": "time_pattern", **{key: item for key, item in words.items() if item is not None}}


def _template(words: Words, expressions: Expressions) -> Words:
    only(words, {"value_template", "for"}, "a template trigger")
    template = expressions.condition(str(words.get("value_template")))
    return {"trigger": "template", "value_template": template, **_held(words, expressions)}


def _event(words: Words, _: Expressions) -> Words:
    only(words, {"event_type", "event_data"}, "an event trigger")
    if any(is_template(part) for part in _texts([words.get("event_type"), words.get("event_data")])):
        raise NotCarried("an event trigger whose event is computed; write it out")
    data: Words = {"event_data": words["event_data"]} if words.get("event_data") else {}
    return {"trigger": "event", "event_type": words.get("event_type"), **data}


def _texts(value: Json) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for item in value.values() for text in _texts(item)]
        case list():
            return [text for item in value for text in _texts(item)]
        case _:
            return []


def _tag(words: Words, _: Expressions) -> Words:
    only(words, {"tag_id"}, "a tag trigger")
    tag = words.get("tag_id")
    if not isinstance(tag, str):
        raise NotCarried("a tag trigger for several tags; write an event trigger 'tag_scanned' for each")
    return {"trigger": "event", "event_type": "tag_scanned", "event_data": {"tag_id": tag}}


def _mqtt(words: Words, expressions: Expressions) -> Words:
    only(words, {"topic", "payload", "value_template", "qos", "encoding"}, "an mqtt trigger")
    found: Words = {"trigger": "mqtt", "topic": words.get("topic")}
    if any(is_template(words.get(key)) for key in ("topic", "payload")):
        raise NotCarried("an mqtt trigger whose topic or payload is computed; write it out")
    if words.get("payload") is not None:
        found["payload"] = str(words["payload"])
    if words.get("value_template") is not None:
        found["value_template"] = expressions.text(str(words["value_template"]))
    return found


def _conversation(words: Words, _: Expressions) -> Words:
    only(words, {"command"}, "a conversation trigger")
    return {"trigger": "voice", "phrases": listed(words.get("command"))}


def wildcards_of(trigger: Mapping[str, Json]) -> Words:
    """Return the lists that a voice trigger needs: in Home Assistant every slot takes any words.

    Raises
    ------
    NotCarried
        A slot has a name that lists may not have.
    """
    if trigger.get("trigger") != "voice":
        return {}
    names = [name for phrase in listed(trigger.get("phrases")) for name in slot_names(str(phrase))]
    for name in names:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name):
            raise NotCarried(f"a slot called {{{name}}}; use small letters")
    return {name: {"wildcard": True} for name in names}


def _homeassistant(words: Words, _: Expressions) -> Words:
    only(words, {"event"}, "a homeassistant trigger")
    if words.get("event") != "start":
        raise NotCarried("a trigger for Home Assistant's shutdown; the hub only knows its own start")
    return {"trigger": "hub", "event": "start"}


def _zone(words: Words, _: Expressions) -> Words:
    only(words, {"entity_id", "zone", "event"}, "a zone trigger")
    people = entity_list(words.get("entity_id"))
    if not all(person.startswith("person.") for person in people):
        raise NotCarried("a zone trigger of a device; use the person who carries it")
    return {
        "trigger": "location",
        "person": one_or_many(people),
        "zone": one_or_many(entity_list(words.get("zone"))),
        "event": words.get("event", "enter"),
    }


_KINDS: Mapping[str, Callable[[Words, Expressions], Words]] = {
    "conversation": _conversation,
    "event": _event,
    "homeassistant": _homeassistant,
    "mqtt": _mqtt,
    "numeric_state": _numeric_state,
    "state": _state,
    "sun": _sun,
    "tag": _tag,
    "template": _template,
    "time": _time,
    "time_pattern": _time_pattern,
    "zone": _zone,
}
