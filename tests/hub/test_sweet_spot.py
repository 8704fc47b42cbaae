"""Spatial sound is aimed at who talks, or where somebody has set it; and the switch for plain stereo."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from structlog.testing import capture_logs

from hub.bus import Bus
from hub.cli.spatial_line import spatial_line
from hub.clock import VirtualClock
from hub.config.files import load_config
from hub.config.hub_config import HomeConfig, HubConfig
from hub.errors import BadInput, ConfigError
from hub.events import Observed
from hub.playback.mixer import Mixer
from hub.spatial.filter_design import SpatialFilters
from hub.spatial.renderer import SpatialRenderer
from hub.spatial.steered_filters import SteeredFilters
from hub.spatial_sound import build_spatial_sound
from hub.sweet_spot import SpatialState, SweetSpot
from integrations.mqtt.discovery import spatial_discovery
from routines.effects import Outcome
from routines.ports import MessageReceived
from sensing.observations import TalkerLocated

RATE_HZ = 48_000
TAPS = 512
STATE = "roomwise/v1/state/spatial/attic"
LAYOUT = """
drivers:
  - {name: left, position_m: [-0.1, 0, 0]}
  - {name: right, position_m: [0.1, 0, 0]}
"""
MICROPHONES = """
microphones:
  - {name: left, position_m: [-0.05, 0.02, 0.08]}
  - {name: right, position_m: [0.05, 0.02, 0.08]}
