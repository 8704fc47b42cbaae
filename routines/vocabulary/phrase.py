"""Phrases of voice triggers: templates that can be spoken as they stand."""

from __future__ import annotations

from typing import Annotated

from hassil.expression import Expression, Group, ListReference, RuleReference
from hassil.parse_expression import parse_sentence
from hassil.parser import ParseError
from pydantic import AfterValidator, BeforeValidator, Field

from routines.vocabulary.words import as_tuple


def spoken_template(text: str) -> str:
    """Return a template that can be spoken as it stands.

    Raises
    ------
    ValueError
        It cannot be read, is empty, or needs a list or rule, which routines do not have.
    """
    if not text.strip():
        raise ValueError("an empty phrase cannot be said")
    try:
        waiting: list[Expression] = [parse_sentence(text).expression]
    except ParseError as error:
        raise ValueError(f"the phrase cannot be read: {error}") from error
    while waiting:
        match waiting.pop():
            case Group(items=items):
                waiting += items
            case ListReference(is_inline_range=False, list_name=name):
                raise ValueError(f"there is no list {{{name}}}; write the choices as (one|other)")
            case RuleReference(rule_name=name):
                raise ValueError(f"there is no rule <{name}>; write its words instead")
    return text


Phrase = Annotated[str, AfterValidator(spoken_template)]
Phrases = Annotated[tuple[Phrase, ...], BeforeValidator(as_tuple), Field(min_length=1)]
