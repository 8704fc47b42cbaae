"""What all words of the vocabulary share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, JsonValue

from routines.quantities import parse_duration
from routines.templates.template import check_templates, compile_condition, is_template

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: Sequence[Weekday] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Word(BaseModel):
    """A piece of routine YAML: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def state_text(value: object) -> object:
    """Return YAML's unquoted ``on`` and ``off`` as the words that the user wrote."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value) if isinstance(value, int | float) else value


def as_tuple(value: object) -> object:
    """Return a single value as a tuple of one, so that lists may be left out."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def optional_tuple(value: object) -> object:
    """Return None as it is, else see `as_tuple`."""
    return None if value is None else as_tuple(value)


def checked_templates(value: JsonValue) -> JsonValue:
    """Return a value whose templates can all be compiled."""
    check_templates(value)
    return value


def checked_text(value: str) -> str:
    """Return a text whose templates can be compiled."""
    check_templates(value)
    return value


def checked_condition(value: str) -> str:
    """Return a yes-or-no template that can be compiled; its braces may be left out."""
    compile_condition(value)
    return value


def duration_or_template(value: object) -> object:
    """Return a duration, or the template that will make one."""
    return value if is_template(value) else parse_duration(value).total_seconds()


State = Annotated[str, BeforeValidator(state_text, json_schema_input_type=str | bool | float)]
States = Annotated[
    tuple[State, ...], BeforeValidator(as_tuple, json_schema_input_type=State | tuple[State, ...])
]
AnyStates = Annotated[
    tuple[State, ...] | None,
    BeforeValidator(optional_tuple, json_schema_input_type=State | tuple[State, ...] | None),
]
"""States, or null for any."""
Texts = Annotated[tuple[str, ...], BeforeValidator(as_tuple, json_schema_input_type=str | tuple[str, ...])]
Weekdays = Annotated[
    tuple[Weekday, ...], BeforeValidator(as_tuple, json_schema_input_type=Weekday | tuple[Weekday, ...])
]
Payload = Annotated[JsonValue, AfterValidator(checked_templates)]
"""JSON in which texts may be templates."""
TemplateText = Annotated[str, AfterValidator(checked_text)]
"""A text that may hold templates."""
Test = Annotated[str, AfterValidator(checked_condition)]
"""A yes-or-no template."""
Span = Annotated[
    float | str,
    BeforeValidator(duration_or_template, json_schema_input_type=float | str | dict[str, float]),
    AfterValidator(checked_templates),
]
"""A duration in seconds, or a template for one."""
