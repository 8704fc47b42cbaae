"""A wake word on trial: the verifier has the last word."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.wake_trial import WakeTrial
from hub.wake_words import make_verifier
from sensing.speech.verification import Verdict
from sensing.speech.wake_errors import accepts
from sensing.speech.wake_word import REFRACTORY_CHUNKS, WakeWord
from sensing.training.synthetic_speech import spoken_by
from sensing.training.synthetic_words import voices_of

Sound = NDArray[np.float32]


class Noting:
    """A verifier that always says the same, and keeps what it was asked."""

    def __init__(self, is_confirmed: bool) -> None:
        self.asked: list[Sound] = []
        self._is_confirmed = is_confirmed

    def verify(self, samples: Sound, phrase: str) -> Verdict:
        assert phrase == "computer"
        self.asked.append(samples)
        return Verdict(is_confirmed=self._is_confirmed, score=0.0)


@pytest.fixture(scope="module")
def computer() -> Sound:
    said = spoken_by(voices_of("test")[0], "computer")
    return np.pad(0.3 * said, (8_000, 10_000)).astype(np.float32)


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_only_what_the_verifier_confirms_counts_as_heard(computer: Sound, is_confirmed: bool) -> None:
    verifier = Noting(is_confirmed)
    trial = WakeTrial(WakeWord(), 0.9, verifier)
    trial.hear_sound(computer, says_it=True)
    trial.hear_sound(computer, says_it=False)
    figures = trial.figures(0.9)
    assert (figures["missed"], figures["false_accepts"]) == ((0, 1) if is_confirmed else (1, 0))
    assert {len(one) for one in verifier.asked} == {32_000}


def test_the_shipped_verifier_confirms_the_word_and_not_another_one_that_the_head_took_for_it(
    computer: Sound,
) -> None:
    other = np.pad(0.3 * spoken_by(voices_of("test")[0], "turn on the light"), (8_000, 10_000))
    verifier = make_verifier()
    assert verifier.verify(np.pad(computer, (32_000, 0))[-32_000:], "computer").is_confirmed
    assert not verifier.verify(
        np.pad(other, (32_000, 0))[-32_000:].astype(np.float32), "computer"
    ).is_confirmed


@settings(max_examples=60)
@given(scores=st.lists(st.floats(0, 1, width=32), max_size=80), threshold=st.floats(0.1, 0.9))
def test_a_phrase_counts_once_while_its_score_stays_high(scores: list[float], threshold: float) -> None:
    heard = np.array(scores, np.float32)
    places = accepts(heard, threshold)
    assert (np.diff(places) >= REFRACTORY_CHUNKS).all()
    loud = set(np.flatnonzero(heard >= threshold))
    assert set(places) <= loud
    assert all(any(0 <= place - one < REFRACTORY_CHUNKS for one in places) for place in loud)
