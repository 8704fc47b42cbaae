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
"""Nats a phone, of phrases that no recordings are known of (docs/decisions/0018-own-recogniser.md)."""
LEAST_SCORES = {"alexa": -2.7, "jarvis": -1.0}
"""A nat below the word of the validation part that scores lowest, clean or in a kitchen at 10 dB."""


class PhoneVerifier:
    """Confirm a wake word where its phones explain what was heard nearly as well as any phones do.

    Parameters
    ----------
    acoustic : PhoneModel
        Nobody else feeds it.
    lexicon : Lexicon
        How the words of phrases are said.
    """

    def __init__(self, acoustic: PhoneModel, lexicon: Lexicon) -> None:
        self._acoustic = acoustic
        self._lexicon = lexicon

    def verify(self, samples: NDArray[np.float32], phrase: str) -> Verdict:
        """Return a verdict on the phrase in the last two seconds; the usual way to say it counts."""
        self._acoustic.reset()
        log_probs = np.concatenate([self._acoustic.feed(samples), self._acoustic.finish()])
        labels = [label for word in phrase.split() for label in self._lexicon.pronunciations(word)[0]]
        score = keyword_score(log_probs, [PHONES[label - 1] for label in labels])
        return Verdict(is_confirmed=score >= LEAST_SCORES.get(phrase, LEAST_SCORE), score=score)
