"""The voices: Piper as a process, Home Assistant over HTTP, espeak-ng when they cannot, and the cache."""

from __future__ import annotations

import asyncio
import io
import stat
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from hub import status
from hub.bus import Bus
from hub.cli.main import run_command
from hub.clock import VirtualClock
from hub.config.hub_config import HubConfig
from hub.errors import Degraded
from hub.performer import Performer
from hub.playback.configured_voice import configured_voice
from hub.playback.home_assistant_voice import HomeAssistantVoice
from hub.playback.mixer import Mixer
from hub.playback.piper_voice import PiperVoice
from hub.playback.spoken_cache import SpokenCache
from hub.playback.voice import EspeakVoice, HouseVoice
from integrations.home_assistant.speech import HomeAssistantSpeech
from routines.effects import Outcome, Say
from routines.facts import Json
from sensing.audio_block import Block

RATE_HZ = 48_000
OWN_RATE_HZ = 22_050
PIPER = """#!{python}
# What piper-tts does on its command line: a line in, a WAV file out, its name on stderr.
import argparse, pathlib, sys, time, wave
parser = argparse.ArgumentParser()
parser.add_argument("-m", "--model", required=True)
parser.add_argument("-d", "--output-dir", "--output_dir", required=True)
arguments = parser.parse_args()
if pathlib.Path(arguments.model).read_text() == "broken":
    sys.exit("ValueError: Unable to find voice")
for number, line in enumerate(sys.stdin):
    line = line.strip()
    if line == "crash":
        sys.exit("Segmentation fault")
    if line == "hang":
        time.sleep(600)
    path = pathlib.Path(arguments.output_dir) / f"{{number}}.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, {rate}, 0, "NONE", ""))
        file.writeframes(b"\\x00\\x40" * ({rate} // 10 * len(line.split())))
    if line == "garbage":
        path.write_bytes(b"no sound")
    print(f"INFO:__main__:Wrote {{path}}", file=sys.{stream}, flush=True)
"""


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], Path]:
    """Return what writes a program that speaks like Piper."""

    def write(stream: str) -> Path:
        path = tmp_path / f"piper-{stream}"
        path.write_text(PIPER.format(python=sys.executable, rate=OWN_RATE_HZ, stream=stream))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return write


def model_at(folder: Path, content: str = "a voice") -> Path:
    model = folder / "voice.onnx"
    model.write_text(content)
    return model


@asynccontextmanager
async def running(piper: PiperVoice) -> AsyncIterator[asyncio.Task[None]]:
    up = asyncio.Event()
    task = asyncio.create_task(piper.run(up.set))
    waiting = asyncio.create_task(up.wait())
    await asyncio.wait({task, waiting}, timeout=20, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield task
    finally:
        for one in (task, waiting):
            one.cancel()
        await asyncio.gather(task, waiting, return_exceptions=True)


def piper_at(program: Path, folder: Path, *, sentence_seconds: float = 20.0) -> PiperVoice:
    model = model_at(folder)
    return PiperVoice(command=[str(program)], model=model, rate_hz=RATE_HZ, sentence_seconds=sentence_seconds)


def house_of(wanted: PiperVoice | HomeAssistantVoice) -> HouseVoice:
    return HouseVoice(wanted, spare=EspeakVoice(RATE_HZ), cache=SpokenCache(RATE_HZ))


@pytest.mark.parametrize("stream", ["stderr", "stdout"])
async def test_piper_speaks_each_sentence_from_one_process(
    program: Callable[[str], Path], tmp_path: Path, stream: str
) -> None:
    piper = piper_at(program(stream), tmp_path)
    async with running(piper):
        texts = ["one", "one two three", "a line\nand\x00 another"]
        said = await asyncio.gather(*[piper.speak(text) for text in texts])
    words = [1, 3, 4]
    assert [one.shape for one in said] == [(1, round(count * 0.1 * RATE_HZ)) for count in words]
    # half of full scale, where the filter of the resampling has settled
    np.testing.assert_allclose(said[0][0, 1000:-1000], 0.5, atol=0.02)


async def test_nothing_to_say_is_silence(program: Callable[[str], Path], tmp_path: Path) -> None:
    piper = piper_at(program("stderr"), tmp_path)
    async with running(piper):
        assert [(await piper.speak(text)).shape for text in ("", " \n", "...")] == 3 * [(1, 0)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("crash", "Piper ended (Segmentation fault)"),
        ("hang", "Piper did not speak within 1 s"),
        ("garbage", "what Piper spoke cannot be read"),
    ],
)
async def test_what_piper_cannot_say_is_said_by_espeak(
    program: Callable[[str], Path], tmp_path: Path, text: str, why: str
) -> None:
    piper = piper_at(program("stderr"), tmp_path, sentence_seconds=1.0)
    house = house_of(piper)
    async with running(piper) as task:
        said = await house.speak(text)
        if text != "garbage":
            with pytest.raises(Degraded, match="Piper ended"):
                await asyncio.wait_for(task, 20)
    again = await EspeakVoice(RATE_HZ).speak(text)  # espeak-ng's breath is random, and so its length a little
    assert said.shape[1] == pytest.approx(again.shape[1], rel=0.1)
    assert np.abs(said).max() > 0.05
    assert (house.state.wanted, house.state.speaks) == ("piper", "espeak")
    assert why in house.state.why
    assert house.state.hint


