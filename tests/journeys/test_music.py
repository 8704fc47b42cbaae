"""Music in a whole hub: found by discovery, asked for over a real broker, under an announcement."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from hub.assemble import assemble
from hub.audio.simulated_device import empty_room
from hub.clock import SystemClock
from hub.config.files import load_config
from integrations.mqtt.client import MqttLink
from integrations.mqtt.embedded_broker import EmbeddedBroker
from routines.ports import LinkEvent, MessageReceived

ROOM = "living_room"


class Phone:
    """The other side of the broker: keeps what it receives, by topic."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[MessageReceived] = asyncio.Queue()

    async def send(self, event: LinkEvent) -> None:
        if isinstance(event, MessageReceived):
            await self.received.put(event)

    async def next(self, topic: str, fits: Callable[[dict[str, Any]], bool] = lambda _: True) -> Any:
        """Return the next message on a topic that fits."""
        while True:
            message = await asyncio.wait_for(self.received.get(), 60)
            if message.topic == topic and fits(content := json.loads(message.payload)):
                return content


async def test_music_is_found_played_paused_and_ducked_over_a_real_broker(tmp_path: Path) -> None:
    (tmp_path / "routines").mkdir()
    (tmp_path / "music" / "Evening").mkdir(parents=True)
    tone = 0.3 * np.sin(2 * np.pi * 440 / 44_100 * np.arange(120 * 44_100))
    soundfile.write(tmp_path / "music" / "Evening" / "song.flac", tone, 44_100)
    (tmp_path / "hub.yaml").write_text(
        "version: 1\nultrasound: {enabled: false}\nspeech: {enabled: false}\n", encoding="utf-8"
    )
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
    phone = Phone()
    link = MqttLink(
        host="127.0.0.1",
        port=port,
        client_id="phone",
        topics=("homeassistant/#", "roomwise/v1/state/#", "roomwise/v1/event/#"),
        outbox=phone,
        availability_topic="phone/availability",
    )
    tasks = [asyncio.create_task(house.supervisor.run()), asyncio.create_task(link.run(lambda: None))]
    state = f"roomwise/v1/state/player/{ROOM}"
    try:
        described = await phone.next(f"homeassistant/device/roomwise_{ROOM}/config")
        playlist = described["components"]["player_playlist"]
        assert playlist["options"] == ["Evening"]
        assert (await link.publish(playlist["command_topic"], "Evening")).ok
        playing = await phone.next(state, lambda state: state["state"] == "playing")
        assert (playing["playlist"], playing["seconds"]) == ("Evening", 120)
        announce = described["components"]["announce"]["command_topic"]
        await link.publish(announce, '{"id": "dinner", "text": "Dinner"}')
        topic = "roomwise/v1/event/announcement/dinner"
        phases = [(await phone.next(topic))["phase"] for _ in range(3)]
        assert phases == ["queued", "playing", "done"]
        button = described["components"]["player_stop"]
        await link.publish(button["command_topic"], button["payload_press"])
        assert (await phone.next(state, lambda state: state["state"] == "idle"))["tracks"] == 1
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        broker.stop()
