"""Speech recognition with the hub's own acoustic model: phones are heard, a grammar makes sentences of them.

Decoding keeps up with the sound, so that at the end of an utterance only the search for words is left.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sensing.speech.confidence import (
    ConfidenceCoefficients,
    ConfidenceFeatures,
    Meaning,
    confidence_features,
)
from sensing.speech.phone_graph import PhoneGraph
from sensing.speech.phones import BLANK
from sensing.speech.recognizer import Hypothesis, SpokenWord
from sensing.speech.sentence_search import FoundSentence, FoundWord, SentenceSearch
from sensing.speech.token_passing import Ending, TokenPassing

_HYPOTHESES = 5
_MOST_SENTENCES = 20
"""Looked at in search of one of another meaning, which is what the best must beat."""


def best_sentences(
    tokens: TokenPassing, meaning: Meaning = lambda words: words
) -> list[tuple[FoundSentence, ConfidenceFeatures]]:
    """Return up to five sentences of the frames so far, best first; none if no phone was heard.

    Their features are what `confidence_fit.fit_confidence` takes.
    """
    labels = tokens.trellis.emissions.argmax(axis=1)
    if not (labels != BLANK).any():
        return []
    sentences, meanings = list[FoundSentence](), list[Hashable]()
    for sentence in SentenceSearch(tokens.graph, tokens.trellis).sentences(_MOST_SENTENCES):
        sentences.append(sentence)
        meanings.append(meaning(sentence.texts))
        if len(sentences) >= _HYPOTHESES and meanings[-1] != meanings[0]:
            break
    features = confidence_features(sentences, meanings, labels)
    return list(zip(sentences, features, strict=True))[:_HYPOTHESES]


class AcousticModel(Protocol):
    """Hears phones in 16 kHz sound: log probabilities of `phones.LABELS`, frame by frame.

    Attributes
    ----------
    frame_seconds : float
        From one frame to the next; frame 0 begins at the reset.
    delay_seconds : float
        How much later than a phone its frames come.
    """

    @property
    def frame_seconds(self) -> float: ...  # noqa: D102
    @property
    def delay_seconds(self) -> float: ...  # noqa: D102

    def reset(self) -> None:
        """Begin an utterance."""

    def feed(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take samples, mono, full scale +-1; return the frames that are ready, shape ``(frames, 40)``."""

    def finish(self) -> NDArray[np.float32]:
        """Return the frames still to come, shape ``(frames, 40)``."""


class PhoneRecognizer:
    """Recognises the sentences of a graph as they are said.

    Parameters
    ----------
    acoustic : AcousticModel
        Hears the phones.
    graph : PhoneGraph
        What may be said.
    coefficients : ConfidenceCoefficients
        Fitted to the acoustic model.
    meaning : callable
        What words mean; sentences of one meaning are no rivals. Default: every sentence its own.
    edge_penalty : float or None
        See `TokenPassing`.
    """

    def __init__(
        self,
        acoustic: AcousticModel,
        graph: PhoneGraph,
        *,
        coefficients: ConfidenceCoefficients | None = None,
        meaning: Meaning = lambda words: words,
        edge_penalty: float | None = None,
    ) -> None:
        self._acoustic = acoustic
        self._coefficients = coefficients or ConfidenceCoefficients()
        self._edge_penalty = edge_penalty
        self._following = (graph, meaning)
        self.reset()

    def use(self, graph: PhoneGraph, *, meaning: Meaning = lambda words: words) -> None:
        """Recognise other sentences from the next reset on; may be called from any thread."""
        self._following = (graph, meaning)

    def reset(self) -> None:
        """Begin an utterance."""
        graph, self._meaning = self._following
        self._acoustic.reset()
        self._tokens = TokenPassing(graph, edge_penalty=self._edge_penalty)

    def feed(self, samples: NDArray[np.float32]) -> None:
        """Decode the next samples, mono at 16 kHz."""
        self._tokens.feed(self._acoustic.feed(samples))

    def partial(self) -> Hypothesis | None:
        """Return the whole words that were probably said so far; None before the first.

        They are sure only as a part: their lead over other sentences is not searched for.
        """
        tokens = self._tokens
        words = SentenceSearch(tokens.graph, tokens.trellis).words_so_far()
        if not words:
            return None
        part = FoundSentence(words, score=sum(word.score for word in words), prior=0.0)
        [features] = confidence_features([part], [None], tokens.trellis.emissions.argmax(axis=1))
        confidence = self._coefficients.confidence(replace(features, lead=0.0, coverage=1.0))
        return Hypothesis(words=self._spoken(words), confidence=confidence)

    def ending(self) -> Ending:
        """Return whether the sentence is over, should the speaker now be silent."""
        return self._tokens.ending()

    def finish(self) -> list[Hypothesis]:
        """End the utterance; return its best sentences, best first, none if no phone was heard."""
        self._tokens.feed(self._acoustic.finish())
        hypotheses = [
            Hypothesis(words=self._spoken(sentence.words), confidence=self._coefficients.confidence(features))
            for sentence, features in best_sentences(self._tokens, self._meaning)
        ]
        self.reset()
        return hypotheses

    def _spoken(self, words: tuple[FoundWord, ...]) -> tuple[SpokenWord, ...]:
        """Return words with the times at which they were said, not those of their frames."""

        def at_seconds(frame: int) -> float:
            return max(0.0, frame * self._acoustic.frame_seconds - self._acoustic.delay_seconds)

        return tuple(
            SpokenWord(
                text=word.text,
                start_seconds=at_seconds(word.first_frame),
                end_seconds=at_seconds(word.end_frame),
            )
            for word in words
        )
