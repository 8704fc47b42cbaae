"""The watch over a calibration: from what the sensor hears to what people are told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hub.bus import Bus, Overflow
from hub.calibration import CalibrationInUse, hardware_of
from hub.calibration_notes import notes_file
from hub.calibration_watch import CalibrationWatch
from hub.clock import VirtualClock
from hub.config.hub_config import AudioConfig, HomeConfig
from hub.events import RecalibrationAdvised
from hub.home_publisher import HomePublisher
from routines.ports import DeviceChanged
from sensing.calibration.calibration import Calibration
from sensing.calibration.interferers import Interferer
from sensing.calibration.triggers import hardware_changed
from sensing.ultrasound.carrier_state import CarrierState, CarrierStates
from sensing.ultrasound.silent_listener import SilenceHeard
from tests.hub.retained_messages import Broker
from tests.sensing.calibration.made_up_card import AT, MadeUpCard

FIELD = np.array([0.1, 0.05j], np.complex64)
TURNED = np.asarray(FIELD * np.exp(1j * np.radians([0, 60])), np.complex64)
THERMOMETER = "sensor.living_room_temperature"
BASEBAND_HZ = 1_000


@pytest.fixture(scope="module")
def kept() -> Calibration:
    return MadeUpCard().calibrate()


class House:
    """A watch and what publishes presence, on one bus; the clock stands at the calibration."""

    def __init__(
        self, folder: Path, calibration: CalibrationInUse, *, carriers_hz: tuple[float, ...], peak: float
    ) -> None:
        self.clock = VirtualClock(AT)
        self.bus = Bus(self.clock)
        self.broker = Broker()
        home = HomeConfig(room="den")
        self.home = HomePublisher(
            messages=self.broker, bus=self.bus, clock=self.clock, home=home, routines=[]
        )
        self.watch = CalibrationWatch(
            calibration=calibration,
            carriers_hz=carriers_hz,
            peak=peak,
            path=notes_file(folder),
            room="den",
            temperature=THERMOMETER,
            bus=self.bus,
            clock=self.clock,
        )
        self.told: list[RecalibrationAdvised] = []

    async def hear(self, *events: object) -> list[str]:
        """Return what was told on these events."""
        before = len(self.told)
        for first in range(0, len(events), 200):
            for event in events[first : first + 200]:
                self.bus.publish(event)
            await self.settled()
        return [one.trigger for one in self.told[before:]]

    async def settled(self) -> None:
        """Let the services work until nothing is left to do, the thread that writes notes included."""
        loop = asyncio.get_running_loop()
        is_busy = True
        while is_busy:
            for _ in range(3):
                for _ in range(5):
                    await asyncio.sleep(0)
                await loop.run_in_executor(None, int)
            is_busy = any(queue.used for queue in self.bus.statistics())

    @property
    def payload(self) -> dict[str, Any]:
        return dict(json.loads(self.broker.retained["roomwise/v1/state/presence/den"]))


@asynccontextmanager
async def running(
    folder: Path,
    calibration: Calibration | CalibrationInUse,
    *,
    peak: float = 0.1,
) -> AsyncIterator[House]:
    in_use = (
        calibration
        if isinstance(calibration, CalibrationInUse)
        else CalibrationInUse(calibration=calibration)
    )
    # one thread: what is asked of it later is done later
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    house = House(folder, in_use, carriers_hz=(22_500.0,), peak=peak)
    advised = house.bus.subscribe(RecalibrationAdvised, room=100, overflow=Overflow.DROP_OLDEST, name="test")

    async def listen() -> None:
        async for one in advised:
            house.told.append(one)

    tasks = [
        asyncio.create_task(house.home.run(lambda: None)),
        asyncio.create_task(listen()),
        asyncio.create_task(house.watch.run(lambda: None)),
    ]
    await house.settled()
    try:
        yield house
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def state(
    at_seconds: float, field: np.ndarray = FIELD, *, is_moving: bool = False, snr_db: float = 60.0
) -> CarrierState:
    return CarrierState(at_seconds=at_seconds, signature=field, snr_db=snr_db, is_moving=is_moving)


def states(first: int, end: int, field: np.ndarray = FIELD, *, snr_db: float = 60.0) -> list[CarrierState]:
    return [state(at, field, snr_db=snr_db) for at in range(first, end)]


def degrees(text: str, unit: str = "°C") -> DeviceChanged:
    return DeviceChanged(entity_id=THERMOMETER, state=text, attributes={"unit_of_measurement": unit})


def from_baseband(
    first_second: int, end_second: int, field: np.ndarray, *, moves_at: int = -1
) -> list[CarrierState]:
    """Return the states that the sensor makes of a tone in noise; each second's phase is another."""
    chance = np.random.default_rng(first_second)
    meter = CarrierStates(baseband_hz=BASEBAND_HZ, microphones=2)
    told = []
    for second in range(first_second, end_second):
        turned = field * np.exp(2j * np.pi * chance.random())
        noise = chance.normal(0, 1e-5, (2, 2, BASEBAND_HZ))
        heard = turned[:, None] + noise[0] + 1j * noise[1]
        meter.process(heard.astype(np.complex64), second + 1.0)
        one = meter.take(is_moving=second == moves_at)
        if one is not None:
            told.append(one)
    return told


