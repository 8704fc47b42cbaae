"""Recognisers of free text behind the seam: what they write becomes a sentence of the grammar."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sensing.speech.phonetic_rescoring import PhoneticRescoring
from sensing.speech.recognizer import Hypothesis, SpokenWord
from sensing.speech.speech_stages import RATE_HZ

Transcribe = Callable[[NDArray[np.float32]], str]
"""Takes an utterance, mono at 16 kHz, and returns what was said; empty where nothing is known."""


class FreeTextRecognizer:
    """Let somebody write down the utterance, and take the sentence that sounds most like it.

    The edges of words are spread over the utterance by their phones: free text has no times.

    Parameters
    ----------
    transcribe : callable
        Called once an utterance, at its end, from the thread of `finish`.
    rescoring : PhoneticRescoring
        Knows the sentences.
    """

    def __init__(self, transcribe: Transcribe, rescoring: PhoneticRescoring) -> None:
        self._transcribe = transcribe
        self._rescoring = rescoring
        self.reset()

    def reset(self) -> None:
        """Begin an utterance."""
        self._pieces: list[NDArray[np.float32]] = []

    def feed(self, samples: NDArray[np.float32]) -> None:
        """Keep the next samples, mono at 16 kHz."""
        self._pieces.append(samples)

    def finish(self) -> list[Hypothesis]:
        """Return the nearest sentence, of little confidence where it sounds different, if any text came."""
        sound = np.concatenate([np.zeros(0, np.float32), *self._pieces])
        self.reset()
        nearest = self._rescoring.nearest(self._transcribe(sound)) if len(sound) else None
        if nearest is None or not nearest.words:
            return []
        seconds = len(sound) / RATE_HZ
        words = tuple(
            SpokenWord(text=word, start_seconds=first * seconds, end_seconds=end * seconds)
            for word, (first, end) in zip(nearest.words, pairwise((*nearest.starts, 1.0)), strict=True)
        )
        return [Hypothesis(words=words, confidence=nearest.confidence)]
