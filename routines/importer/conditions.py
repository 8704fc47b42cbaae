"""Home Assistant's conditions as ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

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
from routines.vocabulary.conditions import Condition

_READ: TypeAdapter[object] = TypeAdapter(Condition)
_GROUPS = ("and", "or", "not")
_BASE = frozenset({"condition", "alias", "enabled"})
_HELD_ELSEWHERE = re.compile(r"(input_\w+|sensor|select|number|time|date|datetime)\.\w+")


class Conditions:
    """Carry conditions over.

    Parameters
    ----------
    renamed : mapping
        What the ids of triggers have become.
    """

    def __init__(self, expressions: Expressions, renamed: Mapping[str, list[str]]) -> None:
        self._expressions = expressions
        self._renamed = renamed
        self._kinds: Mapping[str, Callable[[Words], Words]] = {
            "device": _device,
            "numeric_state": self._numeric_state,
            "state": self._state,
            "sun": _sun,
            "template": self._template,
            "time": _time,
            "trigger": self._trigger,
            "zone": _zone,
        }

    def carry(self, value: Json) -> Json:
        """Return a condition in the words of routines.

        Raises
        ------
        NotCarried
            There is none like it, or something inside it has none.
        """
        carried = self._carried(value)
        try:
            _READ.validate_python(carried)
        except ValidationError as error:
            message = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise NotCarried(f"a condition: {message}") from error
        return carried

    def _carried(self, value: Json) -> Json:
        if isinstance(value, str):
            return self._expressions.condition(value)
        if isinstance(value, bool):
            return "{{ true }}" if value else "{{ false }}"
        words = mapping(value, "a condition")
        group = next((word for word in _GROUPS if word in words), None)
        kind = group or words.get("condition")
        base = _base(words)
        if kind in _GROUPS:
            parts = listed(words.get(str(kind), words.get("conditions")))
            return {**base, str(kind): [self._carried(part) for part in parts]}
        carry = self._kinds.get(str(kind))
        if carry is None:
            raise NotCarried(f"the condition '{kind}' is not known here; use a state or template condition")
        return base | carry({key: item for key, item in words.items() if key not in _BASE})

    def _state(self, words: Words) -> Words:
        only(words, {"entity_id", "state", "attribute", "match", "for"}, "a state condition")
        states = listed(words.get("state"))
        for state in states:
            if isinstance(state, str) and _HELD_ELSEWHERE.fullmatch(state):
                raise NotCarried(f"a state condition that compares with {state}; use a template condition")
        found: Words = {
            "condition": "state",
            "entity_id": one_or_many(entity_list(words.get("entity_id"))),
            "state": states[0] if len(states) == 1 else states,
        }
        found |= {key: words[key] for key in ("attribute", "match") if words.get(key) is not None}
        if words.get("for") is not None:
            found["for"] = duration(words["for"])
        return found

    def _numeric_state(self, words: Words) -> Words:
        known = {"entity_id", "above", "below", "attribute", "value_template"}
        only(words, known, "a numeric_state condition")
        found: Words = {
            "condition": "numeric_state",
            "entity_id": one_or_many(entity_list(words.get("entity_id"))),
        }
        for limit in ("above", "below"):
            if words.get(limit) is not None:
                found[limit] = number_or_entity(words[limit])
        if words.get("attribute") is not None:
            found["attribute"] = words["attribute"]
        if words.get("value_template") is not None:
            found["value_template"] = self._expressions.text(str(words["value_template"]))
        return found

    def _template(self, words: Words) -> Words:
        only(words, {"value_template"}, "a template condition")
        template = self._expressions.condition(str(words.get("value_template")))
        return {"condition": "template", "value_template": template}

    def _trigger(self, words: Words) -> Words:
        only(words, {"id"}, "a trigger condition")
        ids = [new for old in listed(words.get("id")) for new in self._renamed.get(str(old), [str(old)])]
        return {"condition": "trigger", "id": one_or_many(ids)}


def _base(words: Words) -> Words:
    base: Words = {}
    if words.get("alias") is not None:
        base["alias"] = str(words["alias"])
    if "enabled" in words:
        base["enabled"] = flag(words["enabled"], "enabled")
    return base


def _sun(words: Words) -> Words:
    only(words, {"after", "before", "after_offset", "before_offset"}, "a sun condition")
    if words.get("after") == "sunset" and words.get("before") == "sunrise":
        # There it never holds, as no instant of a day lies after its sunset and before its sunrise.
        raise NotCarried("after sunset and before sunrise, which never holds there; here it is the night")
    found: Words = {"condition": "sun"}
    for key in ("after", "before"):
        if words.get(key) is not None:
            found[key] = words[key]
        if words.get(f"{key}_offset") is not None:
            found[f"{key}_offset"] = signed_duration(words[f"{key}_offset"])
    return found


def _time(words: Words) -> Words:
    only(words, {"after", "before", "weekday"}, "a time condition")
    for key in ("after", "before"):
        value = words.get(key)
        if value is not None and not (isinstance(value, str) and value[:1].isdigit()):
            raise NotCarried(f"a time that is kept elsewhere ({value}); write the time of day itself")
    return {"condition": "time", **{key: item for key, item in words.items() if item is not None}}


def _zone(words: Words) -> Words:
    only(words, {"entity_id", "zone", "state"}, "a zone condition")
    zones = listed(words.get("zone", words.get("state")))
    if zones != ["zone.home"]:
        raise NotCarried("a zone condition; use a state condition with the name of the zone")
    return {
        "condition": "state",
        "entity_id": one_or_many(entity_list(words.get("entity_id"))),
        "state": "home",
    }


_DEVICE_STATES = {
    "is_on": "on",
    "is_off": "off",
    "is_open": "open",
    "is_closed": "closed",
    "is_locked": "locked",
}


def _device(words: Words) -> Words:
    state = _DEVICE_STATES.get(str(words.get("type")))
    entity_id = words.get("entity_id")
    if state is None or not isinstance(entity_id, str) or "." not in entity_id:
        raise NotCarried("a condition of a device; use a state condition of its entity")
    only(words, {"type", "entity_id", "device_id", "domain"}, "a condition of a device")
    return {"condition": "state", "entity_id": entity_list(entity_id)[0], "state": state}
