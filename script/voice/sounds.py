"""The recordings and machine voices that commands are measured on: none of them trained or chose anything."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from routines.facts import Json
from routines.phrases import Phrasebook
from sensing.speech.grammar import Grammar
from sensing.training.recognizer_speech import is_held_back
from sensing.training.recognizer_texts import random_sentences
from sensing.training.recordings import Part, Recording, Sound, spoken
from sensing.training.synthetic_speech import spoken_by, voices

_SEED = 74


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spoken:
    """Something that is said, and what it should mean.

    Attributes
    ----------
    slots : mapping or None
        Of an order, as its label says; None where the words are known or nothing should be understood.
    words : str or None
        What was said, where that is a command of the grammar.
    """

    sound: Sound
    speaker: str
    slots: Mapping[str, Json] | None = None
    words: str | None = None

    def is_meant_by(self, text: str, phrases: Phrasebook) -> bool:
        """Return whether a sentence means what was said; never where that is no command."""
        meaning = phrases.match(text)
        if meaning is None:
            return False
        if self.slots is not None:
            return dict(meaning.slots) == dict(self.slots)
        return self.words is not None and meaning == phrases.match(self.words)


def orders(data: Path, part: Part) -> Iterator[Spoken]:
    """Yield orders of coffee by the speakers of a part."""
    for one in _of_part(data / "commands", "slots_json", part):
        if one.label:
            yield Spoken(sound=one.read(), speaker=one.speaker, slots=json.loads(one.label))


def read_aloud(data: Path, part: Part, *, one_in: int) -> Iterator[Spoken]:
    """Yield sentences that people of a part read, which are no commands."""
    for one in list(_of_part(data / "speech", "transcript", part))[::one_in]:
        yield Spoken(sound=one.read(), speaker=one.speaker)


def home_commands(data: Path) -> Iterator[Spoken]:
    """Yield the few real commands of a home, which may train nothing; their words are the labels."""
    folder = data / "commands"
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["file"].startswith("ha_en/") and row["transcript"]:
                sound = soundfile.read(folder / row["file"], dtype="float32")[0]
                yield Spoken(sound=sound, speaker=row["speaker"], words=row["transcript"].lower())


def machine_commands(grammar: Grammar, count: int, *, held_back: bool = True) -> Iterator[Spoken]:
    """Yield random sentences of a grammar, by voices that nothing was trained on, or by the others."""
    random = np.random.default_rng([_SEED, held_back])
    sentences = random_sentences(grammar, random)
    kept = [voice for voice in voices() if is_held_back(voice) == held_back]
    people = [voice for voice in kept if voice.engine != "espeak"]
    for number in range(count):
        group = people if people and number % 2 else kept
        voice = group[int(random.integers(len(group)))]
        words = next(sentences)
        sound = spoken_by(voice, words, speed=float(random.uniform(0.85, 1.2)))
        yield Spoken(sound=sound, speaker=voice.name, words=words)


def _of_part(folder: Path, column: str, part: Part) -> Iterator[Recording]:
    return (one for one in spoken(folder, column) if one.part == part)
