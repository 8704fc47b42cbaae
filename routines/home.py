"""The picture of the home that conditions look at, kept from facts alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from routines.facts import Fact, Json, PresenceFact, StateFact


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityState:
    """A state and since when it has held."""

    state: str
    attributes: Mapping[str, Json]
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomPresence:
    """Whether somebody is in a room, and since when."""

    present: bool
    since: datetime


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

    def learn(self, fact: Fact, now: datetime) -> None:
        """Take over what a fact says; a state that is the same keeps its age."""
        match fact:
            case StateFact(entity_id=entity_id, new=new, attributes=attributes):
                known = self._states.get(entity_id)
                since = known.since if known is not None and known.state == new else now
                self._states[entity_id] = EntityState(state=new, attributes=attributes, since=since)
            case PresenceFact(room=room, present=present):
                known_room = self._rooms.get(room)
                is_same = known_room is not None and known_room.present == present
                since = known_room.since if known_room is not None and is_same else now
                self._rooms[room] = RoomPresence(present=present, since=since)
            case _:
                return
