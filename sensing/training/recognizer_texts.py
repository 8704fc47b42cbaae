"""What the recogniser's training speech says: orders, commands of a home, and words of all kinds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import home_assistant_intents
import numpy as np
from hassil import Intents
from pocketsphinx import get_model_path

from sensing.speech.grammar import Grammar, compile_grammar

Kind = Literal["order", "home", "words"]
SHARES: Mapping[Kind, float] = {"order": 0.35, "home": 0.35, "words": 0.3}
"""Of the sentences; orders weigh more than their number says, for they are few and alike."""

_AREAS = (
    "attic", "basement", "bathroom", "bedroom", "cellar", "conservatory", "corridor", "den",
    "dining room", "dressing room", "driveway", "entrance", "family room", "front yard", "garage",
    "garden", "guest room", "gym", "hall", "hallway", "kitchen", "landing", "laundry room", "library",
    "living room", "loft", "master bedroom", "nursery", "office", "pantry", "patio", "playroom",
    "pool house", "porch", "shed", "spare room", "stairs", "studio", "study", "sun room", "terrace",
    "toilet", "utility room", "workshop",
)  # fmt: skip
_OWNERS = (
    "", "left", "right", "upper", "lower", "front", "back", "big", "small", "main", "old", "new",
    "emma's", "dad's",
)  # fmt: skip
_DEVICES = (
    "air conditioner", "alarm", "blinds", "boiler", "camera", "ceiling light", "chandelier",
    "christmas tree", "coffee machine", "cooker hood", "curtain", "desk lamp", "dishwasher", "door",
    "dryer", "fan", "fireplace", "floor lamp", "fountain", "freezer", "fridge", "garage door", "gate",
    "hair dryer", "heater", "humidifier", "iron", "kettle", "lamp", "lava lamp", "lawn mower",
    "light strip", "lights", "lock", "microwave", "mirror light", "monitor", "motion sensor", "oven",
    "plug", "pool pump", "printer", "projector", "purifier", "radiator", "radio", "reading light",
    "robot", "router", "shower", "shutter", "socket", "speaker", "spotlight", "sprinkler", "sound bar",
    "stereo", "stove", "sunscreen", "switch", "television", "thermostat", "toaster", "towel rail", "tv",
    "vacuum", "ventilation", "wall light", "washing machine", "water heater", "window", "yard light",
)  # fmt: skip
_FLOORS = ("ground floor", "first floor", "second floor", "upstairs", "downstairs", "top floor")
_LETTERS = {"tv": "T IY V IY"}


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence and its phones in ARPAbet."""

    kind: Kind
    words: str
    phones: tuple[str, ...]


@cache
def dictionary() -> Mapping[str, tuple[str, ...]]:
    """Return the first pronunciation of each word in PocketSphinx's dictionary (CMUdict)."""
    known = {word: tuple(phones.split()) for word, phones in _LETTERS.items()}
    for line in Path(get_model_path("en-us/cmudict-en-us.dict")).read_text("utf-8").splitlines():
        word, *phones = line.split()
        known.setdefault(word, tuple(phones))
    return known


def phones_of(words: str) -> tuple[str, ...] | None:
    """Return the phones of a sentence; None where the dictionary lacks a word."""
    said = [dictionary().get(word) for word in words.split()]
    known = [one for one in said if one is not None]
    return tuple(itertools.chain(*known)) if known and len(known) == len(said) else None


def texts(count: int, *, orders: Path, read: Sequence[str], seed: int) -> list[Text]:
    """Return sentences of all kinds, each with a pronunciation.

    Parameters
    ----------
    orders : Path
        Sentence templates in hassil's format for the kind ``order``.
    read : sequence of str
        What people read aloud: half of the words come from there, the others from the whole dictionary.
    """
    random = np.random.default_rng(seed)
    sources = {
        "order": random_sentences(compile_grammar(_intents(orders)), random),
        "home": random_sentences(compile_grammar(_home(random)), random),
        "words": _words(read, random),
    }
    kinds: list[Kind] = [kind for kind, share in SHARES.items() for _ in range(round(share * count))]
    return [next(_pronounced(kind, sources[kind])) for kind in kinds]


def _pronounced(kind: Kind, sentences: Iterator[str]) -> Iterator[Text]:
    for words in sentences:
        phones = phones_of(words)
        if phones is not None and len(words.split()) <= _MOST_WORDS:
            yield Text(kind, words, phones)


_MOST_WORDS = 16


def _intents(templates: Path) -> Intents:
    with templates.open(encoding="utf-8") as file:
        return Intents.from_yaml(file)


def _home(random: np.random.Generator) -> Intents:
    """Return Home Assistant's English sentences with the names of a large home."""
    data = home_assistant_intents.get_intents("en")
    if data is None:
        raise ValueError("home-assistant-intents has no English sentences; install it again")
    named = [
        " ".join(part for part in parts if part)
        for parts in itertools.product(_OWNERS, ("", *_AREAS), _DEVICES)
    ]
    names = random.choice(named, 400, replace=False).tolist()
    data["lists"] |= {
        "name": {"values": names},
        "area": {"values": list(_AREAS)},
        "floor": {"values": list(_FLOORS)},
    }
    return Intents.from_dict(data)


def random_sentences(grammar: Grammar, random: np.random.Generator) -> Iterator[str]:
    """Yield sentences of a grammar without end, each way from a node as likely as any other."""
    leaving: dict[int, list[tuple[int, str | None]]] = {}
    for first, second, word in grammar.arcs:
        leaving.setdefault(first, []).append((second, word))
    while True:
        node, said = grammar.start, list[str]()
        while node != grammar.final:
            ways = leaving[node]
            node, word = ways[int(random.integers(len(ways)))]
            said += [word] if word is not None else []
        yield " ".join(said)


def _words(read: Sequence[str], random: np.random.Generator) -> Iterator[str]:
    """Yield two to eight words: pieces of what people read, or words that nobody puts in a row."""
    everything = sorted(word for word in dictionary() if word.isalpha() and 3 <= len(word) <= 11)
    sentences = [sentence.split() for sentence in read]
    while True:
        length = int(random.integers(2, 9))
        if random.random() < 0.5:
            sentence = sentences[int(random.integers(len(sentences)))]
            first = int(random.integers(max(1, len(sentence) - length)))
            yield " ".join(sentence[first : first + length])
        else:
            yield " ".join(random.choice(everything, length))
