"""Train the head of a wake word over the frozen speech embedding: one command from recordings to ONNX.

    python -m sensing.training.train_wake_word computer --data ../shared/data --work work --out wake.onnx

Streams of embeddings are kept in ``--work`` so that an interrupted training goes on. A quarter of an hour
on two cores.
"""

from __future__ import annotations

import argparse
import json
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sensing.speech.wake_word import HEAD_CHUNKS
from sensing.training.network import FeedForward
from sensing.training.recordings import Part, Recording, noises, spoken
from sensing.training.wake_word_data import (
    NEGATIVE,
    POSITIVE,
    Stream,
    find_words,
    other_streams,
    word_streams,
)

SEED = 20_26
VARIANTS = 40
EPOCHS = 60
STEPS = 300
BATCH = (128, 384)
"""Words and other sound in a batch."""
HARD = 20_000
"""Other sounds that are learnt again because they scored highest."""
THRESHOLDS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
CHUNKS_PER_HOUR = 3_600 / 0.08

Matrix = NDArray[np.float32]


def main() -> None:
    """Make the streams, train, and write the model, its self-test and its measurements."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("phrase", help="the wake word, as in the recordings' column keyword")
    options.add_argument("--data", type=Path, required=True, help="folder of the recordings")
    options.add_argument("--work", type=Path, required=True, help="folder for streams that can be reused")
    options.add_argument("--out", type=Path, required=True, help="ONNX file to write")
    given = options.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    streams = Streams(given.phrase, given.data, given.work)
    network, mean, scale = fit(streams)
    network.export(given.out, shape=(HEAD_CHUNKS, 96), mean=mean, scale=scale)
    # The self-test: made-up embeddings, because recordings may not be shipped in any form.
    drawn = np.random.default_rng(SEED).normal(size=(16, HEAD_CHUNKS * 96)).astype(np.float32)
    embeddings = 3 * drawn.reshape(-1, HEAD_CHUNKS, 96) * scale + mean
    np.savez_compressed(given.out.with_suffix(".npz"), embeddings=embeddings, scores=network.score(3 * drawn))


class Streams:
    """The streams of every part, made once and kept on disk."""

    def __init__(self, phrase: str, data: Path, work: Path) -> None:
        self._phrase, self._data, self._work = phrase, data, work
        wake = list(spoken(data / "wakeword", "keyword"))
        # Folders such as hey_computer and computer_mcd hold the word too: neither positive nor negative.
        self._positive = [one for one in wake if one.label == phrase]
        speech = list(spoken(data / "speech", "transcript")) + list(spoken(data / "commands", "transcript"))
        self._negative = [one for one in wake if phrase not in one.label]
        self._negative += [one for one in speech if phrase not in one.label.lower()]
        self._noise = list(noises(data / "noise", ("noise", "music")))

    def words(self, part: Part) -> list[Stream]:
        """Return renderings of the word by the speakers of a part."""

        def make() -> list[Stream]:
            words = find_words(_of(self._positive, part), self._phrase)
            others = _of(self._negative, part)
            variants = VARIANTS if part == "train" else 5
            return word_streams(words, others, self._data, variants=variants, seed=SEED)

        return self._kept(f"words-{part}", make)

    def others(self, part: Part) -> list[Stream]:
        """Return other speech and noise of a part; for training also changed by homes."""
        recordings = _of(self._negative, part) + _of(self._noise, part)
        plain = self._kept(
            f"others-{part}", lambda: other_streams(recordings, self._data, changed=False, seed=SEED)
        )
        if part != "train":
            return plain
        return plain + self._kept(
            f"changed-{part}", lambda: other_streams(recordings, self._data, changed=True, seed=SEED)
        )

    def _kept(self, name: str, make: Callable[[], list[Stream]]) -> list[Stream]:
        path = self._work / f"{self._phrase}-{name}.pickle"
        if not path.exists():
            print(f"making {path.name}", flush=True)
            part = path.with_suffix(".part")
            part.write_bytes(pickle.dumps(make()))
            part.rename(path)
        streams: list[Stream] = pickle.loads(path.read_bytes())
        return streams


def _of(recordings: Sequence[Recording], part: Part) -> list[Recording]:
    return [one for one in recordings if one.part == part]


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


def joined(streams: Sequence[Stream]) -> Stream:
    """Return streams as one, shuffled: short clips are then also said in a row."""
    order = np.random.default_rng(SEED).permutation(len(streams))
    return Stream(
        embeddings=np.concatenate([streams[index].embeddings for index in order]),
        labels=np.concatenate([streams[index].labels for index in order]),
    )


def fit(streams: Streams) -> tuple[FeedForward, Matrix, Matrix]:
    """Train on the train part, telling figures of the validation part on the way.

    Every epoch the other sounds that score highest are learnt again: the long tail.
    """
    random = np.random.default_rng(SEED)
    said = streams.words("train")
    words = Windows.of(said, POSITIVE)
    # What comes before the word, and the word's beginning, is not yet the word.
    others = Windows.of([joined(streams.others("train")), *said], NEGATIVE)
    mean, scale = others.embeddings.mean(axis=0), others.embeddings.std(axis=0) + 1e-3
    words, others = words.standardised(mean, scale), others.standardised(mean, scale)
    print(f"{len(words)} windows of the word, {len(others)} of other sound", flush=True)
    network = FeedForward((HEAD_CHUNKS * 96, 64, 64), random)
    targets = np.repeat(np.array([1, 0], np.float32), BATCH)
    hard = random.integers(len(others), size=HARD)
    for epoch in range(EPOCHS):
        rate = 1e-3 * 0.5 * (1 + np.cos(np.pi * epoch / EPOCHS)) + 1e-5
        loss = 0.0
        for _ in range(STEPS):
            half = BATCH[1] // 2
            again = hard[random.integers(len(hard), size=half)]
            chosen = np.concatenate([again, random.integers(len(others), size=half)])
            rows = [words.take(random.integers(len(words), size=BATCH[0])), others.take(chosen)]
            loss += network.step(np.concatenate(rows), targets, rate) / STEPS
        hard = np.argsort(others.scores(network))[-HARD:]
        if epoch % 10 == 9:
            figures = measure(network, streams, "validation", mean, scale)
            print(json.dumps({"epoch": epoch + 1, "loss": round(loss, 4), **figures}), flush=True)
    print(json.dumps({"test": measure(network, streams, "test", mean, scale)}), flush=True)
    return network, mean, scale


def measure(
    network: FeedForward, streams: Streams, part: Part, mean: Matrix, scale: Matrix
) -> dict[str, object]:
    """Return misses and false accepts at several thresholds, on speakers who trained nothing."""
    said = [Windows.of([stream], POSITIVE).standardised(mean, scale) for stream in streams.words(part)]
    best = np.array([windows.scores(network).max() for windows in said])
    other = joined(streams.others(part))
    scores = Windows.of([other], NEGATIVE).standardised(mean, scale).scores(network)
    rows = {
        str(threshold): {
            "missed_percent": round(100 * float(np.mean(best < threshold)), 1),
            "false_accepts": false_accepts(scores, threshold),
        }
        for threshold in THRESHOLDS
    }
    return {"words": len(best), "hours": round(len(other.labels) / CHUNKS_PER_HOUR, 2), **rows}


def false_accepts(scores: Matrix, threshold: float) -> int:
    """Return how often the threshold is reached, counting what lies within 1 s of the last once."""
    places = np.flatnonzero(scores >= threshold)
    return int((np.diff(places, prepend=-100) > 12).sum())


if __name__ == "__main__":
    main()
