"""The picture of the home that conditions look at, kept from facts alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from routines.facts import Json, PresenceFact, StateFact


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityState:
    """A state and since when it has held."""

    state: str
    attributes: Mapping[str, Json]
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomPresence:
    """Whether somebody is in a room, since when, with which motion it began, and how sure it has become.

    While it is not known, ``present`` is what was known last: the next report may be no change.
    """

    present: bool
    since: datetime
    kind: Literal["major", "minor"] = "major"
    confidence: float = 1.0
    is_known: bool = True


class Home:
    """Last known states of entities and rooms; what was never told is None."""

    def __init__(self) -> None:
        self._states: dict[str, EntityState] = {}
        self._rooms: dict[str, RoomPresence] = {}

    def state(self, entity_id: str) -> EntityState | None:
        """Return an entity's state."""
        return self._states.get(entity_id)

    def presence(self, room: str) -> RoomPresence | None:
        """Return the presence in a room."""
        return self._rooms.get(room)

    def rooms(self) -> Iterator[tuple[str, RoomPresence]]:
        """Yield every room that presence was told of."""
        yield from self._rooms.items()

    def entities(self) -> Iterator[tuple[str, EntityState]]:
        """Yield every entity with its state."""
        yield from self._states.items()

    def put_state(self, entity_id: str, state: EntityState) -> None:
        """Take over a state that was remembered."""
        self._states[entity_id] = state

    def put_presence(self, room: str, presence: RoomPresence) -> None:
        """Take over a presence that was remembered."""
        self._rooms[room] = presence

    def learn_state(self, fact: StateFact, now: datetime) -> EntityState | None:
        """Take over an entity's state, and return the one before; a state that is the same keeps its age."""
        before = self._states.get(fact.entity_id)
        since = before.since if before is not None and before.state == fact.state else now
        self._states[fact.entity_id] = EntityState(state=fact.state, attributes=fact.attributes, since=since)
        return before

    def learn_presence(self, fact: PresenceFact, now: datetime) -> RoomPresence | None:
        """Take over a room's presence, and return the one before."""
        before = self._rooms.get(fact.room)
        if fact.present is None:
            if before is not None:
                self._rooms[fact.room] = replace(before, is_known=False)
        elif before is None or before.present != fact.present:
            # An empty room remembers with which motion the presence began that has ended.
            kind = before.kind if before is not None and not fact.present else fact.kind
            self._rooms[fact.room] = RoomPresence(
                present=fact.present, since=now, kind=kind, confidence=fact.confidence
            )
        else:
            confidence = max(before.confidence, fact.confidence)
            self._rooms[fact.room] = replace(before, confidence=confidence, is_known=True)
        return before

    def shift(self, by: timedelta) -> None:
        """Move all ages after the wall clock was set, so that durations stay what they were."""
        for entity_id, state in self._states.items():
            self._states[entity_id] = replace(state, since=state.since + by)
        for room, presence in self._rooms.items():
            self._rooms[room] = replace(presence, since=presence.since + by)
