"""A connection to the broker of the running hub, for a command that asks it for something."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from hub.errors import BadInput
from routines.ports import LinkChanged, MessageReceived

if TYPE_CHECKING:
    from hub.config.hub_config import MqttConfig
    from integrations.mqtt.client import MqttLink
    from routines.ports import LinkEvent

_CONNECT_SECONDS = 5.0
_WAITING_MESSAGES = 64


class Told:
    """What the broker tells: that it is there, and messages, of which the oldest are dropped.

    Attributes
    ----------
    messages : asyncio.Queue
        At most 64.
    """

    def __init__(self) -> None:
        self.is_up = asyncio.Event()
        self.messages: asyncio.Queue[MessageReceived] = asyncio.Queue(_WAITING_MESSAGES)

    async def send(self, event: LinkEvent) -> None:
        """Take what the link tells."""
        match event:
            case LinkChanged(up=True):
                self.is_up.set()
            case MessageReceived():
                if self.messages.full():
                    self.messages.get_nowait()
                self.messages.put_nowait(event)


@asynccontextmanager
async def broker_link(
    mqtt: MqttConfig, name: str, topics: Sequence[str] = ()
) -> AsyncIterator[tuple[MqttLink, Told]]:
    """Connect to the broker that hub.yaml names, or to the running hub's own.

    Parameters
    ----------
    name : str
        Of the command, at the broker.
    topics : sequence of str
        What to listen to.

    Raises
    ------
    BadInput
        No hub is running here, or no broker answers.
    """
    from hub.status import default_state_directory, read_snapshot
    from integrations.mqtt.client import MqttLink
    from integrations.mqtt.topics import AVAILABILITY

    port = mqtt.port
    if mqtt.host is None:
        snapshot = read_snapshot(default_state_directory() / "status.json")
        found = snapshot.extra.get("broker_port")
        if not isinstance(found, int):
            raise BadInput("the running hub does not say where its own broker is; restart it")
        port = found
    told = Told()
    link = MqttLink(
        host=mqtt.host or "127.0.0.1",
        port=port,
        topics=topics,
        outbox=told,
        username=mqtt.username,
        password=None if mqtt.password is None else mqtt.password.get_secret_value(),
        protocol=mqtt.protocol,
        client_id=f"roomwise-{name}",
        availability_topic=f"{AVAILABILITY}/{name}",
    )
    task = asyncio.create_task(link.run(lambda: None))
    try:
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await told.is_up.wait()
        except TimeoutError:
            where = f"{mqtt.host or '127.0.0.1'}:{port}"
            raise BadInput(f"no broker answers at {where}; is the hub running?") from None
        yield link, told
    finally:
        task.cancel()
        await asyncio.wait({task})
