"""Parse YAML and remember where everything stood, so that problems can name a line and a column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from io import StringIO

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StreamMark, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from routines.facts import Json
from routines.problems import Problem
from routines.templates.template import TemplateProblem

MAX_BYTES = 65_536
"""Larger files are refused before they are parsed."""
_MAX_DEPTH = 100
"""Deeper files are refused while they are parsed: the parser's time grows with the square of the depth."""
_TOO_DEEP = f"nested too deeply (at most {_MAX_DEPTH} levels)"
_DEEP_AT_ONCE = re.compile(rf"(?:[\[{{]\s*){{{_MAX_DEPTH + 1}}}")
"""Before it tells of the first bracket, the parser looks a thousand characters ahead for a colon."""
_MOST_PROBLEMS = 100
_LONGEST_INTEGER = 100

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL_FLOATS = {".inf": float("inf"), "-.inf": float("-inf"), "+.inf": float("inf"), ".nan": float("nan")}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a key or item stood, counted from zero, what stood inside it, and where its text began."""

    line: int = 0
    column: int = 0
    parts: dict[str | int, _Place] = field(default_factory=dict)
    text: tuple[int, int] | None = None


class YamlDocument:
    """A parsed file: plain data, and the place of every key and item.

    Attributes
    ----------
    data : Json
        Mappings, lists and scalars.
    """

    def __init__(self, file: str, data: Json, places: _Place) -> None:
        self.file = file
        self.data = data
        self._places = places

    def problem(
        self,
        path: Sequence[str | int],
        message: str,
        hint: str = "",
        *,
        inside: tuple[int, int] | None = None,
    ) -> Problem:
        """Return a problem at ``path``; parts that are no keys (union tags) are skipped.

        Parameters
        ----------
        inside : tuple of int or None
            Line and column in the text that stands there, from zero, if the problem is in the text.
        """
        place = self._places
        for part in path:
            place = place.parts.get(part, place)
        line, column = place.line, place.column
        if inside is not None and place.text is not None:
            line = place.text[0] + inside[0]
            column = inside[1] + (place.text[1] if inside[0] == 0 else 0)
        return Problem(file=self.file, line=line + 1, column=column + 1, message=message, hint=hint)


class _NotAccepted(Exception):
    """Something that YAML allows and our files do not."""

    def __init__(self, mark: StreamMark, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.mark = mark
        self.hint = hint


def parse_yaml(text: str, file: str, *, most_values: int | None = None) -> YamlDocument | Problem:
    """Parse a YAML file; duplicate keys, aliases and files above 64 KiB are problems.

    Parameters
    ----------
    most_values : int or None
        More mappings, lists and scalars than these are a problem too.
    """
    if len(text.encode(errors="replace")) > MAX_BYTES:
        return Problem(file=file, line=1, column=1, message="the file is larger than 64 KiB", hint="split it")
    if deep := _DEEP_AT_ONCE.search(text):
        line, column = (
            text.count("\n", 0, deep.start()),
            deep.start() - (text.rfind("\n", 0, deep.start()) + 1),
        )
        return Problem(file=file, line=line + 1, column=column + 1, message=f"not valid YAML: {_TOO_DEEP}")
    try:
        events = YAML(typ="safe", pure=True).parse(StringIO(text))
        data, places = _Reader(events, most_values).read()
        return YamlDocument(file, data, places)
    except _NotAccepted as error:
        line, column = error.mark.line + 1, error.mark.column + 1
        return Problem(file=file, line=line, column=column, message=str(error), hint=error.hint)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        message = f"not valid YAML: {error.problem or error.context}"
        hint = "quote text that holds ': ' or '#', indent with spaces"
        return Problem(file=file, line=line, column=column, message=message, hint=hint)
    except (YAMLError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else "not understood"
        return Problem(file=file, line=1, column=1, message=f"not valid YAML: {reason}")


class _Reader:
    """Makes data from the parser's events, one pass and nothing that a tag could call."""

    def __init__(self, events: Iterator[Event], most_values: int | None) -> None:
        self._events = events
        self._most_values = most_values
        self._values = 0
        self._depth = 0

    def read(self) -> tuple[Json, _Place]:
        """Return the data of the one document, and the places in it."""
        data: Json = None
        places = _Place()
        is_begun = False
        for event in self._events:
            if not isinstance(event, DocumentStartEvent):
                continue
            if is_begun:
                raise _NotAccepted(event.start_mark, "not valid YAML: a second document", "split the file")
            is_begun = True
            data, places = self._node(next(self._events))
        return data, _Place(parts=places.parts)

    def _node(self, event: Event) -> tuple[Json, _Place]:
        mark = event.start_mark
        self._values += 1
        if self._most_values is not None and self._values > self._most_values:
            message = f"the file holds more than {self._most_values} values"
            raise _NotAccepted(mark, message, "split it")
        if isinstance(event, ScalarEvent):
            return _scalar(event), _Place(mark.line, mark.column, text=_text_begins(event))
        place = _Place(mark.line, mark.column)
        if isinstance(event, AliasEvent):
            raise _NotAccepted(mark, "YAML aliases (*name) are not allowed")
        assert isinstance(event, SequenceStartEvent | MappingStartEvent)  # nothing else begins a node
        if event.tag is not None:
            raise _NotAccepted(mark, f"the tag {event.tag} is not allowed here")
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _NotAccepted(mark, f"not valid YAML: {_TOO_DEEP}")
        data = self._items(place) if isinstance(event, SequenceStartEvent) else self._pairs(place)
        self._depth -= 1
        return data, place

    def _items(self, place: _Place) -> list[Json]:
        found: list[Json] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            value, place.parts[len(found)] = self._node(event)
            found.append(value)
        return found

    def _pairs(self, place: _Place) -> dict[str, Json]:
        found: dict[str, Json] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            mark = event.start_mark
            if not isinstance(event, ScalarEvent):
                raise _NotAccepted(mark, "not valid YAML: a key must be a word", "quote text with braces")
            key = str(event.value)
            if key in found:
                raise _NotAccepted(mark, f"not valid YAML: the key '{key}' stands here twice")
            found[key], inside = self._node(next(self._events))
            place.parts[key] = _Place(mark.line, mark.column, inside.parts, inside.text)
        return found


