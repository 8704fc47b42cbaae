"""Two hubs that hear each other: cards with clocks of their own in a simulated room, and a broker."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal

from hub.audio.lane import Lane
from hub.bus import Bus
from hub.calibration import CalibrationInUse
from hub.config.hub_config import HubConfig
from hub.pair_parts import RESULTS, pair_ear, pair_services
from hub.pair_recorder import PairRecorder
from hub.playback.library import Library
from hub.playback.mixer import Mixer
from hub.playback.player import Player
from hub.supervisor import Supervisor
from hub.sync.rate_converter import RateConverter
from hub.together import Following, music_together
from hub.ultrasound import LANE, build_ultrasound
from routines.effects import Outcome
from routines.ports import MessageReceived
from sensing.audio_block import AudioBlock, Block
from tests.hub.test_together import (
    BLOCK,
    LATENCY_SECONDS,
    RATE_HZ,
    Card,
    Noise,
    RoomClock,
    following,
    free_port,
    serving,
)

CAPTURE_SECONDS = 0.05
"""From the microphone until a block is handed over."""
METRES_PER_SECOND = 343.0
NOISE_RMS = 1e-3


class Air:
    """A broker: every message reaches every hub a little later, twice or never as the test says."""

    def __init__(self, copies: Callable[[], int] = lambda: 1) -> None:
        self._copies = copies
        self.buses: list[Bus] = []
        self.told: list[tuple[str, str]] = []

    async def publish(self, topic: str, payload: str, *, retain: bool = False, qos: int = 1) -> Outcome:
        self.told.append((topic, payload))
        if not retain:
            for _ in range(self._copies() if topic.endswith("/pair") else 1):
                self.say(topic, payload)
        return Outcome()

    def say(self, topic: str, payload: str = "PRESS") -> None:
        for bus in self.buses:
            message = MessageReceived(topic=topic, payload=payload, retained=False)
            asyncio.get_running_loop().call_later(0.02, bus.publish, message)

    def events(self) -> list[dict[str, object]]:
        return [json.loads(payload) for topic, payload in self.told if "/event/together/" in topic]

    def state(self, room: str) -> dict[str, object]:
        states = [payload for topic, payload in self.told if topic.endswith(f"state/together/{room}")]
        return dict(json.loads(states[-1]))


@dataclass(kw_only=True)
class Links:
    """A hub's name, and what it takes for the broker."""

    hub: str
    mqtt: Air


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way from a hub's loudspeaker to a microphone."""

    seconds: float
    gain: float


OWN = (Way(seconds=0.08 / METRES_PER_SECOND, gain=1.0), Way(seconds=0.0041, gain=0.2))
OTHER = (
    Way(seconds=2.5 / METRES_PER_SECOND, gain=0.08),
    Way(seconds=2.9 / METRES_PER_SECOND, gain=0.05),
    Way(seconds=0.016, gain=0.03),
)


