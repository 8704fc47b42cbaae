"""The hub in a home with a real Home Assistant and a real mosquitto; boots them, so it is opt-in."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
import soundfile

from hub.assemble import House, assemble
from hub.audio.simulated_device import empty_room
from hub.clock import SystemClock
from hub.config.files import load_config
from hub.playback.player_state import PlayerState
from hub.service import ServiceState
from integrations.mqtt.topics import COMMAND_TOPIC
from routines.ports import MessageReceived
from tests.conftest import rig_folder

pytestmark = [pytest.mark.home_assistant, pytest.mark.timeout(600)]

ROUTINES = """
version: 1
routines:
  - id: guests
    alias: Guests stay
    triggers: [{trigger: state, entity_id: input_boolean.guest, to: "on"}]
    actions:
      - {action: input_boolean.turn_on, target: {entity_id: input_boolean.vacation}}
  - id: bell
    triggers: [{trigger: event, event_type: doorbell, event_data: {door: front}}]
    actions:
      - {action: input_number.set_value, target: {entity_id: input_number.tap_level}, data: {value: 42}}
"""


class Rig:
    """One Home Assistant with its broker, and what a person can do in it."""

    def __init__(self, scripts: Path, folder: Path) -> None:
        self._scripts = scripts
        self._environment = {**os.environ, "HA_STATE": str(folder)}
        self.facts: dict[str, Any] = {}

    def start(self, **environment: str) -> None:
        done = subprocess.run(
            [self._scripts / "start_ha.sh"],
            env={**self._environment, **environment},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        self.facts = json.loads(done.stdout)

    def stop(self, *what: str) -> None:
        subprocess.run([self._scripts / "stop_ha.sh", *what], env=self._environment, check=True)

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.facts['token']}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, f"{self.facts['url']}/api/{path}", json=body) as answer,
        ):
            return await answer.json()

    async def state(self, entity_id: str) -> str | None:
        answer = await self.ask("GET", f"states/{entity_id}")
        return answer.get("state")

    async def switch(self, entity_id: str, way: str) -> None:
        await self.ask("POST", f"services/input_boolean/turn_{way}", {"entity_id": entity_id})


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    if os.environ.get("ROOMWISE_HA") != "1":
        pytest.skip("boots a real Home Assistant (minutes at first): set ROOMWISE_HA=1")
    rig = Rig(rig_folder("home_assistant"), tmp_path_factory.mktemp("home_assistant") / "state")
    rig.start()
    yield rig
    rig.stop()


@asynccontextmanager
async def hub(
    rig: Rig, folder: Path, *, token: str | None = None, password: str = "hub-pass"
) -> AsyncIterator[House]:
    facts = rig.facts
    (folder / "routines").mkdir(exist_ok=True)
    (folder / "routines" / "guests.yaml").write_text(ROUTINES, encoding="utf-8")
    (folder / "hub.yaml").write_text(
        "version: 1\n"
        f"mqtt: {{host: 127.0.0.1, port: {facts['mqtt_port']}, username: hub, password: {password}}}\n"
        f"home_assistant: {{url: '{facts['url']}', token: '{token or facts['token']}'}}\n",
        encoding="utf-8",
    )
    house = assemble(
        load_config(folder),
        directory=folder,
        clock=SystemClock(UTC),
        device=empty_room(20_500.0, rate_hz=48_000, microphones=2, speakers=2),
        state=folder,
        broker_port=facts["mqtt_port"],
        lossless=False,
    )
    task = asyncio.create_task(house.supervisor.run())
    try:
        yield house
    finally:
        task.cancel()
        await asyncio.wait({task})


async def until(condition: Callable[[], Any], seconds: float = 30) -> None:
    """Wait until a condition, plain or awaitable, is true."""
    async with asyncio.timeout(seconds):
        while True:
            answer = condition()
            if await answer if asyncio.iscoroutine(answer) else answer:
                return
            await asyncio.sleep(0.1)


def state_of(house: House, name: str) -> ServiceState:
    return next(one.state for one in house.supervisor.states() if one.name == name)


async def guests_bring_vacation(rig: Rig) -> None:
    for entity in ("input_boolean.guest", "input_boolean.vacation"):
        await rig.switch(entity, "off")
    await asyncio.sleep(0.3)
    await rig.switch("input_boolean.guest", "on")

    async def is_vacation() -> bool:
        return await rig.state("input_boolean.vacation") == "on"

    await until(is_vacation, 10)


async def test_an_entity_fires_a_routine_that_calls_a_service_also_after_a_restart_underneath(
    rig: Rig, tmp_path: Path
) -> None:
    async with hub(rig, tmp_path) as house:
        await until(lambda: state_of(house, "home_assistant") is ServiceState.READY)
        await guests_bring_vacation(rig)
        rig.stop("hass")
        await until(lambda: state_of(house, "home_assistant") is ServiceState.DEGRADED)
        await asyncio.to_thread(rig.start, KEEP="1")
        await until(lambda: state_of(house, "home_assistant") is ServiceState.READY, 90)
        await guests_bring_vacation(rig)


async def test_an_event_fires_a_routine_and_a_sentence_switches_something_and_is_undone(
    rig: Rig, tmp_path: Path
) -> None:
    await rig.switch("input_boolean.vacation", "off")
    async with hub(rig, tmp_path) as house:
        await until(lambda: state_of(house, "home_assistant") is ServiceState.READY)

        async def is_tapped() -> bool:
            await rig.ask("POST", "events/doorbell", {"door": "front"})
            return float(await rig.state("input_number.tap_level") or 0) == 42

        await until(is_tapped)
        for sentence, state in (("turn on vacation", "on"), ("undo that", "off")):
            said = MessageReceived(topic=COMMAND_TOPIC, payload=sentence, retained=False)
            await house.bus.send(said)

            async def is_so(wanted: str = state) -> bool:
                return await rig.state("input_boolean.vacation") == wanted

            await until(is_so, 10)


async def test_home_assistant_finds_presence_and_a_button_for_each_routine_by_itself(
    rig: Rig, tmp_path: Path
) -> None:
    async with hub(rig, tmp_path):

        async def found() -> bool:
            entities = {one["entity_id"] for one in await rig.ask("GET", "states")}
            has_presence = any(one.startswith("binary_sensor.") and "presence" in one for one in entities)
            return has_presence and any(one.startswith("button.") and "guests" in one for one in entities)

        await until(found)


async def test_home_assistant_plays_pauses_skips_and_turns_down_the_music_and_sees_what_comes_of_it(
    rig: Rig, tmp_path: Path
) -> None:
    (tmp_path / "music" / "Evening").mkdir(parents=True)
    for title in ("One", "Two"):
        with soundfile.SoundFile(tmp_path / "music" / "Evening" / f"{title}.flac", "w", 48_000, 2) as file:
            file.title, file.artist = title, "The Band"
            file.write(np.random.default_rng(0).uniform(-0.1, 0.1, (120 * 48_000, 2)))
    async with hub(rig, tmp_path) as house:

        async def shows(ending: str, wanted: str) -> None:
            """Wait until the entity of a domain whose name ends so has a state."""
            domain, name = ending.split(".")
            found: dict[str, str] = {}

            async def is_so() -> bool:
                states = await rig.ask("GET", "states")
                found.update(
                    (one["entity_id"], one["state"])
                    for one in states
                    if one["entity_id"].startswith(f"{domain}.") and one["entity_id"].endswith(f"_{name}")
                )
                return wanted in found.values()

            try:
                await until(is_so)
            except TimeoutError:
                pytest.fail(f"{ending} is not {wanted} but {found}")

        async def call(service: str, ending: str, **data: str | float) -> None:
            states = await rig.ask("GET", "states")
            domain = service.split("/")[0]
            [entity] = [
                one["entity_id"]
                for one in states
                if one["entity_id"].startswith(f"{domain}.") and one["entity_id"].endswith(f"_{ending}")
            ]
            await rig.ask("POST", f"services/{service}", {"entity_id": entity, **data})

        def state() -> PlayerState:
            return house.acting.music.state

        await shows("sensor.player", "idle")
        await call("select/select_option", "playlist", option="Evening")
        await shows("sensor.player", "playing")
        await shows("sensor.plays", "The Band - One")
        await call("number/set_value", "volume", value=31)
        await shows("number.volume", "31.0")
        assert (state().state, state().title, state().volume) == ("playing", "One", 31)
        await call("button/press", "next_track")
        await shows("sensor.plays", "The Band - Two")
        await call("switch/turn_off", "music")
        await shows("switch.music", "off")
        await shows("sensor.player", "paused")
        assert (state().state, state().number) == ("paused", 2)
        await call("switch/turn_on", "music")
        await shows("sensor.player", "playing")
        await call("button/press", "stop_music")
        await shows("sensor.player", "idle")
        assert state().state == "idle"


async def test_a_wrong_token_and_a_wrong_password_are_degraded_states_with_a_hint(
    rig: Rig, tmp_path: Path
) -> None:
    async with hub(rig, tmp_path, token="wrong", password="wrong") as house:
        for name in ("home_assistant", "mqtt"):
            await until(lambda name=name: state_of(house, name) is ServiceState.DEGRADED)
        shown = {one.name: one for one in house.supervisor.states()}
        assert "refused the access token" in shown["home_assistant"].why
        assert "long-lived access token" in shown["home_assistant"].hint
        assert "refused the user name or password" in shown["mqtt"].why
        assert "mqtt.password" in shown["mqtt"].hint
        assert shown["audio"].state is ServiceState.READY
