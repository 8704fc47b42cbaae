"""The second look at a wake word, by its properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sensing.speech import phone_verifier
from sensing.speech.lexicon import Lexicon
from sensing.speech.phone_model import PhoneModel
from sensing.speech.phone_verifier import PhoneVerifier
from sensing.speech.phones import BLANK, LABELS, PHONES, phone_labels
from sensing.speech.wake_verifier import keyword_score

COMPUTER = ("K", "AH", "M", "P", "Y", "UW", "T", "ER")
phrases = st.lists(st.sampled_from(PHONES), min_size=1, max_size=8)


def heard(labels: list[int], *, sure: float = 0.9) -> NDArray[np.float32]:
    """Return the log probabilities of a recogniser that hears these labels, one a frame."""
    probabilities = np.full((len(labels), LABELS), (1 - sure) / (LABELS - 1))
    probabilities[np.arange(len(labels)), labels] = sure
    return np.log(probabilities).astype(np.float32)


def said(phones: tuple[str, ...] | list[str]) -> list[int]:
    """Return a phrase as labels with blanks between them."""
    return [label for phone in phone_labels(phones) for label in (phone, BLANK)][:-1]


@given(phones=phrases, before=phrases, after=phrases)
@settings(max_examples=60, deadline=None)
def test_a_phrase_that_is_heard_scores_about_zero_wherever_it_is(
    phones: list[str], before: list[str], after: list[str]
) -> None:
    labels = [*said(before), BLANK, *said(phones), BLANK, *said(after)]
    assert -1e-3 <= keyword_score(heard(labels), phones) < 0.2


@given(phones=phrases, spoken=phrases, place=st.integers(0, 7), other=st.sampled_from(PHONES))
@settings(max_examples=60, deadline=None)
def test_a_phone_that_is_not_heard_costs(
    phones: list[str], spoken: list[str], place: int, other: str
) -> None:
    wrong = list(phones)
    wrong[place % len(phones)] = other
    if other not in phones:
        assert keyword_score(heard(said(phones)), wrong) < keyword_score(heard(said(phones)), phones) - 0.1


@given(seed=st.integers(0, 10_000), extra=st.integers(1, 10))
@settings(max_examples=40, deadline=None)
def test_more_sound_around_it_never_hides_what_was_heard(seed: int, extra: int) -> None:
    random = np.random.default_rng(seed)
    window = np.log(random.dirichlet(np.full(LABELS, 0.3), size=24) + 1e-9).astype(np.float32)
    around = np.log(random.dirichlet(np.full(LABELS, 0.3), size=extra) + 1e-9).astype(np.float32)
    wider = np.concatenate([around, window, around])
    assert keyword_score(wider, COMPUTER) >= keyword_score(window, COMPUTER)


def test_words_far_from_the_phrase_score_lower_than_neighbours() -> None:
    commuter = heard(said(("K", "AH", "M", "Y", "UW", "T", "ER")))
    kitchen = heard(said(("K", "IH", "CH", "AH", "N", "L", "AY", "T")))
    assert keyword_score(kitchen, COMPUTER) < keyword_score(commuter, COMPUTER) < -0.1


def test_twice_the_same_phone_needs_a_blank_between() -> None:
    [label] = phone_labels(["S"])
    long, twice = heard([label] * 3), heard(said(("S", "S")))
    assert keyword_score(twice, ("S", "S")) > keyword_score(long, ("S", "S")) + 0.5


def test_a_window_too_short_for_the_phrase_cannot_say_it() -> None:
    assert keyword_score(heard([BLANK] * 3), COMPUTER) == -np.inf


def test_what_is_no_phrase_or_no_window_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one phone"):
        keyword_score(heard([BLANK]), ())
    with pytest.raises(ValueError, match="'XX'"):
        keyword_score(heard([BLANK]), ("XX",))
    with pytest.raises(ValueError, match=r"\(3, 39\)"):
        keyword_score(np.zeros((3, 39), np.float32), COMPUTER)


@pytest.mark.parametrize(
    ("phrase", "score", "is_confirmed"),
    [("computer", -3.0, True), ("computer", -4.0, False), ("jarvis", -0.5, True), ("jarvis", -3.0, False)],
)
def test_a_phrase_whose_recordings_score_high_must_score_high(
    monkeypatch: pytest.MonkeyPatch, phrase: str, score: float, is_confirmed: bool
) -> None:
    monkeypatch.setattr(phone_verifier, "keyword_score", lambda *_: score)
    verdict = PhoneVerifier(PhoneModel(), Lexicon()).verify(np.zeros(32_000, np.float32), phrase)
    assert (verdict.is_confirmed, verdict.score) == (is_confirmed, score)
