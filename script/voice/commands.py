"""How many commands are understood whole, and what else is taken for one."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hub.hearing import BUILT_IN_SENTENCES, make_recognizer, read_phrases, understand
from hub.recognizer_backend import own, pocketsphinx
from routines.phrases import Phrasebook
from script.voice.household_noise import in_noise, kitchen
from script.voice.sounds import (
    Spoken,
    home_commands,
    machine_commands,
    orders,
    read_aloud,
)
from sensing.share_interval import share_interval
from sensing.speech.grammar import compile_grammar
from sensing.speech.recognizer import SpeechRecognizer
from sensing.training.recordings import Part, Sound

NAMES = ("own", "pocketsphinx")
RATIOS_DB = (None, 12.0)
"""As recorded, and with kitchen noise."""
_BLOCK_FRAMES = 1_280
_READ_ONE_IN = 4
_MACHINE_COMMANDS = 200

Row = dict[str, float | str | bool | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A grammar, and what is said to it."""

    name: str
    phrases: Phrasebook
    said: Sequence[Spoken]


def tasks(data: Path, part: Part) -> list[Task]:
    """Return orders, commands of a home, and to both what is neither."""
    coffee = read_phrases(data / "commands" / "coffee.yaml", [])
    home = read_phrases(BUILT_IN_SENTENCES, [])
    strangers = list(read_aloud(data, part, one_in=_READ_ONE_IN))
    ordered = list(orders(data, part))
    spoken = [one for one in home_commands(data) if one.words and home.match(one.words)]
    made = list(machine_commands(compile_grammar(home.intents), _MACHINE_COMMANDS))
    foreign = [Spoken(sound=one.sound, speaker=one.speaker) for one in ordered]
    return [
        Task(name="orders", phrases=coffee, said=ordered),
        Task(name="home, people", phrases=home, said=spoken),
        Task(name="home, machines", phrases=home, said=made),
        Task(name="no orders", phrases=coffee, said=strangers),
        Task(name="no commands of a home", phrases=home, said=[*strangers, *foreign]),
    ]


def recognizer(name: str, phrases: Phrasebook, model: Path | None) -> SpeechRecognizer:
    """Return one of `NAMES` for a grammar; ``model`` instead of the shipped acoustic model."""
    if name == "pocketsphinx":
        return make_recognizer(phrases, backend=pocketsphinx)
    return make_recognizer(phrases, backend=own(model))


def measure(task: Task, name: str, noise: Sound, model: Path | None) -> Iterator[Row]:
    """Yield for each thing said whether it was understood, and how long that took after its end."""
    hearer = recognizer(name, task.phrases, model)
    for ratio_db in RATIOS_DB:
        for number, one in enumerate(task.said):
            sound = one.sound if ratio_db is None else in_noise(one.sound, noise, ratio_db, number)
            found, seconds, finish_seconds = _heard(hearer, sound)
            is_right = found is not None and one.is_meant_by(found[0], task.phrases)
            acted = found is not None and understand(task.phrases, *found) is not None
            yield {
                "task": task.name,
                "noise": "clean" if ratio_db is None else f"{ratio_db:.0f} dB",
                "recognizer": name,
                "speaker": one.speaker,
                "acted": acted,
                "right": acted and is_right,
                "best_right": is_right,
                "confidence": 0.0 if found is None else found[1],
                "seconds": len(sound) / 16_000,
                "cpu_seconds": seconds,
                "finish_seconds": finish_seconds,
            }


def _heard(hearer: SpeechRecognizer, sound: Sound) -> tuple[tuple[str, float] | None, float, float]:
    """Return text and confidence, and the processor's time for all and for the end."""
    began = time.thread_time()
    hearer.reset()
    for first in range(0, len(sound), _BLOCK_FRAMES):
        hearer.feed(sound[first : first + _BLOCK_FRAMES])
    ended = time.thread_time()
    hypotheses = hearer.finish()
    done = time.thread_time()
    best = (hypotheses[0].text, hypotheses[0].confidence) if hypotheses else None
    return best, done - began, done - ended


def summary(rows: Sequence[Row]) -> Row:
    """Return shares with their bounds, and what it costs."""
    right = sum(bool(row["right"]) for row in rows)
    acted = sum(bool(row["acted"]) for row in rows)
    low, high = share_interval(right, len(rows))
    _, wrong_high = share_interval(acted - right, len(rows))
    return {
        "said": len(rows),
        "speakers": len({row["speaker"] for row in rows}),
        "right": right / len(rows),
        "low": low,
        "high": high,
        "best_right": float(np.mean([bool(row["best_right"]) for row in rows])),
        "wrongly_acted": (acted - right) / len(rows),
        "wrongly_acted_at_most": wrong_high,
        "cpu_share": _total(rows, "cpu_seconds") / _total(rows, "seconds"),
        "finish_p95_ms": 1_000
        * float(np.percentile([float(row["finish_seconds"] or 0) for row in rows], 95)),
    }


def _total(rows: Iterable[Row], column: str) -> float:
    return sum(float(row[column] or 0) for row in rows)


def measured(data: Path, part: Part, names: Sequence[str], model: Path | None) -> Iterator[Row]:
    """Yield all rows."""
    noise = kitchen(data)
    for task in tasks(data, part):
        for name in names:
            yield from measure(task, name, noise, model)
