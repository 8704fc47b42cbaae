"""The seam for speech recognisers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

SURE_CONFIDENCE = 0.5
"""A transcript of less confidence is a guess, and nobody acts on a guess."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenWord:
    """A word and its edges, in seconds since the recogniser's reset."""

    text: str
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """What may have been said: at least one word."""

    words: tuple[SpokenWord, ...]
    confidence: float
    """0 to 1: how much better the sentence explains the sound than free sounds of speech do."""

    @property
    def text(self) -> str:
        """The words, separated by spaces."""
        return " ".join(word.text for word in self.words)


class SpeechRecognizer(Protocol):
    """Understands one utterance at a time from 16 kHz sound."""

    def reset(self) -> None:
        """Begin an utterance; what was fed before is forgotten."""

    def feed(self, samples: NDArray[np.float32]) -> None:
        """Take the next samples, mono, full scale is +-1."""

    def finish(self) -> list[Hypothesis]:
        """End the utterance; return what was said, best first, empty if no sentence fits at all."""


class Ending(Protocol):
    """Whether a sentence is over, should the speaker now be silent."""

    @property
    def kind(self) -> Literal["over", "open", "inside"]:
        """``over``: complete, and nothing else is likely; ``open``: may go on; ``inside``: must go on."""


@runtime_checkable
class KnowsEnding(Protocol):
    """A recogniser that follows the sentence while it is said."""

    def ending(self) -> Ending:
        """Return where in a sentence the speaker is, from all that was fed."""


@runtime_checkable
class KnowsPart(Protocol):
    """A recogniser that can tell what has been said so far."""

    def partial(self) -> Hypothesis | None:
        """Return the best beginning of a sentence; None where no word stands out yet."""
