"""The shipped acoustic model, and what stands on it: the recogniser and the second look at wake words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.hearing import BUILT_IN_SENTENCES, make_recognizer, read_phrases, understand
from hub.playback.text_to_speech import speak
from sensing.models.catalog import shipped_model
from sensing.models.session import Session
from sensing.speech.lexicon import Lexicon
from sensing.speech.phone_model import PhoneModel
from sensing.speech.phone_verifier import PhoneVerifier
from sensing.speech.phones import BLANK, LABELS
from sensing.speech.recognizer import SpeechRecognizer
from sensing.speech.speech_stages import RATE_HZ

Sound = NDArray[np.float32]


def said(words: str, *, lead_seconds: float = 0.4, tail_seconds: float = 0.3) -> Sound:
    lead, tail = (np.zeros(round(seconds * RATE_HZ), np.float32) for seconds in (lead_seconds, tail_seconds))
    return np.concatenate([lead, speak(words, RATE_HZ)[0], tail])


@pytest.fixture(scope="module")
def model() -> PhoneModel:
    return PhoneModel()


@pytest.fixture(scope="module")
def recognizer() -> SpeechRecognizer:
    return make_recognizer(read_phrases(BUILT_IN_SENTENCES, []))


def test_the_shipped_model_still_says_what_it_said_when_it_was_made() -> None:
    path = shipped_model("phones")
    kept = np.load(path.with_suffix(".npz"))
    state = np.zeros((8, 8, 160), np.float32)
    log_probs, _ = Session(path).run({"features": kept["features"].astype(np.float32), "state": state})
    assert np.allclose(log_probs, kept["log_probs"], atol=0.05)
    assert np.allclose(np.exp(log_probs).sum(axis=1), 1, atol=1e-4)


@settings(max_examples=10, deadline=None)
@given(cuts=st.lists(st.integers(1, 20_000), max_size=6))
def test_the_same_frames_come_out_however_the_sound_is_cut(model: PhoneModel, cuts: list[int]) -> None:
    sound = said("good evening")[:20_800]
    model.reset()
    whole = np.concatenate([model.feed(sound), model.finish()])
    model.reset()
    pieces = [model.feed(piece) for piece in np.split(sound, sorted(set(cuts)))]
    assert np.allclose(np.concatenate([*pieces, model.finish()]), whole, atol=1e-4)


def test_in_silence_no_phone_is_heard(model: PhoneModel) -> None:
    model.reset()
    log_probs = model.feed(np.zeros(3 * RATE_HZ, np.float32))
    assert log_probs.shape == (74, LABELS)
    assert (log_probs.argmax(axis=1) == BLANK).all()


@pytest.mark.parametrize(
    "words",
    ["turn on the kitchen light", "what time is it", "set a timer for twenty minutes", "stop the music"],
)
def test_commands_of_a_home_are_understood_from_a_machine_s_voice(
    recognizer: SpeechRecognizer, words: str
) -> None:
    phrases = read_phrases(BUILT_IN_SENTENCES, [])
    recognizer.feed(said(words))
    best = recognizer.finish()[0]
    assert understand(phrases, best.text, best.confidence) == phrases.match(words)


def test_other_speech_is_not_taken_for_a_command(recognizer: SpeechRecognizer) -> None:
    phrases = read_phrases(BUILT_IN_SENTENCES, [])
    for words in ("she had your dark suit in greasy wash water", "elephants never forget their grandmothers"):
        recognizer.feed(said(words))
        found = recognizer.finish()
        assert not found or understand(phrases, found[0].text, found[0].confidence) is None


def test_a_second_look_knows_a_wake_word_from_others(model: PhoneModel) -> None:
    verifier = PhoneVerifier(model, Lexicon())
    for phrase in ("computer", "jarvis", "alexa"):
        own = verifier.verify(said(phrase), phrase)
        others = [verifier.verify(said(other), phrase) for other in ("good morning", "the weather", "banana")]
        assert own.is_confirmed
        assert own.score > max(other.score for other in others) + 1
        assert not any(other.is_confirmed for other in others)