def _text_begins(event: ScalarEvent) -> tuple[int, int]:
    """Return the line and column of a scalar's first character: behind its quote, below its ``|``."""
    mark = event.start_mark
    if event.style in ("|", ">"):
        return mark.line + 1, 0
    return mark.line, mark.column + (event.style in ("'", '"'))


def _scalar(event: ScalarEvent) -> Json:
    """Return what a scalar means in YAML 1.2: ``22:30``, ``on`` and dates are text."""
    text = str(event.value)
    if event.tag is not None and not str(event.tag).startswith("!") and not str(event.tag).endswith(":str"):
        raise _NotAccepted(event.start_mark, f"the tag {event.tag} is not allowed here")
    if event.tag is not None or not event.implicit[0]:
        return text
    if text in _NULLS:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.fullmatch(text) and len(text) <= _LONGEST_INTEGER:
        return int(text, 0 if text[1:2] in ("o", "x") else 10)
    if _FLOAT.fullmatch(text):
        return float(text)
    return _SPECIAL_FLOATS.get(text.lower(), text)


def problems_from(
    error: ValidationError, document: YamlDocument, known_words: Sequence[str] = ()
) -> list[Problem]:
    """Return the faults of a validation as problems with place and hint; of very many, the first ones."""
    faults = error.errors(include_url=False, include_input=False)
    problems = []
    for fault in faults[:_MOST_PROBLEMS]:
        path = list(fault["loc"])
        message, hint = fault["msg"].removeprefix("Value error, "), ""
        if fault["type"] == "extra_forbidden":
            message = f"unknown key '{path[-1]}'"
            close = get_close_matches(str(path[-1]), known_words, n=1)
            hint = f"did you mean '{close[0]}'?" if close else ""
        elif fault["type"] in ("model_type", "dict_type", "model_attributes_type"):
            message = "this has to be a mapping, lines like  key: value"
        elif fault["type"] == "missing":
            message = f"'{path[-1]}' is missing"
        elif fault["type"] == "union_tag_invalid":
            context = fault.get("ctx", {})
            message = f"'{context.get('tag')}' is not known here"
            hint = f"one of {context.get('expected_tags')}"
        error_inside = fault.get("ctx", {}).get("error")
        inside = error_inside.place if isinstance(error_inside, TemplateProblem) else None
        problems.append(document.problem(path, message, hint, inside=inside))
    if len(faults) > _MOST_PROBLEMS:
        message = f"and {len(faults) - _MOST_PROBLEMS} more problems from here"
        problems.append(document.problem(faults[_MOST_PROBLEMS]["loc"], message))
    return problems


def field_names(*models: type[BaseModel]) -> list[str]:
    """Return the words that may stand as keys of these models, for "did you mean"."""
    return sorted({field.alias or name for model in models for name, field in model.model_fields.items()})
