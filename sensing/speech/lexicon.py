"""How words are said: a dictionary of American English, and what to do with words that it lacks."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from itertools import count, product
from pathlib import Path

from sensing.speech.phones import phone_labels

Phones = tuple[int, ...]

_DICTIONARY = Path("model") / "en-us" / "cmudict-en-us.dict"
_LONGEST_INITIALISM = 4
_LETTER_NAMES = {"a": "EY"}
"""As a letter; as a word it is mostly another sound."""


class Lexicon:
    """All ways to say a word, as labels of phones.

    Words come from PocketSphinx's copy of the CMU dictionary. A word that it lacks is said as
    `pronounce` says it and, where it is short enough to be an initialism such as ``hvac``, also
    letter by letter.

    Parameters
    ----------
    pronounce : callable or None
        Returns the ARPAbet phones of a word, separated by spaces, or raises ValueError.
    """

    def __init__(self, pronounce: Callable[[str], str] | None = None) -> None:
        self._pronounce = pronounce
        self._known: dict[str, tuple[Phones, ...]] = {}

    def pronunciations(self, word: str) -> tuple[Phones, ...]:
        """Return at least one pronunciation of a word in lower case, the usual one first.

        Raises
        ------
        ValueError
            Nobody knows how to say it; the message names the word.
        """
        if word not in self._known:
            try:
                ways = [phone_labels(way.split()) for way in _in_dictionary(word) or self._guesses(word)]
            except ValueError as error:
                raise ValueError(f"{word!r} cannot be said ({error}); use another name") from error
            self._known[word] = tuple(dict.fromkeys(way for way in ways if way))
        if not self._known[word]:
            raise ValueError(f"{word!r} cannot be said: the dictionary lacks it; use another name")
        return self._known[word]

    def _guesses(self, word: str) -> list[str]:
        """Return ways to say a word that the dictionary lacks."""
        ways = [] if self._pronounce is None else [self._pronounce(word)]
        if word.isascii() and word.isalpha() and len(word) <= _LONGEST_INITIALISM:
            letters = [[_LETTER_NAMES[one]] if one in _LETTER_NAMES else _in_dictionary(one) for one in word]
            ways += [" ".join(way) for way in product(*letters)]
        return ways


def _in_dictionary(word: str) -> list[str]:
    """Return the dictionary's pronunciations: lines ``word phones``, then ``word(2) phones`` and so on."""
    lines, found = _dictionary(), list[str]()
    for number in count(1):
        head = f"{word} " if number == 1 else f"{word}({number}) "
        place = bisect_left(lines, head.encode())
        if place == len(lines) or not lines[place].startswith(head.encode()):
            return found
        found.append(lines[place][len(head.encode()) :].decode())
    raise AssertionError("unreachable")


@cache
def _dictionary() -> list[bytes]:
    """Return the lines in the order of their bytes: a third of the memory of a mapping."""
    package = find_spec("pocketsphinx")
    if package is None or package.origin is None:
        raise FileNotFoundError("the package pocketsphinx, whose dictionary is needed, is not installed")
    return sorted((Path(package.origin).parent / _DICTIONARY).read_bytes().splitlines())
