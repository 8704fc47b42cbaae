from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sensing.processing_meter import ProcessingMeter
from sensing.speech.endpoint import EndingKind, Endpoint
from sensing.speech.recognizer import Hypothesis, SpokenWord
from sensing.speech.spoken_command import SpokenCommand

CHUNK_SECONDS = 0.08
SPEECH, SILENCE = [0.9, 0.9, 0.9], [0.1, 0.1]


@dataclass
class Knows:
    kind: EndingKind


class Following:
    """Understands "stop" after "computer", and is told where in the sentence it is."""

    def __init__(self, kind: EndingKind, *texts: str) -> None:
        self.kind = kind
        self.texts = texts or ("computer stop",)
        self.fed_frames = 0

    def reset(self) -> None:
        self.fed_frames = 0

    def feed(self, samples: NDArray[np.float32]) -> None:
        self.fed_frames += len(samples)

    def finish(self) -> list[Hypothesis]:
        return [said(self.texts[-1])]

    def ending(self) -> Knows:
        return Knows(self.kind)

    def partial(self) -> Hypothesis | None:
        return said(self.texts[0])


class Deaf:
    def reset(self) -> None:
        return

    def feed(self, samples: NDArray[np.float32]) -> None:
        return

    def finish(self) -> list[Hypothesis]:
        return []


def said(text: str) -> Hypothesis:
    words = tuple(
        SpokenWord(text=word, start_seconds=number, end_seconds=number + 1)
        for number, word in enumerate(text.split())
    )
    return Hypothesis(words=words, confidence=0.9)


def pause_until_over(recognizer: Following | Deaf) -> float:
    endpoint = Endpoint()
    for _ in range(10):
        endpoint.hear(SPEECH)
        assert not endpoint.is_over(recognizer)
    seconds = 0.0
    while not endpoint.is_over(recognizer):
        endpoint.hear([0.0, 0.0, 0.0, 0.0, 0.0][:2] if round(seconds / CHUNK_SECONDS) % 2 else [0.0] * 3)
        seconds += CHUNK_SECONDS
    return endpoint.pause_seconds


@pytest.mark.parametrize(("kind", "pause_seconds"), [("over", 0.3), ("open", 0.7), ("inside", 1.5)])
def test_the_pause_that_ends_a_command_is_as_long_as_its_sentence_wants(
    kind: Literal["over", "open", "inside"], pause_seconds: float
) -> None:
    # windows come three or two a chunk of 80 ms, so a pause is noticed within 96 ms
    assert pause_seconds <= pause_until_over(Following(kind)) < pause_seconds + 0.1


def test_without_a_sentence_to_follow_a_pause_of_eight_tenths_ends_a_command() -> None:
    assert 0.8 <= pause_until_over(Deaf()) < 0.9


@given(kind=st.sampled_from(["over", "open", "inside"]))
def test_nobody_is_listened_to_for_longer_than_eight_seconds(kind: EndingKind) -> None:
    endpoint, recognizer = Endpoint(), Following(kind)
    chunks = 0
    while not endpoint.is_over(recognizer):
        endpoint.hear(SPEECH)
        chunks += 1
    assert chunks * CHUNK_SECONDS == pytest.approx(8.0, abs=CHUNK_SECONDS)


def hear(command: SpokenCommand, *pieces: tuple[Sequence[float], int]) -> int:
    """Return after how many chunks the command was over; all of them if it was not."""
    heard = 0
    for speech, count in pieces:
        for _ in range(count):
            heard += 1
            command.hear(np.zeros(1_280, np.float32), speech, heard * CHUNK_SECONDS)
            if command.is_over:
                return heard
    return heard


def command(recognizer: Following | Deaf) -> SpokenCommand:
    return SpokenCommand(
        phrase="computer",
        recognizer=recognizer,
        meter=ProcessingMeter(lambda: 0.0),
        kept=np.zeros(32_000, np.float32),
        at_seconds=0.0,
    )


def test_the_wake_word_is_no_part_of_what_was_said() -> None:
    one = command(Following("over"))
    hear(one, (SPEECH, 5), (SILENCE, 10))
    assert one.transcript is not None
    assert one.transcript.text == "stop"
    assert one.partial == "stop"


def test_speech_that_fits_no_sentence_is_told_as_such() -> None:
    one = command(Deaf())
    hear(one, (SPEECH, 5), (SILENCE, 20))
    assert one.is_over
    assert one.transcript is not None
    assert one.transcript.text == ""
    assert one.transcript.confidence == 0


def test_who_says_nothing_after_the_wake_word_is_waited_for_four_seconds() -> None:
    one = command(Deaf())
    chunks = hear(one, (SILENCE, 200))
    assert one.transcript is None
    assert 4.0 / 0.064 <= chunks <= 4.0 / 0.064 + 2


def test_after_a_breath_the_recogniser_hears_the_command_alone() -> None:
    recognizer = Following("inside", "computer", "computer")
    one = command(recognizer)
    hear(one, (SILENCE, 7))
    assert recognizer.fed_frames == round(0.4 * 16_000)
    assert not one.is_over
