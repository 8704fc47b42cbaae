"""Tell the home to whoever listens on MQTT: presence, and what Home Assistant needs to find us."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime

from hub.bus import Bus, Overflow, Subscription
from hub.clock import Clock
from hub.config.hub_config import HomeConfig
from hub.events import Observed, RecalibrationAdvised
from hub.room_presence import RoomPresence
from integrations.mqtt.discovery import discovery_topic, room_discovery
from integrations.mqtt.topics import presence_topic
from routines.ports import MessageLink
from routines.routine import Routine


class HomePublisher:
    """Keep the retained presence of the room up to date; a missed change is told at the next connection.

    What the broker retains from before a restart is replaced at once: the room is unknown until its sensor
    has told.

    Attributes
    ----------
    presence : RoomPresence
        What was told last.
    """

    name = "home publisher"
    needs: frozenset[str] = frozenset()

    def __init__(
        self,
        *,
        messages: MessageLink,
        bus: Bus,
        clock: Clock,
        home: HomeConfig,
        routines: Sequence[Routine],
        playlists: Sequence[str] = (),
    ) -> None:
        self._messages = messages
        self._bus = bus
        self._clock = clock
        names = {routine.id: routine.alias or routine.id for routine in routines}
        self._topic = discovery_topic(home.room)
        self._description = json.dumps(room_discovery(home.room, home.name, names, playlists))
        self.presence = RoomPresence(home.room)

    async def run(self, ready: Callable[[], None]) -> None:
        """Describe the hub, then publish each change until cancelled."""
        changes: Subscription[Observed | RecalibrationAdvised] = self._bus.subscribe(
            Observed, RecalibrationAdvised, room=256, overflow=Overflow.DROP_OLDEST, name="home on MQTT"
        )
        with changes:
            await self._messages.publish(self._topic, self._description, retain=True)
            await self._tell(self._clock.now())
            ready()
            async for event in changes:
                if self.presence.learn(event):
                    await self._tell(event.at)

    async def _tell(self, at: datetime) -> None:
        payload = json.dumps(self.presence.payload(at))
        await self._messages.publish(presence_topic(self.presence.room), payload, retain=True)
