"""The house as a client of Wyoming: its own server, and servers that fail in every way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest

from hub.hearing import BUILT_IN_SENTENCES, read_phrases
from hub.house_ears import HouseEars
from hub.recognizer_backend import asking
from integrations.wyoming.hearing_server import HearingServer
from integrations.wyoming.speech_server import SpeechServer
from sensing.speech.free_text_recognizer import FreeTextRecognizer
from sensing.speech.grammar import compile_grammar
from sensing.speech.phonetic_rescoring import PhoneticRescoring
from sensing.speech.recognizer import SURE_CONFIDENCE
from tests.integrations.wyoming_parts import (
    HOST,
    PCM,
    SENTENCE,
    Kept,
    Parrot,
    listening_house,
    running,
    said,
    serving,
)


@pytest.fixture(scope="module")
def house() -> HouseEars:
    return listening_house()


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
