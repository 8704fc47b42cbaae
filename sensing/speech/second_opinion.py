"""Two recognisers for one utterance: the second is asked only where the first is unsure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sensing.speech.confidence import Meaning
from sensing.speech.phone_recognizer import PhoneRecognizer
from sensing.speech.recognizer import SURE_CONFIDENCE, Hypothesis, SpeechRecognizer
from sensing.speech.token_passing import Ending

AGREED_CONFIDENCE = 0.7
"""Of a sentence that both understand: their errors have little in common. Not enough to open a house."""
HOPELESS_CONFIDENCE = 0.01
"""Below it nobody is asked: of what was right and unsure 3 % lie there, of other speech 81 %."""


class SecondOpinion:
    """Believe the first recogniser where it is sure, and both where they agree; give up what is hopeless.

    Parameters
    ----------
    first : PhoneRecognizer
        Follows the sound as it comes.
    second : SpeechRecognizer
        Costs nothing until it is asked.
    meaning : callable
        What words mean; sentences of one meaning agree.
    """

    def __init__(self, first: PhoneRecognizer, second: SpeechRecognizer, *, meaning: Meaning) -> None:
        self._first = first
        self._second = second
        self._meaning = meaning

    def reset(self) -> None:
        """Begin an utterance."""
        self._first.reset()
        self._second.reset()

    def feed(self, samples: NDArray[np.float32]) -> None:
        """Take the next samples, mono at 16 kHz."""
        self._first.feed(samples)
        self._second.feed(samples)

    def partial(self) -> Hypothesis | None:
        """Return what the first has understood so far."""
        return self._first.partial()

    def ending(self) -> Ending:
        """Return whether the sentence is over, as the first sees it."""
        return self._first.ending()

    def finish(self) -> list[Hypothesis]:
        """End the utterance; return its best sentences, best first."""
        found = self._first.finish()
        if not found or not HOPELESS_CONFIDENCE <= found[0].confidence < SURE_CONFIDENCE:
            self._second.reset()
            return found
        meant = {self._meaning(_words(one)) for one in self._second.finish()[:1]}
        agreed = [one for one in found if self._meaning(_words(one)) in meant]
        if not agreed:
            return found
        sure = replace(agreed[0], confidence=max(AGREED_CONFIDENCE, agreed[0].confidence))
        return [sure, *(one for one in found if one is not agreed[0])]


def _words(hypothesis: Hypothesis) -> tuple[str, ...]:
    return tuple(word.text for word in hypothesis.words)
