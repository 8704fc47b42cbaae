"""How the words of a grammar are written in the tokens of somebody's model: letters, or pieces of words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensing.speech.lexicon import Lexicon, Phones
from sensing.speech.phones import LABELS

_LEAST = -1e4
"""Log probability of a label that the model does not have."""


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
        """Return the numbers of the fewest tokens that write a word, in each case that can be written."""
        mark = " " if any(token.startswith(" ") for token in self.tokens) else ""
        cases = dict.fromkeys(mark + form for form in (word, word.capitalize(), word.upper()))
        numbers = {token: number for number, token in enumerate(self.tokens) if number != self.blank}
        longest = max(map(len, self.tokens), default=0)
        return tuple(found for case in cases if (found := _fewest(case, numbers, longest)))


def _fewest(text: str, numbers: dict[str, int], longest: int) -> tuple[int, ...]:
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
        A word cannot be written, or together they need more tokens than there are labels.
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
        if len(self._used) + 2 > LABELS:
            raise TokensUnfit(f"{len(self._used)} tokens are needed, and {LABELS - 2} can be told apart")
        self._label_of = {token: label for label, token in enumerate(self._used, start=1)}

    def pronunciations(self, word: str) -> tuple[Phones, ...]:
        """Return the labels of each way to write a word."""
        return tuple(tuple(self._label_of[token] for token in way) for way in self._spellings[word])

    def labelled(self, log_probs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a model's frames, shape ``(frames, tokens)``, as those of labels, shape ``(frames, 40)``."""
        labels = np.full((len(log_probs), LABELS), np.float32(_LEAST))
        labels[:, 0] = log_probs[:, self._blank]
        labels[:, 1 : len(self._used) + 1] = log_probs[:, self._used]
        if self._others:
            labels[:, len(self._used) + 1] = log_probs[:, self._others].max(axis=1)
        return labels
