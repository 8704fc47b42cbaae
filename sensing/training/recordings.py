"""Recordings beside the project, as training and evaluation see them."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

Sound = NDArray[np.float32]
"""Mono samples at 16 kHz, full scale is +-1."""

RATE_HZ = 16_000

Part = Literal["train", "validation", "test"]


def part_of(speaker: str) -> Part:
    """Return the part of the data that a speaker belongs to: 60 % train, 20 % each of the others.

    It depends on the speaker's name alone, so one person is in one part across all folders.
    """
    place = int.from_bytes(hashlib.sha256(speaker.encode()).digest()[:4]) / 2**32
    return "train" if place < 0.6 else "validation" if place < 0.8 else "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One labelled file."""

    path: Path
    label: str
    """Keyword, transcript or kind of noise."""
    speaker: str
    origin: str
    licence: str

    @property
    def part(self) -> Part:
        """The part of the data that this speaker belongs to."""
        return part_of(self.speaker)

    def read(self) -> Sound:
        """Return the sound."""
        samples, rate_hz = soundfile.read(self.path, dtype="float32", always_2d=True)
        mono: Sound = samples.mean(axis=1)
        if rate_hz != RATE_HZ:
            mono = soxr.resample(mono, rate_hz, RATE_HZ)
        return mono


def spoken(folder: Path, label_column: str) -> Iterator[Recording]:
    """Yield the recordings of speech in a folder that may be used for training."""
    for row in _rows(folder):
        if row["train_ok"].startswith("yes"):
            yield _recording(folder, row, row[label_column], row["speaker"])


def noises(folder: Path, kinds: tuple[str, ...]) -> Iterator[Recording]:
    """Yield noises, music or room responses that may be used for training; each is its own "speaker"."""
    for row in _rows(folder):
        if row["redistributable"] == "yes" and row["kind"] in kinds:
            yield _recording(folder, row, row["kind"], row["file"])


def _rows(folder: Path) -> Iterator[dict[str, str]]:
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _recording(folder: Path, row: dict[str, str], label: str, speaker: str) -> Recording:
    return Recording(
        path=folder / row["file"], label=label, speaker=speaker, origin=row["origin"], licence=row["licence"]
    )
