"""What can start a routine."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from routines.quantities import Duration, TimeOfDay
from routines.vocabulary.phrase import Phrases
from routines.vocabulary.words import States, Texts, Weekdays, Word


class StateTrigger(Word):
    """An entity reached a state (and stayed there ``for`` a while)."""

    trigger: Literal["state"]
    id: str | None = None
    entity_id: Texts
    from_: Annotated[States | None, Field(alias="from")] = None
    to: States | None = None
    for_: Annotated[Duration | None, Field(alias="for")] = None
    include_unavailable: bool = False


class PresenceTrigger(Word):
    """Somebody was noticed in a room, or nobody is any more."""

    trigger: Literal["presence"]
    id: str | None = None
    room: str | None = None
    to: Literal["detected", "not_detected"] = "detected"
    min_confidence: Annotated[float, Field(ge=0, le=1)] = 0.0
    for_: Annotated[Duration | None, Field(alias="for")] = None


class VoiceTrigger(Word):
    """Somebody said one of the phrases (hassil templates)."""

    trigger: Literal["voice"]
    id: str | None = None
    phrases: Phrases
    room: str | None = None


class TimeTrigger(Word):
    """The clock of the house reached a time of day."""

    trigger: Literal["time"]
    id: str | None = None
    at: TimeOfDay
    weekday: Weekdays | None = None


class MqttTrigger(Word):
    """A message arrived; ``topic`` may hold the wildcards + and #."""

    trigger: Literal["mqtt"]
    id: str | None = None
    topic: str
    payload: str | None = None


Trigger = Annotated[
    StateTrigger | PresenceTrigger | VoiceTrigger | TimeTrigger | MqttTrigger, Field(discriminator="trigger")
]
