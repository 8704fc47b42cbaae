"""What can start a routine, or end a wait."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, model_validator

from routines.quantities import Duration, Offset, TimeOfDay, parse_time
from routines.schedule.cron import parse_cron
from routines.schedule.time_pattern import TimePattern
from routines.vocabulary.number_range import NumberRange
from routines.vocabulary.phrase import Phrases
from routines.vocabulary.words import (
    AnyStates,
    Payload,
    Span,
    TemplateText,
    Test,
    Texts,
    Weekdays,
    Word,
    as_tuple,
)


class _Trigger(Word):
    id: str | None = None
    alias: str | None = None
    enabled: bool = True
    variables: dict[str, Payload] = Field(default_factory=dict)


class _Held(_Trigger):
    for_: Annotated[Span | None, Field(alias="for")] = None
    catch_up: Duration | None = None


class StateTrigger(_Held):
    """An entity reached a state (and stayed there ``for`` a while).

    Without any of ``from``, ``to``, ``not_from`` and ``not_to`` every change counts, of attributes too;
    ``to: null`` is any change of the state itself.
    """

    trigger: Literal["state"]
    entity_id: Texts
    from_: Annotated[AnyStates, Field(alias="from")] = None
    to: AnyStates = None
    not_from: AnyStates = None
    not_to: AnyStates = None
    attribute: str | None = None
    include_unavailable: bool = False

    @model_validator(mode="after")
    def _is_one_way(self) -> StateTrigger:
        for one, other in (("from_", "not_from"), ("to", "not_to")):
            if {one, other} <= self.model_fields_set:
                raise ValueError(f"write either {one.rstrip('_')} or {other}, not both")
        return self


class NumericStateTrigger(_Held, NumberRange):
    """A number crossed into a range; ``above`` and ``below`` are numbers or entities."""

    trigger: Literal["numeric_state"]


class PresenceTrigger(_Held):
    """Somebody was noticed in a room, or nobody is any more.

    ``major`` and ``minor`` take only presence that began with that kind of motion.
    """

    trigger: Literal["presence"]
    room: Texts | None = None
    to: Literal["detected", "not_detected"] = "detected"
    level: Literal["any", "major", "minor"] = "any"
    min_confidence: Annotated[float, Field(ge=0, le=1)] = 0.0
    ignore_own_motion: Duration | None = None


class Match(Word):
    """How far a heard sentence may be from a phrase, 0 to 1; below ``confirm_below`` the hub asks back."""

    fuzzy: Annotated[float, Field(ge=0.5, le=1)] = 0.85
    confirm_below: Annotated[float, Field(ge=0, le=1)] = 0.93


class VoiceTrigger(_Trigger):
    """Somebody said one of the phrases (hassil templates)."""

    trigger: Literal["voice"]
    phrases: Phrases
    match: Match | None = None
    rooms: Texts | None = None


class Dst(Word):
    """What a time of day means on the days when the clocks change."""

    gap: Literal["next_valid", "skip"] = "next_valid"
    overlap: Literal["first", "both"] = "first"


def parse_at(value: object) -> time | datetime:
    """Return a time of day, or a local date and time for what happens once.

    Raises
    ------
    ValueError
        It is neither.
    """
    if isinstance(value, datetime | time):
        return value
    if isinstance(value, str) and len(value) > 10:
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    return parse_time(value)


At = Annotated[time | datetime, BeforeValidator(parse_at, json_schema_input_type=str)]


class TimeTrigger(_Trigger):
    """The clock of the house reached a time of day, or once a date and time."""

    trigger: Literal["time"]
    at: Annotated[tuple[At, ...], BeforeValidator(as_tuple, json_schema_input_type=At | tuple[At, ...])]
    weekday: Weekdays | None = None
    dst: Dst = Dst()
    catch_up: Duration | None = None


class TimePatternTrigger(_Trigger):
    """The clock matches hours, minutes and seconds: a number, ``*``, or ``/5`` for every fifth."""

    trigger: Literal["time_pattern"]
    hours: str | int | None = None
    minutes: str | int | None = None
    seconds: str | int | None = None
    catch_up: Duration | None = None

    @model_validator(mode="after")
    def _can_match(self) -> TimePatternTrigger:
        if self.hours is None and self.minutes is None and self.seconds is None:
            raise ValueError("a time_pattern needs hours, minutes or seconds")
        TimePattern.parse(self.hours, self.minutes, self.seconds)
        return self


class CronTrigger(_Trigger):
    """A cron expression of five fields matches the clock of the house."""

    trigger: Literal["cron"]
    expression: Annotated[str, AfterValidator(parse_cron)]
    catch_up: Duration | None = None


class SunTrigger(_Trigger):
    """The sun rises or sets, ``offset`` earlier or later; ``fallback_time`` on days when it does neither."""

    trigger: Literal["sun"]
    event: Literal["sunrise", "sunset"]
    offset: Offset = timedelta(0)
    fallback_time: TimeOfDay | None = None
    catch_up: Duration | None = None


class MqttTrigger(_Trigger):
    """A message arrived; ``topic`` may hold the wildcards + and #.

    ``value_template`` sees ``trigger.payload`` and ``trigger.payload_json``, and what it makes is compared
    with ``payload``. Messages that say they are older than ``max_age`` are ignored.
    """

    trigger: Literal["mqtt"]
    topic: str
    payload: str | None = None
    value_template: TemplateText | None = None
    max_age: Duration | None = None


class EventTrigger(_Trigger):
    """An event of Home Assistant (a button of a remote, a scanned tag); ``event_data`` must be part of it."""

    trigger: Literal["event"]
    event_type: Texts
    event_data: dict[str, JsonValue] = Field(default_factory=dict)


class LocationTrigger(_Trigger):
    """Somebody came to a place or left it."""

    trigger: Literal["location"]
    person: Texts | None = None
    zone: Texts | None = None
    event: Literal["enter", "leave"] = "enter"


class TemplateTrigger(_Held):
    """A yes-or-no template became true."""

    trigger: Literal["template"]
    value_template: Test


class HubTrigger(_Trigger):
    """The hub started and knows its home."""

    trigger: Literal["hub"]
    event: Literal["start"] = "start"


_SAME = {"conversation": "voice", "zone": "location", "homeassistant": "hub", "hub_start": "hub"}
_RENAMED = {
    "voice": {"command": "phrases", "room": "rooms"},
    "location": {"entity_id": "person"},
    "cron": {"schedule": "expression", "at": "expression"},
}


def as_we_say(value: object) -> object:
    """Return a trigger in our words that stands in Home Assistant's: ``conversation``, ``zone``."""
    if not isinstance(value, dict) or not ("trigger" in value or "platform" in value):
        return value
    words = {("trigger" if key == "platform" else key): item for key, item in value.items()}
    kind = words["trigger"]
    kind = _SAME.get(kind, kind) if isinstance(kind, str) else kind
    renamed = _RENAMED.get(kind, {}) if isinstance(kind, str) else {}
    words = {
        (renamed.get(key, key) if renamed.get(key) not in words else key): item for key, item in words.items()
    }
    if kind == "voice" and words.get("rooms") == "any":
        del words["rooms"]
    return {**words, "trigger": kind}


Trigger = Annotated[
    Annotated[
        StateTrigger
        | NumericStateTrigger
        | PresenceTrigger
        | VoiceTrigger
        | TimeTrigger
        | TimePatternTrigger
        | CronTrigger
        | SunTrigger
        | MqttTrigger
        | EventTrigger
        | LocationTrigger
        | TemplateTrigger
        | HubTrigger,
        Field(discriminator="trigger"),
    ],
    BeforeValidator(as_we_say),
]
ClockTrigger = TimeTrigger | TimePatternTrigger | CronTrigger | SunTrigger
"""Triggers that only time can fire."""
HeldTrigger = StateTrigger | NumericStateTrigger | PresenceTrigger | TemplateTrigger
"""Triggers that may have to hold ``for`` a while."""
