"""One client's side of the Wyoming protocol: what is asked, and what is answered."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import AsrModel, AsrProgram, Attribution, Describe, Info, WakeModel, WakeProgram
from wyoming.ping import Ping, Pong
from wyoming.wake import Detect, Detection, NotDetected

from integrations.wyoming.ears import Ears, HearsWakeWord
from integrations.wyoming.wire import Misunderstood, SoundFormat, sound_format, text_of

_LONGEST_SECONDS = 30
"""Of an utterance; a spoken command takes a tenth of it."""
_ATTRIBUTION = Attribution(name="Roomwise", url="")


class Conversation:
    """Answer one client's events in their order.

    Parameters
    ----------
    ears : Ears
        Does the work, in the threads given.
    """

    def __init__(
        self, ears: Ears, *, wake_thread: ThreadPoolExecutor, speech_thread: ThreadPoolExecutor
    ) -> None:
        self._ears = ears
        self._wake_thread = wake_thread
        self._speech_thread = speech_thread
        self._phrases: list[str] = []
        """What is looked for; nothing while it is speech that is written down."""
        self._begin(None)

    async def answer(self, event: Event) -> Event | None:
        """Return what the event is answered with, None for most; unknown events are passed over.

        Raises
        ------
        Misunderstood
            The event makes no sense here, or asks for what we do not have.
        """
        kind = event.type
        if Describe.is_type(kind):
            return _info(self._ears)
        if Ping.is_type(kind):
            return Pong(text=text_of(event, "text")).event()
        if Transcribe.is_type(kind):
            self._expect_speech(event)
        elif Detect.is_type(kind):
            self._expect_wake_word(event)
        elif AudioStart.is_type(kind):
            self._begin(sound_format(event))
        elif AudioChunk.is_type(kind):
            return await self._hear(event)
        elif AudioStop.is_type(kind):
            return await self._conclude()
        return None

    def _expect_speech(self, event: Event) -> None:
        language = text_of(event, "language")
        if language and language.split("-")[0].split("_")[0].lower() != self._ears.language:
            raise Misunderstood(f"only {self._ears.language} is understood, not {language!r}")
        self._phrases = []

    def _expect_wake_word(self, event: Event) -> None:
        names, known = event.data.get("names") or self._ears.wake_phrases, self._ears.wake_phrases
        wanted = [phrase for phrase in known if phrase in names] if isinstance(names, list | tuple) else []
        if not wanted:
            raise Misunderstood(f"the wake words here are: {', '.join(known)}")
        self._phrases = wanted

    def _begin(self, form: SoundFormat | None) -> None:
        self._form = form
        self._sound = bytearray()
        self._ear: HearsWakeWord | None = None
        self._is_detected = False

    async def _hear(self, event: Event) -> Event | None:
        form = sound_format(event)
        if self._form is None:
            self._begin(form)
        elif form != self._form:
            raise Misunderstood("the format of the sound changes in the middle")
        sound = event.payload or b""
        if len(sound) % form.frame_bytes:
            raise Misunderstood(f"{len(sound)} bytes of sound are not whole instants")
        if self._phrases:
            return await self._look_for_wake_word(sound, form, event.data.get("timestamp"))
        self._sound += sound
        if len(self._sound) > _LONGEST_SECONDS * form.rate_hz * form.frame_bytes:
            raise Misunderstood(f"an utterance of more than {_LONGEST_SECONDS} s")
        return None

    async def _look_for_wake_word(self, sound: bytes, form: SoundFormat, timestamp: object) -> Event | None:
        loop = asyncio.get_running_loop()
        if self._ear is None:
            self._ear = await loop.run_in_executor(
                self._wake_thread, self._ears.wake_ear, self._phrases, form
            )
        heard = await loop.run_in_executor(self._wake_thread, self._ear, sound)
        if heard is None:
            return None
        self._is_detected = True
        at = timestamp if isinstance(timestamp, int) else None
        return Detection(name=heard, timestamp=at).event()

    async def _conclude(self) -> Event | None:
        """Return the transcript, or that there was no wake word; begin anew."""
        form, sound, is_detected = self._form, bytes(self._sound), self._is_detected
        self._begin(None)
        if self._phrases:
            return None if is_detected else NotDetected().event()
        if form is None:
            raise Misunderstood("the sound ends before it begins")
        text = await asyncio.get_running_loop().run_in_executor(
            self._speech_thread, self._ears.transcribe, sound, form
        )
        return Transcript(text=text, language=self._ears.language).event()


def _info(ears: Ears) -> Event:
    """Return what we offer."""
    number = version("roomwise")
    models = [
        AsrModel(
            name="grammar",
            attribution=_ATTRIBUTION,
            installed=True,
            description="The sentences of this house's routines",
            version=number,
            languages=[ears.language],
        )
    ]
    words = [
        WakeModel(
            name=phrase,
            attribution=_ATTRIBUTION,
            installed=True,
            description=f"The wake word {phrase!r}",
            version=number,
            languages=[ears.language],
            phrase=phrase,
        )
        for phrase in ears.wake_phrases
    ]
    speech = AsrProgram(
        name="roomwise",
        attribution=_ATTRIBUTION,
        installed=True,
        description="Spoken commands",
        version=number,
        models=models,
    )
    wake = WakeProgram(
        name="roomwise",
        attribution=_ATTRIBUTION,
        installed=True,
        description="Wake words",
        version=number,
        models=words,
    )
    return Info(asr=[speech], wake=[wake]).event()
