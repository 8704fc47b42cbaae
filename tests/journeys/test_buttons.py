"""A button in Home Assistant: described by discovery, pressed over a real broker, and the routine runs."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC
from pathlib import Path

from hub.assemble import assemble
from hub.audio.simulated_device import empty_room
from hub.bus import Overflow
from hub.clock import SystemClock
from hub.config.files import load_config
from hub.events import RoutineOutput
from integrations.mqtt.client import MqttLink
from integrations.mqtt.embedded_broker import EmbeddedBroker
from routines.outputs import RunEnded
from routines.ports import LinkEvent, MessageReceived

ROUTINES = """
version: 1
routines:
  - id: tea
    alias: Tea
    actions: [{publish: {topic: kettle/set, payload: "ON"}}]
"""


class HomeAssistant:
    """The other side of the broker: keeps what it receives."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[MessageReceived] = asyncio.Queue()

    async def send(self, event: LinkEvent) -> None:
        if isinstance(event, MessageReceived):
            await self.received.put(event)

    async def next(self) -> MessageReceived:
        return await asyncio.wait_for(self.received.get(), 20)


async def test_a_button_that_discovery_describes_runs_its_routine_when_it_is_pressed(tmp_path: Path) -> None:
    (tmp_path / "routines").mkdir()
    (tmp_path / "routines" / "tea.yaml").write_text(ROUTINES, encoding="utf-8")
    (tmp_path / "hub.yaml").write_text("version: 1\n", encoding="utf-8")
    broker = EmbeddedBroker()
    port = broker.start().mqtt_5
    house = assemble(
        load_config(tmp_path),
        directory=tmp_path,
        clock=SystemClock(UTC),
        device=empty_room(20_500.0, rate_hz=48_000, microphones=2, speakers=2),
        state=tmp_path,
        broker_port=port,
        lossless=False,
    )
    ends = house.bus.subscribe(RoutineOutput, room=100, overflow=Overflow.DROP_OLDEST, name="test")
    other = HomeAssistant()
    link = MqttLink(
        host="127.0.0.1",
        port=port,
        client_id="home-assistant",
        topics=("homeassistant/#", "kettle/set"),
        outbox=other,
        availability_topic="ha/availability",
    )
    tasks = [
        asyncio.create_task(house.supervisor.run()),
        asyncio.create_task(link.run(lambda: None)),
    ]
    try:
        contents = [json.loads((await other.next()).payload) for _ in range(2)]
        [described] = [content for content in contents if "components" in content]
        button = described["components"]["run_tea"]
        assert (button["platform"], button["name"]) == ("button", "Tea")
        assert described["components"]["presence"]["device_class"] == "occupancy"
        assert (await link.publish(button["command_topic"], "PRESS")).ok
        assert (await other.next()).topic == "kettle/set"
        async for event in ends:
            if isinstance(event.output, RunEnded):
                assert event.output.result == "finished"
                break
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        broker.stop()
