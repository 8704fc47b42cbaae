"""What all words of the vocabulary share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

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


State = Annotated[str, BeforeValidator(state_text)]
States = Annotated[tuple[State, ...], BeforeValidator(as_tuple)]
Texts = Annotated[tuple[str, ...], BeforeValidator(as_tuple)]
Weekdays = Annotated[tuple[Weekday, ...], BeforeValidator(as_tuple)]
