"""Phrases of voice triggers: templates that can be spoken as they stand."""

from __future__ import annotations

from typing import Annotated

from hassil.expression import Expression, Group, RuleReference
from hassil.parse_expression import parse_sentence
from hassil.parser import ParseError
from pydantic import AfterValidator, BeforeValidator, Field

from routines.vocabulary.words import as_tuple

_LONGEST = 1_000


def spoken_template(text: str) -> str:
    """Return a template that can be spoken as it stands.

    Raises
    ------
    ValueError
        It cannot be read, is empty, or needs a rule, which routines do not have.
    """
    if not text.strip():
        raise ValueError("an empty phrase cannot be said")
    if len(text) > _LONGEST:
        raise ValueError(f"the phrase is longer than {_LONGEST} characters")
    try:
        waiting: list[Expression] = [parse_sentence(text).expression]
    except ParseError as error:
        raise ValueError(f"the phrase cannot be read: {error}") from error
    except RecursionError as error:
        raise ValueError("the phrase is nested too deeply") from error
    while waiting:
        match waiting.pop():
            case Group(items=items):
                waiting += items
            case RuleReference(rule_name=name):
                raise ValueError(f"there is no rule <{name}>; write its words instead")
    return text


Phrase = Annotated[str, AfterValidator(spoken_template)]
Phrases = Annotated[
    tuple[Phrase, ...],
    BeforeValidator(as_tuple, json_schema_input_type=str | tuple[str, ...]),
    Field(min_length=1),
]