async def test_after_a_crash_the_next_process_speaks_again(
    program: Callable[[str], Path], tmp_path: Path
) -> None:
    piper = piper_at(program("stderr"), tmp_path)
    house = house_of(piper)
    async with running(piper):
        await house.speak("crash")
    async with running(piper):
        assert (await house.speak("one two")).shape == (1, 9600)
    assert (house.state.speaks, house.state.why) == ("piper", "")


@pytest.mark.parametrize(
    ("program_name", "content", "why"),
    [
        (None, "a voice", "Piper is not installed"),
        ("no/such/program", "a voice", "cannot be started"),
        ("there", "broken", "Unable to find voice"),
        ("there", None, "does not exist"),
    ],
)
async def test_a_piper_that_cannot_start_says_why(
    program: Callable[[str], Path], tmp_path: Path, program_name: str | None, content: str | None, why: str
) -> None:
    model = tmp_path / "none.onnx" if content is None else model_at(tmp_path, content)
    command = (
        None
        if program_name is None
        else [str(program("stderr")) if program_name == "there" else program_name]
    )
    piper = PiperVoice(command=command, model=model, rate_hz=RATE_HZ)
    async with running(piper) as task:
        with pytest.raises(Degraded, match=why):
            await asyncio.wait_for(task, 20)
        with pytest.raises(Degraded, match="does not run"):
            await piper.speak("hello")


async def test_a_sentence_is_played_though_its_voice_died(
    program: Callable[[str], Path], tmp_path: Path
) -> None:
    piper = piper_at(program("stderr"), tmp_path)
    async with running(piper):
        outcome, heard = await performed(house_of(piper), "crash")
    assert outcome.ok
    assert np.abs(heard).max() > 0.05


async def performed(voice: HouseVoice, text: str) -> tuple[Outcome, Block]:
    """Let a routine say something, and return what came out of the loudspeakers."""
    mixer = Mixer(rate_hz=RATE_HZ, speakers=2)
    performer = Performer(
        owner=lambda call: None,
        messages=NoMessages(),
        events=None,
        mixer=mixer,
        voice=voice,
        rate_hz=RATE_HZ,
        sounds=Path(),
        bus=Bus(VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))),
    )
    task = asyncio.create_task(performer.perform(Say(text=text)))
    blocks = []
    while not task.done():
        blocks.append(mixer.next_block(4800))
        await asyncio.sleep(0)
    return task.result(), np.concatenate(blocks, axis=1)


class NoMessages:
    async def publish(self, topic: str, payload: str, *, retain: bool = False, qos: int = 1) -> Outcome:
        return Outcome()


class SpeakingHomeAssistant:
    """The two requests of Home Assistant's text to speech."""

    def __init__(self, content: bytes, *, path: str = "/api/tts_proxy/abc.mp3") -> None:
        self.content = content
        self.path = path
        self.asked: list[object] = []
        self.status = 200

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[HomeAssistantVoice]:
        application = web.Application()
        application.router.add_post("/api/tts_get_url", self._address)
        application.router.add_get("/api/tts_proxy/{name}", self._sound)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        speech = HomeAssistantSpeech(url=f"{url}/", token="right", entity_id="tts.piper", limit_seconds=10)
        try:
            yield HomeAssistantVoice(speech, RATE_HZ)
        finally:
            await runner.cleanup()

    async def _address(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "Bearer right":
            return web.Response(status=401)
        self.asked.append(await request.json())
        url = f"http://elsewhere.example{self.path}"
        return web.json_response({"url": url, "path": self.path}, status=self.status)

    async def _sound(self, request: web.Request) -> web.Response:
        return web.Response(body=self.content)


def sound_file(kind: str) -> bytes:
    content = io.BytesIO()
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(24_000) / 24_000)
    soundfile.write(content, tone.astype(np.float32), 24_000, format=kind)
    return content.getvalue()


