"""Words that sound nearly like a wake word: what a head must learn to refuse."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from pocketsphinx import get_model_path
from rapidfuzz.distance import Levenshtein

_FARTHEST_PHONES = 2
_LEAST_LETTERS = 3
_LONGEST_PART = 0.75
"""Of a phrase's letters: what is longer is nearly the phrase itself."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A text, and how many phones it is away from the phrase."""

    text: str
    distance: int


@cache
def dictionary() -> dict[str, tuple[str, ...]]:
    """Return the phones of the words of PocketSphinx's dictionary, the first pronunciation of each."""
    words = {}
    for line in Path(get_model_path("en-us/cmudict-en-us.dict")).read_text("utf-8").splitlines():
        word, *phones = line.split()
        if word.isalpha():
            words[word] = tuple(phones)
    return words


def phones_of(phrase: str) -> tuple[str, ...]:
    """Return the phones of a phrase.

    Raises
    ------
    KeyError
        A word is not in the dictionary.
    """
    return tuple(phone for word in phrase.lower().split() for phone in dictionary()[word])


def neighbours(word: str) -> list[Neighbour]:
    """Return the dictionary's words that are a phone or two from a word, the nearest first.

    At most a third of the phones differ, so a word of two phones has none. A word in which the whole word is
    heard, such as its plural, is no neighbour. Words that the dictionary does not know have none.
    """
    known = dictionary()
    phones = known.get(word.lower(), ())
    most = min(_FARTHEST_PHONES, len(phones) // 3)
    near = [
        Neighbour(other, distance)
        for other, said in known.items()
        if most
        and abs(len(said) - len(phones)) <= most
        and 0 < (distance := Levenshtein.distance(phones, said, score_cutoff=most)) <= most
        and not _contains(said, phones)
    ]
    return sorted(near, key=lambda one: (one.distance, one.text))


@cache
def confusable(phrase: str) -> tuple[str, ...]:
    """Return texts that are nearly the phrase: one word replaced by a neighbour, and parts of it.

    The nearest come first. None of them holds the whole phrase.
    """
    words = phrase.lower().split()
    replaced = [
        (near.distance, " ".join([*words[:index], near.text, *words[index + 1 :]]))
        for index, word in enumerate(words)
        for near in neighbours(word)
    ]
    return tuple(dict.fromkeys([*parts(phrase), *(text for _, text in sorted(replaced))]))


def parts(phrase: str) -> list[str]:
    """Return beginnings and ends of a phrase: its words without one, and pieces of a single word."""
    words = phrase.lower().split()
    if len(words) > 1:
        cuts = range(1, len(words))
        both = [" ".join(words[:cut]) for cut in cuts] + [" ".join(words[cut:]) for cut in cuts]
        return list(dict.fromkeys([*both, *(f"{second} {first}" for first, second in pairwise(words))]))
    [word] = words
    lengths = range(_LEAST_LETTERS, int(_LONGEST_PART * len(word)) + 1)
    return [word[:length] for length in lengths] + [word[-length:] for length in lengths]


def _contains(phones: tuple[str, ...], part: tuple[str, ...]) -> bool:
    return any(phones[first : first + len(part)] == part for first in range(len(phones) - len(part) + 1))
