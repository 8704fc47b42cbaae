"""Facts as lines of JSON: what simulations are fed with, and how the hub keeps its history."""

from __future__ import annotations

import json
from collections.abc import Mapping

from routines.facts import (
    EventFact,
    Fact,
    HeardFact,
    Json,
    LocationFact,
    MessageFact,
    PresenceFact,
    RunRequested,
    StateFact,
    UndoRequested,
)


def fact_from_line(line: Mapping[str, Json]) -> Fact:
    """Return the fact that a line tells, e.g. ``{"type": "presence", "room": "hall", "present": true}``.

    Raises
    ------
    ValueError
        The line tells none; the message says what is wrong.
    """
    match line:
        case {"type": "state", "entity_id": str(entity_id), "state": state} if state is not None:
            return StateFact(
                entity_id=entity_id, state=_state(state), attributes=_mapping(line.get("attributes"))
            )
        case {"type": "presence", "room": str(room), "present": bool() | None as present}:
            kind = line.get("kind")
            confidence = line.get("confidence", 1.0)
            return PresenceFact(
                room=room,
                present=present,
                kind="minor" if kind == "minor" else "major",
                confidence=float(confidence) if isinstance(confidence, int | float) else 1.0,
            )
        case {"type": "voice", "text": str(said)}:
            return _heard(line, said)
        case {"type": "mqtt", "topic": str(topic)}:
            payload = line.get("payload", "")
            written = payload if isinstance(payload, str) else json.dumps(payload)
            return MessageFact(topic=topic, payload=written, retained=line.get("retained") is True)
        case {"type": "event", "event_type": str(event_type)}:
            return EventFact(event_type=event_type, data=_mapping(line.get("data", line.get("event_data"))))
        case {
            "type": "location",
            "person": str(person),
            "zone": str(zone),
            "event": ("enter" | "leave") as event,
        }:
            return LocationFact(person=person, zone=zone, event="enter" if event == "enter" else "leave")
        case {"type": "run", "routine": str(routine)}:
            return RunRequested(routine=routine, who=str(line.get("who", "somebody")))
        case {"type": "undo"}:
            return UndoRequested(who=str(line.get("who", "somebody")))
        case _:
            keys = ", ".join(sorted(line))
            raise ValueError(f"an event of type '{line.get('type')}' with the keys {keys} is not understood")


def line_from_fact(fact: Fact) -> dict[str, Json] | None:
    """Return the line that tells a fact, None for those that the clock tells."""
    match fact:
        case StateFact(entity_id=entity_id, state=state, attributes=attributes):
            return {"type": "state", "entity_id": entity_id, "state": state, "attributes": dict(attributes)}
        case PresenceFact(room=room, present=present, kind=kind, confidence=confidence):
            return {
                "type": "presence",
                "room": room,
                "present": present,
                "kind": kind,
                "confidence": confidence,
            }
        case HeardFact(room=room, text=text, confidence=confidence, device=device):
            said: dict[str, Json] = {"type": "voice", "room": room, "text": text, "confidence": confidence}
            return said if device is None else {**said, "device": device}
        case MessageFact(topic=topic, payload=payload, retained=retained):
            return {"type": "mqtt", "topic": topic, "payload": payload, "retained": retained}
        case EventFact(event_type=event_type, data=data):
            return {"type": "event", "event_type": event_type, "data": dict(data)}
        case LocationFact(person=person, zone=zone, event=event):
            return {"type": "location", "person": person, "zone": zone, "event": event}
        case RunRequested(routine=routine, who=who):
            return {"type": "run", "routine": routine, "who": who}
        case UndoRequested(who=who):
            return {"type": "undo", "who": who}
        case _:
            return None


def _heard(line: Mapping[str, Json], said: str) -> HeardFact:
    room, device = line.get("room"), line.get("device", line.get("heard_by"))
    confidence, azimuth = line.get("confidence"), line.get("azimuth")
    return HeardFact(
        room=room if isinstance(room, str) else "",
        text=said,
        confidence=float(confidence) if isinstance(confidence, int | float) else 1.0,
        device=device if isinstance(device, str) else None,
        azimuth_degrees=float(azimuth) if isinstance(azimuth, int | float) else None,
    )


def _state(value: Json) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}
