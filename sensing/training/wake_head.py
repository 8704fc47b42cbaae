"""The head of a wake word: how it learns from streams of embeddings, and how often it errs on others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sensing.speech.speech_embedding import EMBEDDING_VALUES
from sensing.speech.wake_errors import CHUNKS_PER_HOUR, THRESHOLDS, false_accepts
from sensing.speech.wake_word import HEAD_CHUNKS
from sensing.training.network import FeedForward
from sensing.training.wake_word_data import NEGATIVE, POSITIVE, Stream

HIDDEN = (64, 64)
STEPS = 120
"""Batches in an epoch."""
BATCH = (128, 384)
"""Words and other sound in a batch."""
HARD = 20_000
"""Other sounds that are learnt again because they scored highest."""
MINING_EPOCHS = 4

Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Inputs of the head, cut from one long row of embeddings only when they are needed."""

    embeddings: Matrix
    starts: NDArray[np.intp]

    @classmethod
    def of(cls, streams: Sequence[Stream], label: int) -> Self:
        """Return the windows whose last chunk has a label, none across two streams."""
        firsts = np.cumsum([0, *(len(stream.labels) for stream in streams)])
        starts = [
            first + np.flatnonzero(stream.labels[HEAD_CHUNKS - 1 :] == label)
            for first, stream in zip(firsts, streams, strict=False)
        ]
        return cls(np.concatenate([stream.embeddings for stream in streams]), np.concatenate(starts))

    def __len__(self) -> int:
        return len(self.starts)

    def standardised(self, mean: Matrix, scale: Matrix) -> Windows:
        """Return the same windows with values of mean 0 and deviation 1."""
        return Windows((self.embeddings - mean) / scale, self.starts)

    def take(self, places: NDArray[np.intp]) -> Matrix:
        """Return windows as rows, shape ``(n, 16 * 96)``."""
        chunks = self.starts[places][:, None] + np.arange(HEAD_CHUNKS)
        return np.reshape(self.embeddings[chunks], (len(places), -1))

    def scores(self, network: FeedForward) -> Matrix:
        """Return the network's score of every window."""
        pieces = np.array_split(np.arange(len(self)), len(self) // 8_192 + 1)
        return np.concatenate([network.score(self.take(piece)) for piece in pieces])


@dataclass(frozen=True, slots=True, eq=False)
class WakeHead:
    """A trained network and what its inputs are standardised with."""

    network: FeedForward
    mean: Matrix
    scale: Matrix

    def export(self, path: Path) -> None:
        """Write the ONNX file that `sensing.speech.wake_word.WakeWord` runs."""
        shape = (HEAD_CHUNKS, EMBEDDING_VALUES)
        self.network.export(path, shape=shape, mean=self.mean, scale=self.scale)

    def write_self_test(self, path: Path, random: np.random.Generator) -> None:
        """Write made-up windows and their scores; recordings may not be shipped in any form."""
        drawn = 3 * random.normal(size=(16, HEAD_CHUNKS * EMBEDDING_VALUES)).astype(np.float32)
        embeddings = drawn.reshape(-1, HEAD_CHUNKS, EMBEDDING_VALUES) * self.scale + self.mean
        np.savez_compressed(path, embeddings=embeddings, scores=self.network.score(drawn))

    def best(self, words: Sequence[Stream]) -> Matrix:
        """Return the highest score just after each word."""
        return np.array([self._scores([stream], POSITIVE).max() for stream in words], np.float32)

    def others(self, streams: Sequence[Stream]) -> Matrix:
        """Return the scores of all windows of other sound, its streams in a row."""
        return self._scores([joined(streams)], NEGATIVE)

    def _scores(self, streams: Sequence[Stream], label: int) -> Matrix:
        return Windows.of(streams, label).standardised(self.mean, self.scale).scores(self.network)


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """Streams in which the word is said, and their share of what is learnt of the word."""

    streams: Sequence[Stream]
    share: float


def joined(streams: Sequence[Stream]) -> Stream:
    """Return streams as one, shuffled: short clips are then also said in a row."""
    order = np.random.default_rng(len(streams)).permutation(len(streams))
    return Stream(
        embeddings=np.concatenate([streams[index].embeddings for index in order]),
        labels=np.concatenate([streams[index].labels for index in order]),
    )


def fit(
    said: Sequence[Said],
    others: Sequence[Stream],
    *,
    random: np.random.Generator,
    epochs: int,
    steps: int = STEPS,
    told: Callable[[int, float], None] = lambda _epoch, _loss: None,
) -> WakeHead:
    """Train a head; ``told`` is called after every epoch with its number and mean loss.

    Every few epochs the other sounds that score highest are chosen to be learnt again: the long tail.
    """
    # What comes before the word, and the word's beginning, is not yet the word.
    before = [stream for one in said for stream in one.streams]
    other = Windows.of([joined(others), *before], NEGATIVE)
    mean, scale = other.embeddings.mean(axis=0), other.embeddings.std(axis=0) + 1e-3
    other = other.standardised(mean, scale)
    words = [Windows.of(one.streams, POSITIVE).standardised(mean, scale) for one in said]
    shares = np.array([one.share for one in said]) / sum(one.share for one in said)
    network = FeedForward((HEAD_CHUNKS * EMBEDDING_VALUES, *HIDDEN), random)
    targets = np.repeat(np.array([1, 0], np.float32), BATCH)
    hard = random.integers(len(other), size=HARD)
    for epoch in range(epochs):
        rate = 1e-3 * 0.5 * (1 + np.cos(np.pi * epoch / epochs)) + 1e-5
        loss = 0.0
        for _ in range(steps):
            half = BATCH[1] // 2
            again = hard[random.integers(len(hard), size=half)]
            chosen = np.concatenate([again, random.integers(len(other), size=half)])
            counts = random.multinomial(BATCH[0], shares)
            rows = [
                group.take(random.integers(len(group), size=count))
                for group, count in zip(words, counts, strict=True)
            ]
            loss += network.step(np.concatenate([*rows, other.take(chosen)]), targets, rate) / steps
        if epoch % MINING_EPOCHS == 0:
            hard = np.argsort(other.scores(network))[-HARD:]
        told(epoch, loss)
    return WakeHead(network, mean, scale)


def fitting_threshold(scores: Matrix, *, false_accepts_per_hour: float) -> float:
    """Return the lowest of `THRESHOLDS` that other sound reaches this seldom; else the highest."""
    hours = len(scores) / CHUNKS_PER_HOUR
    for threshold in THRESHOLDS:
        if false_accepts(scores, threshold) <= false_accepts_per_hour * hours:
            return threshold
    return THRESHOLDS[-1]


def figures(best: Matrix, scores: Matrix, threshold: float) -> dict[str, float]:
    """Return the misses among words and the false accepts in other sound at a threshold."""
    return {
        "threshold": threshold,
        "words": len(best),
        "missed": int((best < threshold).sum()),
        "hours": round(len(scores) / CHUNKS_PER_HOUR, 2),
        "false_accepts": false_accepts(scores, threshold),
    }
