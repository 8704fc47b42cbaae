"""The third level of hearing: whether it was a wake word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sensing.models.session import Session, Tensor
from sensing.speech.speech_embedding import SpeechEmbedding
from sensing.speech.speech_stages import CHUNK_FRAMES, SpeechStages, Stages
from sensing.speech.wake_heads import WakeHeadFile, find_head

HEAD_CHUNKS = 16
"""A head sees the last 16 embeddings: two seconds of sound."""
REFRACTORY_CHUNKS = 15
"""One word is reported once: it stays in the window for a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """A phrase was heard; ``end_frame`` counts samples since the last reset."""

    phrase: str
    score: float
    end_frame: int


class WakeWord:
    """Find one or several phrases in 16 kHz speech; all read the same embedding.

    Parameters
    ----------
    phrases : str or sequence of str
        Each has a head, see `sensing.speech.wake_heads.wake_phrases`.
    threshold : float, optional
        Score from 0 to 1 that counts as heard, instead of each head's own.
    folder : Path, optional
        Where heads of one's own are.

    Attributes
    ----------
    phrases : tuple of str
        What is listened for.

    Raises
    ------
    KeyError
        There is no head for a phrase.
    sensing.errors.ModelDamaged
        A head is not the file that was written.
    """

    def __init__(
        self,
        phrases: str | Sequence[str] = "computer",
        *,
        threshold: float | None = None,
        folder: Path | None = None,
    ) -> None:
        self.phrases = (phrases,) if isinstance(phrases, str) else tuple(phrases)
        files = [find_head(phrase, folder) for phrase in self.phrases]
        self._heads = [_Head(file, threshold) for file in files]
        self._stages = SpeechStages()
        self._embedding = SpeechEmbedding()
        self._quiet = self._embedding.process(np.zeros(HEAD_CHUNKS * CHUNK_FRAMES, np.float32))
        self.reset()

    @property
    def phrase(self) -> str:
        """The first of the phrases."""
        return self.phrases[0]

    def reset(self) -> None:
        """Start as after two seconds of a quiet room."""
        self._stages.reset()
        self._embedding.reset()
        self._window = self._quiet
        self._frame = 0
        for head in self._heads:
            head.reset()

    def process(self, samples: NDArray[np.float32]) -> list[Wake]:
        """Return where a phrase was heard in a whole number of 80 ms chunks."""
        return self.of_stages(self._stages.process(samples))

    def of_stages(self, stages: Stages) -> list[Wake]:
        """Return where a phrase was heard in chunks whose stages somebody else has computed."""
        wakes = []
        for scores in self._scores(stages):
            self._frame += CHUNK_FRAMES
            for head, score in zip(self._heads, scores, strict=True):
                if head.counts(score):
                    wakes.append(Wake(phrase=head.phrase, score=float(score), end_frame=self._frame))
        return wakes

    def scores(self, samples: NDArray[np.float32]) -> Tensor:
        """Return the score of each phrase at the end of each chunk, shape ``(chunks, phrases)``."""
        return self._scores(self._stages.process(samples))

    def _scores(self, stages: Stages) -> Tensor:
        embeddings = self._embedding.of_stages(stages)
        history = np.concatenate([self._window, embeddings])
        self._window = history[-HEAD_CHUNKS:]
        scores = np.zeros((len(embeddings), len(self._heads)), np.float32)
        for chunk, head in np.ndindex(scores.shape):
            scores[chunk, head] = self._heads[head].score(history[chunk + 1 : chunk + 1 + HEAD_CHUNKS])
        return scores


class _Head:
    """The last layers, for one phrase."""

    def __init__(self, file: WakeHeadFile, threshold: float | None) -> None:
        self.phrase = file.phrase
        self._threshold = file.threshold if threshold is None else threshold
        self._network = Session(file.path)
        self.reset()

    def reset(self) -> None:
        self._refractory = 0

    def score(self, window: Tensor) -> float:
        [scores] = self._network.run({"embeddings": window[None]})
        return float(scores[0, 0])

    def counts(self, score: float) -> bool:
        """Return whether the score of the next chunk is the phrase, said anew."""
        self._refractory = max(0, self._refractory - 1)
        if score < self._threshold or self._refractory:
            return False
        self._refractory = REFRACTORY_CHUNKS
        return True
