"""Two whole hubs in one room: asked by the command over a real broker, they hear that one of them is late."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from contextlib import suppress
from datetime import UTC
from pathlib import Path

import numpy as np
import pytest

from hub.assemble import House, assemble
from hub.audio.device import AudioFormat, Captured, CardReport
from hub.cli.main import run_command
from hub.clock import SystemClock
from hub.config.files import load_config
from hub.together import Following
from integrations.mqtt.embedded_broker import EmbeddedBroker
from sensing.audio_block import Block

RATE_HZ = 48_000
BLOCK = 480
OUTPUT_BLOCKS = 30
"""A third of a second from a block that is written until it is heard."""
LATE_FRAMES = 24
"""The second card is half a millisecond later than it says."""
OWN_FRAMES, OTHER_FRAMES = 12, 280
"""From a loudspeaker to its own microphone, and to the other's, 2 m away."""
PATIENCE_SECONDS = 90.0


class Air:
    """What both loudspeakers have given to the room, by frames of one clock; both cards have its crystal."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self._changed = threading.Condition()
        self._played: list[list[Block]] = [[], []]
        self._noise = np.random.default_rng(1)

    def play(self, who: int, block: Block) -> None:
        with self._changed:
            self._played[who].append(block[0].copy())
            self._changed.notify_all()

    def heard(self, who: int, first: int) -> Block:
        """What a microphone hears from a frame on; it waits for whoever is late."""
        mine = self._from(who, first - OWN_FRAMES - who * LATE_FRAMES)
        other = self._from(1 - who, first - OTHER_FRAMES - (1 - who) * LATE_FRAMES)
        noise = 3e-4 * self._noise.standard_normal(BLOCK)
        return np.asarray(mine + 0.1 * other + noise, np.float32)[np.newaxis].repeat(2, axis=0)

    def _from(self, who: int, frame: int) -> Block:
        blocks = self._played[who]
        last = (frame + BLOCK - 1) // BLOCK
        with self._changed:
            self._changed.wait_for(lambda: len(blocks) > last, timeout=0.5)
            silent = np.zeros(BLOCK, np.float32)
            near = [blocks[at] if 0 <= at < len(blocks) else silent for at in (frame // BLOCK, last)]
        at = frame % BLOCK
        return np.concatenate(near)[at : at + BLOCK]


class Card:
    """One of two cards, paced by the machine's clock."""

    name = "one of two in a room"

    def __init__(self, air: Air, who: int) -> None:
        self._air, self._who = air, who
        self.format = AudioFormat(rate_hz=RATE_HZ, microphones=2, speakers=2, block_frames=BLOCK)
        self._block = 0

    def open(self) -> Card:
        for _ in range(OUTPUT_BLOCKS):
            self._air.play(self._who, np.zeros((2, BLOCK), np.float32))
        return self

    def read(self) -> Captured:
        first, self._block = self._block * BLOCK, self._block + 1
        time.sleep(max(0.0, self._air.began + self._block * BLOCK / RATE_HZ - time.monotonic()))
        heard_at = self._air.began + (first + OUTPUT_BLOCKS * BLOCK) / RATE_HZ
        return Captured(
            first_frame=first,
            capture=self._air.heard(self._who, first - 5 * BLOCK),  # what was in the air 50 ms ago
            reference=np.zeros((2, BLOCK), np.float32),
            report=CardReport(frame=first, heard_at_seconds=heard_at),
        )

    def write(self, block: Block) -> None:
        self._air.play(self._who, block)

    def close(self) -> None:
        pass


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def hub(folder: Path, room: str, part: str, air: Air, who: int, port: int) -> House:
    folder = folder / room
    folder.mkdir()
    (folder / "hub.yaml").write_text(
        f"version: 1\nhome: {{room: {room}}}\nspeech: {{enabled: false}}\n"
        f"mqtt: {{host: 127.0.0.1, port: {port}}}\nplayback: {{together: {part}}}\n",
        encoding="utf-8",
    )
    return assemble(
        load_config(folder),
        directory=folder,
        clock=SystemClock(UTC),
        device=Card(air, who),
        state=folder,
        broker_port=port,
        lossless=False,
    )


async def settled(den: House) -> None:
    together = den.acting.together
    assert together is not None
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not together.part.is_settled:
            await asyncio.sleep(0.2)


async def test_two_hubs_are_asked_by_the_command_and_hear_that_one_is_late(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = EmbeddedBroker()
    port, music_port, air = broker.start().mqtt_5, free_port(), Air()
    kitchen = hub(tmp_path, "kitchen", f"{{serve: true, host: 127.0.0.1, port: {music_port}}}", air, 0, port)
    den = hub(tmp_path, "den", f"{{follow: '127.0.0.1:{music_port}'}}", air, 1, port)
    tasks = [asyncio.create_task(one.supervisor.run()) for one in (kitchen, den)]
    try:
        await settled(den)
        command = ["calibrate", "--pair", "--json", "--config", str(tmp_path / "den")]
        status = await asyncio.to_thread(run_command, command)
        lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
        begun, calibrated, done = map(json.loads, lines)
        assert status == 0
        assert (begun["type"], calibrated["type"], done["type"]) == ("begun", "calibrated", "done")
        # the clocks' own error on a busy machine is in it too
        assert calibrated["offset_us"] == pytest.approx(1e6 * LATE_FRAMES / RATE_HZ, abs=200)
        assert den.acting.together is not None
        part = den.acting.together.part
        assert isinstance(part, Following)
        assert 1e6 * part.trim_seconds == pytest.approx(calibrated["trim_us"], abs=0.1)
        told = den.acting.together.state()["calibration"]
        assert isinstance(told, dict)
        assert told["trim_us"] == calibrated["trim_us"]
    finally:
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks)
        broker.stop()
