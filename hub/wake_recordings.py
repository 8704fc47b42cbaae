"""Recordings of wake words: what is said in them, and their sound as the hub hears it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hub.audio.sound_file import read_all
from hub.errors import BadInput
from sensing.dsp.resampler import Resampler
from sensing.speech.speech_stages import RATE_HZ
from sensing.speech.wake_heads import file_stem

ENDINGS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif")


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A recording, and whether the phrase is said in it, once."""

    path: Path
    says_it: bool


def labelled(place: Path, phrase: str) -> list[Labelled]:
    """Return the recordings of a folder or a table, without those whose label holds more than the phrase.

    A table is a CSV file with the columns ``file`` (relative to the table) and ``keyword`` (what is said).
    A folder has such a table, ``labels.csv``, or folders named after what is said in them.

    Raises
    ------
    BadInput
        There is no such place, it lists no recordings, or none says the phrase.
    """
    if place.is_dir():
        table = place / "labels.csv"
        said = _of_table(table) if table.is_file() else _of_folders(place)
    elif place.is_file():
        said = _of_table(place)
    else:
        raise BadInput(f"{place}: no such folder or table; name a folder of recordings or a CSV file")
    stem = file_stem(phrase)
    found = [
        Labelled(path=path, says_it=label == stem)
        for path, label in said
        if label == stem or stem not in label
    ]
    if not any(one.says_it for one in found):
        known = ", ".join(sorted({label for _, label in said})[:8])
        raise BadInput(f"{place}: no recording is labelled {stem}; there is {known or 'no recording'}")
    return found


def recordings_in(folder: Path) -> list[Path]:
    """Return the sound files of a folder and of the folders in it.

    Raises
    ------
    BadInput
        It is no folder, or has none.
    """
    if not folder.is_dir():
        raise BadInput(f"{folder}: is no folder; put recordings of the phrase into one and name it")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)
    if not found:
        raise BadInput(f"{folder}: has no recordings; they end in {', '.join(ENDINGS)}")
    return found


def sound_of(path: Path) -> NDArray[np.float32]:
    """Return a recording as mono samples at 16 kHz.

    Raises
    ------
    BadInput
        The file cannot be read as sound.
    """
    capture, rate_hz = read_all(path)
    return Resampler(rate_hz, RATE_HZ).process(capture.mean(axis=0, dtype=np.float32), last=True)


def _of_table(table: Path) -> Sequence[tuple[Path, str]]:
    try:
        with table.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{table}: cannot be read as CSV ({error})") from error
    for line, row in enumerate(rows, start=2):
        if not row.get("file") or not row.get("keyword"):
            raise BadInput(f"{table}:{line}: needs the columns file and keyword")
    return [(table.parent / row["file"], file_stem(row["keyword"])) for row in rows]


def _of_folders(place: Path) -> Sequence[tuple[Path, str]]:
    return [(path, file_stem(path.relative_to(place).parts[0])) for path in recordings_in(place)]
