"""The player and announcements on MQTT."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from hub.announcer import Announcer
from hub.bus import Bus
from hub.clock import VirtualClock
from hub.events import Observed
from hub.music import Music
from hub.performer import Performer
from hub.playback.library import Library
from hub.playback.mixer import Mixer
from hub.player_publisher import PlayerPublisher
from integrations.mqtt.discovery import room_discovery
from integrations.mqtt.player_discovery import player_components
from routines.effects import Effect, Outcome, Play, Say
from routines.ports import MessageReceived
from sensing.observations import AttentionChanged, Observation, WakeWordHeard

RATE_HZ = 48_000
STATE = "roomwise/v1/state/player/attic"


class Told:
    """A broker that hands each message to the test."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[tuple[str, dict[str, Any], bool]] = asyncio.Queue()

    async def publish(self, topic: str, payload: str, *, retain: bool = False, qos: int = 1) -> Outcome:
        self.messages.put_nowait((topic, json.loads(payload), retain))
        return Outcome()

    async def next(
        self, topic: str, fits: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        """Return the next message on a topic that fits; states are retained, events are not."""
        while True:
            told, content, is_retained = await asyncio.wait_for(self.messages.get(), 20)
            assert is_retained == ("/state/" in told)
            assert content["v"] == 1
            assert datetime.fromisoformat(content["ts"]).tzinfo is not None
            if told == topic and fits(content):
                return content


class House:
    """The parts around the player; audio runs as long as the test waits."""

    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.bus = Bus(self.clock)
        self.told = Told()
        self.said: list[Effect] = []
        self.outcome = Outcome()
        self.mixer = Mixer(rate_hz=RATE_HZ, speakers=2)
        self.volume_path = folder / "state" / "volume.json"
        self.music = Music(
            mixer=self.mixer,
            rate_hz=RATE_HZ,
            library=Library(folder),
            bus=self.bus,
            room="attic",
            volume=50,
            path=self.volume_path,
            fade_seconds=0.05,
            clock=self.clock,
        )
        self.announcer = Announcer(
            perform=self.perform, mixer=self.mixer, rate_hz=RATE_HZ, bus=self.bus, room="attic"
        )
        self.publisher = PlayerPublisher(
            messages=self.told,
            bus=self.bus,
            clock=self.clock,
            room="attic",
            music=self.music,
            announcer=self.announcer,
        )

    async def perform(self, effect: Effect) -> Outcome:
        self.said.append(effect)
        return self.outcome

    async def ask(self, what: str, payload: str, *, retained: bool = False) -> None:
        topic = f"roomwise/v1/set/{what}"
        await self.bus.send(MessageReceived(topic=topic, payload=payload, retained=retained))

    async def state(self, fits: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        return await self.told.next(STATE, fits)

    async def tick(self) -> None:
        """Be the sound card."""
        while True:
            self.mixer.next_block(480)
            await asyncio.sleep(0)


@asynccontextmanager
async def living(folder: Path) -> AsyncIterator[House]:
    house = House(folder)
    async with asyncio.TaskGroup() as tasks:
        running = []
        for service in (house.music, house.announcer, house.publisher):
            is_ready = asyncio.Event()
            running.append(tasks.create_task(service.run(is_ready.set)))
            await asyncio.wait_for(is_ready.wait(), 20)
        running.append(tasks.create_task(house.tick()))
        yield house
        for task in running:
            task.cancel()


@pytest.fixture
def music(tmp_path: Path) -> Path:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (60 * RATE_HZ, 2))
    for name in ("one", "two"):
        with soundfile.SoundFile(tmp_path / f"{name}.wav", "w", RATE_HZ, 2) as file:
            file.title = name.title()
            file.write(noise)
    (tmp_path / "both.m3u").write_text("missing.wav\none.wav\ntwo.wav\n", encoding="utf-8")
    return tmp_path


async def test_what_is_asked_for_plays_and_the_state_tells_it(music: Path) -> None:
    async with living(music) as house:
        assert (await house.state())["state"] == "idle"
        await house.ask("player/attic/play", "two.wav")
        state = await house.state(lambda state: state["state"] == "playing")
        assert (state["title"], state["number"], state["tracks"], state["volume"]) == ("Two", 1, 1, 50)
        await house.ask("player/attic/command", "pause")
        await house.state(lambda state: state["state"] == "paused")
        await house.ask("player/attic/command", "PLAY")
        await house.state(lambda state: state["state"] == "playing")
        house.clock.advance(10.1)
        later = await house.state()
        assert later["position_seconds"] > state["position_seconds"]
        await house.ask("player/attic/command", "stop")
        await house.state(lambda state: state["state"] == "idle")


async def test_a_failure_is_an_event_and_in_the_state_and_the_list_goes_on(music: Path) -> None:
    async with living(music) as house:
        await house.ask("player/attic/play", "both.m3u")
        event = await house.told.next("roomwise/v1/event/player/attic")
        assert (event["type"], "missing.wav: no such file" in event["why"]) == ("failed", True)
        state = await house.state(lambda state: state["state"] == "playing")
        assert (state["title"], state["error"]) == ("One", event["why"])
        await house.ask("player/attic/command", "next")
        await house.state(lambda state: state["title"] == "Two")
        await house.ask("player/attic/play", "../../etc/passwd")
        event = await house.told.next("roomwise/v1/event/player/attic")
        assert "outside the folder" in event["why"]


async def test_the_volume_is_in_force_told_and_remembered_and_nonsense_is_not(music: Path) -> None:
    async with living(music) as house:
        await house.ask("player/attic/volume", "31")
        assert (await house.state(lambda state: state["volume"] != 50))["volume"] == 31
        for nonsense in ("101", "-1", "loud", "nan", ""):
            await house.ask("player/attic/volume", nonsense)
            assert (await house.state())["volume"] == 31
    async with living(music) as house:
        assert (await house.state())["volume"] == 31


async def test_another_place_is_played_and_told_and_one_that_is_not_there_is_an_event(music: Path) -> None:
    async with living(music) as house:
        await house.ask("player/attic/play", "two.wav")
        assert (await house.state(lambda state: state["state"] == "playing"))["can_seek"]
        await house.ask("player/attic/seek", "41.5")
        await house.state(lambda state: state["state"] == "playing" and state["position_seconds"] >= 41.5)
        await house.ask("player/attic/seek", "60")
        event = await house.told.next("roomwise/v1/event/player/attic")
        assert (event["type"], "two.wav: is 60.0 s long" in event["why"]) == ("failed", True)
        for nonsense in ("-1", "nan", "far", ""):
            await house.ask("player/attic/seek", nonsense)
            assert (await house.state())["position_seconds"] >= 41.5


async def test_after_a_restart_the_music_is_as_it_was_but_silent_until_it_is_asked_for(music: Path) -> None:
    async with living(music) as house:
        await house.ask("player/attic/repeat", "all")
        await house.ask("player/attic/play", "both.m3u")
        await house.state(lambda state: state["state"] == "playing")
        await house.ask("player/attic/command", "next")
        await house.state(lambda state: state["title"] == "Two")
        await house.ask("player/attic/seek", "30")
        before = await house.state(
            lambda state: state["state"] == "playing" and state["position_seconds"] > 30
        )
    async with living(music) as house:
        state = await house.state()
        assert (state["state"], state["position_seconds"] >= before["position_seconds"]) == ("paused", True)
        for key in ("playlist", "source", "title", "number", "tracks", "seconds", "repeat"):
            assert state[key] == before[key], key
        assert not any(house.mixer.next_block(480).any() for _ in range(100))
        await house.ask("player/attic/command", "play")
        again = await house.state(lambda state: state["state"] == "playing")
        assert again["position_seconds"] >= state["position_seconds"]
        await house.ask("player/attic/command", "next")
        await house.state(lambda state: state["title"] == "One")  # it repeats


async def test_retained_requests_and_those_of_other_rooms_change_nothing(music: Path) -> None:
    async with living(music) as house:
        await house.state()
        await house.ask("player/attic/play", "one.wav", retained=True)
        await house.ask("player/cellar/play", "one.wav")
        await house.ask("announce/attic", "hello", retained=True)
        await house.ask("player/attic/shuffle", "ON")
        state = await house.state(lambda state: bool(state["shuffle"]))
        assert (state["state"], house.said) == ("idle", [])
        await house.ask("player/attic/repeat", "all")
        assert (await house.state(lambda state: state["repeat"] != "off"))["repeat"] == "all"


async def test_an_announcement_is_queued_chimed_said_and_told(music: Path) -> None:
    async with living(music) as house:
        await house.ask("announce/attic", '{"id": "dinner", "text": "Dinner is ready", "volume": 40}')
        topic = "roomwise/v1/event/announcement/dinner"
        phases = [(await house.told.next(topic))["phase"] for _ in range(3)]
        assert phases == ["queued", "playing", "done"]
        house.outcome = Outcome(ok=False, error="nobody can speak")
        await house.ask("announce/attic", " Hello ")
        event = await house.told.next(
            "roomwise/v1/event/announcement/attic-2", lambda event: event["phase"] == "failed"
        )
        assert (event["why"], event["rooms"]) == ("nobody can speak", ["attic"])
        assert house.said == [
            Say(text="Dinner is ready", room="attic", volume=40),
            Say(text="Hello", room="attic"),
        ]


@pytest.mark.parametrize("payload", ["", "{", '{"text": ""}', '{"text": "a", "loud": 1}', '{"text": 5}'])
async def test_an_announcement_that_is_none_is_not_said(music: Path, payload: str) -> None:
    async with living(music) as house:
        await house.ask("announce/attic", payload)
        await house.ask("announce/attic", "real")
        await house.told.next(
            "roomwise/v1/event/announcement/attic-2", lambda event: event["phase"] == "done"
        )
        assert len(house.said) == 1


async def test_too_many_announcements_are_refused_and_told(music: Path) -> None:
    async with living(music) as house:
        for number in range(12):
            await house.ask("announce/attic", f'{{"id": "n{number}", "text": "hello"}}')
        refused = await house.told.next(
            "roomwise/v1/event/announcement/n11", lambda event: event["phase"] == "failed"
        )
        assert "announcements wait already" in refused["why"]


async def test_music_is_low_from_the_wake_word_to_the_end_of_the_command(music: Path) -> None:
    def told(observation: Observation) -> Observed:
        return Observed(room="attic", observation=observation, at=datetime(2026, 1, 1, tzinfo=UTC))

    async with living(music) as house:
        wishes: list[bool] = []
        house.mixer.listen = wishes.append  # type: ignore[method-assign]
        house.bus.publish(told(WakeWordHeard(at=0, frame=0, phrase="computer", score=1)))
        house.bus.publish(told(AttentionChanged(at=0, frame=0, tier="hearing")))
        house.bus.publish(told(AttentionChanged(at=1, frame=0, tier="asleep")))
        for _ in range(5):
            await asyncio.sleep(0)
        assert wishes == [True, True, False]


async def test_a_routine_starts_music_and_does_not_wait_for_its_end(music: Path) -> None:
    async with living(music) as house:
        performer = Performer(
            owner=lambda _: None,
            messages=house.told,
            events=None,
            mixer=house.mixer,
            voice=None,  # type: ignore[arg-type] # nothing is said
            rate_hz=RATE_HZ,
            sounds=music,
            bus=house.bus,
            music=house.music,
        )
        assert (await performer.perform(Play(source="both.m3u"))).ok
        await house.state(lambda state: state["state"] == "playing")
        outcome = await performer.perform(Play(source="nothing.m3u"))
        assert (outcome.ok, "no such file" in (outcome.error or "")) == (False, True)


def test_home_assistant_finds_one_device_with_all_of_the_player() -> None:
    described = room_discovery("attic", "Home", {}, ["Jazz", "it's.m3u"])
    components = described["components"]
    assert isinstance(components, dict)
    player = player_components("attic", ["Jazz", "it's.m3u"])
    assert player.items() <= components.items()
    platforms = {key: component["platform"] for key, component in player.items()}  # type: ignore[index,call-overload]
    assert platforms["player_volume"] == "number"
    assert platforms["announce"] == "notify"
    assert platforms["player_playlist"] == "select"
    ids = [component["unique_id"] for component in components.values()]  # type: ignore[index,call-overload]
    assert len(ids) == len(set(ids))
    assert "player_playlist" not in player_components("attic", [])


@pytest.mark.parametrize("playlist", ["Jazz", "it's.m3u", 'a "b" \\ {{ c }} é', "none of them"])
def test_the_templates_show_what_home_assistant_needs(playlist: str) -> None:
    from jinja2 import Environment

    names = ["Jazz", "it's.m3u", 'a "b" \\ {{ c }} é']
    state = {"state": "playing", "title": "T" * 300, "artist": None, "source": "x", "playlist": playlist}
    components = player_components("attic", names)
    shown = {}
    for key in ("player", "player_play", "player_playlist", "player_title"):
        component = components[key]
        assert isinstance(component, dict)
        shown[key] = Environment().from_string(str(component["value_template"])).render(value_json=state)
    assert shown["player_playlist"] == (playlist if playlist in names else "None")
    assert (shown["player_play"], shown["player"]) == ("ON", "playing")
    assert shown["player_title"] == "T" * 255
