"""Where the first recogniser is unsure, the second is asked, and only agreement counts."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from sensing.speech.phone_recognizer import PhoneRecognizer
from sensing.speech.recognizer import SURE_CONFIDENCE, Hypothesis, SpokenWord
from sensing.speech.second_opinion import AGREED_CONFIDENCE, SecondOpinion

SOUND = np.zeros(1_600, np.float32)


def hypothesis(text: str, confidence: float) -> Hypothesis:
    words = tuple(SpokenWord(text=word, start_seconds=0.0, end_seconds=0.1) for word in text.split())
    return Hypothesis(words=words, confidence=confidence)


class Hears:
    """Understands what it was told to, once an utterance."""

    def __init__(self, *found: Hypothesis) -> None:
        self._found = list(found)
        self.fed_frames = self.asked = 0

    def reset(self) -> None:
        self.fed_frames = 0

    def feed(self, samples: NDArray[np.float32]) -> None:
        self.fed_frames += len(samples)

    def finish(self) -> list[Hypothesis]:
        self.asked += 1
        self.reset()
        return self._found


def both(first: Hears, second: Hears) -> SecondOpinion:
    opinion = SecondOpinion(
        cast(PhoneRecognizer, first),
        second,
        meaning=lambda words: {"lamp": "light"}.get(words[-1], words[-1]),
    )
    opinion.reset()
    opinion.feed(SOUND)
    return opinion


def test_who_is_sure_is_believed_and_the_other_is_not_asked_nor_left_with_old_sound() -> None:
    second = Hears(hypothesis("the door", 1.0))
    found = both(Hears(hypothesis("the light", 0.9)), second).finish()
    assert [one.text for one in found] == ["the light"]
    assert second.asked == 0
    assert second.fed_frames == 0


def test_nobody_is_asked_where_it_is_hopeless() -> None:
    second = Hears(hypothesis("the light", 1.0))
    found = both(Hears(hypothesis("the light", 0.005)), second).finish()
    assert [one.confidence for one in found] == [0.005]
    assert (second.asked, second.fed_frames) == (0, 0)


def test_what_both_understand_is_sure_and_comes_first() -> None:
    first = Hears(hypothesis("the door", 0.2), hypothesis("the light", 0.1))
    found = both(first, Hears(hypothesis("the lamp", 0.4))).finish()
    assert [(one.text, one.confidence) for one in found] == [
        ("the light", AGREED_CONFIDENCE),
        ("the door", 0.2),
    ]


@pytest.mark.parametrize(
    "second", [Hears(), Hears(hypothesis("the window", 1.0))], ids=["nothing", "another"]
)
def test_without_agreement_nobody_is_sure(second: Hears) -> None:
    found = both(Hears(hypothesis("the door", 0.2)), second).finish()
    assert [one.confidence for one in found] == [0.2]


def test_where_the_first_hears_nothing_nothing_was_said() -> None:
    assert both(Hears(), Hears(hypothesis("the door", 1.0))).finish() == []


def test_agreement_is_enough_to_act_but_not_to_open_the_house() -> None:
    from routines.certainty import Certainty

    assert SURE_CONFIDENCE <= AGREED_CONFIDENCE < Certainty().secure
