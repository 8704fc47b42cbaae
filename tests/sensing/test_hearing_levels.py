"""Each level of hearing is opened by the one before, and nothing is lost by it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.hearing import BUILT_IN_SENTENCES, make_recognizer, read_phrases
from hub.playback.text_to_speech import speak
from sensing.audio_block import AudioBlock, Block
from sensing.observations import (
    AttentionChanged,
    HearingDegraded,
    Observation,
    TranscriptDone,
    TranscriptGrew,
    WakeWordHeard,
)
from sensing.speech.energy_gate import EnergyGate
from sensing.speech.hearing_health import HearingHealth
from sensing.speech.listener import Listener
from sensing.speech.recognizer import Hypothesis, SpeechRecognizer, SpokenWord
from sensing.speech.verification import Verdict, Verifier
from sensing.speech.wake_word import WakeWord

RATE_HZ = 16_000
CHUNK_FRAMES = 1_280
Sound = NDArray[np.float32]


@pytest.fixture(scope="module")
def recognizer() -> SpeechRecognizer:
    return make_recognizer(read_phrases(BUILT_IN_SENTENCES, []), after="computer")


@pytest.fixture(scope="module")
def wake() -> WakeWord:
    return WakeWord()


def noise(seconds: float, dbfs: float, seed: int = 3) -> Sound:
    made = np.random.default_rng(seed).standard_normal(round(seconds * RATE_HZ))
    return np.asarray(10 ** (dbfs / 20) * made, np.float32)


def said(text: str) -> Sound:
    return np.asarray(0.3 * speak(text, RATE_HZ)[0], np.float32)


def blocks(capture: Block, cuts: Sequence[int], rate_hz: int = RATE_HZ) -> list[AudioBlock]:
    edges = [0, *sorted(cut for cut in set(cuts) if 0 < cut < capture.shape[1]), capture.shape[1]]
    return [
        AudioBlock(
            first_frame=first,
            rate_hz=rate_hz,
            capture=capture[:, first:end].copy(),
            reference=capture[:0, first:end],
        )
        for first, end in pairwise(edges)
    ]


def heard(
    listener: Listener, capture: Block, cuts: Sequence[int] = (), rate_hz: int = RATE_HZ
) -> list[Observation]:
    cuts = cuts or range(0, capture.shape[1], rate_hz // 100)
    seen = [one for block in blocks(capture, cuts, rate_hz) for one in listener.process(block)]
    return seen + listener.finish()


def of(kind: type[Any], seen: Sequence[object]) -> list[Any]:
    return [one for one in seen if isinstance(one, kind)]


SCENES = {
    "silence": lambda: noise(0.7, -70),
    "nothing at all": lambda: np.zeros(RATE_HZ, np.float32),
    "fan": lambda: noise(1.5, -45),
    "talk": lambda: said("what a nice day it is"),
    "wake word": lambda: said("computer"),
    "command": lambda: said("computer, turn on the kitchen lights"),
}


@given(
    scenes=st.lists(st.sampled_from(sorted(SCENES)), min_size=2, max_size=4),
    cuts=st.lists(st.integers(1, 120_000), max_size=8),
)
@settings(max_examples=3, deadline=None)
def test_gated_levels_hear_what_open_levels_hear(
    recognizer: SpeechRecognizer, wake: WakeWord, scenes: list[str], cuts: list[int]
) -> None:
    pieces = [noise(2.5, -70), *(SCENES[name]() for name in scenes), noise(2.0, -70)]
    sound = np.concatenate(pieces)[None]
    told = []
    for is_always_open in (False, True):
        ear = Listener(rate_hz=RATE_HZ, wake=wake, recognizer=recognizer, is_always_open=is_always_open)
        seen = heard(ear, sound, cuts)
        told.append(
            [
                one.phrase if isinstance(one, WakeWordHeard) else one.text
                for one in seen
                # what nobody would act on may be heard in a click by a level that is always open
                if isinstance(one, WakeWordHeard)
                or (isinstance(one, TranscriptDone) and one.confidence > 0.1)
            ]
        )
    assert told[0] == told[1]


def test_each_level_works_less_than_the_one_before(recognizer: SpeechRecognizer, wake: WakeWord) -> None:
    pieces = [noise(8, -60), said("what a nice day"), noise(6, -60), said("computer stop"), noise(6, -60)]
    ear = Listener(rate_hz=RATE_HZ, wake=wake, recognizer=recognizer)
    heard(ear, np.concatenate(pieces)[None])
    figures = {level.name: level for level in ear.meter.figures()}
    shares = [figures[name].open_share for name in ("resampler", "gate", "vad", "wake", "asr")]
    assert shares == sorted(shares, reverse=True)
    assert figures["gate"].openings == figures["asr"].openings == 1
    assert figures["wake"].openings >= 2
    assert "echo" not in figures


class Judge(Verifier):
    def __init__(self, is_confirmed: bool) -> None:
        self._is_confirmed = is_confirmed
        self.asked: list[tuple[int, str]] = []

    def verify(self, samples: Sound, phrase: str) -> Verdict:
        self.asked.append((len(samples), phrase))
        return Verdict(is_confirmed=self._is_confirmed, score=0.5)


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_a_wake_word_counts_when_the_verifier_confirms_it(
    recognizer: SpeechRecognizer, wake: WakeWord, is_confirmed: bool
) -> None:
    judge = Judge(is_confirmed)
    ear = Listener(rate_hz=RATE_HZ, wake=wake, recognizer=recognizer, verifier=judge)
    seen = heard(ear, np.concatenate([noise(3, -65), said("computer"), noise(2, -65)])[None])
    assert judge.asked == [(2 * RATE_HZ, "computer")]
    assert len(of(WakeWordHeard, seen)) == is_confirmed


@given(before_dbfs=st.floats(-75, -50), louder_db=st.floats(7, 40))
@settings(max_examples=15, deadline=None)
def test_a_fan_that_starts_closes_the_gate_again_within_three_seconds(
    before_dbfs: float, louder_db: float
) -> None:
    gate = EnergyGate()
    sound = np.concatenate([noise(4, before_dbfs), noise(4, min(-10.0, before_dbfs + louder_db), seed=4)])
    opened = [gate.process(chunk) for chunk in sound.reshape(-1, CHUNK_FRAMES)]
    assert any(opened[50:55])
    assert not any(opened[50 + 38 :])


class Growing:
    """Understands one more word with each half second."""

    def __init__(self) -> None:
        self._frames = 0

    def reset(self) -> None:
        self._frames = 0

    def feed(self, samples: Sound) -> None:
        self._frames += len(samples)

    def finish(self) -> list[Hypothesis]:
        return [hypothesis("computer turn on the light")]

    def partial(self) -> Hypothesis | None:
        return hypothesis(" ".join(["computer", "turn", "on", "the", "light"][: self._frames // 8_000 - 1]))


def hypothesis(text: str) -> Hypothesis:
    words = tuple(SpokenWord(text=word, start_seconds=0, end_seconds=1) for word in text.split())
    return Hypothesis(words=words, confidence=0.9)


def test_a_transcript_grows_while_the_command_is_said(wake: WakeWord) -> None:
    ear = Listener(rate_hz=RATE_HZ, wake=wake, recognizer=Growing())
    sound = np.concatenate([noise(2, -65), said("computer turn on all of the kitchen lights"), noise(2, -65)])
    grown = [one.text for one in of(TranscriptGrew, heard(ear, sound[None]))]
    assert grown[:2] == ["turn", "turn on"]
    assert all(later.startswith(earlier) for earlier, later in pairwise(grown))


@pytest.mark.parametrize(
    ("fault", "broken"),
    [
        ("silence", np.zeros((2, 4 * RATE_HZ), np.float32)),
        ("not_a_number", np.full((2, 2 * RATE_HZ), np.nan, np.float32)),
        ("clipped", np.sign(np.stack([noise(2, -20), noise(2, -20)]))),
    ],
)
def test_bad_sound_is_told_and_the_next_command_is_heard(
    recognizer: SpeechRecognizer, wake: WakeWord, fault: str, broken: Block
) -> None:
    good = np.concatenate([noise(3, -60), said("computer, stop the music"), noise(2, -60)])
    sound = np.concatenate([np.stack([good, good]), broken, np.stack([good, good])], axis=1)
    ear = Listener(rate_hz=RATE_HZ, wake=wake, recognizer=recognizer)
    seen = heard(ear, sound)
    assert [one.faults for one in of(HearingDegraded, seen)] == [(fault,), ()]
    assert [one.text for one in of(TranscriptDone, seen)] == ["stop the music", "stop the music"]


def test_a_pause_in_a_gated_recording_is_no_dead_microphone() -> None:
    health = HearingHealth(RATE_HZ)
    for piece in (noise(2, -30), np.zeros(24_000, np.float32), noise(2, -30)):
        for step in piece.reshape(1, -1, 320).transpose(1, 0, 2):
            health.process(step)
            assert health.faults == ()


def test_telephone_sound_is_heard_and_told_to_be_narrow(recognizer: SpeechRecognizer, wake: WakeWord) -> None:
    words = np.asarray(0.3 * speak("computer", 8_000)[0], np.float32)
    quiet = noise(1.5, -60)
    sound = np.concatenate([quiet[: 3 * 8_000], words, quiet[:12_000]])
    ear = Listener(rate_hz=8_000, wake=wake, recognizer=recognizer)
    seen = heard(ear, sound[None], rate_hz=8_000)
    assert [one.faults for one in of(HearingDegraded, seen)] == [("narrow_band",)]
    assert of(AttentionChanged, seen)
