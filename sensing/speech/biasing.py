"""Which words are expected: log priors in nats for words and phrases of a grammar.

Hearing the name of a lamp in the room where it hangs is likelier than hearing that of one elsewhere.
A prior of ``log(3)`` makes a phrase three times as likely as others; 0 changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import exp, log

SENTENCE_START = "^"
"""A phrase that begins with this, as in ``^ turn on``, counts only at the start of a sentence."""

Bias = Mapping[str, float]
"""Nats of each phrase: words in lower case, separated by spaces."""


def room_bias(names: Iterable[str], nats: float) -> Bias:
    """Return the same prior for each name of things in the speaker's room."""
    return {" ".join(name.lower().split()): nats for name in names}


def recency_bias(ages_seconds: Mapping[str, float], *, nats: float, half_life_seconds: float) -> Bias:
    """Return priors that halve with the time since each phrase was last said.

    Raises
    ------
    ValueError
        The half-life is not above zero.
    """
    if half_life_seconds <= 0:
        raise ValueError(f"a half-life of {half_life_seconds} s is not above zero")
    return {
        " ".join(phrase.lower().split()): nats * exp(-log(2) * age / half_life_seconds)
        for phrase, age in ages_seconds.items()
    }


def combined(*biases: Bias) -> Bias:
    """Return the sum of priors: independent reasons multiply the odds."""
    phrases = dict.fromkeys(phrase for bias in biases for phrase in bias)
    return {phrase: sum(bias.get(phrase, 0.0) for bias in biases) for phrase in phrases}


class PhraseMatcher:
    """Adds up the priors of the phrases that end at each word of a sentence (Aho and Corasick 1975).

    A state is the longest end of what was said that begins some phrase.
    """

    def __init__(self, bias: Bias) -> None:
        self._nats = {tuple(phrase.split()): nats for phrase, nats in bias.items() if nats}
        self._begun = {words[:end] for words in self._nats for end in range(len(words) + 1)} | {()}

    @property
    def start(self) -> tuple[str, ...]:
        """The state before the first word."""
        return self._longest((SENTENCE_START,))

    def after(self, state: tuple[str, ...], word: str) -> tuple[tuple[str, ...], float]:
        """Return the state after one more word, and the nats of the phrases that it completes."""
        reached = self._longest((*state, word))
        nats = sum(self._nats.get(reached[first:], 0.0) for first in range(len(reached)))
        return reached, nats

    def _longest(self, words: tuple[str, ...]) -> tuple[str, ...]:
        return next(words[first:] for first in range(len(words) + 1) if words[first:] in self._begun)
