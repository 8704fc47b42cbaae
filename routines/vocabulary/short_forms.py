"""The short forms in which actions may be written, and what they stand for."""

from __future__ import annotations

from collections.abc import Mapping

from routines.templates.template import is_template

_SPEECH_KEYS = frozenset({"speaker", "room", "volume", "spatial"})
_COMMANDS = ("enable_routine", "disable_routine", "run_routine")


def as_written_out(value: object) -> object:
    """Return the short forms of an action in full.

    A text after ``say`` or ``play`` with its volume beside it, ``service`` for ``action``, ``wait_template``,
    ``mqtt.publish``, a bare condition, ``scene: scene.evening``.
    """
    if isinstance(value, str):
        return {"condition": value}
    if not isinstance(value, dict):
        return value
    for short, expand in _SHORT_FORMS.items():
        if short in value:
            return expand(value)
    return value


def _without(words: Mapping[str, object], *keys: str) -> dict[str, object]:
    return {key: item for key, item in words.items() if key not in keys}


def _speech(words: dict[str, object], kind: str, text_key: str, other_name: str) -> object:
    content = words[kind]
    beside = {key: item for key, item in words.items() if key in _SPEECH_KEYS}
    if isinstance(content, str):
        content = {text_key: content}
    if not isinstance(content, dict):
        return words
    if other_name in content and text_key not in content:
        content = {**_without(content, other_name), text_key: content[other_name]}
    return {**_without(words, *beside), kind: {**beside, **content}}


def _notice(words: dict[str, object]) -> object:
    content = words["notify"]
    return {**words, "notify": {"message": content}} if isinstance(content, str) else words


def _call(words: dict[str, object]) -> object:
    name = words.get("action", words.get("service"))
    rest = _without(words, "action", "service")
    if name == "mqtt.publish" and isinstance(rest.get("data"), dict):
        return {**_without(rest, "data", "target"), "publish": rest["data"]}
    if "entity_id" in rest and "target" not in rest:
        rest = {**_without(rest, "entity_id"), "target": {"entity_id": rest["entity_id"]}}
    return {**rest, "action": name}


def _bare_condition(words: dict[str, object]) -> object:
    base = {key: item for key, item in words.items() if key == "continue_on_error"}
    rest = _without(words, "continue_on_error")
    if isinstance(words.get("condition"), str) and "enabled" not in words:
        return {**base, "condition": (rest,)}
    return {**base, "enabled": words.get("enabled", True), "condition": (_without(rest, "enabled"),)}


def _condition(words: dict[str, object]) -> object:
    """Tell a condition as Home Assistant writes it from a list of conditions."""
    content = words["condition"]
    is_ours = isinstance(content, list | tuple | dict) or is_template(content) or len(words) == 1
    return words if is_ours else _bare_condition(words)


def _command(words: dict[str, object]) -> object:
    if "do" in words:
        return words
    do = next(command for command in _COMMANDS if command in words)
    return {**_without(words, do), "do": do, "routine": words[do]}


_SHORT_FORMS = {
    "say": lambda words: _speech(words, "say", "text", "message"),
    "play": lambda words: _speech(words, "play", "source", "file"),
    "notify": _notice,
    "service": _call,
    "action": _call,
    "wait_template": lambda words: {**_without(words, "wait_template"), "wait_for": words["wait_template"]},
    "scene": lambda words: _call(
        {**_without(words, "scene"), "action": "scene.turn_on", "target": {"entity_id": words["scene"]}}
    ),
    "condition": _condition,
    "and": _bare_condition,
    "or": _bare_condition,
    "not": _bare_condition,
    **dict.fromkeys(_COMMANDS, _command),
}
