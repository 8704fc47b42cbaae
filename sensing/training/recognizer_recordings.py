"""What people say in the recordings that the recogniser learns from, word for word."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from hassil import Intents
from hassil.intents import TextSlotList

from sensing.speech.grammar import compile_grammar
from sensing.speech.pocketsphinx_recognizer import PocketSphinxRecognizer
from sensing.training.recognizer_texts import Kind, Text, phones_of
from sensing.training.recordings import Part, Recording, spoken

_PHRASES = ("alexa", "computer", "jarvis", "smart_mirror", "snowboy", "view_glass", "marvin", "sheila")
"""Folders of wake words whose recordings say just that."""


def read_aloud(data: Path, part: Part) -> Iterator[tuple[Recording, Text]]:
    """Yield sentences that were read, single words and wake words, where the dictionary has all words."""
    folders = (("speech", "transcript"), ("commands", "transcript"), ("wakeword", "keyword"))
    for folder, column in folders:
        for recording in _of_part(data / folder, column, part):
            words = recording.label.lower().replace("_", " ")
            text = _text("words", words) if folder != "wakeword" or recording.label in _PHRASES else None
            if text is not None:
                yield recording, text


def orders(data: Path, part: Part) -> Iterator[tuple[Recording, Text]]:
    """Yield orders of coffee, of which only the slots are known: the words are what the grammar leaves.

    Held to the slots, the grammar leaves some synonyms and orders of words; PocketSphinx chooses among them.
    """
    templates = data / "commands" / "coffee.yaml"
    for recording in _of_part(data / "commands", "slots_json", part):
        if not recording.label:
            continue
        recognizer = PocketSphinxRecognizer(
            compile_grammar(_held(templates, json.loads(recording.label))), pronounce=_refuse
        )
        recognizer.feed(recording.read())
        found = recognizer.finish()
        text = _text("order", found[0].text) if found and found[0].confidence > 0 else None
        if text is not None:
            yield recording, text


def _held(templates: Path, slots: Mapping[str, str]) -> Intents:
    """Return templates that can only be said with these slots."""
    with templates.open(encoding="utf-8") as file:
        intents = Intents.from_yaml(file)
    for name in intents.slot_lists:
        values = [slots[name]] if name in slots else []
        intents.slot_lists[name] = TextSlotList.from_strings(values, name=name)
    return intents


def _refuse(word: str) -> str:
    raise ValueError(f"the dictionary lacks {word!r}")


def _text(kind: Kind, words: str) -> Text | None:
    phones = phones_of(words) if words else None
    return None if phones is None else Text(kind, words, phones)


def _of_part(folder: Path, column: str, part: Part) -> Iterator[Recording]:
    return (one for one in spoken(folder, column) if one.part == part)
