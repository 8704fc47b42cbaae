"""Made-up output of an acoustic model, and what it means by the definition of CTC alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, product

import numpy as np
from numpy.typing import NDArray

from sensing.speech.grammar import Grammar
from sensing.speech.lexicon import Lexicon
from sensing.speech.phones import BLANK, LABELS
from sensing.speech.word_automaton import minimal_automaton


def normalised(scores: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return log probabilities of unnormalised ones."""
    return (scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)).astype(np.float32)


def random_frames(rng: np.random.Generator, frames: int, *, spread: float = 2.0) -> NDArray[np.float32]:
    """Return frames that mean nothing."""
    return normalised(rng.standard_normal((frames, LABELS)) * spread)


def clear_frames(labels: Sequence[int]) -> NDArray[np.float32]:
    """Return frames with one sure label each."""
    scores = np.zeros((len(labels), LABELS))
    scores[np.arange(len(labels)), labels] = 12.0
    return normalised(scores)


def heard(phones: Sequence[int], rng: np.random.Generator, *, noise: float = 1.3) -> NDArray[np.float32]:
    """Return noisy frames of phones: each lasts one to three, often with blanks between."""
    labels = [BLANK] * int(rng.integers(2, 8))
    for phone in phones:
        if phone == labels[-1] or rng.random() < 0.5:
            labels += [BLANK] * int(rng.integers(1, 3))
        labels += [phone] * int(rng.integers(1, 4))
    labels += [BLANK] * int(rng.integers(2, 12))
    scores = noise * rng.standard_normal((len(labels), LABELS))
    scores[np.arange(len(labels)), labels] += 5.0
    return normalised(scores)


def said(words: Sequence[str], lexicon: Lexicon, rng: np.random.Generator) -> list[int]:
    """Return the phones of words in one of their pronunciations."""
    ways = [lexicon.pronunciations(word) for word in words]
    return [phone for way in ways for phone in way[int(rng.integers(len(way)))]]


def random_sentences(grammar: Grammar, rng: np.random.Generator, count: int) -> Iterator[list[str]]:
    """Yield sentences of a grammar, chosen word by word."""
    automaton = minimal_automaton(grammar)
    for _ in range(count):
        node, words = automaton.start, list[str]()
        while True:
            leaving = [arc for arc in automaton.arcs if arc.first == node]
            if node in automaton.ends and (not leaving or rng.random() < 0.5):
                break
            arc = leaving[int(rng.integers(len(leaving)))]
            words.append(arc.word)
            node = arc.last
        yield words


def best_alignment(phones: Sequence[int], log_probs: NDArray[np.float32]) -> float:
    """Return the score of phones by the textbook recursion over a chain of phones and blanks."""
    states = [BLANK, *(label for phone in phones for label in (phone, BLANK))]
    scores = np.full(len(states), -np.inf)
    scores[:2] = log_probs[0, states[:2]]
    for frame in log_probs[1:].astype(np.float64):
        before = scores.copy()
        for index, label in enumerate(states):
            best = max(before[index], before[index - 1] if index else -np.inf)
            if index > 1 and label not in (BLANK, states[index - 2]):
                best = max(best, before[index - 2])
            scores[index] = best + frame[label]
    return float(scores[-2:].max())


def best_by_trying_all(phones: Sequence[int], log_probs: NDArray[np.float32]) -> float:
    """Return the score of phones by the definition: the best of all labellings that collapse to them."""
    known = sorted({BLANK, *phones})
    best = -np.inf
    for labels in product(known, repeat=len(log_probs)):
        if [label for label, _ in groupby(labels) if label != BLANK] == list(phones):
            best = max(best, float(log_probs[np.arange(len(labels)), labels].astype(np.float64).sum()))
    return best


def ranked(grammar: Grammar, lexicon: Lexicon, log_probs: NDArray[np.float32]) -> dict[str, float]:
    """Return every sentence's score against the likeliest labels, best first."""
    filler = float(log_probs.max(axis=1).astype(np.float64).sum())
    scores = {
        sentence: max(
            best_alignment([phone for way in ways for phone in way], log_probs)
            for ways in product(*(lexicon.pronunciations(word) for word in sentence.split()))
        )
        - filler
        for sentence in set(grammar.sentences())
        if sentence
    }
    return dict(sorted(scores.items(), key=lambda one: -one[1]))
