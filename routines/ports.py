"""The seams through which routines and integrations meet the rest of the house."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from routines.effects import CallService, FireEvent, Outcome
from routines.facts import Json
from routines.intents.directory import Directory


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChanged:
    """A link reports an entity's new state; ``state`` may be ``unavailable``."""

    entity_id: str
    state: str
    attributes: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChanged:
    """A link to the outside came up or went down; ``hint`` says what to do."""

    link: str
    up: bool
    why: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived:
    """An MQTT message for us."""

    topic: str
    payload: str
    retained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EventReceived:
    """An event of Home Assistant that routines wait for."""

    event_type: str
    data: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeDescribed:
    """A link told what the home calls its things."""

    directory: Directory


LinkEvent = DeviceChanged | EventReceived | HomeDescribed | LinkChanged | MessageReceived


class Outbox(Protocol):
    """Where an integration puts what it learnt."""

    async def send(self, event: LinkEvent) -> None:
        """Hand over an event, waiting while the readers are behind."""


class DeviceLink(Protocol):
    """A link that can perform calls on devices."""

    async def call(self, call: CallService) -> Outcome:
        """Perform a call within the link's time limit; failures are outcomes, not exceptions."""


class EventLink(Protocol):
    """A link that can fire events."""

    async def fire(self, event: FireEvent) -> Outcome:
        """Fire an event within the link's time limit."""


class MessageLink(Protocol):
    """A link that can publish messages."""

    async def publish(self, topic: str, payload: str, *, retain: bool = False, qos: int = 1) -> Outcome:
        """Publish and wait for the broker's acknowledgement within the link's time limit."""


Ready = Callable[[], None]
"""Called by a service once it is up."""
