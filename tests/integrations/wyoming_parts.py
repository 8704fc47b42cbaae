"""What both ends of Wyoming are tested with."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hub.hearing import BUILT_IN_SENTENCES, make_recognizer, read_phrases
from hub.house_ears import HouseEars, mono_samples
from hub.playback.text_to_speech import speak
from hub.wake_words import make_verifier
from integrations.wyoming.ears import HearsWakeWord
from integrations.wyoming.hearing_server import HearingServer
from integrations.wyoming.wire import SoundFormat
from routines.ports import LinkChanged, LinkEvent
from sensing.speech.verification import Verifier
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


def listening_house(*, threshold: float | None = None, verifier: Verifier | None = None) -> HouseEars:
    """Return ears that understand the built-in sentences, and take a score for the wake word."""
    return HouseEars(
        recognizer=make_recognizer(read_phrases(BUILT_IN_SENTENCES, []), after="computer"),
        wake_word=lambda phrases: WakeWord(phrases, threshold=threshold),
        verifier=verifier or make_verifier(),
        wake_phrases=["computer"],
    )


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
