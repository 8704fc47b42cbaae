"""Tell presence to whoever listens on MQTT."""

from __future__ import annotations

import json
from collections.abc import Callable

from hub.bus import Bus, Overflow
from hub.events import Observed
from integrations.mqtt.topics import presence_topic
from routines.ports import MessageLink
from sensing.observations import PresenceChanged


class PresencePublisher:
    """Keep the retained presence of the room up to date; a missed change is told at the next connection."""

    name = "presence"
    needs: frozenset[str] = frozenset()

    def __init__(self, *, messages: MessageLink, bus: Bus) -> None:
        self._messages = messages
        self._bus = bus

    async def run(self, ready: Callable[[], None]) -> None:
        """Publish each change until cancelled."""
        changes = self._bus.subscribe(
            Observed, room=256, overflow=Overflow.DROP_OLDEST, name="presence on MQTT"
        )
        with changes:
            ready()
            async for event in changes:
                if isinstance(event.observation, PresenceChanged):
                    payload = {
                        "v": 1,
                        "ts": event.at.isoformat(),
                        "occupied": event.observation.present,
                        "confidence": round(event.observation.confidence, 3),
                        "reason": event.observation.reason,
                    }
                    await self._messages.publish(presence_topic(event.room), json.dumps(payload), retain=True)
