"""What routines can learn about the world: the input of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

UNKNOWN_STATES = frozenset({"unknown", "unavailable"})
"""States that say nothing; conditions on them cannot be decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceFact:
    """A room became occupied or empty, or motion was seen in it; ``present`` None: nobody can tell."""

    room: str
    present: bool | None
    kind: Literal["major", "minor"] = "major"
    confidence: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardFact:
    """Somebody said something; ``device`` is the hub that heard it, ``azimuth_degrees`` where from.

    ``is_answer``: it was said without the wake word, after the hub had asked; then ``text`` may be empty.
    """

    room: str
    text: str
    confidence: float = 1.0
    device: str | None = None
    azimuth_degrees: float | None = None
    is_answer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StateFact:
    """An entity reports its state."""

    entity_id: str
    state: str
    attributes: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFact:
    """An MQTT message arrived."""

    topic: str
    payload: str
    retained: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFact:
    """Home Assistant fired an event."""

    event_type: str
    data: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationFact:
    """Somebody came to a place or left it."""

    person: str
    zone: str
    event: Literal["enter", "leave"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HubStarted:
    """The hub runs and has heard from its links."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequested:
    """Somebody asked for a routine by name (app, button, command line)."""

    routine: str
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoRequested:
    """Somebody wants undone what was done last."""

    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """Nothing happened but time: what is due has to be looked at."""


Fact = (
    PresenceFact
    | HeardFact
    | StateFact
    | MessageFact
    | EventFact
    | LocationFact
    | HubStarted
    | RunRequested
    | UndoRequested
    | TimePassed
)
