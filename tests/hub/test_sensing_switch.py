"""The switch for the tone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.bus import Bus
from hub.clock import VirtualClock
from hub.config.hub_config import HomeConfig
from hub.playback.tone_gate import ToneGate
from hub.sensing_switch import SensingSwitch, save_switch, saved_switch
from integrations.mqtt.topics import ULTRASOUND_STATE_TOPIC, ULTRASOUND_SWITCH_TOPIC
from routines.effects import Outcome
from routines.ports import MessageReceived
from sensing.ultrasound.emitter import CarrierEmitter


class Messages:
    """A broker that keeps what is retained."""

    def __init__(self) -> None:
        self.retained: dict[str, str] = {}
        self.states: asyncio.Queue[str] = asyncio.Queue()

    async def publish(self, topic: str, payload: str, *, retain: bool = False, qos: int = 1) -> Outcome:
        assert retain
        self.retained[topic] = payload
        if topic == ULTRASOUND_STATE_TOPIC:
            self.states.put_nowait(payload)
        return Outcome()


class House:
    """A running switch, and what it allowed."""

    def __init__(self, path: Path) -> None:
        self.bus = Bus(VirtualClock(datetime(2026, 1, 1, tzinfo=UTC)))
        self.messages = Messages()
        self.allowed: list[bool] = []
        self.switch = SensingSwitch(
            messages=self.messages, bus=self.bus, home=HomeConfig(), path=path, allow=self.allowed.append
        )

    async def say(
        self, payload: str, *, retained: bool = False, topic: str = ULTRASOUND_SWITCH_TOPIC
    ) -> None:
        await self.bus.send(MessageReceived(topic=topic, payload=payload, retained=retained))

    async def ask(self, payload: str) -> str:
        """Return the state that is told in answer."""
        await self.say(payload)
        return await self.next_state()

    async def next_state(self) -> str:
        return await asyncio.wait_for(self.messages.states.get(), 5)


@asynccontextmanager
async def running(path: Path) -> AsyncIterator[House]:
    house = House(path)
    is_ready = asyncio.Event()
    task = asyncio.create_task(house.switch.run(is_ready.set))
    await asyncio.wait_for(is_ready.wait(), 5)
    assert is_ready.is_set()
    try:
        yield house
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_the_tone_is_allowed_at_first_and_forbidden_when_the_switch_ends(tmp_path: Path) -> None:
    async with running(tmp_path / "switch.json") as house:
        assert (house.allowed, await house.next_state()) == ([True], "ON")
    assert house.allowed == [True, False]


async def test_off_is_in_force_told_and_remembered_over_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state" / "switch.json"
    async with running(path) as house:
        await house.next_state()
        assert (await house.ask(" off "), house.allowed[-1]) == ("OFF", False)
    assert saved_switch(path) is False
    async with running(path) as house:
        assert (house.allowed, await house.next_state()) == ([False], "OFF")
        assert (await house.ask("ON"), house.allowed) == ("ON", [False, True])


async def test_retained_requests_other_topics_and_nonsense_change_nothing(tmp_path: Path) -> None:
    async with running(tmp_path / "switch.json") as house:
        await house.next_state()
        await house.say("OFF", retained=True)
        await house.say("OFF", topic="roomwise/v1/set/undo")
        assert (await house.ask("maybe"), house.allowed) == ("ON", [True])


async def test_a_switch_that_cannot_be_saved_is_in_force_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    path = tmp_path / "file" / "switch.json"
    async with running(path) as house:
        await house.next_state()
        assert (await house.ask("OFF"), house.allowed[-1]) == ("OFF", False)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"ultrasound": "yes"}', "\x00"])
def test_what_cannot_be_read_may_have_said_no(tmp_path: Path, content: str) -> None:
    path = tmp_path / "switch.json"
    path.write_text(content)
    assert saved_switch(path) is False
    save_switch(path, True)
    assert saved_switch(path) is True


async def test_home_assistant_finds_the_switch_at_the_hubs_device(tmp_path: Path) -> None:
    async with running(tmp_path / "switch.json") as house:
        await house.next_state()
        text = house.messages.retained["homeassistant/switch/roomwise_living_room/ultrasound/config"]
    content = json.loads(text)
    assert content["command_topic"] == ULTRASOUND_SWITCH_TOPIC
    assert content["state_topic"] == ULTRASOUND_STATE_TOPIC
    assert content["device"]["identifiers"] == ["roomwise_living_room"]


@given(st.lists(st.tuples(st.sampled_from(["allow", "want"]), st.booleans()), max_size=12))
def test_the_tone_sounds_when_it_is_allowed_and_wanted_and_never_else(calls: list[tuple[str, bool]]) -> None:
    emitter = CarrierEmitter(carrier_hz=20_500, rate_hz=48_000, level=0.1)
    gate = ToneGate(emitter)
    is_allowed, is_wanted = False, True
    for name, value in calls:
        if name == "allow":
            gate.allow(value)
            is_allowed = value
        else:
            gate.want(value)
            is_wanted = value
    emitter.process(4_800)
    assert emitter.process(480).any() == (is_allowed and is_wanted)
