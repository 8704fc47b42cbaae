"""Train the head of a wake word over the frozen speech embedding: one command from recordings to ONNX.

    python -m sensing.training.train_wake_word computer --data ../shared/data --work work --out wake.onnx

Streams of embeddings are kept in ``--work``: those of other speech serve all phrases, and an interrupted
training goes on. ``--share`` makes less of everything that is learnt, for machines with little time.
"""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from rich.console import Console
from rich.progress import track

from sensing.training.recordings import Part, noises, spoken
from sensing.training.rooms_and_noise import Home
from sensing.training.stream_store import StreamStore
from sensing.training.synthetic_words import SyntheticWords, voices_of
from sensing.training.wake_head import Said, WakeHead, figures, fit, fitting_threshold
from sensing.training.wake_word_data import Renderings, Stream, find_words

Thing = TypeVar("Thing")

SEED = 20_26
PHRASES = ("computer", "jarvis", "alexa")
"""Each one's words are other sound for the others."""
EPOCHS = 30
VARIANTS = {"train": 40, "validation": 10, "test": 5}
"""Renderings of each recording of the word."""
SYNTHETIC = {"train": 1_500, "validation": 80, "test": 80}
CONFUSABLE = {"train": 600, "validation": 90, "test": 90}
TALK = {"train": 600, "validation": 80, "test": 80}
RUNNING = {"train": 1_600, "validation": 40, "test": 40}
"""Stretches of a quarter of a minute."""
SYNTHETIC_SHARE = 0.2
CHANGED_SHARE = 0.5
"""Of the other recordings to learn from: heard in a home instead of as they are."""
FALSE_ACCEPTS_PER_HOUR = 0.1


class Material:
    """The streams of every part, made once and kept.

    Parameters
    ----------
    share : float
        Of the renderings, the synthetic words and the read speech to learn from, above 0 to 1.
    """

    def __init__(self, data: Path, work: Path, *, share: float = 1.0) -> None:
        self._data = data
        self._share = share
        self._store = StreamStore(work)
        self._wake = list(spoken(data / "wakeword", "keyword"))
        self._speech = list(spoken(data / "speech", "transcript"))
        self._speech += list(spoken(data / "commands", "transcript"))
        self._noise = list(noises(data / "noise", ("noise", "music")))

    def words(self, phrase: str, part: Part) -> list[Stream]:
        """Return renderings of recordings of the phrase by the speakers of a part."""
        return self._store.kept(f"{phrase}-{part}", lambda: self._words(phrase, part))

    def synthetic(self, phrase: str, part: Part) -> list[Stream]:
        """Return the phrase by the synthetic voices of a part."""
        count = self._count(SYNTHETIC, part)
        return self._store.kept(
            f"{phrase}-synthetic-{part}",
            lambda: _shown(self._voices(phrase, part).phrase(phrase, count), count),
        )

    def recorded(self, phrase: str, part: Part) -> list[Stream]:
        """Return recordings of a part without the phrase; of those to learn from, half in homes."""
        streams = self._store.kept(f"others-{part}", lambda: self._others(part))
        return [one for one in streams if phrase not in one.text.lower()]

    def made(self, part: Part) -> list[Stream]:
        """Return other words by synthetic voices: near the phrases, and any, short and without end."""
        near = [
            stream
            for one in PHRASES
            for stream in self._store.kept(f"{one}-near-{part}", partial(self._near, one, part))
        ]
        talk = self._store.kept(f"talk-{part}", lambda: self._talk(part))
        return near + talk + self._store.kept(f"running-{part}", lambda: self._running(part))

    def _near(self, phrase: str, part: Part) -> Iterator[Stream]:
        count = self._count(CONFUSABLE, part)
        yield from self._voices(f"near {phrase}", part).confusable(phrase, count)

    def _talk(self, part: Part) -> Iterator[Stream]:
        count = self._count(TALK, part)
        yield from _shown(self._voices("talk", part).talk(count, without=PHRASES), count)

    def _running(self, part: Part) -> Iterator[Stream]:
        count = self._count(RUNNING, part)
        read = [one.label.lower() for one in self._speech if one.part == part]
        sentences = [text for text in read if text and not any(phrase in text for phrase in PHRASES)]
        yield from _shown(self._voices("running", part).running(count, sentences), count)

    def _count(self, counts: Mapping[str, int], part: Part) -> int:
        return round(counts[part] * (self._share if part == "train" else 1.0))

    def _words(self, phrase: str, part: Part) -> Iterator[Stream]:
        # Folders such as hey_computer and computer_mcd hold the word too: neither positive nor negative.
        words = find_words([one for one in self._wake if (one.label, one.part) == (phrase, part)], phrase)
        others = [one for one in self._speech if one.part == part and phrase not in one.label.lower()]
        renderings, random = self._renderings(phrase, part)
        for word in _shown(words, len(words)):
            for _ in range(self._count(VARIANTS, part)):
                after = random.random() < 0.2
                yield renderings.word(word, others[random.integers(len(others))].read() if after else None)

    def _others(self, part: Part) -> Iterator[Stream]:
        renderings, random = self._renderings("others", part)
        read = self._speech
        if part == "train":
            read = [one for one in self._speech if random.random() < self._share]
        recordings = [one for one in self._wake + read + self._noise if one.part == part]
        for one in _shown(recordings, len(recordings)):
            is_changed = part == "train" and random.random() < CHANGED_SHARE
            render = renderings.other if is_changed else renderings.plain
            yield render(one.read(), one.label.replace("_", " "))

    def _voices(self, purpose: str, part: Part) -> SyntheticWords:
        renderings, random = self._renderings(purpose, part)
        return SyntheticWords(voices_of(part), renderings, random)

    def _renderings(self, purpose: str, part: Part) -> tuple[Renderings, np.random.Generator]:
        """Return homes of a part's own noises and rooms, and chance of its own for each purpose."""
        random = np.random.default_rng([SEED, zlib.crc32(f"{purpose} {part}".encode())])
        rooms = noises(self._data / "noise", ("rir",))
        home = Home(
            noises=[one for one in self._noise if one.part == part],
            rooms=[one for one in rooms if one.part == part],
        )
        return Renderings(home, random), random


