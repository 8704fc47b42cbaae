"""What the engine must not forget, as rows of JSON: one row a thing, found again by kind and key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from routines.facts import Json
from routines.home import EntityState, RoomPresence

Kind = Literal[
    "state", "presence", "clock", "held", "run", "suppressed", "enabled", "made", "undo", "touch", "count"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A thing to be remembered; ``content`` None forgets it."""

    kind: Kind
    key: str
    content: Json


class Notebook:
    """Which things have changed since they were last written down."""

    def __init__(self) -> None:
        self._changed: dict[tuple[Kind, str], None] = {}

    def note(self, kind: Kind, key: str) -> None:
        """Mark a thing as changed, made or gone."""
        self._changed[kind, key] = None

    def take(self) -> list[tuple[Kind, str]]:
        """Return what has changed, in order, and begin anew."""
        changed = list(self._changed)
        self._changed.clear()
        return changed

    def has_urgent(self) -> bool:
        """Return whether more has changed than states of the home, which are told again after a restart."""
        return any(kind not in ("state", "presence") for kind, _ in self._changed)


def state_to_json(known: EntityState) -> Json:
    """Return a state for a row."""
    return {"state": known.state, "attributes": dict(known.attributes), "since": known.since.isoformat()}


def state_from_json(content: Mapping[str, Json]) -> EntityState:
    """Return the state that `state_to_json` wrote."""
    attributes = content["attributes"]
    return EntityState(
        state=str(content["state"]),
        attributes=attributes if isinstance(attributes, dict) else {},
        since=datetime.fromisoformat(str(content["since"])),
    )


def presence_to_json(known: RoomPresence) -> Json:
    """Return a room's presence for a row."""
    return {
        "present": known.present,
        "since": known.since.isoformat(),
        "kind": known.kind,
        "confidence": known.confidence,
        "is_known": known.is_known,
    }


def presence_from_json(content: Mapping[str, Json]) -> RoomPresence:
    """Return the presence that `presence_to_json` wrote."""
    confidence = content.get("confidence")
    return RoomPresence(
        present=bool(content["present"]),
        since=datetime.fromisoformat(str(content["since"])),
        kind="minor" if content["kind"] == "minor" else "major",
        confidence=float(confidence) if isinstance(confidence, int | float) else 1.0,
        is_known=content.get("is_known") is not False,
    )


_NOT_OF_THE_ENGINE = frozenset({"variables", "items", "sent", "calls", "outer"})
"""Parts of a frame that hold what the user wrote, in which ``until`` may mean anything."""


def shift_deadlines(frame: Json, by: timedelta) -> None:
    """Move the deadlines in a run's frame, in place: its steps hold on to the parts of it."""
    if isinstance(frame, dict):
        until = frame.get("until")
        if isinstance(until, str):
            frame["until"] = (datetime.fromisoformat(until) + by).isoformat()
        for name, part in frame.items():
            if name not in _NOT_OF_THE_ENGINE:
                shift_deadlines(part, by)
    elif isinstance(frame, list):
        for part in frame:
            shift_deadlines(part, by)
