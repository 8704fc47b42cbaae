"""The seam for a second look at a wake word: the fourth level of hearing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the word was said, and how sure that is; the scale of the score is the verifier's own."""

    is_confirmed: bool
    score: float


class Verifier(Protocol):
    """Looks once more, with more effort than the level before could afford all the time."""

    def verify(self, samples: NDArray[np.float32], phrase: str) -> Verdict:
        """Return a verdict on the phrase.

        Parameters
        ----------
        samples : ndarray
            The last two seconds, mono at 16 kHz; the phrase ended within the last half second.
        """
