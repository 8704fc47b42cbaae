"""What the ``{slots}`` of spoken phrases may be: words, numbers, or anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from hassil.expression import Expression, Group, ListReference
from hassil.parse_expression import parse_sentence
from pydantic import AfterValidator, Discriminator, Field, JsonValue, Tag, model_validator

from routines.vocabulary.phrase import spoken_template
from routines.vocabulary.words import Word

_MOST_NUMBERS = 10_000
HOME_LISTS = frozenset({"area", "floor", "name"})
"""Lists that the home itself fills: its rooms, floors and things."""


def _spoken_value(text: str) -> str:
    """Return words of a list, which may hold choices and options but no other list."""
    if names := slot_names(spoken_template(text)):
        raise ValueError(f"the words of a list cannot hold the list {{{names[0]}}}")
    return text


SpokenWords = Annotated[str, AfterValidator(_spoken_value)]


class ListValue(Word):
    """What is said and what it means."""

    in_: Annotated[SpokenWords, Field(alias="in")]
    out: JsonValue


class WordList(Word):
    """One of these words or phrases."""

    values: Annotated[tuple[SpokenWords | ListValue, ...], Field(min_length=1, max_length=2_000)]


class Range(Word):
    """Whole numbers from ``from`` to ``to``."""

    from_: Annotated[int, Field(alias="from", ge=-1_000, le=1_000_000)]
    to: Annotated[int, Field(ge=-1_000, le=1_000_000)]
    step: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _goes_up(self) -> Range:
        if self.to < self.from_:
            raise ValueError("a range goes up: from must not be greater than to")
        if (self.to - self.from_) // self.step >= _MOST_NUMBERS:
            raise ValueError(f"a range holds at most {_MOST_NUMBERS} numbers; set a greater step")
        return self


class RangeList(Word):
    """A number."""

    range: Range


class WildcardList(Word):
    """Any words at all."""

    wildcard: Literal[True]


def _kind(value: object) -> str | None:
    kinds = ("values", "range", "wildcard")
    if isinstance(value, dict):
        return next((kind for kind in kinds if kind in value), None)
    return next((kind for kind in kinds if hasattr(value, kind)), None)


List = Annotated[
    Annotated[WordList, Tag("values")]
    | Annotated[RangeList, Tag("range")]
    | Annotated[WildcardList, Tag("wildcard")],
    Discriminator(
        _kind,
        custom_error_type="unknown_list",
        custom_error_message="a list has values: […], range: {from, to} or wildcard: true",
    ),
]
Lists = dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")], List]


def slot_names(phrase: str) -> list[str]:
    """Return the names of the lists that a phrase refers to."""
    waiting: list[Expression] = [parse_sentence(phrase).expression]
    names: list[str] = []
    while waiting:
        match waiting.pop():
            case Group(items=items):
                waiting += items
            case ListReference(is_inline_range=False, list_name=name):
                names.append(name)
    return names


def undefined_lists(phrases: Iterable[str], lists: Mapping[str, List]) -> list[str]:
    """Return the lists that phrases refer to and nobody defines."""
    return [
        name
        for phrase in phrases
        for name in slot_names(phrase)
        if name not in lists and name not in HOME_LISTS
    ]
