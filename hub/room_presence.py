"""What is known about a room at the moment, put together from what its sensor reported."""

from __future__ import annotations

from datetime import datetime

from hub.events import Observed, RecalibrationAdvised
from routines.facts import Json
from sensing.calibration.triggers import Trigger
from sensing.observations import PresenceChanged, PresenceHeld, SensingDegraded


class RoomPresence:
    """Keep the last word on presence, why it is so, what degrades the sensing, and why to calibrate again.

    ``occupied`` is None until the sensor has told, and while nobody can tell.
    """

    def __init__(self, room: str) -> None:
        self.room = room
        self._known: dict[str, Json] = {
            "occupied": None,
            "confidence": None,
            "reason": "starting",
            "explanation": "the hub has just started",
        }
        self._degraded: list[Json] = []
        self._advised: dict[Trigger, RecalibrationAdvised] = {}

    def learn(self, event: Observed | RecalibrationAdvised) -> bool:
        """Take in an event; return whether it says anything new about the room."""
        if event.room != self.room:
            return False
        if isinstance(event, RecalibrationAdvised):
            self._advised[event.trigger] = event
            return True
        match event.observation:
            case PresenceChanged() as seen:
                self._known["occupied"] = seen.present
                self._known["confidence"] = round(seen.confidence, 3)
                self._known["reason"] = seen.reason
                self._known["explanation"] = seen.explanation
            case PresenceHeld() as seen:
                self._known["confidence"] = round(seen.confidence, 3)
                self._known["explanation"] = seen.explanation
            case SensingDegraded(states=states):
                self._degraded = list(states)
            case _:
                return False
        return True

    def state(self) -> dict[str, Json]:
        """Return ``occupied``, ``confidence``, ``reason``, ``explanation``, ``degraded`` and ``recalibrate``.

        The last holds ``trigger``, ``reason`` in words and ``hint`` each; with any, ``degraded`` has it too.
        """
        advised: list[Json] = [
            {"trigger": one.trigger, "reason": one.reason, "hint": one.hint} for one in self._advised.values()
        ]
        degraded = [*self._degraded, *(["recalibrate"] if advised else [])]
        return {**self._known, "degraded": degraded, "recalibrate": advised}

    def payload(self, at: datetime) -> dict[str, Json]:
        """Return the same as it is told on MQTT; ``at`` is timezone-aware."""
        return {"v": 1, "ts": at.isoformat(), **self.state()}
