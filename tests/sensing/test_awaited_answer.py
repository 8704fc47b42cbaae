"""After a question the ear hears what is said next without a wake word, and never its own voice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from hub.hearing import HOUSE_SENTENCES, make_recognizer, read_phrases
from hub.playback.text_to_speech import speak
from sensing.audio_block import AudioBlock
from sensing.observations import AttentionChanged, Observation, TranscriptDone, WakeWordHeard
from sensing.speech.awaited_answer import AwaitedAnswer
from sensing.speech.listener import Listener
from sensing.speech.recognizer import SURE_CONFIDENCE, SpeechRecognizer
from sensing.speech.wake_word import WakeWord

RATE_HZ = 16_000
QUESTION = "Did you mean: turn on the light?"
Sound = NDArray[np.float32]


@pytest.fixture(scope="module")
def recognizer() -> SpeechRecognizer:
    return make_recognizer(read_phrases(HOUSE_SENTENCES, []), after="computer")


@pytest.fixture(scope="module")
def wake() -> WakeWord:
    return WakeWord()


@pytest.fixture
def listener(recognizer: SpeechRecognizer, wake: WakeWord) -> Listener:
    return Listener(rate_hz=RATE_HZ, wake=wake, recognizer=recognizer)


def quiet(seconds: float) -> Sound:
    made = np.random.default_rng(4).standard_normal(round(seconds * RATE_HZ))
    return np.asarray(1e-3 * made, np.float32)


def said(text: str) -> Sound:
    return np.asarray(0.3 * speak(text, RATE_HZ)[0], np.float32)


def in_room(played: Sound) -> Sound:
    """Return what a room with 0.3 s of echoes makes of the sound of the loudspeakers."""
    frames = round(0.3 * RATE_HZ)
    way = np.random.default_rng(5).standard_normal(frames) * 10 ** (-3 * np.arange(frames) / frames)
    way[0] = 5.0
    heard = fftconvolve(played, way / np.sqrt(np.square(way).sum()))[: len(played)]
    return np.asarray(0.5 * heard, np.float32)


def heard(
    listener: Listener, captured: Sound, *, asked: Sequence[float] = (0.0,), played: Sound | None = None
) -> list[Observation]:
    """Return what is heard by an ear that was told at some times, in seconds, that it has asked."""
    reference = np.zeros_like(captured) if played is None else played
    due = sorted((round(at * RATE_HZ) for at in asked), reverse=True)
    seen: list[Observation] = []
    for first in range(0, len(captured), 160):
        while due and due[-1] <= first:
            due.pop()
            listener.expect_answer()
        block = AudioBlock(
            first_frame=first,
            rate_hz=RATE_HZ,
            capture=captured[None, first : first + 160],
            reference=reference[None, first : first + 160],
        )
        seen += listener.process(block)
    return seen + listener.finish()


def of(kind: type[Any], seen: Sequence[object]) -> list[Any]:
    return [one for one in seen if isinstance(one, kind)]


@pytest.mark.parametrize("pause_seconds", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("answer", ["yes", "no thanks", "computer, yes please"])
def test_an_answer_needs_no_wake_word(listener: Listener, answer: str, pause_seconds: float) -> None:
    sound = np.concatenate([quiet(2), quiet(pause_seconds), said(answer), quiet(2)])
    seen = heard(listener, sound, asked=[2.0])
    [done] = of(TranscriptDone, seen)
    assert done.text == answer.removeprefix("computer, ")
    assert done.is_answer
    assert done.confidence >= SURE_CONFIDENCE
    assert not of(WakeWordHeard, seen)
    tiers = [one.tier for one in of(AttentionChanged, seen) if one.at > 2]
    assert tiers[:2] == ["hearing", "asleep"]


def test_silence_ends_the_waiting_after_some_seconds(listener: Listener) -> None:
    seen = heard(listener, quiet(8), asked=[1.0])
    assert not of(TranscriptDone, seen)
    began, ended = of(AttentionChanged, seen)
    assert (began.tier, ended.tier) == ("hearing", "asleep")
    assert 3.5 < ended.at - began.at < 5


def test_speech_that_is_no_answer_is_told_as_unclear(listener: Listener) -> None:
    sound = np.concatenate([quiet(1), said("the weather was lovely where my sister lives"), quiet(2)])
    [done] = of(TranscriptDone, heard(listener, sound, asked=[0.5]))
    assert done.is_answer
    assert done.confidence < SURE_CONFIDENCE


def test_only_one_answer_is_heard_for_a_question(listener: Listener) -> None:
    sound = np.concatenate([quiet(1), said("yes"), quiet(2), said("no thanks"), quiet(2)])
    assert [one.text for one in of(TranscriptDone, heard(listener, sound))] == ["yes"]


def test_after_the_answer_the_wake_word_is_needed_again_and_enough(listener: Listener) -> None:
    calls = [quiet(1), said("yes"), quiet(2), said("computer, put it back"), quiet(2)]
    done = of(TranscriptDone, heard(listener, np.concatenate(calls)))
    assert [(one.text, one.is_answer) for one in done] == [("yes", True), ("put it back", False)]


def test_who_calls_before_the_question_is_over_is_not_asked_again(listener: Listener) -> None:
    sound = np.concatenate([quiet(1), said("computer, put it back"), quiet(2), said("yes"), quiet(2)])
    seen = heard(listener, sound, asked=[2.2])  # while the command is said
    assert [(one.text, one.is_answer) for one in of(TranscriptDone, seen)] == [("put it back", False)]


def test_a_gap_in_the_sound_ends_the_waiting(listener: Listener) -> None:
    listener.expect_answer()
    listener.reset()
    assert not of(TranscriptDone, heard(listener, np.concatenate([said("yes"), quiet(2)]), asked=()))


@pytest.mark.parametrize("text", [QUESTION, "Shall I really turn on the light? Yes please."])
def test_the_hubs_own_question_is_no_answer_in_a_room_that_it_does_not_know(
    listener: Listener, text: str
) -> None:
    question = said(text)
    played = np.concatenate([np.zeros(RATE_HZ, np.float32), question, np.zeros(6 * RATE_HZ, np.float32)])
    told_at = 1 + len(question) / RATE_HZ
    for level in (0.1, 1.0):
        seen = heard(listener, level * in_room(played) + hum(played), asked=[told_at], played=played)
        assert not of(TranscriptDone, seen)


def hum(like: Sound) -> Sound:
    return quiet(len(like) / RATE_HZ)[: len(like)]


def answer_by_the_loudspeakers() -> tuple[Sound, Sound]:
    """Return a room in which the loudspeakers say "yes please" when an answer is waited for."""
    played = np.concatenate(
        [np.zeros(RATE_HZ, np.float32), said("yes please"), np.zeros(3 * RATE_HZ, np.float32)]
    )
    late = np.concatenate([np.zeros(9_600, np.float32), played])[: len(played)]  # no canceller expects that
    return np.asarray(0.5 * late + hum(played), np.float32), np.asarray(played, np.float32)


def test_a_yes_in_what_plays_is_no_answer(listener: Listener) -> None:
    captured, played = answer_by_the_loudspeakers()
    assert not of(TranscriptDone, heard(listener, captured, asked=[0.5], played=played))


def test_without_the_guard_a_yes_in_what_plays_would_be_an_answer(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AwaitedAnswer, "is_own_voice", lambda *_: False)
    captured, played = answer_by_the_loudspeakers()
    [done] = of(TranscriptDone, heard(listener, captured, asked=[0.5], played=played))
    assert done.text == "yes please"


def test_somebody_who_answers_while_music_plays_is_heard(listener: Listener) -> None:
    seconds = 11
    random = np.random.default_rng(6)
    tones_hz = random.uniform(150, 1_200, (6, 1))
    played = 0.05 * np.sin(2 * np.pi * tones_hz * np.arange(seconds * RATE_HZ) / RATE_HZ).sum(axis=0)
    played = np.asarray(played * (1 + np.sin(np.arange(len(played)) / 3_000)), np.float32)
    captured = in_room(played) + hum(played)
    answer = said("yes please")
    captured[7 * RATE_HZ : 7 * RATE_HZ + len(answer)] += answer
    [done] = of(TranscriptDone, heard(listener, captured, asked=[6.0], played=played))
    assert (done.text, done.is_answer) == ("yes please", True)
