"""What is known about a room at the moment, put together from what its sensor reported."""

from __future__ import annotations

from datetime import datetime

from hub.events import Observed
from routines.facts import Json
from sensing.observations import PresenceChanged, PresenceHeld, SensingDegraded


class RoomPresence:
    """Keep the last word on presence, why it is so, and what degrades the sensing.

    ``occupied`` is None until the sensor has told, and while nobody can tell.
    """

    def __init__(self, room: str) -> None:
        self.room = room
        self._known: dict[str, Json] = {
            "occupied": None,
            "confidence": None,
            "reason": "starting",
            "explanation": "the hub has just started",
            "degraded": [],
        }

    def learn(self, event: Observed) -> bool:
        """Take in an observation; return whether it says anything new about the room."""
        match event.observation:
            case PresenceChanged() as seen if event.room == self.room:
                self._known["occupied"] = seen.present
                self._known["confidence"] = round(seen.confidence, 3)
                self._known["reason"] = seen.reason
                self._known["explanation"] = seen.explanation
            case PresenceHeld() as seen if event.room == self.room:
                self._known["confidence"] = round(seen.confidence, 3)
                self._known["explanation"] = seen.explanation
            case SensingDegraded(states=states) if event.room == self.room:
                self._known["degraded"] = list(states)
            case _:
                return False
        return True

    def state(self) -> dict[str, Json]:
        """Return ``occupied``, ``confidence``, ``reason``, ``explanation`` and ``degraded``."""
        return dict(self._known)

    def payload(self, at: datetime) -> dict[str, Json]:
        """Return the same as it is told on MQTT; ``at`` is timezone-aware."""
        return {"v": 1, "ts": at.isoformat(), **self._known}
