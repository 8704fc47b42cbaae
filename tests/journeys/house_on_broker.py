"""A whole hub in an empty simulated room, and somebody else on its broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path

from hub.assemble import House, assemble
from hub.audio.simulated_device import empty_room
from hub.clock import SystemClock
from hub.config.files import load_config
from integrations.mqtt.client import MqttLink
from integrations.mqtt.embedded_broker import EmbeddedBroker
from routines.ports import LinkEvent, MessageReceived


@dataclass
class Inbox:
    """What somebody else receives."""

    received: asyncio.Queue[MessageReceived] = field(default_factory=asyncio.Queue)

    async def send(self, event: LinkEvent) -> None:
        if isinstance(event, MessageReceived):
            await self.received.put(event)

    async def next(self, seconds: float) -> MessageReceived:
        return await asyncio.wait_for(self.received.get(), seconds)


@asynccontextmanager
async def house_and_other(
    folder: Path, topics: Sequence[str], inbox: Inbox
) -> AsyncIterator[tuple[House, MqttLink]]:
    """Run the hub of a folder and another client that hears some topics, while the block lasts."""
    broker = EmbeddedBroker()
    port = broker.start().mqtt_5
    house = assemble(
        load_config(folder),
        directory=folder,
        clock=SystemClock(UTC),
        device=empty_room(20_500.0, rate_hz=48_000, microphones=2, speakers=2),
        state=folder,
        broker_port=port,
        lossless=False,
    )
    link = MqttLink(
        host="127.0.0.1",
        port=port,
        client_id="other",
        topics=tuple(topics),
        outbox=inbox,
        availability_topic="other/availability",
    )
    tasks = [asyncio.create_task(house.supervisor.run()), asyncio.create_task(link.run(lambda: None))]
    try:
        yield house, link
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        broker.stop()
