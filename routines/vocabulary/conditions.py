"""What must hold for a routine to run."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from routines.quantities import Duration, TimeOfDay
from routines.vocabulary.words import States, Weekdays, Word


class StateCondition(Word):
    """An entity is in one of the states (and has been ``for`` a while)."""

    condition: Literal["state"]
    entity_id: str
    state: States
    for_: Annotated[Duration | None, Field(alias="for")] = None


class TimeCondition(Word):
    """The time of day lies in a window, which may wrap midnight, and on certain days."""

    condition: Literal["time"]
    after: TimeOfDay | None = None
    before: TimeOfDay | None = None
    weekday: Weekdays | None = None
    weekday_of: Literal["now", "window_start"] = "now"

    @model_validator(mode="after")
    def _says_something(self) -> TimeCondition:
        if self.after is None and self.before is None and self.weekday is None:
            raise ValueError("a time condition needs after, before or weekday")
        return self


class PresenceCondition(Word):
    """Somebody is (or nobody is) in a room."""

    condition: Literal["presence"]
    room: str
    present: bool = True
    for_: Annotated[Duration | None, Field(alias="for")] = None


class AndCondition(Word):
    """All of these hold."""

    condition: Literal["and"]
    conditions: tuple[Condition, ...]


class OrCondition(Word):
    """One of these holds."""

    condition: Literal["or"]
    conditions: tuple[Condition, ...]


class NotCondition(Word):
    """None of these holds."""

    condition: Literal["not"]
    conditions: tuple[Condition, ...]


Condition = Annotated[
    StateCondition | TimeCondition | PresenceCondition | AndCondition | OrCondition | NotCondition,
    Field(discriminator="condition"),
]

for _model in (AndCondition, OrCondition, NotCondition):
    _model.model_rebuild()