@pytest.mark.parametrize("kind", ["WAV", "MP3", "FLAC", "OGG"])
async def test_home_assistant_speaks_through_our_loudspeakers(kind: str) -> None:
    server = SpeakingHomeAssistant(sound_file(kind))
    async with server.serving() as voice:
        said = await voice.speak("hello")
    assert server.asked == [{"engine_id": "tts.piper", "message": "hello"}]
    assert said.shape[0] == 2
    assert said.shape[1] == pytest.approx(RATE_HZ, abs=0.1 * RATE_HZ)  # MP3 adds its padding
    assert np.abs(said).max() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("content", "path", "status", "why"),
    [
        (b"", "/api/tts_proxy/a.mp3", 200, "cannot be read"),
        (b"no sound", "/api/tts_proxy/a.mp3", 200, "cannot be read"),
        (sound_file("WAV"), "//elsewhere.example/a.mp3", 200, "not below /api/tts_proxy/"),
        (sound_file("WAV"), "/api/tts_proxy/a.mp3", 400, "status 400"),
        (sound_file("WAV"), "/api/tts_proxy/../../gone", 200, "status 404"),
    ],
)
async def test_what_home_assistant_does_not_say_is_said_by_espeak(
    content: bytes, path: str, status: int, why: str
) -> None:
    server = SpeakingHomeAssistant(content, path=path)
    server.status = status
    async with server.serving() as voice:
        house = house_of(voice)
        said = await house.speak("hello")
    assert said.shape[1] > 0.2 * RATE_HZ
    assert (house.state.speaks, why in house.state.why) == ("espeak", True)


async def test_home_assistant_that_is_gone_is_told_with_what_to_do() -> None:
    server = SpeakingHomeAssistant(sound_file("WAV"))
    async with server.serving() as voice:
        pass
    with pytest.raises(Degraded, match="cannot be asked to speak"):
        await voice.speak("hello")


async def test_what_is_said_often_is_fetched_once() -> None:
    server = SpeakingHomeAssistant(sound_file("WAV"))
    async with server.serving() as voice:
        house = house_of(voice)
        first, second = await house.speak("hello"), await house.speak("hello")
        await house.speak("good night")
    np.testing.assert_array_equal(first, second)
    assert len(server.asked) == 2


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.floats(0, 40)), max_size=60))
def test_the_cache_stays_small_and_gives_back_what_was_put(said: list[tuple[int, float]]) -> None:
    cache = SpokenCache(100)
    put: dict[str, Block] = {}
    for name, seconds in said:
        sound = np.full((1, round(seconds * 100)), name, np.float32)
        if cache.get(str(name)) is None:
            cache.put(str(name), sound)
            put[str(name)] = sound
        assert cache.seconds <= 120
    for text, sound in put.items():
        kept = cache.get(text)
        assert kept is None or np.array_equal(kept, sound)


def test_the_configuration_chooses_the_voice(tmp_path: Path) -> None:
    home_assistant = {"url": "http://ha.local:8123", "token": "secret"}
    settings_of = {
        "espeak": {},
        "piper": {"speech": {"voice": "piper", "voice_model": "voice.onnx"}},
        "home_assistant": {
            "speech": {"voice": "home_assistant", "voice_entity": "tts.piper"},
            "home_assistant": home_assistant,
        },
    }
    for name, content in settings_of.items():
        voice, services = configured_voice(HubConfig.model_validate(content), tmp_path)
        assert (voice.name, len(services)) == (name, int(name == "piper"))


@pytest.mark.parametrize(
    ("speech", "missing"),
    [
        ({"voice": "piper"}, "voice_model"),
        ({"voice": "home_assistant"}, "voice_entity"),
        ({"voice": "home_assistant", "voice_entity": "tts.a"}, "section home_assistant"),
    ],
)
def test_a_voice_that_lacks_something_is_refused(speech: dict[str, str], missing: str) -> None:
    with pytest.raises(ValueError, match=missing):
        HubConfig.model_validate({"speech": speech})


def test_status_says_which_voice_speaks_instead(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "default_state_directory", lambda: tmp_path)
    told: dict[str, Json] = {
        "voice": {"wanted": "piper", "speaks": "espeak", "why": "Piper ended", "hint": "Install it."},
        "hubs": {"hub": "hall-1", "others": ["den-2"], "answered_last": {"hub": "den-2", "room": "den"}},
    }
    status.write_snapshot(tmp_path / "status.json", [], [], told)
    assert run_command(["status"]) == 0
    shown = capsys.readouterr().out
    assert "voice: espeak speaks instead of piper: Piper ended. Install it." in shown
    assert "hubs: hall-1 hears beside den-2; den-2 answered last" in shown
