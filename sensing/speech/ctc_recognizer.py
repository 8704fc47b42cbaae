"""A user's own CTC model behind the seam: the grammar is decoded over what it hears, token by token."""

from __future__ import annotations

from math import exp
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sensing.speech.grammar import Grammar
from sensing.speech.phone_graph import compile_phones
from sensing.speech.recognizer import Hypothesis, SpokenWord
from sensing.speech.sentence_search import FoundSentence, SentenceSearch
from sensing.speech.token_passing import TokenPassing
from sensing.speech.token_spelling import TokenSpelling, Vocabulary

_HYPOTHESES = 5


class TokenModel(Protocol):
    """Hears tokens in an utterance.

    Attributes
    ----------
    vocabulary : Vocabulary
        The tokens.
    frame_seconds : float
        From one frame to the next.
    """

    @property
    def vocabulary(self) -> Vocabulary: ...  # noqa: D102
    @property
    def frame_seconds(self) -> float: ...  # noqa: D102

    def log_probabilities(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return natural logarithms for mono sound at 16 kHz, shape ``(frames, tokens)``."""


class CtcRecognizer:
    """Find the best sentences of a grammar in the frames of a model.

    The confidence is the geometric mean, over a sentence's tokens, of how likely each is beside what the
    model hears freely there: 1 where the model itself would write the sentence.

    Parameters
    ----------
    model : TokenModel
        Called once an utterance, at its end.
    grammar : Grammar
        What may be said.

    Raises
    ------
    TokensUnfit
        The grammar cannot be written in the model's tokens.
    """

    def __init__(self, model: TokenModel, grammar: Grammar) -> None:
        self._model = model
        self._spelling = TokenSpelling(model.vocabulary, sorted(grammar.words))
        self._graph = compile_phones(grammar, self._spelling)
        self.reset()

    def reset(self) -> None:
        """Begin an utterance."""
        self._pieces: list[NDArray[np.float32]] = []

    def feed(self, samples: NDArray[np.float32]) -> None:
        """Keep the next samples, mono at 16 kHz."""
        self._pieces.append(samples)

    def finish(self) -> list[Hypothesis]:
        """Return the best sentences, best first; nothing where the model hears nothing."""
        sound = np.concatenate([np.zeros(0, np.float32), *self._pieces])
        self.reset()
        if not len(sound):
            return []
        frames = self._spelling.labelled(self._model.log_probabilities(sound))
        if not frames.argmax(axis=1).any():  # blanks alone
            return []
        tokens = TokenPassing(self._graph)
        tokens.feed(frames)
        found = SentenceSearch(tokens.graph, tokens.trellis).sentences(_HYPOTHESES)
        return [Hypothesis(words=self._spoken(one), confidence=self._confidence(one)) for one in found]

    def _spoken(self, sentence: FoundSentence) -> tuple[SpokenWord, ...]:
        seconds = self._model.frame_seconds
        return tuple(
            SpokenWord(
                text=word.text,
                start_seconds=word.first_frame * seconds,
                end_seconds=word.end_frame * seconds,
            )
            for word in sentence.words
        )

    def _confidence(self, sentence: FoundSentence) -> float:
        tokens = sum(len(self._spelling.pronunciations(text)[0]) for text in sentence.texts)
        return exp(min(0.0, sentence.score) / tokens)
