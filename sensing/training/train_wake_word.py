"""Train the head of a wake word over the frozen speech embedding: one command from recordings to ONNX.

    python -m sensing.training.train_wake_word computer --data ../shared/data --out wake_computer.onnx

Streams of embeddings are kept in ``--work`` so that an interrupted training goes on.
"""

from __future__ import annotations

import argparse
import json
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
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
    windows = windows_of(streams.words("test"), POSITIVE)[:4]
    scores = network.score(((windows - mean) / scale).reshape(len(windows), -1))
    np.savez_compressed(given.out.with_suffix(".npz"), embeddings=windows, scores=scores)


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


def windows_of(streams: Sequence[Stream], label: int) -> Matrix:
    """Return the head's inputs with a label, shape ``(n, 16, 96)``."""
    found = [np.zeros((0, HEAD_CHUNKS, 96), np.float32)]
    for stream in streams:
        if len(stream.labels) >= HEAD_CHUNKS:
            windows = sliding_window_view(stream.embeddings, HEAD_CHUNKS, axis=0).transpose(0, 2, 1)
            found.append(windows[stream.labels[HEAD_CHUNKS - 1 :] == label])
    return np.concatenate(found)


def joined(streams: Sequence[Stream], phrase_seed: int = SEED) -> list[Stream]:
    """Return all streams, in a shuffled order, as a single one: short clips are then also said in a row."""
    order = np.random.default_rng(phrase_seed).permutation(len(streams))
    return [
        Stream(
            embeddings=np.concatenate([streams[index].embeddings for index in order]),
            labels=np.concatenate([streams[index].labels for index in order]),
        )
    ]


def fit(streams: Streams) -> tuple[FeedForward, Matrix, Matrix]:
    """Train on the train part; choose the epoch on the validation part.

    Every epoch the other sounds that score highest are learnt again: the long tail.
    """
    random = np.random.default_rng(SEED)
    words = windows_of(streams.words("train"), POSITIVE)
    before_words = windows_of(streams.words("train"), NEGATIVE)
    others = np.concatenate([windows_of(joined(streams.others("train")), NEGATIVE), before_words])
    mean = others[:, 0].mean(axis=0)
    scale = others[:, 0].std(axis=0) + 1e-3
    words = ((words - mean) / scale).reshape(len(words), -1)
    others = ((others - mean) / scale).reshape(len(others), -1)
    print(f"{len(words)} windows of the word, {len(others)} of other sound", flush=True)
    network = FeedForward((HEAD_CHUNKS * 96, 64, 64), random)
    weights = np.concatenate([np.full(BATCH[0], 1.0), np.full(BATCH[1], 1.0)]).astype(np.float32)
    targets = np.concatenate([np.ones(BATCH[0]), np.zeros(BATCH[1])]).astype(np.float32)
    hard = random.integers(len(others), size=20_000)
    for epoch in range(EPOCHS):
        rate = 1e-3 * 0.5 * (1 + np.cos(np.pi * epoch / EPOCHS)) + 1e-5
        loss = 0.0
        for _ in range(STEPS):
            chosen = np.concatenate(
                [
                    hard[random.integers(len(hard), size=BATCH[1] // 2)],
                    random.integers(len(others), size=BATCH[1] // 2),
                ]
            )
            batch = np.concatenate([words[random.integers(len(words), size=BATCH[0])], others[chosen]])
            loss += network.step(batch, targets, weights, rate) / STEPS
        hard = np.argsort(_scores(network, others))[-20_000:]
        if epoch % 5 == 4:
            figures = measure(network, streams, "validation", mean, scale)
            print(json.dumps({"epoch": epoch + 1, "loss": round(loss, 4), **figures}), flush=True)
    print(json.dumps({"test": measure(network, streams, "test", mean, scale)}), flush=True)
    return network, mean, scale


def _scores(network: FeedForward, inputs: Matrix) -> Matrix:
    return np.concatenate(
        [network.score(inputs[first : first + 8192]) for first in range(0, len(inputs), 8192)]
    )


def measure(
    network: FeedForward, streams: Streams, part: Part, mean: Matrix, scale: Matrix
) -> dict[str, object]:
    """Return misses and false accepts at several thresholds, on speakers who trained nothing."""
    hits = []
    for stream in streams.words(part):
        windows = windows_of([stream], POSITIVE)
        hits.append(float(network.score(((windows - mean) / scale).reshape(len(windows), -1)).max()))
    [other] = joined(streams.others(part))
    windows = windows_of([other], NEGATIVE)
    scores = _scores(network, ((windows - mean) / scale).reshape(len(windows), -1))
    hours = len(other.labels) / CHUNKS_PER_HOUR
    return {
        "words": len(hits),
        "hours": round(hours, 2),
        "miss_percent, false_accepts": {
            str(threshold): (
                round(100 * float(np.mean(np.array(hits) < threshold)), 1),
                false_accepts(scores, threshold),
            )
            for threshold in (0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
        },
    }


def false_accepts(scores: Matrix, threshold: float) -> int:
    """Return how often the threshold is reached, counting a run within 1 s once."""
    places = np.flatnonzero(scores >= threshold)
    return int((np.diff(places, prepend=-100) > 12).sum())


if __name__ == "__main__":
    main()
