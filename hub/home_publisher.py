"""Tell the home to whoever listens on MQTT: presence, and what Home Assistant needs to find us."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from hub.bus import Bus, Overflow
from hub.config.hub_config import HomeConfig
from hub.events import Observed
from integrations.mqtt.discovery import discovery_topic, room_discovery
from integrations.mqtt.topics import presence_topic
from routines.ports import MessageLink
from routines.routine import Routine
from sensing.observations import PresenceChanged


class HomePublisher:
    """Keep the retained presence of the room up to date; a missed change is told at the next connection."""

    name = "home publisher"
    needs: frozenset[str] = frozenset()

    def __init__(
        self, *, messages: MessageLink, bus: Bus, home: HomeConfig, routines: Sequence[Routine]
    ) -> None:
        self._messages = messages
        self._bus = bus
        names = {routine.id: routine.alias or routine.id for routine in routines}
        self._topic = discovery_topic(home.room)
        self._description = json.dumps(room_discovery(home.room, home.name, names))

    async def run(self, ready: Callable[[], None]) -> None:
        """Describe the hub, then publish each change until cancelled."""
        await self._messages.publish(self._topic, self._description, retain=True)
        changes = self._bus.subscribe(Observed, room=256, overflow=Overflow.DROP_OLDEST, name="home on MQTT")
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
