"""How the words of a grammar are written in the tokens of somebody's model: letters, or pieces of words.

Which pieces a model takes for a word depends on how it was trained: byte pair encoding joins the pair of
pieces that was found first (Sennrich, Haddow and Birch 2016), and a unigram model mostly takes few pieces
(Kudo 2018). Neither is said in the vocabulary, so a word may be written both ways; the sound decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sensing.speech.lexicon import Lexicon, Phones

_LEAST = -1e4
"""Log probability of other tokens where the model has none."""


class TokensUnfit(ValueError):
    """A model's tokens cannot write the words of a grammar."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The tokens of a model of connectionist temporal classification.

    Attributes
    ----------
    tokens : tuple of str
        In the order of the model's outputs; a space at the front marks the beginning of a word.
    blank : int
        Number of the blank among them.
    """

    tokens: tuple[str, ...]
    blank: int

    def spellings(self, word: str) -> tuple[tuple[int, ...], ...]:
        """Return the tokens that write a word, in each case that can be written: the fewest, and joined."""
        mark = " " if any(token.startswith(" ") for token in self.tokens) else ""
        cases = dict.fromkeys(mark + form for form in (word, word.capitalize(), word.upper()))
        numbers = {token: number for number, token in enumerate(self.tokens) if number != self.blank}
        longest = max(map(len, self.tokens), default=0)
        ways = [
            way(case)
            for case in cases
            for way in (partial(_fewest, numbers, longest), partial(_joined, numbers))
        ]
        return tuple(dict.fromkeys(way for way in ways if way))


def _joined(numbers: Mapping[str, int], text: str) -> tuple[int, ...]:
    """Return letters joined pair by pair, the token with the lowest number first; nothing if one is missing.

    SentencePiece numbers the tokens of byte pair encoding in the order in which it found them.
    """
    pieces = list(text)
    while True:
        pairs = [numbers.get(first + second) for first, second in pairwise(pieces)]
        best = min((number for number in pairs if number is not None), default=None)
        if best is None:
            break
        place = pairs.index(best)
        pieces[place : place + 2] = [pieces[place] + pieces[place + 1]]
    return tuple(numbers[piece] for piece in pieces) if all(piece in numbers for piece in pieces) else ()


def _fewest(numbers: Mapping[str, int], longest: int, text: str) -> tuple[int, ...]:
    """Return the fewest tokens that join to a text, nothing where none do."""
    best: list[tuple[int, ...] | None] = [()]
    for end in range(1, len(text) + 1):
        ways = [
            (*before, numbers[text[first:end]])
            for first in range(max(0, end - longest), end)
            if (before := best[first]) is not None and text[first:end] in numbers
        ]
        best.append(min(ways, key=len, default=None))
    return best[-1] or ()


class TokenSpelling(Lexicon):
    """A lexicon whose phones are tokens, so that what decodes phones decodes tokens.

    The tokens that some words need get labels of their own; all others share one, the last: a sound that
    none of the words has.

    Parameters
    ----------
    vocabulary : Vocabulary
        Tokens of the model.
    words : iterable of str
        All that can be said, in lower case.

    Raises
    ------
    TokensUnfit
        A word cannot be written.
    """

    def __init__(self, vocabulary: Vocabulary, words: Iterable[str]) -> None:
        super().__init__()
        self._blank = vocabulary.blank
        self._spellings = {word: vocabulary.spellings(word) for word in words}
        for word, ways in self._spellings.items():
            if not ways:
                raise TokensUnfit(f"{word!r} cannot be written in the model's tokens")
        self._used = sorted({token for ways in self._spellings.values() for way in ways for token in way})
        self._others = [
            number
            for number in range(len(vocabulary.tokens))
            if number != vocabulary.blank and number not in set(self._used)
        ]
        self._label_of = {token: label for label, token in enumerate(self._used, start=1)}

    def pronunciations(self, word: str) -> tuple[Phones, ...]:
        """Return the labels of each way to write a word."""
        return tuple(tuple(self._label_of[token] for token in way) for way in self._spellings[word])

    def labelled(self, log_probs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a model's frames, shape ``(frames, tokens)``, as those of labels, ``(frames, labels)``."""
        others = log_probs[:, self._others].max(axis=1, initial=_LEAST)
        columns = log_probs[:, [self._blank]], log_probs[:, self._used], others[:, None]
        return np.concatenate(columns, axis=1, dtype=np.float32)
