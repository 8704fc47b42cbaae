"""How sure to be of a sentence: features of the decoding, and a logistic function of them (Platt 1999)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import astuple, dataclass
from math import exp, inf, log1p

import numpy as np
from numpy.typing import NDArray

from sensing.speech.phones import BLANK
from sensing.speech.sentence_search import FoundSentence

Meaning = Callable[[tuple[str, ...]], Hashable]
"""What words mean: two sentences of equal meaning are no rivals."""

_CLEAR_LEAD = 10.0
"""Nats; a lead that is larger, or over nobody, says no more."""


@dataclass(frozen=True, slots=True)
class ConfidenceFeatures:
    """What can be measured of one sentence among the best ones."""

    weakest: float
    """Nats by which free phones explain the word better that fits worst, at most 0: a name that nobody knows
    spoils one word only."""
    evidence: float
    """Natural logarithm of one more than the phones that are heard inside words."""
    lead: float
    """Nats before the best sentence of another meaning, -10 to 10; negative for all but the best."""
    coverage: float
    """Share of the frames in which free phones are heard that lie inside words, 0 to 1."""


@dataclass(frozen=True, slots=True)
class ConfidenceCoefficients:
    """Log odds that a sentence is right: an offset and a slope for each feature.

    The defaults are fitted to the shipped acoustic model by ``python -m script.voice.confidence``.
    """

    offset: float = -14.151
    weakest: float = 0.256
    evidence: float = 1.435
    lead: float = 0.296
    coverage: float = 12.261

    def confidence(self, features: ConfidenceFeatures) -> float:
        """Return the probability that a sentence is right, 0 to 1."""
        slopes = (self.weakest, self.evidence, self.lead, self.coverage)
        odds = self.offset + sum(a * b for a, b in zip(slopes, astuple(features), strict=True))
        return 1 / (1 + exp(-odds)) if odds > 0 else exp(max(odds, -700.0)) / (1 + exp(max(odds, -700.0)))


def confidence_features(
    sentences: Sequence[FoundSentence], meanings: Sequence[Hashable], labels: NDArray[np.intp]
) -> list[ConfidenceFeatures]:
    """Return the features of each sentence.

    Parameters
    ----------
    sentences : sequence of FoundSentence
        The best ones, best first.
    meanings : sequence
        What each of them means.
    labels : ndarray
        The likeliest label of each frame, shape ``(frames,)``.
    """
    best: dict[Hashable, float] = {}
    for what, sentence in zip(meanings, sentences, strict=True):
        best[what] = max(sentence.score, best.get(what, -inf))
    features = []
    for what, sentence in zip(meanings, sentences, strict=True):
        rival = max((score for other, score in best.items() if other != what), default=-inf)
        lead = max(-_CLEAR_LEAD, min(_CLEAR_LEAD, sentence.score - rival))
        features.append(_features(sentence, lead, labels))
    return features


def _features(sentence: FoundSentence, lead: float, labels: NDArray[np.intp]) -> ConfidenceFeatures:
    is_heard = labels != BLANK
    begins = is_heard & (np.diff(labels, prepend=BLANK) != 0)
    is_covered = np.zeros(len(labels), bool)
    for word in sentence.words:
        is_covered[word.first_frame : word.end_frame] = True
    return ConfidenceFeatures(
        weakest=min(word.score for word in sentence.words),
        evidence=log1p(int(np.count_nonzero(begins & is_covered))),
        lead=lead,
        coverage=int(np.count_nonzero(is_heard & is_covered)) / max(1, int(np.count_nonzero(is_heard))),
    )
