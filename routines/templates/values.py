"""What a template computes with: JSON, instants, and the two ways of not knowing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from routines.facts import Json
from routines.home import Home

MAX_TEXT = 16_384
"""Longest text that a template may make; repeated doubling must not fill the memory."""
MAX_SIZE = 65_536
"""Most items and characters of a result, whatever holds them."""
MAX_ITEMS = 1_000
MAX_NUMBER = 10**15
"""Beyond this, whole numbers would grow without bound, and floats lose their last digit."""


class TemplateFailed(Exception):
    """A template was written for other values than it met; the author has to correct it."""


class NotKnown(Exception):
    """A template needs a value that is not known now."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A name or key that is not there; only ``default`` and ``is defined`` accept it."""

    what: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The state of an entity that is ``unknown`` or ``unavailable``: no value to compute with."""

    entity_id: str
    state: str


Value = (
    None | bool | int | float | str | datetime | Missing | Unknown | Sequence["Value"] | Mapping[str, "Value"]
)


class Scope(Protocol):
    """What a template can see."""

    @property
    def variables(self) -> Mapping[str, Value]:
        """Names of the run: ``trigger``, ``wait``, ``repeat`` and the routine's own."""

    @property
    def home(self) -> Home:
        """States of entities and rooms."""

    @property
    def now(self) -> datetime:
        """The local time of the house."""


def known(value: Value) -> Value:
    """Return a value that says something.

    Raises
    ------
    NotKnown
        It is missing or unknown.
    """
    if isinstance(value, Missing):
        raise NotKnown(f"{value.what} is not there; give it a default: | default(...)")
    if isinstance(value, Unknown):
        raise NotKnown(f"{value.entity_id} is {value.state}")
    return value


def bounded(value: Value) -> Value:
    """Return a value that is not too large.

    Raises
    ------
    TemplateFailed
        A text, a list or a number is.
    """
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise TemplateFailed(f"a text of {len(value)} characters is too long (at most {MAX_TEXT})")
    if isinstance(value, int | float) and not abs(value) <= MAX_NUMBER:  # nor is nan
        raise TemplateFailed("a number is too large")
    if isinstance(value, list | tuple | dict) and len(value) > MAX_ITEMS:
        raise TemplateFailed(f"a list of {len(value)} items is too long (at most {MAX_ITEMS})")
    return value


_MAX_DEPTH = 50


def parse_json(text: str) -> Json:
    """Return what a JSON text says; it may come from anybody.

    Raises
    ------
    ValueError
        It is no JSON, or nested so deeply that what walks through it would not come back.
    """
    try:
        content: Json = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    level: list[Json] = [content]
    for _ in range(_MAX_DEPTH):
        level = [part for one in level for part in _parts(one)]
    if level:
        raise ValueError(f"nested deeper than {_MAX_DEPTH} levels")
    return content


def _parts(value: Json) -> Iterable[Json]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def number(value: Value, what: str) -> int | float:
    """Return a number as it is.

    Raises
    ------
    TemplateFailed
        It is no number, or too large; texts are not turned into numbers unasked.
    """
    value = known(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TemplateFailed(f"{what} needs a number, not {shown(value)}; use | float or | int")
    bounded(value)
    return value


def text(value: Value) -> str:
    """Return a value as it is written in the middle of a text."""
    match known(value):
        case str(words):
            return words
        case bool(flag):
            return "True" if flag else "False"
        case datetime() as instant:
            return instant.isoformat()
        case other:
            return str(other)


def shown(value: Value) -> str:
    """Return a value as it stands in a message, cut short."""
    words = repr(value.isoformat() if isinstance(value, datetime) else value)
    return words if len(words) <= 40 else f"{words[:37]}..."


def is_something(value: Value) -> bool:
    """Return what ``if``, ``and``, ``or`` and ``not`` inside a template take for true, as Jinja does.

    Raises
    ------
    NotKnown
        The value is missing or unknown.
    """
    return bool(known(value))


_TRUE = frozenset({"true", "on", "yes", "1", "enable"})
_FALSE = frozenset({"false", "off", "no", "0", "disable", ""})


def is_true(value: Value) -> bool:
    """Return the yes or no that a condition means.

    Raises
    ------
    TemplateFailed
        The value is a text that means neither.
    NotKnown
        The value is missing or unknown.
    """
    value = known(value)
    if isinstance(value, str):
        word = value.strip().lower()
        if word not in _TRUE | _FALSE:
            raise TemplateFailed(f"{shown(value)} is neither yes nor no; compare it with something")
        return word in _TRUE
    return bool(value)
