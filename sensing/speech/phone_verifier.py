"""A second look at a wake word by the recogniser's ears."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sensing.speech.lexicon import Lexicon
from sensing.speech.phone_model import PhoneModel
from sensing.speech.phones import PHONES
from sensing.speech.verification import Verdict
from sensing.speech.wake_verifier import keyword_score

LEAST_SCORE = -3.5
"""Nats a phone (docs/decisions/0018-own-recogniser.md)."""


class PhoneVerifier:
    """Confirm a wake word where its phones explain what was heard nearly as well as any phones do.

    Parameters
    ----------
    acoustic : PhoneModel
        Nobody else feeds it.
    lexicon : Lexicon
        How the words of phrases are said.
    """

    def __init__(self, acoustic: PhoneModel, lexicon: Lexicon, *, least_score: float = LEAST_SCORE) -> None:
        self._acoustic = acoustic
        self._lexicon = lexicon
        self._least_score = least_score

    def verify(self, samples: NDArray[np.float32], phrase: str) -> Verdict:
        """Return a verdict on the phrase in the last two seconds; the usual way to say it counts."""
        self._acoustic.reset()
        log_probs = np.concatenate([self._acoustic.feed(samples), self._acoustic.finish()])
        labels = [label for word in phrase.split() for label in self._lexicon.pronunciations(word)[0]]
        score = keyword_score(log_probs, [PHONES[label - 1] for label in labels])
        return Verdict(is_confirmed=score >= self._least_score, score=score)
