"""The hub asks, listens for the answer at once, and does what it is told: real parts in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray

from hub.answers import MOST_IN_A_ROW, Answers
from hub.bus import Bus
from hub.clock import VirtualClock
from hub.events import AnswerAwaited, Observed
from hub.hearing import HOUSE_SENTENCES, make_recognizer, read_phrases
from hub.performer import Performer
from hub.playback.mixer import Mixer
from hub.playback.text_to_speech import speak
from hub.routine_driver import RoutineDriver
from hub.store.engine_memory import EngineMemory
from routines.effects import CallService, Outcome
from routines.engine import Engine
from routines.intents.directory import Directory, Entity
from routines.load import load_routines
from sensing.audio_block import AudioBlock, Block
from sensing.observations import AttentionChanged, TranscriptDone, WakeWordHeard
from sensing.speech.listener import Listener
from sensing.speech.recognizer import SpeechRecognizer
from sensing.speech.wake_word import WakeWord

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
RATE_HZ = 16_000
BLOCK_FRAMES = 160
MOST_SECONDS = 60
ROUTINES = """
version: 1
routines:
  - id: welcome
    triggers: [{trigger: voice, phrases: [open up]}]
    actions: [{action: lock.unlock, target: {entity_id: lock.door}}]
"""
Sound = NDArray[np.float32]


@asynccontextmanager
async def running(answers: Answers) -> AsyncIterator[None]:
    up = asyncio.Event()
    task = asyncio.create_task(answers.run(up.set))
    await up.wait()
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def wake_word() -> Observed:
    heard = WakeWordHeard(at=1.0, frame=16_000, phrase="computer", score=0.99)
    return Observed(room="hall", observation=heard, at=NOON)


async def test_the_ear_opens_for_answers_a_few_times_after_each_wake_word() -> None:
    bus, opened = Bus(VirtualClock(NOON)), list[str]()
    async with running(Answers(listen=lambda: opened.append("now"), bus=bus, room="hall")):
        for rounds in (1, 2):
            for _ in range(MOST_IN_A_ROW + 3):
                bus.publish(AnswerAwaited(room="hall"))
            bus.publish(wake_word())
            await asyncio.sleep(0)
            assert len(opened) == rounds * MOST_IN_A_ROW


@pytest.mark.parametrize(("room", "is_here"), [("hall", True), (None, True), ("kitchen", False)])
async def test_what_was_asked_elsewhere_is_answered_there(room: str | None, is_here: bool) -> None:
    bus, opened = Bus(VirtualClock(NOON)), list[str]()
    async with running(Answers(listen=lambda: opened.append("now"), bus=bus, room="hall")):
        bus.publish(AnswerAwaited(room=room))
        await asyncio.sleep(0)
    assert bool(opened) == is_here


class Espeak:
    name = "espeak"

    async def speak(self, text: str) -> Block:
        return speak(text, RATE_HZ)


class Home:
    """A hub in a hall with a loudspeaker, a microphone, and somebody who answers when it listens."""

    def __init__(self, recognizer: SpeechRecognizer, path: Path) -> None:
        self.clock = VirtualClock(NOON)
        self.bus = Bus(self.clock)
        self.calls: list[str] = []
        self.seen: list[object] = []
        self.listened = 0
        self._mixer = Mixer(rate_hz=RATE_HZ, speakers=1)
        self._listener = Listener(rate_hz=RATE_HZ, wake=WakeWord(), recognizer=recognizer)
        routines, problems = load_routines(ROUTINES, "test.yaml")
        assert problems == []
        lock = Entity(entity_id="lock.door", names=("front door",), area="hall")
        performer = Performer(
            owner=lambda _call: self,
            messages=self,  # type: ignore[arg-type]
            events=None,
            mixer=self._mixer,
            voice=Espeak(),
            rate_hz=RATE_HZ,
            sounds=path,
            bus=self.bus,
        )
        self._engine = Engine(
            routines, timezone=ZoneInfo("UTC"), directory=Directory(entities=(lock,)), converses=True
        )
        self._driver = RoutineDriver(
            engine=self._engine,
            performer=performer,
            memory=EngineMemory(path / "hub.sqlite3"),
            bus=self.bus,
            clock=self.clock,
        )

    async def call(self, call: CallService) -> Outcome:
        self.calls.append(call.action)
        return Outcome()

    async def live(self, first: str, answers: list[str]) -> None:
        """Say something, then one of the answers each time that the hub listens for one."""
        up = asyncio.Event()
        task = asyncio.create_task(self._driver.run(up.set))
        listens = Answers(listen=self._listener.expect_answer, bus=self.bus, room="hall")
        try:
            async with running(listens):
                await up.wait()
                await self._pass_time(first, iter(answers))
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _pass_time(self, first: str, answers: Iterator[str]) -> None:
        room = np.random.default_rng(1)
        talk = np.concatenate([np.zeros(RATE_HZ, np.float32), voice(first)])
        quiet_blocks = 0
        for number in range(MOST_SECONDS * RATE_HZ // BLOCK_FRAMES):
            played = self._mixer.next_block(BLOCK_FRAMES)
            said, talk = np.resize(np.append(talk, np.zeros(BLOCK_FRAMES)), BLOCK_FRAMES), talk[BLOCK_FRAMES:]
            captured = said + 0.5 * played[0] + 1e-4 * room.standard_normal(BLOCK_FRAMES)
            block = AudioBlock(
                first_frame=number * BLOCK_FRAMES,
                rate_hz=RATE_HZ,
                capture=np.asarray(captured[None], np.float32),
                reference=played,
            )
            self.clock.advance(BLOCK_FRAMES / RATE_HZ)
            seen = self._listener.process(block)
            is_called = any(isinstance(one, WakeWordHeard) for one in seen)
            for one in seen:
                self.seen.append(one)
                self.bus.publish(Observed(room="hall", observation=one, at=self.clock.now()))
                if isinstance(one, AttentionChanged) and one.tier == "hearing" and not is_called:
                    self.listened += 1
                    talk = np.concatenate([np.zeros(RATE_HZ // 2, np.float32), voice(next(answers, ""))])
            await asyncio.sleep(0)
            is_busy = len(talk) or np.abs(played).any() or not self._driver.idle.is_set()
            quiet_blocks = 0 if is_busy else quiet_blocks + 1
            if quiet_blocks > 8 * RATE_HZ // BLOCK_FRAMES:
                return

    @property
    def answers(self) -> list[str]:
        return [one.text for one in self.seen if isinstance(one, TranscriptDone) and one.is_answer]


def voice(text: str) -> Sound:
    return np.asarray(0.3 * speak(text, RATE_HZ)[0], np.float32)


@pytest.fixture(scope="module")
def recognizer() -> SpeechRecognizer:
    routines, _ = load_routines(ROUTINES, "test.yaml")
    return make_recognizer(read_phrases(HOUSE_SENTENCES, routines), after="computer")


async def test_the_door_opens_after_a_call_and_a_yes_without_the_wake_word(
    recognizer: SpeechRecognizer, tmp_path: Path
) -> None:
    home = Home(recognizer, tmp_path)
    await home.live("computer, open up", ["yes please"])
    assert home.answers == ["yes please"]
    assert home.calls == ["lock.unlock"]


async def test_the_door_stays_shut_after_a_no_or_when_nobody_answers(
    recognizer: SpeechRecognizer, tmp_path: Path
) -> None:
    for answer in ("no thanks", ""):
        home = Home(recognizer, tmp_path / (answer or "nobody"))
        await home.live("computer, open up", [answer])
        assert home.listened == 1
        assert home.answers == ([answer] if answer else [])
        assert home.calls == []