def _shown(things: Iterable[Thing], total: int) -> Iterator[Thing]:
    yield from track(things, total=total, console=Console(stderr=True), disable=not sys.stderr.isatty())


def main() -> None:
    """Make the streams, train, and write the model, its self-test and its measurements."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("phrase", help="the wake word, as in the recordings' column keyword")
    options.add_argument("--data", type=Path, required=True, help="folder of the recordings")
    options.add_argument("--work", type=Path, required=True, help="folder for streams that can be reused")
    options.add_argument("--share", type=float, default=1.0, help="of what is learnt from, up to 1")
    options.add_argument("--out", type=Path, required=True, help="ONNX file to write")
    given = options.parse_args()
    head, measured = trained(given.phrase, Material(given.data, given.work, share=given.share))
    head.export(given.out)
    head.write_self_test(given.out.with_suffix(".npz"), np.random.default_rng(SEED))
    print(json.dumps(measured, indent=1))


def trained(phrase: str, material: Material) -> tuple[WakeHead, dict[str, object]]:
    """Return a head of the train part, its threshold of the validation part, and figures of both others."""
    said = [
        Said(material.words(phrase, "train"), 1 - SYNTHETIC_SHARE),
        Said(material.synthetic(phrase, "train"), SYNTHETIC_SHARE),
    ]
    others = material.recorded(phrase, "train") + material.made("train")
    head = fit(said, others, random=np.random.default_rng(SEED), epochs=EPOCHS, told=_told)
    scores = head.others(material.recorded(phrase, "validation"))
    threshold = fitting_threshold(scores, false_accepts_per_hour=FALSE_ACCEPTS_PER_HOUR)
    measured: dict[str, object] = {"phrase": phrase, "threshold": threshold}
    for part in ("validation", "test"):
        best = head.best(material.words(phrase, part))
        scores = head.others(material.recorded(phrase, part))
        measured[part] = figures(best, scores, threshold) | {
            "synthetic": figures(
                head.best(material.synthetic(phrase, part)),
                head.others(material.made(part)),
                threshold,
            )
        }
    return head, measured


def _told(epoch: int, loss: float) -> None:
    print(json.dumps({"epoch": epoch + 1, "loss": round(loss, 4)}), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
