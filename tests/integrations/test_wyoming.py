"""Wyoming over real sockets: the house's server with the package's client, and our client with our server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from structlog.testing import capture_logs
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.wake import Detect, Detection, NotDetected

from hub.hearing import BUILT_IN_SENTENCES, make_recognizer, read_phrases
from hub.house_ears import HouseEars, mono_samples
from hub.playback.text_to_speech import speak
from hub.recognizer_backend import asking
from integrations.wyoming.ears import HearsWakeWord
from integrations.wyoming.hearing_server import HearingServer
from integrations.wyoming.speech_server import SpeechServer
from integrations.wyoming.wire import Misunderstood, SoundFormat, read_event
from routines.ports import LinkChanged, LinkEvent
from sensing.speech.free_text_recognizer import FreeTextRecognizer
from sensing.speech.grammar import compile_grammar
from sensing.speech.phonetic_rescoring import PhoneticRescoring
from sensing.speech.recognizer import SURE_CONFIDENCE
from sensing.speech.wake_word import WakeWord

HOST = "127.0.0.1"
PCM = SoundFormat(rate_hz=16_000, width_bytes=2, channels=1)
SENTENCE = "turn on the kitchen light"


@dataclass
class Kept:
    """An outbox that keeps what it is given, and tells when something came."""

    events: list[LinkEvent] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, event: LinkEvent) -> None:
        self.events.append(event)
        self.came.set()

    async def until(self, is_so: Callable[[list[LinkEvent]], bool]) -> None:
        while not is_so(self.events):
            self.came.clear()
            await self.came.wait()

    @property
    def links(self) -> list[tuple[bool, str]]:
        return [(one.up, one.why) for one in self.events if isinstance(one, LinkChanged)]


class Parrot:
    """Ears that tell what they were given: bytes for speech, a wake word for a chunk with a loud sample."""

    language = "en"
    wake_phrases = ("computer", "jarvis")

    def transcribe(self, sound: bytes, form: SoundFormat) -> str:
        return f"{len(sound)} bytes at {form.rate_hz}"

    def wake_ear(self, phrases: Sequence[str], form: SoundFormat) -> HearsWakeWord:
        def hears(sound: bytes) -> str | None:
            return phrases[-1] if np.abs(mono_samples(sound, form)).max(initial=0) > 0.5 else None

        return hears


def pcm(samples: NDArray[np.float32], form: SoundFormat = PCM) -> bytes:
    """Write sound in a format."""
    top = 2 ** (8 * form.width_bytes - 1)
    values = np.round(np.clip(samples.astype(np.float64), -1, 1) * (top - 1)).astype(np.int64)
    if form.width_bytes == 1:
        values = values + 128
    every = np.repeat(values, form.channels)
    return every.astype("<i8").view(np.uint8).reshape(-1, 8)[:, : form.width_bytes].tobytes()


def said(text: str, rate_hz: int = 16_000) -> NDArray[np.float32]:
    voice = 0.3 * speak(text, rate_hz)[0]
    room = np.random.default_rng(2).standard_normal(len(voice) + rate_hz) * 1e-4
    room[rate_hz // 2 : rate_hz // 2 + len(voice)] += voice
    return room.astype(np.float32)


@pytest.fixture(scope="module")
def house() -> HouseEars:
    recognizer = make_recognizer(read_phrases(BUILT_IN_SENTENCES, []), after="computer")
    return HouseEars(recognizer=recognizer, wake_word=WakeWord, wake_phrases=["computer"])


@asynccontextmanager
async def serving(ears: HouseEars | Parrot) -> AsyncIterator[HearingServer]:
    server = HearingServer(host=HOST, port=0, ears=ears, outbox=Kept())
    async with running(server.run):
        yield server


@asynccontextmanager
async def running(run: Callable[[Callable[[], None]], asyncio.Future[None]]) -> AsyncIterator[None]:
    """Keep a service's ``run`` while the block lasts."""
    ready = asyncio.Event()
    task = asyncio.ensure_future(run(ready.set))
    waiting = asyncio.ensure_future(ready.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def client_of(server: HearingServer) -> AsyncIterator[AsyncTcpClient]:
    async with AsyncTcpClient(HOST, server.port) as client:
        yield client


async def send_sound(
    client: AsyncTcpClient, sound: bytes, form: SoundFormat = PCM, step: int = 2_048
) -> None:
    sizes = {"rate": form.rate_hz, "width": form.width_bytes, "channels": form.channels}
    await client.write_event(AudioStart(**sizes).event())
    step *= form.frame_bytes
    for first in range(0, len(sound), step):
        chunk = AudioChunk(**sizes, audio=sound[first : first + step], timestamp=first)
        await client.write_event(chunk.event())
    await client.write_event(AudioStop().event())


async def ask(client: AsyncTcpClient, sound: bytes, form: SoundFormat = PCM) -> str:
    await client.write_event(Transcribe(language="en").event())
    await send_sound(client, sound, form)
    return Transcript.from_event(await answer(client)).text


async def answer(client: AsyncTcpClient) -> Event:
    event = await client.read_event()
    assert event is not None
    return event


async def test_the_server_tells_what_it_offers() -> None:
    async with serving(Parrot()) as server, client_of(server) as client:
        await client.write_event(Describe().event())
        info = Info.from_event(await answer(client))
    assert [model.languages for program in info.asr for model in program.models] == [["en"]]
    assert [model.phrase for program in info.wake for model in program.models] == ["computer", "jarvis"]


@pytest.mark.parametrize(
    "form",
    [
        PCM,
        SoundFormat(rate_hz=44_100, width_bytes=4, channels=2),
        SoundFormat(rate_hz=48_000, width_bytes=3, channels=1),
    ],
    ids=lambda form: f"{form.rate_hz} Hz, {8 * form.width_bytes} bits, {form.channels} channels",
)
async def test_a_spoken_command_is_written_down_in_any_format(house: HouseEars, form: SoundFormat) -> None:
    async with serving(house) as server, client_of(server) as client:
        assert await ask(client, pcm(said(SENTENCE, form.rate_hz), form), form) == SENTENCE


async def test_silence_is_no_command_and_the_wake_word_before_one_is_left_out(house: HouseEars) -> None:
    async with serving(house) as server, client_of(server) as client:
        assert await ask(client, bytes(32_000)) == ""
        assert await ask(client, pcm(said(f"computer, {SENTENCE}"))) == SENTENCE


async def test_the_wake_word_is_detected_and_other_words_are_not(house: HouseEars) -> None:
    async with serving(house) as server, client_of(server) as client:
        await client.write_event(Detect(names=["computer"]).event())
        await send_sound(client, pcm(said("what a lovely morning")))
        assert NotDetected.is_type((await answer(client)).type)
        await send_sound(client, pcm(said("computer")))
        detection = Detection.from_event(await answer(client))
    assert detection.name == "computer"
    assert detection.timestamp is not None


async def test_two_clients_at_once_each_get_their_own_answer() -> None:
    loud = pcm(np.full(4_000, 0.9, np.float32))
    async with serving(Parrot()) as server, client_of(server) as one, client_of(server) as other:
        await other.write_event(Detect(names=["jarvis"]).event())
        lengths = [2_000, 32_000, 64_000]
        texts = [ask(one, bytes(length)) for length in lengths]
        for length, text in zip(lengths, texts, strict=True):
            await other.write_event(Ping(text=str(length)).event())
            assert Pong.from_event(await answer(other)).text == str(length)
            assert await text == f"{length} bytes at 16000"
        await send_sound(other, loud, step=len(loud))
        assert Detection.from_event(await answer(other)).name == "jarvis"


GARBAGE = {
    "not JSON": b"hello\n",
    "no mapping": b"[1, 2]\n",
    "no type": b'{"data": {}}\n',
    "a hole too deep": b"[" * 60_000 + b"\n",
    "an endless line": b"x" * 70_000,
    "an endless payload": b'{"type": "audio-chunk", "payload_length": 99999999999}\n',
    "a negative length": b'{"type": "audio-chunk", "data_length": -1}\n',
    "data that is none": b'{"type": "describe", "data": [1]}\n',
    "sound of no rate": b'{"type": "audio-start", "data": {"rate": 0, "width": 2, "channels": 1}}\n',
    "half an instant": b'{"type": "audio-chunk", "data": {"rate": 16000, "width": 2, "channels": 1}, '
    b'"payload_length": 3}\nabc',
    "an end without a beginning": b'{"type": "audio-stop"}\n',
    "another language": b'{"type": "transcribe", "data": {"language": "de"}}\n',
    "another wake word": b'{"type": "detect", "data": {"names": ["orbit"]}}\n',
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
async def test_who_sends_nonsense_is_hung_up_on_and_nobody_else(garbage: bytes) -> None:
    with capture_logs() as logs:
        async with serving(Parrot()) as server, client_of(server) as other:
            reader, writer = await asyncio.open_connection(HOST, server.port)
            writer.write(garbage)
            farewell = await read_event(reader)
            assert farewell is not None
            assert Error.is_type(farewell.type)
            assert await reader.read() == b""
            writer.close()
            assert await ask(other, bytes(20)) == "20 bytes at 16000"
    assert [one["event"] for one in logs if one["log_level"] == "warning"] == ["hung up on a client"]


@given(sent=st.binary(max_size=200), then=st.sampled_from([b"", b"\n", b'{"type": "describe"}\n']))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_events_or_misunderstood(sent: bytes, then: bytes) -> None:
    async def read_all() -> None:
        reader = asyncio.StreamReader(limit=65_536)
        reader.feed_data(sent + then)
        reader.feed_eof()
        with contextlib.suppress(Misunderstood):
            while await read_event(reader) is not None:
                pass

    asyncio.run(read_all())


async def test_an_utterance_without_end_is_not_kept() -> None:
    async with serving(Parrot()) as server, client_of(server) as client:
        await client.write_event(Transcribe().event())
        sizes = {"rate": 16_000, "width": 2, "channels": 1}
        for _ in range(31):
            await client.write_event(AudioChunk(**sizes, audio=bytes(32_000)).event())
        assert "more than 30 s" in Error.from_event(await answer(client)).text


async def test_the_server_stops_while_clients_are_connected() -> None:
    async with serving(Parrot()) as server:
        client = AsyncTcpClient(HOST, server.port)
        await client.connect()
        await client.write_event(Ping(text="here").event())
        assert Pong.from_event(await answer(client)).text == "here"
    assert await client.read_event() is None
    await client.disconnect()


async def test_a_port_that_is_taken_is_told() -> None:
    async with serving(Parrot()) as first:
        told = Kept()
        second = HearingServer(host=HOST, port=first.port, ears=Parrot(), outbox=told)
        task = asyncio.ensure_future(second.run(lambda: None))
        await told.until(bool)
        task.cancel()
        [(up, why)] = told.links
    assert not up
    assert f"cannot listen on {HOST}:{first.port}" in why


@given(
    width=st.integers(1, 4),
    channels=st.integers(1, 4),
    values=st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=20),
)
@settings(max_examples=100, deadline=None)
def test_sound_of_any_width_is_the_same_sound(width: int, channels: int, values: list[float]) -> None:
    form = SoundFormat(rate_hz=16_000, width_bytes=width, channels=channels)
    samples = np.array(values, np.float32)
    heard = mono_samples(pcm(samples, form), form)
    # half a step of rounding, and one because the largest integer is one short of full scale
    assert np.allclose(heard, samples, atol=1.5 / 2 ** (8 * width - 1) + 1e-6)


# The house as a client.


def speech_server(port: int, told: Kept, *, limit_seconds: float = 20.0) -> SpeechServer:
    return SpeechServer(host=HOST, port=port, language="en", outbox=told, answer_limit_seconds=limit_seconds)


def free_text(server: SpeechServer) -> FreeTextRecognizer:
    from hub.playback.text_to_speech import pronunciation

    grammar = compile_grammar(read_phrases(BUILT_IN_SENTENCES, []).intents)
    return FreeTextRecognizer(asking(server), PhoneticRescoring(grammar, pronounce=pronunciation))


async def test_what_is_said_goes_to_a_server_and_comes_back_as_a_sentence(house: HouseEars) -> None:
    told = Kept()
    async with serving(house) as server:
        asked = speech_server(server.port, told)
        async with running(asked.run):
            recognizer = free_text(asked)
            recognizer.feed(said(SENTENCE))
            [best] = await asyncio.to_thread(recognizer.finish)
    assert best.text == SENTENCE
    assert best.confidence == 1.0
    assert told.links == [(True, "")]


@asynccontextmanager
async def scripted(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], asyncio.Future[None]],
) -> AsyncIterator[int]:
    """Run a server that behaves as a test wants, and yield its port."""
    server = await asyncio.start_server(serve, HOST, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def describes_itself(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Answer a question after the offer; return whether it was one."""
    line = await reader.readline()
    if b"describe" in line:
        writer.write(b'{"type": "info", "data": {"asr": [{"name": "x"}]}}\n')
        writer.close()
        return True
    return False


async def test_a_mishearing_of_the_server_becomes_the_sentence_it_sounds_like() -> None:
    async def mishears(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not await describes_itself(reader, writer):
            writer.write(b'{"type": "transcript", "data": {"text": "Turn on the kitten light."}}\n')

    async with scripted(mishears) as port:
        asked = speech_server(port, Kept())
        async with running(asked.run):
            recognizer = free_text(asked)
            recognizer.feed(np.zeros(16_000, np.float32))
            [best] = await asyncio.to_thread(recognizer.finish)
    assert best.text == SENTENCE
    assert best.confidence >= SURE_CONFIDENCE


WAYS_TO_FAIL = {
    "hangs up": (b"", "it hung up"),
    "talks nonsense": (b"\xff\xfe\n", "a line that is not JSON"),
    "stops in the middle": (b'{"type": "transcript", "data_length": 50}\n{"te', "ends in the middle"),
    "complains": (b'{"type": "error", "data": {"text": "no model"}}\n', "it says: no model"),
    "answers with a number": (b'{"type": "transcript", "data": {"text": 7}}\n', "text is not text"),
}


@pytest.mark.parametrize(("reply", "why"), WAYS_TO_FAIL.values(), ids=WAYS_TO_FAIL.keys())
async def test_a_server_that_fails_is_told_and_nothing_is_guessed(reply: bytes, why: str) -> None:
    async def fails(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not await describes_itself(reader, writer):
            await reader.readline()
            writer.write(reply)
            writer.close()

    told = Kept()
    async with scripted(fails) as port:
        asked = speech_server(port, told)
        async with running(asked.run):
            await told.until(bool)
            assert await asyncio.to_thread(asked.transcribe, bytes(3_200), PCM) == ""
    assert [up for up, _ in told.links] == [True, False]
    assert why in told.links[-1][1]


async def test_a_server_that_never_answers_holds_nobody_up_for_longer_than_the_limit() -> None:
    async def is_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not await describes_itself(reader, writer):
            await reader.read()

    told = Kept()
    async with scripted(is_silent) as port:
        asked = speech_server(port, told, limit_seconds=0.1)
        async with running(asked.run):
            assert await asyncio.to_thread(asked.transcribe, bytes(3_200), PCM) == ""
            await told.until(lambda events: len(events) == 2)
    assert "does not answer within 0.1 s" in told.links[-1][1]


async def test_a_server_that_comes_back_is_used_again() -> None:
    told = Kept()
    async with serving(Parrot()) as server:
        port = server.port
        asked = speech_server(port, told)
        async with running(asked.run):
            assert await asyncio.to_thread(asked.transcribe, bytes(320), PCM) == "320 bytes at 16000"
    asked = speech_server(port, told)
    async with running(asked.run):
        await told.until(lambda events: len(events) == 2)
        assert await asyncio.to_thread(asked.transcribe, bytes(320), PCM) == ""
        again = HearingServer(host=HOST, port=port, ears=Parrot(), outbox=Kept())
        async with running(again.run):
            assert await asyncio.to_thread(asked.transcribe, bytes(320), PCM) == "320 bytes at 16000"
    assert [up for up, _ in told.links] == [True, False, True]


async def test_without_a_running_service_nothing_is_known() -> None:
    asked = speech_server(1, Kept())
    assert await asyncio.to_thread(asked.transcribe, bytes(320), PCM) == ""