async def test_a_microphone_that_turned_is_told_after_ten_minutes_not_before_and_once(
    tmp_path: Path, kept: Calibration
) -> None:
    async with running(tmp_path, kept) as house:
        assert await house.hear(*from_baseband(0, 75, FIELD)) == []
        moved = from_baseband(75, 720, TURNED)
        since = moved[0].at_seconds
        assert await house.hear(*(one for one in moved if one.at_seconds < since + 600)) == []
        assert house.payload["degraded"] == []
        soon = [one for one in moved if since + 600 <= one.at_seconds < since + 603]
        assert await house.hear(*soon) == ["moved"]
        assert house.payload["degraded"] == ["recalibrate"]
        [advised] = house.payload["recalibrate"]
        assert advised["hint"] == "run: roomwise calibrate"
        assert "moved" in advised["reason"]
        assert await house.hear(*(one for one in moved if one.at_seconds >= since + 603)) == []


async def test_nothing_is_told_while_somebody_moves_now_and_then(tmp_path: Path, kept: Calibration) -> None:
    async with running(tmp_path, kept) as house:
        await house.hear(*states(0, 120))
        restless = [state(at, TURNED, is_moving=at % 500 == 0) for at in range(120, 3_600)]
        assert await house.hear(*restless) == []


async def test_the_warning_says_what_and_what_to_do(
    tmp_path: Path, kept: Calibration, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(tmp_path, kept) as house:
        await house.hear(*states(0, 120), *states(120, 1_500, snr_db=50.0))
    told = "".join(capsys.readouterr())
    assert told.count("run: roomwise calibrate") == 1
    assert "10 dB less above the noise" in told


async def test_a_restart_in_a_new_place_is_noticed_and_what_was_told_is_told_to_the_readers_again(
    tmp_path: Path, kept: Calibration, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(tmp_path, kept) as house:
        await house.hear(*states(0, 120))
    async with running(tmp_path, kept) as house:
        assert await house.hear(*states(0, 700, TURNED)) == ["moved"]
    capsys.readouterr()
    async with running(tmp_path, kept) as house:
        assert [one.trigger for one in house.told] == ["moved"]
        assert house.payload["degraded"] == ["recalibrate"]
        assert await house.hear(*states(0, 700, TURNED)) == []
    assert "run: roomwise calibrate" not in "".join(capsys.readouterr())


@pytest.mark.parametrize("what", ["calibration", "level"])
async def test_a_new_calibration_or_level_makes_a_new_baseline_and_forgets_what_was_told(
    tmp_path: Path, kept: Calibration, what: str
) -> None:
    async with running(tmp_path, kept) as house:
        assert await house.hear(*states(0, 120), *states(120, 800, TURNED)) == ["moved"]
    is_new = what == "calibration"
    calibration = kept.model_copy(update={"at": AT - timedelta(days=1)}) if is_new else kept
    async with running(tmp_path, calibration, peak=0.1 if is_new else 0.05) as house:
        assert house.told == []
        assert await house.hear(*states(0, 900, TURNED)) == []


@pytest.mark.parametrize("content", ["", "{}", '{"version": 2}', "\x00"])
async def test_notes_that_cannot_be_read_are_begun_anew(
    tmp_path: Path, kept: Calibration, content: str
) -> None:
    notes_file(tmp_path).write_text(content)
    async with running(tmp_path, kept) as house:
        assert await house.hear(*states(0, 120), *states(120, 800, TURNED)) == ["moved"]


async def test_notes_that_cannot_be_kept_do_not_end_the_watch(tmp_path: Path, kept: Calibration) -> None:
    (tmp_path / "file").write_text("in the way")
    async with running(tmp_path / "file", kept) as house:
        assert await house.hear(*states(0, 120), *states(120, 800, TURNED)) == ["moved"]


async def test_another_tone_that_stays_is_told(tmp_path: Path, kept: Calibration) -> None:
    tone = Interferer(hz=kept.carrier_hz - 300, prominence_db=30.0, microphone=0)
    async with running(tmp_path, kept) as house:
        silences = [SilenceHeard(at_seconds=at, tones=(tone,)) for at in (0.0, 600.0, 1_200.0)]
        assert await house.hear(*silences) == ["interferer"]


async def test_a_room_that_is_warmer_by_five_degrees_is_told(tmp_path: Path, kept: Calibration) -> None:
    async with running(tmp_path, kept) as house:
        await house.hear(degrees("20.5"), *states(0, 120))
        assert await house.hear(degrees("unavailable"), state(120), degrees("nan"), state(121)) == []
        assert await house.hear(degrees("25.0"), state(122)) == []
        assert await house.hear(degrees("79", "°F"), state(123)) == ["temperature"]


async def test_age_is_told_at_the_start_or_when_it_comes(tmp_path: Path, kept: Calibration) -> None:
    async with running(tmp_path, kept) as house:
        assert await house.hear(state(0)) == []
        house.clock.advance(31 * 86_400)
        assert await house.hear(state(1)) == ["age"]
    old = kept.model_copy(update={"at": AT - timedelta(days=40)})
    async with running(tmp_path, old) as house:
        assert [one.trigger for one in house.told] == ["age"]


async def test_other_hardware_is_told_at_the_start_and_nothing_is_compared(
    tmp_path: Path, kept: Calibration
) -> None:
    outdated = hardware_changed(kept, hardware_of(AudioConfig()))
    async with running(tmp_path, CalibrationInUse(outdated=outdated)) as house:
        assert [one.trigger for one in house.told] == ["hardware"]
        assert await house.hear(*states(0, 120)) == []
        assert house.payload["degraded"] == ["recalibrate"]
    assert not notes_file(tmp_path).exists()