"""


def filters(seed: int) -> SpatialFilters:
    """Filters as a design makes them: a main tap at time zero and something that fades around it."""
    late = np.arange(TAPS) - TAPS // 2
    made = 0.05 * np.random.default_rng(seed).standard_normal((3, 2, TAPS)) * np.exp(-np.abs(late) / 20)
    made[[0, 1, 2, 2], [0, 1, 0, 1], TAPS // 2] += 1
    return SpatialFilters(
        filters=made.astype(np.float32),
        cancellers=made[:2].astype(np.float32),
        rate_hz=RATE_HZ,
        delay_frames=TAPS // 2,
    )


STEERED = SteeredFilters(
    azimuth_degrees=np.arange(-30.0, 31, 3), sets=tuple(filters(seed) for seed in range(21))
)


class Told:
    """A broker that hands each state to the test."""

    def __init__(self) -> None:
        self.states: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.retained: dict[str, str] = {}

    async def publish(self, topic: str, payload: str, *, retain: bool = False, qos: int = 1) -> Outcome:
        assert retain
        self.retained[topic] = payload
        if topic == STATE:
            self.states.put_nowait(json.loads(payload))
        return Outcome()


class House:
    """A sweet spot, and the mixer that it aims."""

    def __init__(self, azimuth_degrees: float | None, path: Path) -> None:
        self.clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.bus = Bus(self.clock)
        self.told = Told()
        self.renderer = SpatialRenderer(filters(99), RATE_HZ)
        self.mixer = Mixer(rate_hz=RATE_HZ, speakers=2, renderer=self.renderer)
        self.designed = 0
        self.sweet_spot = SweetSpot(
            renderer=self.renderer,
            design=self.design,
            azimuth_degrees=azimuth_degrees,
            path=path,
            messages=self.told,
            bus=self.bus,
            clock=self.clock,
            home=HomeConfig(room="attic"),
        )

    def design(self) -> SteeredFilters:
        self.designed += 1
        return STEERED

    def talk(self, azimuth_degrees: float, confidence: float = 0.6) -> None:
        seen = TalkerLocated(at=1, frame=RATE_HZ, azimuth_degrees=azimuth_degrees, confidence=confidence)
        self.bus.publish(Observed(room="attic", observation=seen, at=self.clock.now()))

    async def ask(self, what: str, payload: str, *, retained: bool = False) -> None:
        topic = f"roomwise/v1/set/spatial/attic/{what}"
        await self.bus.send(MessageReceived(topic=topic, payload=payload, retained=retained))

    async def state(self) -> dict[str, Any]:
        """Return the next state that is told."""
        told = await asyncio.wait_for(self.told.states.get(), 20)
        assert told.pop("v") == 1
        assert datetime.fromisoformat(told.pop("ts")).tzinfo is not None
        return told

    def plays(self) -> NDArray[np.float32]:
        """Return what a click to both sides sounds like now, without the past."""
        self.renderer.reset()
        click = np.zeros((2, 8_000), np.float32)
        click[0, 3_000], click[1, 3_100] = 0.5, 0.25
        return self.renderer.process(click)


def as_from(one: SpatialFilters) -> NDArray[np.float32]:
    house = House(None, Path("unused"))
    house.renderer.set_filters(one)
    return house.plays()


@asynccontextmanager
async def living(azimuth_degrees: float | None = None, folder: Path | None = None) -> AsyncIterator[House]:
    """A house that remembers in a folder, or in one of its own that nothing is left of."""
    with TemporaryDirectory() as own:
        house, is_ready = House(azimuth_degrees, (folder or Path(own)) / "sweet_spot.json"), asyncio.Event()
        running = asyncio.create_task(house.sweet_spot.run(is_ready.set))
        await asyncio.wait_for(is_ready.wait(), 20)
        await house.state()
        try:
            yield house
        finally:
            running.cancel()
            await asyncio.wait([running])


async def test_the_spot_moves_to_who_talks_and_says_so() -> None:
    async with living() as house:
        house.talk(12.34)
        assert await house.state() == {"on": True, "azimuth_degrees": 12.3, "source": "talker"}
        np.testing.assert_array_equal(house.plays(), as_from(STEERED.towards(12)))
        assert house.designed == 1


@pytest.mark.parametrize(("azimuth_degrees", "confidence"), [(12, 0.1), (170, 0.9), (-91, 0.9)])
async def test_who_is_unsure_or_behind_the_loudspeaker_moves_nothing(
    azimuth_degrees: float, confidence: float
) -> None:
    async with living() as house:
        house.talk(azimuth_degrees, confidence)
        house.talk(-6)
        assert (await house.state())["azimuth_degrees"] == -6  # of the first nothing was told
        np.testing.assert_array_equal(house.plays(), as_from(STEERED.towards(-6)))


async def test_the_spot_stays_until_somebody_talks_from_elsewhere_or_sets_it() -> None:
    async with living() as house:
        house.talk(-70)
        assert (await house.state())["azimuth_degrees"] == -30
        await house.ask("azimuth", "9.0")
        assert await house.state() == {"on": True, "azimuth_degrees": 9, "source": "hand"}
        np.testing.assert_array_equal(house.plays(), as_from(STEERED.towards(9)))
        house.talk(21)
        assert (await house.state())["source"] == "talker"


async def test_the_direction_of_the_configuration_is_in_force_from_the_start() -> None:
    async with living(-15) as house:
        await house.ask("switch", "ON")
        assert await house.state() == {"on": True, "azimuth_degrees": -15, "source": "config"}
        np.testing.assert_array_equal(house.plays(), as_from(STEERED.towards(-15)))


async def test_switch_and_direction_are_as_before_a_restart(tmp_path: Path) -> None:
    async with living(folder=tmp_path) as house:
        await house.ask("switch", "OFF")
        await house.ask("azimuth", "9")
        for _ in range(2):
            before = await house.state()
    async with living(-15, tmp_path) as house:
        assert house.sweet_spot.state == SpatialState(**before)
        assert house.renderer.is_bypassed
        await house.ask("switch", "ON")
        await house.state()
        np.testing.assert_array_equal(house.plays(), as_from(STEERED.towards(9)))


async def test_an_older_direction_of_hub_yaml_gives_way_to_a_new_one(tmp_path: Path) -> None:
    async with living(-15, tmp_path) as house:
        await house.ask("switch", "OFF")
        await house.state()
    async with living(6, tmp_path) as house:
        assert house.sweet_spot.state == SpatialState(on=False, azimuth_degrees=6, source="config")


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"on": true}', '{"on": true, "azimuth_degrees": 31, "source": "hand"}', "\x00\xff"],
)
async def test_a_damaged_memory_of_the_spot_is_told_in_one_line_and_left_out(
    tmp_path: Path, content: str
) -> None:
    (tmp_path / "sweet_spot.json").write_text(content, encoding="utf-8")
    with capture_logs() as logs:
        async with living(-15, tmp_path) as house:
            assert house.sweet_spot.state == SpatialState(on=True, azimuth_degrees=-15, source="config")
    [told] = [line for line in logs if "damaged" in line["event"]]
    assert "\n" not in told["why"]


async def test_the_switch_lets_plain_stereo_be_compared_and_keeps_the_direction() -> None:
    async with living() as house:
        await house.ask("switch", "OFF")
        assert await house.state() == {"on": False, "azimuth_degrees": 0, "source": "ahead"}
        assert house.renderer.is_bypassed
        house.talk(12)
        assert not (await house.state())["on"]
        await house.ask("switch", "on")
        assert (await house.state())["on"]
        np.testing.assert_array_equal(house.plays(), as_from(STEERED.towards(12)))


@pytest.mark.parametrize(
    ("what", "payload"),
    [("azimuth", "31"), ("azimuth", "nan"), ("azimuth", "left"), ("azimuth", ""), ("switch", "maybe")],
)
async def test_what_is_not_understood_changes_nothing_and_the_state_is_told_again(
    what: str, payload: str
) -> None:
    async with living() as house:
        await house.ask(what, payload)
        assert await house.state() == {"on": True, "azimuth_degrees": 0, "source": "ahead"}


async def test_a_retained_request_is_not_carried_out() -> None:
    async with living() as house:
        await house.ask("switch", "OFF", retained=True)
        await house.ask("azimuth", "3")
        assert (await house.state())["on"]


async def test_music_moves_to_the_talker_without_a_click() -> None:
    async with living() as house:
        wave = 0.3 * np.sin(2 * np.pi * 200 / RATE_HZ * np.arange(60_000))
        house.mixer.play(np.stack([wave, 0.5 * np.roll(wave, 60)]).astype(np.float32))
        before = [house.mixer.next_block(480) for _ in range(50)]
        house.talk(24)
        await house.state()
        played = np.concatenate(before + [house.mixer.next_block(480) for _ in range(50)], axis=1)
        bends = np.abs(np.diff(played, 2, axis=1))
        steady = max(bends[:, 12_000:24_000].max(), bends[:, 30_000:46_000].max())
        slope = np.abs(np.diff(played[:, 12_000:], axis=1)).max()
        # a straight fade adds four slopes of the tone over its length, and a kink at both ends
        assert bends[:, 23_000:28_000].max() <= steady + 4 * slope / 1024 + 1 / 1024
        fresh = Mixer(rate_hz=RATE_HZ, speakers=2, renderer=SpatialRenderer(STEERED.towards(24), RATE_HZ))
        fresh.play(np.stack([wave, 0.5 * np.roll(wave, 60)]).astype(np.float32))
        alone = np.concatenate([fresh.next_block(480) for _ in range(100)], axis=1)
        np.testing.assert_allclose(played[:, 30_000:], alone[:, 30_000:], atol=1e-5)


async def test_home_assistant_finds_a_switch_and_a_slider_on_the_hub_s_device() -> None:
    async with living() as house:
        described = json.loads(house.told.retained["homeassistant/device/roomwise_attic_spatial/config"])
    assert described == spatial_discovery("attic", "Home")
    assert described["device"]["identifiers"] == ["roomwise_attic"]
    switch, slider = described["components"]["spatial"], described["components"]["listener"]
    assert (slider["min"], slider["max"]) == (-30, 30)
    assert {switch["state_topic"], slider["state_topic"]} == {STATE}
    assert slider["command_topic"] == "roomwise/v1/set/spatial/attic/azimuth"


def house_yaml(folder: Path, playback: str, layout: str = LAYOUT, rest: str = "") -> HubConfig:
    (folder / "box.yaml").write_text(layout, encoding="utf-8")
    (folder / "hub.yaml").write_text(f"version: 1\nplayback: {{{playback}}}\n{rest}", encoding="utf-8")
    return load_config(folder).hub


def test_who_has_no_layout_has_no_spatial_sound(tmp_path: Path) -> None:
    assert build_spatial_sound(house_yaml(tmp_path, ""), tmp_path, tmp_path) is None


@pytest.mark.parametrize(
    ("layout", "playback", "rest", "follows"),
    [
        (LAYOUT + MICROPHONES, "layout: box.yaml", "", True),
        (LAYOUT, "layout: box.yaml", "", False),
        (LAYOUT + MICROPHONES, "layout: box.yaml, follow_talker: false", "", False),
        (LAYOUT + MICROPHONES, "layout: box.yaml", "speech: {enabled: false}\n", False),
        (LAYOUT + MICROPHONES.replace("0.05, 0.02", "0.005, 0.02"), "layout: box.yaml", "", False),
    ],
)
def test_talkers_are_followed_where_microphones_can_tell(
    layout: str, playback: str, rest: str, follows: bool, tmp_path: Path
) -> None:
    spatial = build_spatial_sound(house_yaml(tmp_path, playback, layout, rest), tmp_path, tmp_path)
    assert spatial is not None
    assert (spatial.direction is not None) == follows


@pytest.mark.parametrize(
    ("layout", "rest", "told"),
    [
        (LAYOUT, "audio: {rate_hz: 96000}\n", "box.yaml: sample_rate is 48000 Hz, audio.rate_hz"),
        (LAYOUT, "audio: {speakers: 3}\n", "box.yaml: has 2 drivers, audio.speakers in hub.yaml is 3"),
        (LAYOUT + MICROPHONES, "audio: {microphones: 4}\n", "box.yaml: the layout has 2 microphones, the"),
    ],
)
def test_a_layout_of_another_card_is_refused_in_one_line(
    layout: str, rest: str, told: str, tmp_path: Path
) -> None:
    config = house_yaml(tmp_path, "layout: box.yaml", layout, rest)
    with pytest.raises(BadInput) as refused:
        build_spatial_sound(config, tmp_path, tmp_path)
    assert str(refused.value).startswith(told)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("playback", "told"),
    [
        ("layout: box.yaml, listener_azimuth_degrees: 31", "less than or equal to 30"),
        ("layout: box.yaml, listener_azimuth_degrees: .nan", "30"),
        ("layout: box.yaml, follow_talker: 7", "boolean"),
        ("listener_azimuth_degrees: 10", "listener_azimuth_degrees needs layout"),
    ],
)
def test_settings_that_cannot_be_are_one_problem_with_its_place(
    playback: str, told: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as refused:
        house_yaml(tmp_path, playback)
    [problem] = refused.value.problems
    assert told in str(problem)
    assert "hub.yaml:2:" in str(problem)


@settings(max_examples=30)
@given(st.booleans(), st.floats(-30, 30), st.sampled_from(["ahead", "config", "hand", "talker"]))
def test_status_says_in_one_line_what_spatial_sound_does(on: bool, azimuth: float, source: str) -> None:
    degrees = round(azimuth, 1)
    [line] = spatial_line({"spatial": {"on": on, "azimuth_degrees": degrees, "source": source}})
    assert line.startswith("spatial sound: on" if on else "spatial sound: off (plain stereo)")
    side = "right" if degrees > 0 else "left" if degrees < 0 else "ahead"
    assert side in line
    assert not list(spatial_line({"spatial": None}))
