"""The third level of hearing: whether it was the wake word."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensing.models.catalog import shipped_model
from sensing.models.session import Session
from sensing.speech.speech_embedding import EMBEDDING_VALUES, SpeechEmbedding
from sensing.speech.speech_stages import CHUNK_FRAMES

HEAD_CHUNKS = 16
"""The head sees the last 16 embeddings: two seconds of sound."""
WAKE_WORDS = {"computer": "wake_computer"}
"""Phrases that have a shipped head, and the head's name in the catalog."""

THRESHOLD = 0.9
_REFRACTORY_CHUNKS = 15
"""One word is reported once: it stays in the window for a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """The word was heard; ``end_frame`` counts samples since the last reset."""

    score: float
    end_frame: int


class WakeWord:
    """Find one phrase in 16 kHz speech.

    Parameters
    ----------
    phrase : str
        A key of `WAKE_WORDS`.
    threshold : float
        Score from 0 to 1 that counts as heard.

    Raises
    ------
    KeyError
        There is no head for the phrase.
    """

    def __init__(self, phrase: str = "computer", *, threshold: float = THRESHOLD) -> None:
        self.phrase = phrase
        self._threshold = threshold
        self._embedding = SpeechEmbedding()
        self._head = Session(shipped_model(WAKE_WORDS[phrase]))
        self._quiet = self._embedding.process(np.zeros(HEAD_CHUNKS * CHUNK_FRAMES, np.float32))
        self.reset()

    def reset(self) -> None:
        """Start as after two seconds of a quiet room."""
        self._embedding.reset()
        self._window = self._quiet
        self._frame = 0
        self._refractory = 0

    def process(self, samples: NDArray[np.float32]) -> list[Wake]:
        """Return where the word was heard in a whole number of 80 ms chunks."""
        wakes = []
        for embedding in self._embedding.process(samples):
            self._frame += CHUNK_FRAMES
            self._refractory = max(0, self._refractory - 1)
            score = self._score(embedding)
            if score >= self._threshold and not self._refractory:
                self._refractory = _REFRACTORY_CHUNKS
                wakes.append(Wake(score=score, end_frame=self._frame))
        return wakes

    def _score(self, embedding: NDArray[np.float32]) -> float:
        self._window = np.concatenate([self._window[1:], embedding.reshape(1, EMBEDDING_VALUES)])
        [score] = self._head.run({"embeddings": self._window[None]})
        return float(score[0, 0])
