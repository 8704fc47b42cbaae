"""How many commands are understood whole, and what else is taken for one."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from hub.hearing import BUILT_IN_SENTENCES, make_recognizer, read_phrases, understand
from hub.recognizer_backend import own, pocketsphinx
from routines.phrases import Phrasebook
from script.journal import Batch, Row, batches
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
TASKS = ("orders", "home, people", "home, machines", "no orders", "no commands of a home")
RATIOS_DB = (None, 12.0)
"""As recorded, and with kitchen noise."""
_BLOCK_FRAMES = 1_280
_READ_ONE_IN = 4
_MACHINE_COMMANDS = 200
_BATCH_SAYINGS = 20


@cache
def phrases_of(data: Path, task: str) -> Phrasebook:
    """Return the grammar of a task: orders of coffee, or the built-in sentences of a home."""
    is_order = task in ("orders", "no orders")
    return read_phrases(data / "commands" / "coffee.yaml" if is_order else BUILT_IN_SENTENCES, [])


@cache
def said(data: Path, part: Part, task: str) -> Sequence[Spoken]:
    """Return what is said in a task: what its grammar has, or what it has not."""
    phrases = phrases_of(data, task)
    match task:
        case "orders":
            return list(orders(data, part))
        case "home, people":
            return [one for one in home_commands(data) if one.words and phrases.match(one.words)]
        case "home, machines":
            return list(machine_commands(compile_grammar(phrases.intents), _MACHINE_COMMANDS))
        case "no orders":
            return list(read_aloud(data, part, one_in=_READ_ONE_IN))
        case "no commands of a home":
            foreign = [Spoken(sound=one.sound, speaker=one.speaker) for one in orders(data, part)]
            return [*read_aloud(data, part, one_in=_READ_ONE_IN), *foreign]
    raise ValueError(f"there is no task {task!r}; there are {', '.join(TASKS)}")


@cache
def recognizer(data: Path, name: str, task_name: str, model: Path | None) -> SpeechRecognizer:
    """Return one of `NAMES` for a task's grammar; ``model`` instead of the shipped acoustic model."""
    backend = pocketsphinx if name == "pocketsphinx" else own(model)
    return make_recognizer(phrases_of(data, task_name), backend=backend)


def wanted_batches(
    data: Path, part: Part, tasks: Sequence[str], names: Sequence[str], model: Path | None
) -> Iterator[Batch]:
    """Yield all that is said in a part, in small portions."""
    for kind in tasks:
        for name in names:
            yield from batches(part, kind, len(said(data, part, kind)), _BATCH_SAYINGS, (name,), model)


def measure(data: Path, batch: Batch) -> list[Row]:
    """Return for each thing said whether it was understood, and how long that took after its end."""
    part: Part = "test" if batch.part == "test" else "validation"
    [name] = batch.names
    hearer, phrases = recognizer(data, name, batch.kind, batch.model), phrases_of(data, batch.kind)
    noise, rows = kitchen(data), []
    for number in batch.numbers:
        one = said(data, part, batch.kind)[number]
        for ratio_db in RATIOS_DB:
            sound = one.sound if ratio_db is None else in_noise(one.sound, noise, ratio_db, number)
            found, seconds, finish_seconds = _heard(hearer, sound)
            is_right = found is not None and one.is_meant_by(found[0], phrases)
            acted = found is not None and understand(phrases, *found) is not None
            row: Row = {
                "task": batch.kind,
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
            rows.append(row)
    return rows


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
