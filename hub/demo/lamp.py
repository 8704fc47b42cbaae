"""A lamp as it stands in a home: its own MQTT client, which does what its topic says."""

from __future__ import annotations

from collections.abc import Callable

from integrations.mqtt.client import MqttLink
from routines.ports import LinkEvent, MessageReceived


class Lamp:
    """Listen to a command topic.

    Parameters
    ----------
    on_command : callable
        Called with the topic and the payload of each command.
    """

    def __init__(self, *, port: int, topic: str, on_command: Callable[[str, str], None]) -> None:
        self._on_command = on_command
        self._link = MqttLink(
            host="127.0.0.1",
            port=port,
            client_id="demo-lamp",
            topics=(topic,),
            outbox=self,
            availability_topic="demo/living_room/lamp/availability",
        )

    async def send(self, event: LinkEvent) -> None:
        """Take what the link received."""
        if isinstance(event, MessageReceived):
            self._on_command(event.topic, event.payload)

    async def run(self, ready: Callable[[], None]) -> None:
        """Listen until cancelled."""
        await self._link.run(ready)