class MicrophoneCard(Card):
    """A card that hears both loudspeakers, and whose own is later than it says."""

    def __init__(self, *args: object, late_seconds: float, **more: object) -> None:
        super().__init__(*args, **more)  # type: ignore[arg-type]
        self.late_seconds = late_seconds
        self.recorder: PairRecorder | None = None
        self.sources: Sequence[tuple[MicrophoneCard, Sequence[Way]]] = ()
        self._noise = np.random.default_rng(3)
        self._converter = RateConverter()

    async def run(self, ready: Callable[[], None]) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(super().run(ready))
            tasks.create_task(self._listen())

    async def _listen(self) -> None:
        """Hand over what the microphone has heard, while somebody wants it."""
        loop = asyncio.get_running_loop()
        frame = 0
        while True:
            await asyncio.sleep(BLOCK * self._frame_seconds)
            frame += BLOCK
            if self.recorder is None or not self.recorder.is_recording:
                continue
            ends = loop.time() - CAPTURE_SECONDS
            instants = ends + self._frame_seconds * np.arange(-BLOCK, 0, dtype=np.float64)
            capture = sum((card.at(instants, paths) for card, paths in self.sources), np.zeros(BLOCK))
            capture += NOISE_RMS * self._noise.standard_normal(BLOCK)
            both = capture[np.newaxis].astype(np.float32)
            self.recorder.process(
                AudioBlock(first_frame=frame, rate_hz=RATE_HZ, capture=both, reference=np.zeros_like(both))
            )

    def at(self, instants: NDArray[np.float64], paths: Sequence[Way]) -> NDArray[np.float64]:
        """What a microphone hears of this card's first loudspeaker."""
        last = (instants[-1] - self.began - LATENCY_SECONDS) / self._frame_seconds
        first = max(0, int(last) // BLOCK - 8)
        sound = np.concatenate(self.blocks[first : int(last) // BLOCK + 2], axis=1)[:1]
        ways = np.array([path.seconds for path in paths])[:, np.newaxis] + self.late_seconds
        frames = (instants - ways - self.began - LATENCY_SECONDS) / self._frame_seconds - first * BLOCK
        heard = self._converter.process(sound, frames.ravel())[0].reshape(frames.shape)
        gains = np.array([path.gain for path in paths])
        return np.asarray(gains @ heard, np.float64)

    def heard(self, true_seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        return super().heard(true_seconds - self.late_seconds)


class Hub:
    """The parts of a hub that make music together and calibrate, around a card."""

    def __init__(
        self,
        room: str,
        part: dict[str, object],
        folder: Path,
        air: Air,
        *,
        card_drift: float = 0.0,
        ahead_seconds: float = 0.0,
        late_seconds: float = 0.0,
        ultrasound: dict[str, object] | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.clock = RoomClock(ahead_seconds=ahead_seconds, drift=0.0)
        self.bus = Bus(self.clock)
        air.buses.append(self.bus)
        config = HubConfig.model_validate(
            {
                "home": {"room": room},
                "playback": {"together": part},
                "ultrasound": {"level": 0.02, "carrier_hz": 20_500, **(ultrasound or {})},
            }
        )
        self.ultrasound = build_ultrasound(
            config, calibration=CalibrationInUse(), state=folder, bus=self.bus, clock=self.clock
        )
        mixer = Mixer(
            rate_hz=RATE_HZ,
            speakers=2,
            emitter=None if self.ultrasound is None else self.ultrasound.chirps,
        )
        if self.ultrasound is not None:
            self.ultrasound.tone.allow(True)

        def post(act: Callable[[], None]) -> None:
            loop.call_soon_threadsafe(act)

        self._player = Player(
            mixer=mixer,
            rate_hz=RATE_HZ,
            open_source=Library(folder).open,
            post=post,
            on_change=lambda: None,
            on_failure=lambda source, why: pytest.fail(why),
        )
        if "serve" in part:
            mixer.music = Loud()
        self.card = MicrophoneCard(mixer, self.clock, drift=card_drift, late_seconds=late_seconds)
        together = music_together(
            config, mixer=mixer, player=self._player, hub=f"{room}-1", bus=self.bus, clock=self.clock
        )
        self.rests: list[bool] = []
        lanes: list[Lane] = [RestingLane(self.rests)]  # type: ignore[list-item]
        ear = pair_ear(config, lanes, self.bus)
        assert together is not None
        assert ear is not None
        self.together = self.card.together = together
        self.card.recorder = ear.recorder
        self.path = folder / RESULTS
        links = Links(hub=f"{room}-1", mqtt=air)
        services = pair_services(
            ear,
            config,
            together,
            self.ultrasound,
            links,
            state=folder,
            bus=self.bus,
            clock=self.clock,
        )
        supervisor = Supervisor([self.card, *together.services, *services], bus=self.bus, clock=self.clock)
        self._running = asyncio.create_task(supervisor.run())

    @property
    def trim_seconds(self) -> float:
        assert isinstance(self.together.part, Following)
        return self.together.part.trim_seconds

    def calibration(self, other: str) -> dict[str, object]:
        told = self.together.state()["calibration"]
        assert isinstance(told, dict)
        hubs = told["hubs"]
        assert isinstance(hubs, dict)
        known = hubs[f"{other}-1"]
        assert isinstance(known, dict)
        return dict(known)

    async def end(self) -> None:
        self._player.close()
        self._running.cancel()
        await asyncio.wait({self._running})


class Loud(Noise):
    """Music at -16 dBFS, again and again."""

    def next_block(self, frames: int) -> Block:
        block = super().next_block(frames)
        if block.shape[1] < frames:
            self._frame = 0
            block = super().next_block(frames)
        return np.asarray(1.6 * block, np.float32)


class RestingLane:
    """The sensor's lane, as far as anybody tells it to rest; it asks the sensor what it was told."""

    name = LANE

    def __init__(self, rests: list[bool]) -> None:
        self._rests = rests

    def tell(self, name: str, act: Callable[[], None]) -> None:
        assert name == "calibrating"
        act()
        self._rests.append(bool(act.args[0]))  # type: ignore[attr-defined]


async def pair_of(
    folder: Path, air: Air, *, late_seconds: float, ultrasound: dict[str, object] | None = None
) -> tuple[Hub, Hub]:
    """Two hubs 2.5 m apart; the one that follows has a card that is late."""
    port = free_port()
    (folder / "kitchen").mkdir(exist_ok=True)
    (folder / "den").mkdir(exist_ok=True)
    kitchen = Hub("kitchen", serving(port), folder / "kitchen", air, card_drift=40e-6)
    den = Hub(
        "den",
        following(port),
        folder / "den",
        air,
        card_drift=-40e-6,
        ahead_seconds=500.0,
        late_seconds=late_seconds,
        ultrasound=ultrasound,
    )
    kitchen.card.sources = ((kitchen.card, OWN), (den.card, OTHER))
    den.card.sources = ((den.card, OWN), (kitchen.card, OTHER))
    await asyncio.sleep(14.0)
    return kitchen, den


def apart_seconds(one: Hub, other: Hub) -> float:
    """By how much the other hub's loudspeaker is later, from what both have just played below 8 kHz."""
    fine_hz = 8 * RATE_HZ
    end = asyncio.get_running_loop().time() + LATENCY_SECONDS - 0.1
    instants = end - 0.5 + np.arange(fine_hz // 2) / fine_hz
    low = signal.butter(4, 8000, fs=fine_hz, output="sos")
    first, second = (signal.sosfilt(low, hub.card.heard(instants)) for hub in (one, other))
    like = signal.correlate(second, first, mode="same")
    top = int(np.argmax(like))
    assert like[top] > 0.5 * np.linalg.norm(first) * np.linalg.norm(second)
    before, peak, after = like[top - 1 : top + 2]
    place = top + 0.5 * (before - after) / (before - 2 * peak + after)
    return float((place - like.size // 2) / fine_hz)
