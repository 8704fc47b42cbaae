"""What a run wants done: it yields effects and is sent outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from routines.facts import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class CallService:
    """Call an action of a device, e.g. ``light.turn_on``."""

    action: str
    target: Mapping[str, Json] = field(default_factory=dict)
    data: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """Publish an MQTT message."""

    topic: str
    payload: str
    retain: bool = False
    qos: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Speak a text in a room."""

    text: str
    room: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """Play a sound file in a room; ``volume`` is 0 to 1."""

    source: str
    room: str | None = None
    volume: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitUntil:
    """Sleep until an instant."""

    until: datetime


Effect = CallService | Publish | Say | Play | WaitUntil


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an effect went; ``error`` says what failed and what to do."""

    ok: bool = True
    error: str | None = None
