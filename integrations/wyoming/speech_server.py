"""A Wyoming server that writes down what is said: faster-whisper, speech-to-phrase, or another hub."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import CancelledError, Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event, async_write_event
from wyoming.info import Describe, Info

from integrations.wyoming.wire import MOST_LINE_BYTES, Misunderstood, SoundFormat, read_event, text_of
from routines.ports import LinkChanged, Outbox

_CHUNK_BYTES = 32_000
_MOST_WAITING = 4
_HINT = "Start the server, or correct speech.recognizer.uri in hub.yaml"


@dataclass(frozen=True, slots=True, eq=False)
class _Utterance:
    """Sound that somebody waits to be told about."""

    sound: bytes
    form: SoundFormat
    text: Future[str] = field(default_factory=Future)


class SpeechServer:
    """Ask one server what was said, one utterance at a time.

    ``run`` does the network on the event loop. `transcribe` is for the threads that hear, and never holds
    them up for longer than the limit. What the server does not say is not known: nothing is guessed.

    Parameters
    ----------
    host, port : str, int
        Where the server listens.
    language : str
        What is spoken, as ``en``.
    outbox : Outbox
        Receives `LinkChanged`.
    answer_limit_seconds : float
        What the server has not answered by then is not known.
    look_interval_seconds : float
        How often an idle server is asked whether it is still there.
    """

    name = "speech_server"
    needs: frozenset[str] = frozenset()

    def __init__(
        self,
        *,
        host: str,
        port: int,
        language: str,
        outbox: Outbox,
        answer_limit_seconds: float = 5.0,
        look_interval_seconds: float = 30.0,
    ) -> None:
        self._host, self._port = host, port
        self._language = language
        self._outbox = outbox
        self._answer_limit_seconds = answer_limit_seconds
        self._look_interval_seconds = look_interval_seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: asyncio.Queue[_Utterance] = asyncio.Queue(_MOST_WAITING)
        self._told: LinkChanged | None = None

    async def run(self, ready: Callable[[], None]) -> None:
        """Answer until cancelled; a missing server is told as `LinkChanged` and tried again."""
        self._told = None
        self._loop = asyncio.get_running_loop()
        try:
            ready()  # what is missing is told after it, and holds
            await self._try(self._look)
            while True:
                try:
                    async with asyncio.timeout(self._look_interval_seconds):
                        utterance = await self._waiting.get()
                except TimeoutError:
                    await self._try(self._look)
                else:
                    await self._answer(utterance)
        finally:
            self._loop = None
            while not self._waiting.empty():
                self._waiting.get_nowait().text.cancel()

    def transcribe(self, sound: bytes, form: SoundFormat) -> str:
        """Return what was said, empty where nobody knows; for any thread but the loop's."""
        utterance = _Utterance(sound, form)
        loop = self._loop
        if loop is None:
            return ""
        try:
            loop.call_soon_threadsafe(self._take, utterance)
            return utterance.text.result(self._answer_limit_seconds)
        except (TimeoutError, CancelledError, RuntimeError):  # too late, too many, or the loop has ended
            utterance.text.cancel()
            return ""

    def _take(self, utterance: _Utterance) -> None:
        if self._waiting.full():
            utterance.text.cancel()
        else:
            self._waiting.put_nowait(utterance)

    async def _answer(self, utterance: _Utterance) -> None:
        if not utterance.text.set_running_or_notify_cancel():
            return
        text = ""
        try:
            text = await self._try(lambda: self._said(utterance))
        finally:
            utterance.text.set_result(text)

    async def _try(self, ask: Callable[[], Awaitable[str]]) -> str:
        """Return the answer, empty where there is none, and tell whether the server is there."""
        where = f"the speech server at {self._host}:{self._port}"
        try:
            async with asyncio.timeout(self._answer_limit_seconds):
                answer = await ask()
        except TimeoutError:
            await self._tell(f"{where} does not answer within {self._answer_limit_seconds:g} s")
        except OSError as error:
            await self._tell(f"{where} is not reached ({error.strerror or error})")
        except Misunderstood as fault:
            await self._tell(f"{where} is not understood ({fault})")
        else:
            await self._tell("")
            return answer
        return ""

    async def _look(self) -> str:
        """Ask whether the server is one that writes down speech."""
        async with self._connected() as (reader, writer):
            await async_write_event(Describe().event(), writer)
            event = await _first(reader, Info.is_type)
            if not event.data.get("asr"):
                raise Misunderstood("it offers no speech recognition")
        return ""

    async def _said(self, utterance: _Utterance) -> str:
        form, sound = utterance.form, utterance.sound
        sizes = {"rate": form.rate_hz, "width": form.width_bytes, "channels": form.channels}
        step = _CHUNK_BYTES // form.frame_bytes * form.frame_bytes
        async with self._connected() as (reader, writer):
            await async_write_event(Transcribe(language=self._language).event(), writer)
            await async_write_event(AudioStart(**sizes).event(), writer)
            for first in range(0, len(sound), step):
                chunk = AudioChunk(**sizes, audio=sound[first : first + step])
                await async_write_event(chunk.event(), writer)
            await async_write_event(AudioStop().event(), writer)
            return text_of(await _first(reader, Transcript.is_type), "text")

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection(self._host, self._port, limit=MOST_LINE_BYTES)
        try:
            yield reader, writer
        finally:
            writer.close()

    async def _tell(self, why: str) -> None:
        """Report the state of the link, when it is another."""
        change = LinkChanged(link=self.name, up=not why, why=why, hint=_HINT if why else "")
        if change != self._told:
            self._told = change
            await self._outbox.send(change)


async def _first(reader: asyncio.StreamReader, is_wanted: Callable[[str], bool]) -> Event:
    """Return the first event of a kind."""
    while (event := await read_event(reader)) is not None:
        if is_wanted(event.type):
            return event
        if Error.is_type(event.type):
            raise Misunderstood(f"it says: {text_of(event, 'text')}")
    raise Misunderstood("it hung up")
