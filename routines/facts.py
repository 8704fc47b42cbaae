"""What routines can learn about the world: the input of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

UNKNOWN_STATES = frozenset({"unknown", "unavailable"})
"""States that say nothing; conditions on them cannot be decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceFact:
    """A room became occupied or empty, or motion was seen in an occupied room."""

    room: str
    present: bool
    kind: Literal["major", "minor"] = "major"
    confidence: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardFact:
    """Somebody said something in a room."""

    room: str
    text: str
    confidence: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StateFact:
    """An entity has a new state. ``old`` is None when it was not known before."""

    entity_id: str
    old: str | None
    new: str
    attributes: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFact:
    """An MQTT message arrived."""

    topic: str
    payload: str
    retained: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequested:
    """Somebody asked for a routine by name (app, button, command line)."""

    routine: str
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """Nothing happened but time: due deadlines and time triggers are to be looked at."""


Fact = PresenceFact | HeardFact | StateFact | MessageFact | RunRequested | TimePassed


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """A fact with its instant (timezone-aware wall clock)."""

    now: datetime
    fact: Fact
