"""The house as a server of Wyoming, over real sockets, with the client of the package."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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

from hub.house_ears import HouseEars, mono_samples
from integrations.wyoming.hearing_server import HearingServer
from integrations.wyoming.wire import Misunderstood, SoundFormat, read_event
from sensing.speech.verification import Verdict
from tests.integrations.wyoming_parts import (
    HOST,
    PCM,
    SENTENCE,
    Kept,
    Parrot,
    listening_house,
    pcm,
    said,
    serving,
)


@pytest.fixture(scope="module")
def house() -> HouseEars:
    return listening_house()


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


class Yes:
    """A verifier that confirms whatever it is asked."""

    def verify(self, samples: NDArray[np.float32], phrase: str) -> Verdict:
        return Verdict(is_confirmed=True, score=0.0)


@pytest.mark.parametrize(
    ("verifier", "text", "is_detected"),
    [
        (None, "what a lovely morning", False),
        (None, "computer", True),
        (Yes(), "what a lovely morning", True),
    ],
)
async def test_what_the_head_takes_for_the_wake_word_is_verified_as_in_the_house(
    verifier: Yes | None, text: str, is_detected: bool
) -> None:
    ears = listening_house(threshold=0.0, verifier=verifier)  # a head that takes everything for the word
    async with serving(ears) as server, client_of(server) as client:
        await client.write_event(Detect(names=["computer"]).event())
        await send_sound(client, pcm(said(text)))
        kind = (await answer(client)).type
    assert Detection.is_type(kind) == is_detected


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
