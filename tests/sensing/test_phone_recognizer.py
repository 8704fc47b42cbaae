"""The recogniser and its confidence, with an acoustic model that reads its frames from the samples."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.hearing import BUILT_IN_SENTENCES, read_phrases
from sensing.speech.confidence import ConfidenceCoefficients, ConfidenceFeatures
from sensing.speech.confidence_fit import expected_calibration_error, fit_confidence
from sensing.speech.grammar import Grammar, compile_grammar
from sensing.speech.lexicon import Lexicon
from sensing.speech.phone_graph import PhoneGraph, compile_phones
from sensing.speech.phone_recognizer import PhoneRecognizer
from sensing.speech.phones import BLANK, LABELS, phone_labels
from sensing.speech.recognizer import SURE_CONFIDENCE, Hypothesis, SpeechRecognizer
from tests.sensing.phone_frames import clear_frames, heard, random_sentences, said

LEXICON = Lexicon()
GRAMMAR = compile_grammar(read_phrases(BUILT_IN_SENTENCES, []).intents)


class ReadAloud:
    """An acoustic model whose samples are the frames themselves; the last one is given out only at the end.

    It claims to tell phones 0.08 s late.
    """

    frame_seconds = 0.04
    delay_seconds = 0.08

    def reset(self) -> None:
        self._rest = np.zeros(0, np.float32)

    def feed(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        self._rest = np.concatenate([self._rest, samples])
        ready = max(0, len(self._rest) // LABELS - 1) * LABELS
        frames, self._rest = self._rest[:ready], self._rest[ready:]
        return frames.reshape(-1, LABELS)

    def finish(self) -> NDArray[np.float32]:
        return self._rest.reshape(-1, LABELS)


@pytest.fixture(scope="module")
def graph() -> PhoneGraph:
    """Return the phones of the built-in sentences."""
    return compile_phones(GRAMMAR, LEXICON)


def understood(recognizer: PhoneRecognizer, frames: NDArray[np.float32]) -> list[Hypothesis]:
    """Return what the recogniser makes of an utterance."""
    recognizer.reset()
    recognizer.feed(frames.ravel())
    return recognizer.finish()


def spoken(text: str, seed: int = 1, noise: float = 1.3) -> NDArray[np.float32]:
    """Return noisy frames of a sentence."""
    rng = np.random.default_rng(seed)
    return heard(said(text.split(), LEXICON, rng), rng, noise=noise)


def one_sentence(text: str) -> Grammar:
    """Return a grammar of one sentence."""
    words = text.split()
    return Grammar(start=0, final=len(words), arcs=tuple((at, at + 1, word) for at, word in enumerate(words)))


def test_a_sentence_is_understood_with_its_times(graph: PhoneGraph) -> None:
    recognizer: SpeechRecognizer = PhoneRecognizer(ReadAloud(), graph)
    phones = said(["never", "mind"], LEXICON, np.random.default_rng(1))
    recognizer.feed(clear_frames([BLANK] * 5 + phones + [BLANK] * 5).ravel())
    best = recognizer.finish()[0]
    assert best.text == "never mind"
    assert best.confidence > 0.9
    assert best.words[0].start_seconds == pytest.approx(0.2 - 0.08)
    assert best.words[1].end_seconds == pytest.approx(0.2 - 0.08 + 0.04 * len(phones))


@given(st.lists(st.integers(0, 3_000), max_size=6))
@settings(max_examples=15, deadline=None)
def test_what_is_understood_does_not_depend_on_how_sound_is_cut(cuts: list[int]) -> None:
    graph = compile_phones(one_sentence("turn the kitchen light off"), LEXICON)
    samples = spoken("turn the kitchen light off").ravel()
    whole = PhoneRecognizer(ReadAloud(), graph)
    whole.feed(samples)
    pieces = PhoneRecognizer(ReadAloud(), graph)
    for first, last in pairwise([0, *sorted(cuts), len(samples)]):
        pieces.feed(samples[first:last])
    assert whole.finish() == pieces.finish()


def test_sentences_are_sure_and_other_speech_is_not(graph: PhoneGraph) -> None:
    # these made-up frames doubt otherwise than those of the shipped model
    coefficients = ConfidenceCoefficients(offset=-6.0, weakest=0.3, evidence=1.5, lead=0.3, coverage=6.0)
    recognizer = PhoneRecognizer(ReadAloud(), graph, coefficients=coefficients)
    rng = np.random.default_rng(3)
    for words in random_sentences(GRAMMAR, rng, 15):
        frames = heard(said(words, LEXICON, rng), rng, noise=0.8)
        assert understood(recognizer, frames)[0].confidence > SURE_CONFIDENCE, words
    others = ("the committee will publish its annual report", "sunday afternoon football", "he said no")
    for text in others:
        for seed in range(5):
            hypotheses = understood(recognizer, spoken(text, seed, noise=0.8))
            assert all(one.confidence < SURE_CONFIDENCE for one in hypotheses), text


def test_an_unknown_name_in_a_known_sentence_is_not_sure(graph: PhoneGraph) -> None:
    recognizer = PhoneRecognizer(ReadAloud(), graph)
    known = understood(recognizer, spoken("turn on the lamp", noise=0.8))[0]
    unknown = understood(recognizer, spoken("turn on the dishwasher", noise=0.8))[0]
    assert known.confidence > SURE_CONFIDENCE > unknown.confidence


@pytest.mark.parametrize("edge_penalty", [None, 3.0])
def test_a_command_inside_a_longer_speech_is_no_command(
    graph: PhoneGraph, edge_penalty: float | None
) -> None:
    recognizer = PhoneRecognizer(ReadAloud(), graph, edge_penalty=edge_penalty)
    frames = spoken("i told my brother to stop because his father was sleeping", noise=0.8)
    assert all(one.confidence < SURE_CONFIDENCE for one in understood(recognizer, frames))


def test_silence_is_nothing(graph: PhoneGraph) -> None:
    recognizer = PhoneRecognizer(ReadAloud(), graph)
    assert understood(recognizer, clear_frames([BLANK] * 60)) == []
    assert understood(recognizer, clear_frames([])) == []


def test_alternatives_come_in_order_and_once(graph: PhoneGraph) -> None:
    hypotheses = understood(PhoneRecognizer(ReadAloud(), graph), spoken("turn on the fan"))
    assert hypotheses[0].text == "turn on the fan"
    assert len({one.text for one in hypotheses}) == len(hypotheses) == 5
    assert hypotheses[0].confidence > max(one.confidence for one in hypotheses[1:])


def test_a_rival_of_the_same_meaning_does_not_make_doubtful(graph: PhoneGraph) -> None:
    arcs = ((0, 1, "two"), (0, 1, "to"))
    homophones = compile_phones(Grammar(start=0, final=1, arcs=arcs), LEXICON)
    frames = clear_frames([BLANK, *phone_labels(["T", "UW"]), BLANK])
    torn = understood(PhoneRecognizer(ReadAloud(), homophones), frames)
    agreed = understood(PhoneRecognizer(ReadAloud(), homophones, meaning=lambda words: "2"), frames)
    assert agreed[0].confidence > torn[0].confidence


def test_words_so_far_and_the_ending_are_known_while_one_speaks(graph: PhoneGraph) -> None:
    recognizer = PhoneRecognizer(ReadAloud(), graph)
    phones = said(["turn", "on", "the", "lamp"], LEXICON, np.random.default_rng(1))
    frames = clear_frames([BLANK] * 3 + phones + [BLANK] * 5)
    seen = []
    for frame in frames:
        recognizer.feed(frame)
        part = recognizer.partial()
        seen.append((part and part.text, recognizer.ending().kind))
    assert seen[0] == (None, "inside")
    assert ("turn on the", "inside") in seen
    assert seen[-1] == ("turn on the lamp", "over")


def test_other_sentences_count_from_the_next_utterance(graph: PhoneGraph) -> None:
    recognizer = PhoneRecognizer(ReadAloud(), graph)
    frames = spoken("good morning sunshine", noise=0.8)
    recognizer.feed(frames[:10].ravel())
    recognizer.use(compile_phones(one_sentence("good morning sunshine"), LEXICON))
    recognizer.feed(frames[10:].ravel())
    assert recognizer.finish()[0].text != "good morning sunshine"
    assert understood(recognizer, frames)[0].text == "good morning sunshine"


@given(
    st.builds(
        ConfidenceFeatures,
        weakest=st.floats(-1e4, 0),
        evidence=st.floats(0, 5),
        lead=st.floats(-10, 10),
        coverage=st.floats(0, 1),
    ),
    st.sampled_from(["weakest", "evidence", "lead", "coverage"]),
)
def test_confidence_is_a_probability_that_never_falls_with_a_better_feature(
    features: ConfidenceFeatures, name: str
) -> None:
    coefficients = ConfidenceCoefficients()
    better = replace(features, **{name: getattr(features, name) + 1.0})
    low, high = coefficients.confidence(features), coefficients.confidence(better)
    assert 0.0 <= low <= high <= 1.0


def drawn_rows(seed: int, count: int) -> list[tuple[ConfidenceFeatures, bool]]:
    """Return sentences that are right as often as known coefficients say."""
    rng = np.random.default_rng(seed)
    truth = ConfidenceCoefficients(offset=-2.0, weakest=0.4, evidence=1.0, lead=0.4, coverage=1.0)
    rows = []
    for _ in range(count):
        features = ConfidenceFeatures(
            weakest=-float(rng.exponential(4.0)),
            evidence=float(rng.uniform(0, 4)),
            lead=float(rng.uniform(-10, 10)),
            coverage=float(rng.uniform(0.3, 1)),
        )
        rows.append((features, bool(rng.random() < truth.confidence(features))))
    return rows


def test_a_fit_is_calibrated_on_rows_that_it_has_not_seen() -> None:
    fitted = fit_confidence(drawn_rows(1, 3_000))
    fresh = drawn_rows(2, 3_000)
    rows = [(fitted.confidence(features), right) for features, right in fresh]
    # ten bins of 300 rows: chance alone gives about 0.015
    assert expected_calibration_error(rows) < 0.03
    flattered = [(confidence**0.3, right) for confidence, right in rows]
    assert expected_calibration_error(flattered) > 0.1


def test_a_fit_never_prefers_a_worse_feature() -> None:
    rows = [(replace(features, coverage=float(not right)), right) for features, right in drawn_rows(1, 500)]
    fitted = fit_confidence(rows)
    assert min(fitted.weakest, fitted.evidence, fitted.lead, fitted.coverage) >= 0


def test_a_row_that_counts_twice_is_as_good_as_two() -> None:
    rows = drawn_rows(1, 60)
    twice = fit_confidence([*rows, *rows[:30]])
    weighted = fit_confidence(rows, [2.0] * 30 + [1.0] * 30)
    for features, _ in drawn_rows(2, 20):
        assert weighted.confidence(features) == pytest.approx(twice.confidence(features), abs=0.02)


def test_a_fit_needs_right_and_wrong_sentences() -> None:
    rows = [(features, True) for features, _ in drawn_rows(1, 5)]
    with pytest.raises(ValueError, match="5 right and 0 wrong"):
        fit_confidence(rows)
    with pytest.raises(ValueError, match="no sentences"):
        expected_calibration_error([])


def test_the_calibration_error_of_a_boaster_is_what_he_exaggerates() -> None:
    assert expected_calibration_error([(0.9, True), (0.9, False)]) == pytest.approx(0.4)
    assert expected_calibration_error([(1.0, True), (0.0, False)]) == 0.0
