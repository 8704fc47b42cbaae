"""Who understands speech for the house, as hub.yaml wants it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStop
from wyoming.client import AsyncTcpClient

from hub.bus import Bus
from hub.clock import SystemClock
from hub.config.hub_config import HubConfig, RecognizerConfig
from hub.errors import BadInput
from hub.playback.text_to_speech import speak
from hub.recognition import Recognition
from hub.service import ServiceState
from hub.supervisor import Supervisor
from routines.load import load_routines
from routines.routine import Routine

CLOCK = SystemClock(ZoneInfo("UTC"))


def routine(phrase: str) -> list[Routine]:
    text = f"""
version: 1
routines:
  - id: one
    triggers: [{{trigger: voice, phrases: ["{phrase}"]}}]
    actions: [{{say: Yes.}}]
"""
    routines, problems = load_routines(text, "one.yaml")
    assert problems == []
    return list(routines)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def recognition(content: dict[str, object], phrase: str = "water the garden") -> Recognition:
    config = HubConfig.model_validate(content)
    return Recognition(config, routine(phrase), directory=Path(), bus=Bus(CLOCK))


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"backend": "onnx_asr"}, "backend onnx_asr needs model beside it"),
        ({"backend": "sherpa_onnx"}, "backend sherpa_onnx needs model beside it"),
        ({"backend": "wyoming"}, "backend wyoming needs uri beside it"),
        ({"model": "x"}, "backend own takes no model"),
        ({"backend": "wyoming", "uri": "tcp://a:1", "model": "x"}, "backend wyoming takes no model"),
        ({"backend": "wyoming", "uri": "http://a:1"}, "write it as tcp://homeassistant.local:10300"),
        ({"backend": "wyoming", "uri": "tcp://a"}, "write it as tcp://homeassistant.local:10300"),
        ({"backend": "wyoming", "uri": "tcp://a:99999"}, "write it as tcp://homeassistant.local:10300"),
        ({"backend": "vosk"}, "pocketsphinx"),
    ],
)
def test_settings_that_do_not_fit_are_refused_with_what_to_do(settings: dict[str, str], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        RecognizerConfig.model_validate(settings)


async def test_out_of_the_box_nobody_is_asked_and_nothing_is_served() -> None:
    house = recognition({})
    assert house.services == ()
    assert house.patience_blocks == 0


async def test_a_model_is_looked_for_only_where_somebody_hears() -> None:
    settings = {"backend": "sherpa_onnx", "model": "nowhere"}
    house = recognition({"speech": {"recognizer": settings, "enabled": False}})
    with pytest.raises(BadInput, match=r"sherpa-onnx|no such folder"):
        house.recognizer([])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
async def test_the_hub_does_not_ask_itself(host: str) -> None:
    settings = {"backend": "wyoming", "uri": f"tcp://{host}:10400"}
    with pytest.raises(BadInput, match="is this hub itself"):
        recognition({"speech": {"recognizer": settings}, "wyoming": {"enabled": True}})


async def test_the_ear_has_patience_for_a_server_that_is_asked() -> None:
    settings = {"backend": "wyoming", "uri": "tcp://127.0.0.1:10300", "answer_seconds": 3}
    house = recognition({"speech": {"recognizer": settings}})
    assert [one.name for one in house.services] == ["speech_server"]
    assert house.patience_blocks == 300


async def understood(port: int, text: str) -> str:
    sound = (20_000 * speak(text, 16_000)[0]).astype("<i2").tobytes()
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(Transcribe().event())
        for first in range(0, len(sound), 4_096):
            chunk = AudioChunk(rate=16_000, width=2, channels=1, audio=sound[first : first + 4_096])
            await client.write_event(chunk.event())
        await client.write_event(AudioStop().event())
        answer = await client.read_event()
        assert answer is not None
        return Transcript.from_event(answer).text


async def test_assist_may_say_what_routines_wait_for_and_follows_their_edits() -> None:
    port = free_port()
    config = HubConfig.model_validate({"wyoming": {"enabled": True, "port": port}})
    bus = Bus(CLOCK)
    house = Recognition(config, routine("water the garden"), directory=Path(), bus=bus)
    supervisor = Supervisor(house.services, bus=bus, clock=CLOCK)
    work = asyncio.ensure_future(supervisor.run())
    try:
        while [one.state for one in supervisor.states()] != [ServiceState.READY]:
            await asyncio.sleep(0)
        assert await understood(port, "water the garden") == "water the garden"
        house.follow(routine("feed the penguins"))
        assert await understood(port, "feed the penguins") == "feed the penguins"
        assert await understood(port, "water the garden") == ""
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
    assert [one.state for one in supervisor.states()] == [ServiceState.STOPPED]


async def test_a_server_that_is_gone_is_shown_with_what_to_do() -> None:
    settings = {"backend": "wyoming", "uri": f"tcp://127.0.0.1:{free_port()}"}
    bus = Bus(CLOCK)
    config = HubConfig.model_validate({"speech": {"recognizer": settings}})
    house = Recognition(config, [], directory=Path(), bus=bus)
    supervisor = Supervisor(house.services, bus=bus, clock=CLOCK)
    work = asyncio.ensure_future(supervisor.run())
    try:
        while supervisor.states()[0].state is not ServiceState.DEGRADED:
            await asyncio.sleep(0)
        [shown] = supervisor.states()
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
    assert "is not reached" in shown.why
    assert "speech.recognizer.uri" in shown.hint
