"""Two hubs in a simulated room, from the request to the trim: real sockets for the music, virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray

from hub.calibration import hardware_of
from hub.config.hub_config import HubConfig
from hub.pair_memory import PairMemory, remember
from hub.pair_parts import RESULTS
from integrations.mqtt.topics import CALIBRATE_ROOMS_TOPIC, pair_topic
from tests.hub.chirping_hubs import Air, Hub, apart_seconds, pair_of
from tests.hub.test_together import (
    RATE_HZ,
    following,
    free_port,
    in_virtual_time,
    serving,
)

P = ParamSpec("P")
T = TypeVar("T")


@pytest.fixture(autouse=True)
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Virtual time would not wait for them."""

    async def at_once(work: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
        return work(*args, **more)

    monkeypatch.setattr(asyncio, "to_thread", at_once)


async def ended(air: Air, ends: int = 1) -> None:
    while sum(event["type"] == "done" for event in air.events()) < ends:
        await asyncio.sleep(0.2)


def test_a_card_that_is_late_is_heard_trimmed_and_remembered(tmp_path: Path) -> None:
    async def test() -> None:
        air = Air()
        kitchen, den = await pair_of(tmp_path, air, late_seconds=3e-4)
        assert apart_seconds(kitchen, den) == pytest.approx(3e-4, abs=5e-5)
        air.say(CALIBRATE_ROOMS_TOPIC)
        await ended(air)
        calibrated, done = air.events()[-2:]
        assert (calibrated["type"], calibrated["hub"]) == ("calibrated", "den-1")
        assert done["hubs"] == ["den-1"]
        assert den.trim_seconds == pytest.approx(3e-4, abs=5e-5)
        assert den.rests[0] is True
        assert den.rests[-1] is False
        await asyncio.sleep(9.0)  # three times the time constant of the steering
        # ten times what the hearing alone is wrong by; the clocks' own error comes on top
        assert abs(apart_seconds(kitchen, den)) < 25e-6
        found = den.calibration("kitchen")["found"]
        assert isinstance(found, dict)
        assert found["distance_metres"] == pytest.approx(2.42, abs=0.05)  # without own_path_metres
        assert found["age_seconds"] == pytest.approx(10, abs=2)
        told = air.state("den")["calibration"]
        assert isinstance(told, dict)
        assert told["trim_us"] == pytest.approx(1e6 * den.trim_seconds, abs=0.1)
        kept = PairMemory.model_validate_json(den.path.read_text())
        assert kept.trim_seconds == den.trim_seconds
        assert kitchen.calibration("den")["found"] is not None
        await asyncio.gather(kitchen.end(), den.end())

    in_virtual_time(test)


def test_five_milliseconds_are_believed_when_they_are_heard_twice_also_where_messages_come_twice(
    tmp_path: Path,
) -> None:
    async def test() -> None:
        lot = random.Random(1)
        air = Air(lambda: lot.choice([1, 2, 3]))
        kitchen, den = await pair_of(tmp_path, air, late_seconds=5e-3)
        air.say(CALIBRATE_ROOMS_TOPIC)
        await ended(air)
        proposals = {p for t, p in air.told if t == pair_topic("den-1") and '"propose"' in p}
        assert len(proposals) == 2
        assert den.trim_seconds == pytest.approx(5e-3, abs=5e-5)
        await asyncio.sleep(3.0)
        assert abs(apart_seconds(kitchen, den)) < 25e-6
        await asyncio.gather(kitchen.end(), den.end())

    in_virtual_time(test)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("muted", "den-1 refuses: the ultrasonic tone is switched off"),
        ("no ultrasound", "den-1 refuses: ultrasound.enabled is false"),
        ("walls", "above the noise"),
        ("no answer", "den-1 does not answer"),
        ("deaf", "hears nothing at all"),
    ],
)
def test_what_keeps_two_hubs_from_calibrating_is_said_and_the_tone_comes_back(
    tmp_path: Path, wrong: str, words: str
) -> None:
    async def test() -> None:
        air = Air()
        off: dict[str, object] | None = {"enabled": False} if wrong == "no ultrasound" else None
        kitchen, den = await pair_of(tmp_path, air, late_seconds=3e-4, ultrasound=off)
        if wrong == "muted":
            assert den.ultrasound is not None
            den.ultrasound.tone.allow(False)
            await asyncio.sleep(0.1)
        elif wrong == "walls":
            kitchen.card.sources, den.card.sources = kitchen.card.sources[:1], den.card.sources[:1]
        elif wrong == "deaf":
            den.card.sources = ()
            den.card._noise = Silence()  # type: ignore[assignment]
        elif wrong == "no answer":
            air.buses.remove(den.bus)
        blocks = len(den.card.blocks)
        air.say(CALIBRATE_ROOMS_TOPIC)
        await ended(air)
        failed = air.events()[-2]
        assert failed["type"] == "failed"
        assert words in str(failed["why"])
        assert words in str(kitchen.calibration("den")["failed"])
        assert den.trim_seconds == 0
        played = np.concatenate(den.card.blocks[blocks:], axis=1)[0]
        if wrong in ("muted", "no ultrasound"):
            assert band_rms(played, 18_500, 22_000) < 1e-4  # music, and the edges of this piece
        await asyncio.sleep(2.0)
        for hub in (kitchen, den):
            assert hub.rests[-1:] in ([], [False])
            assert not hub.card.recorder.is_recording  # type: ignore[union-attr]
        tone = np.concatenate(kitchen.card.blocks[-100:], axis=1)[0]
        assert band_rms(tone, 20_400, 20_600) == pytest.approx(0.02 / np.sqrt(2), rel=0.02)
        await asyncio.gather(kitchen.end(), den.end())

    in_virtual_time(test)


class Silence:
    def standard_normal(self, frames: int) -> NDArray[np.float64]:
        return np.zeros(frames)


def band_rms(sound: NDArray[np.float32], low_hz: float, high_hz: float) -> float:
    spectrum = np.fft.rfft(sound * np.hanning(sound.size))
    hz = np.fft.rfftfreq(sound.size, 1 / RATE_HZ)
    power = (np.abs(spectrum[(hz >= low_hz) & (hz <= high_hz)]) ** 2).sum()
    return float(np.sqrt(power / (3 / 16)) / sound.size)


def test_a_remembered_trim_is_in_force_at_the_next_start(tmp_path: Path) -> None:
    async def test() -> None:
        air = Air()
        port = free_port()
        config = HubConfig()
        memory = PairMemory(
            follows=f"127.0.0.1:{port}", hardware=hardware_of(config.audio), trim_seconds=3e-4
        )
        remember(tmp_path / RESULTS, memory)
        den = Hub("den", following(port), tmp_path, air)
        await asyncio.sleep(0.5)
        assert den.trim_seconds == 3e-4
        await den.end()

    in_virtual_time(test)


def test_where_hub_yaml_says_so_it_is_done_now_and_then_while_music_plays(tmp_path: Path) -> None:
    async def test() -> None:
        air = Air()
        kitchen = Hub("kitchen", {**serving(free_port()), "calibrate_every_minutes": 1.0}, tmp_path, air)
        await asyncio.sleep(55.0)
        assert not air.events()
        await asyncio.sleep(10.0)
        assert [event["type"] for event in air.events()] == ["begun", "done"]
        await asyncio.sleep(60.0)
        assert [event["type"] for event in air.events()] == 2 * ["begun", "done"]
        await kitchen.end()

    in_virtual_time(test)
