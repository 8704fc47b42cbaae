"""Music in a whole hub: found by discovery, asked for over a real broker, under an announcement."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from tests.journeys.house_on_broker import Inbox, house_and_other

ROOM = "living_room"


class Phone(Inbox):
    """The other side of the broker: looks for messages by topic."""

    async def content(self, topic: str, fits: Callable[[dict[str, Any]], bool] = lambda _: True) -> Any:
        """Return what the next message on a topic says that fits."""
        while True:
            message = await self.next(60)
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
    phone = Phone()
    topics = ("homeassistant/#", "roomwise/v1/state/#", "roomwise/v1/event/#")
    state = f"roomwise/v1/state/player/{ROOM}"
    async with house_and_other(tmp_path, topics, phone) as (_, link):
        described = await phone.content(f"homeassistant/device/roomwise_{ROOM}/config")
        playlist = described["components"]["player_playlist"]
        assert playlist["options"] == ["Evening"]
        assert (await link.publish(playlist["command_topic"], "Evening")).ok
        playing = await phone.content(state, lambda state: state["state"] == "playing")
        assert (playing["playlist"], playing["seconds"]) == ("Evening", 120)
        announce = described["components"]["announce"]["command_topic"]
        await link.publish(announce, '{"id": "dinner", "text": "Dinner"}')
        topic = "roomwise/v1/event/announcement/dinner"
        phases = [(await phone.content(topic))["phase"] for _ in range(3)]
        assert phases == ["queued", "playing", "done"]
        button = described["components"]["player_stop"]
        await link.publish(button["command_topic"], button["payload_press"])
        assert (await phone.content(state, lambda state: state["state"] == "idle"))["tracks"] == 1
