"""What must hold for a routine to run, or for a way to be taken."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from routines.quantities import Duration, Offset, TimeOfDay
from routines.vocabulary.number_range import NumberRange
from routines.vocabulary.words import States, TemplateText, Test, Texts, Weekdays, Word


class _Condition(Word):
    alias: str | None = None
    enabled: bool = True


class StateCondition(_Condition):
    """Entities are in one of the states (and have been ``for`` a while)."""

    condition: Literal["state"]
    entity_id: Texts
    state: States
    attribute: str | None = None
    match: Literal["all", "any"] = "all"
    for_: Annotated[Duration | None, Field(alias="for")] = None


class NumericStateCondition(_Condition, NumberRange):
    """Numbers lie between ``above`` and ``below``, which are numbers or entities."""

    condition: Literal["numeric_state"]


class TimeCondition(_Condition):
    """The time of day lies in a window, which may wrap midnight, and on certain days."""

    condition: Literal["time"] = "time"
    after: TimeOfDay | None = None
    before: TimeOfDay | None = None
    weekday: Weekdays | None = None
    weekday_of: Literal["now", "window_start"] = "now"

    @model_validator(mode="after")
    def _says_something(self) -> TimeCondition:
        if self.after is None and self.before is None and self.weekday is None:
            raise ValueError("a time condition needs after, before or weekday")
        return self


class SunCondition(_Condition):
    """It is after or before today's sunrise or sunset, with an offset.

    ``after: sunset`` alone lasts until midnight; with ``before: sunrise`` too, through the night.
    """

    condition: Literal["sun"]
    after: Literal["sunrise", "sunset"] | None = None
    before: Literal["sunrise", "sunset"] | None = None
    after_offset: Offset | None = None
    before_offset: Offset | None = None

    @model_validator(mode="after")
    def _says_something(self) -> SunCondition:
        if self.after is None and self.before is None:
            raise ValueError("a sun condition needs after or before")
        return self


class PresenceCondition(_Condition):
    """Somebody is (or nobody is) in a room, and has been ``for`` a while."""

    condition: Literal["presence"]
    room: TemplateText
    state: Literal["detected", "not_detected"] = "detected"
    for_: Annotated[Duration | None, Field(alias="for")] = None


class TriggerCondition(_Condition):
    """The run was started by one of these triggers."""

    condition: Literal["trigger"]
    id: Texts


class TemplateCondition(_Condition):
    """A yes-or-no template is true."""

    condition: Literal["template"]
    value_template: Test


class AndCondition(_Condition):
    """All of these hold."""

    condition: Literal["and"]
    conditions: Conditions


class OrCondition(_Condition):
    """One of these holds."""

    condition: Literal["or"]
    conditions: Conditions


class NotCondition(_Condition):
    """None of these holds."""

    condition: Literal["not"]
    conditions: Conditions


_GROUPS = ("and", "or", "not")


def as_written_out(value: object) -> object:
    """Return the short forms of a condition in full: a template, ``or: […]``, ``present: true``."""
    if isinstance(value, str):
        return {"condition": "template", "value_template": value}
    if not isinstance(value, dict) or "condition" in value:
        words = value
    else:
        group = next((word for word in _GROUPS if word in value), None)
        rest = {key: item for key, item in value.items() if key != group}
        words = value if group is None else {**rest, "condition": group, "conditions": value[group]}
    if isinstance(words, dict) and words.get("condition") == "presence" and "present" in words:
        said = {key: item for key, item in words.items() if key != "present"}
        words = {**said, "state": "detected" if words["present"] else "not_detected"}
    return words


def _kind(value: object) -> str | None:
    kind = value.get("condition") if isinstance(value, dict) else getattr(value, "condition", None)
    return kind if isinstance(kind, str) else None


Condition = Annotated[
    Annotated[
        Annotated[StateCondition, Tag("state")]
        | Annotated[NumericStateCondition, Tag("numeric_state")]
        | Annotated[TimeCondition, Tag("time")]
        | Annotated[SunCondition, Tag("sun")]
        | Annotated[PresenceCondition, Tag("presence")]
        | Annotated[TriggerCondition, Tag("trigger")]
        | Annotated[TemplateCondition, Tag("template")]
        | Annotated[AndCondition, Tag("and")]
        | Annotated[OrCondition, Tag("or")]
        | Annotated[NotCondition, Tag("not")],
        Discriminator(_kind),
    ],
    BeforeValidator(as_written_out),
]


def as_list(value: object) -> object:
    """Return a single condition as a list of one."""
    is_one = isinstance(value, dict) or (isinstance(value, str) and bool(value))
    return (value,) if is_one else value


def tests_as_list(value: object) -> object:
    """Return what stands after ``if`` and ``while`` as a list of conditions."""
    if isinstance(value, bool):
        return ({"condition": "template", "value_template": f"{{{{ {str(value).lower()} }}}}"},)
    return as_list(value)


Conditions = Annotated[tuple[Condition, ...], BeforeValidator(as_list)]
Tests = Annotated[tuple[Condition, ...], BeforeValidator(tests_as_list), Field(min_length=1)]

for _model in (AndCondition, OrCondition, NotCondition):
    _model.model_rebuild()
