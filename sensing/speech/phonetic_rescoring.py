"""Which sentence of a grammar a text sounds most like.

A recogniser of free text writes "turn on the kitten light". The nearest sentence is a shortest path through
the grammar's graph of phones on one side and along the text's phones on the other, where a step takes a
phone for another (at the cost of `confusion_costs`), leaves one out, or puts one in (Wagner and Fischer 1974,
with a graph in place of the second string). So the cost grows with the graph, not with its sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensing.speech.grammar import Grammar
from sensing.speech.phone_distance import confusion_costs
from sensing.speech.phones import PHONES
from sensing.speech.spoken_form import spoken_words

_MISSING_COST = 0.6
"""Of a phone left out or put in: two of them cost a little more than any mistaken phone."""
_SILENT, _STRANGE = len(PHONES), len(PHONES)
"""As a phone of the graph: none. As a phone of the text: a sound that no grammar has."""
_NUMBER_OF_PHONE = {phone: number for number, phone in enumerate(PHONES)}
_DOUBTFUL_DISTANCE, _DOUBTFUL_WORD = 0.2, 0.15
"""Cost a phone, of the sentence and of its least alike word, at which the confidence is one half."""
_SHORT_WORD_PHONES = 2
"""Added to a word's phones, so that one sound of a short word does not count for all of it."""
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class NearestSentence:
    """The sentence of a grammar that a text sounds most like."""

    words: tuple[str, ...]
    starts: tuple[float, ...]
    """Where each word begins, as a share of the text's phones, 0 to 1."""
    distance: float
    """Cost of the mistakes, a phone of the longer of text and sentence: 0 where they sound the same."""
    word_distance: float
    """The same for the word that is least alike: "garage heater" is not "garage light"."""

    @property
    def confidence(self) -> float:
        """1 for the same sounds, one half where it is doubtful, 0 for other words."""
        doubt = max(self.distance / _DOUBTFUL_DISTANCE, self.word_distance / _DOUBTFUL_WORD)
        return max(0.0, 1.0 - doubt / 2)


class PhoneticRescoring:
    """Find the sentence of a grammar that a text sounds most like.

    Parameters
    ----------
    grammar : Grammar
        What may be said; without circles.
    pronounce : callable
        Returns the ARPAbet phones of a word, separated by spaces, or raises `ValueError`.

    Raises
    ------
    ValueError
        A word of the grammar has no pronunciation.
    """

    def __init__(self, grammar: Grammar, *, pronounce: Callable[[str], str]) -> None:
        self._pronounce = pronounce
        self._known: dict[str, list[int]] = {word: _phones(pronounce(word)) for word in sorted(grammar.words)}
        self._graph = _PhoneGraph(grammar, self._known)
        costs = np.full((len(PHONES) + 1, len(PHONES) + 1), np.inf)
        costs[:-1, :-1] = confusion_costs()
        costs[:-1, _STRANGE] = 1.0
        self._costs = costs

    def nearest(self, text: str) -> NearestSentence | None:
        """Return the nearest sentence; None for a text without words."""
        said = [phone for word in spoken_words(text) for phone in self._sounds(word)]
        if not said:
            return None
        costs = self._graph.costs(self._costs[:, said])
        steps = list(self._graph.path(costs, self._costs[:, said]))
        phones = sum(1 for step in steps if step.phone != _SILENT)
        words = [(step.word, step.place / len(said)) for step in steps if step.word is not None]
        return NearestSentence(
            words=tuple(word for word, _ in words),
            starts=tuple(start for _, start in words),
            distance=max(0.0, float(costs[self._graph.final, -1])) / max(len(said), phones),
            word_distance=_least_alike(steps),
        )

    def _sounds(self, word: str) -> list[int]:
        """Return a word's phones; what cannot be pronounced is like nothing."""
        if word not in self._known:
            try:
                return _phones(self._pronounce(word))
            except ValueError:
                return [_STRANGE] * len(word)
        return self._known[word]


def _least_alike(steps: Sequence[_Step]) -> float:
    """Return the greatest cost a phone of a word, without the phones that the text puts in."""
    totals: list[tuple[float, int]] = []
    for step in steps:
        if step.word is not None:
            totals.append((0.0, _SHORT_WORD_PHONES))
        if step.phone != _SILENT:
            cost, phones = totals[-1]
            totals[-1] = (cost + step.cost, phones + 1)
    return max((max(0.0, cost) / phones for cost, phones in totals), default=0.0)


def _phones(pronunciation: str) -> list[int]:
    return [_NUMBER_OF_PHONE[phone.rstrip("012")] for phone in pronunciation.split()]


@dataclass(frozen=True, slots=True)
class _Step:
    """An arc on the nearest path; ``place`` is the number of the text's phones before it."""

    phone: int
    word: str | None
    place: int
    cost: float


@dataclass(frozen=True, slots=True)
class _Level:
    """Arcs into the nodes of one depth, sorted by the node that they lead to."""

    sources: NDArray[np.intp]
    phones: NDArray[np.intp]
    targets: NDArray[np.intp]
    first_of_target: NDArray[np.intp]


class _PhoneGraph:
    """A grammar whose arcs are phones, in levels: all arcs of a level can be taken at once."""

    def __init__(self, grammar: Grammar, phones_of: dict[str, list[int]]) -> None:
        self._nodes = 1 + max(max(first, second) for first, second, _ in grammar.arcs)
        self._start, self.final = grammar.start, grammar.final
        arcs = [arc for one in grammar.arcs for arc in self._spelt(one, phones_of)]
        self._entering: dict[int, list[tuple[int, int, str | None]]] = {}
        for source, target, phone, word in arcs:
            self._entering.setdefault(target, []).append((source, phone, word))
        self._levels = self._in_levels()

    def _spelt(
        self, arc: tuple[int, int, str | None], phones_of: dict[str, list[int]]
    ) -> Iterator[tuple[int, int, int, str | None]]:
        """Yield an arc for each phone of a word, as ``(from, to, phone, word that begins here)``."""
        first, last, word = arc
        phones = [_SILENT] if word is None else phones_of[word]
        places = [first, *range(self._nodes, self._nodes + len(phones) - 1), last]
        self._nodes += len(phones) - 1
        for number, phone in enumerate(phones):
            yield places[number], places[number + 1], phone, word if number == 0 else None

    def _in_levels(self) -> list[_Level]:
        """Return the arcs in an order in which each comes after all that lead to it."""
        depths: dict[int, int] = {self._start: 0}
        waiting = [self.final]
        while waiting:
            node = waiting[-1]
            ahead = [source for source, _, _ in self._entering.get(node, ()) if source not in depths]
            if ahead and len(waiting) <= self._nodes:
                waiting += ahead
                continue
            if ahead:
                raise ValueError("the grammar runs in a circle")
            waiting.pop()
            depths.setdefault(node, 1 + max(depths[source] for source, _, _ in self._entering[node]))
        by_depth: dict[int, list[int]] = {}
        for node, depth in depths.items():
            if depth:
                by_depth.setdefault(depth, []).append(node)
        return [self._level(by_depth[depth]) for depth in sorted(by_depth)]

    def _level(self, targets: list[int]) -> _Level:
        entering = [self._entering[target] for target in targets]
        arcs = [arc for several in entering for arc in several]
        return _Level(
            sources=np.array([source for source, _, _ in arcs], np.intp),
            phones=np.array([phone for _, phone, _ in arcs], np.intp),
            targets=np.array(targets, np.intp),
            first_of_target=np.cumsum([0, *(len(several) for several in entering[:-1])]).astype(np.intp),
        )

    def costs(self, mistakes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the least cost of each node after each number of the text's phones.

        Parameters
        ----------
        mistakes : ndarray
            Cost of each phone of the graph (rows) for each phone of the text, shape ``(40, said)``.

        Returns
        -------
        ndarray
            Shape ``(nodes, said + 1)``; infinite where no path leads.
        """
        put_in = _MISSING_COST * np.arange(mistakes.shape[1] + 1)
        costs = np.full((self._nodes, len(put_in)), np.inf)
        costs[self._start] = put_in
        for level in self._levels:
            before = costs[level.sources]
            after = before + np.where(level.phones == _SILENT, 0.0, _MISSING_COST)[:, None]
            np.minimum(after[:, 1:], before[:, :-1] + mistakes[level.phones], out=after[:, 1:])
            best = np.minimum.reduceat(after, level.first_of_target, axis=0)
            costs[level.targets] = np.minimum.accumulate(best - put_in, axis=1) + put_in
        return costs

    def path(self, costs: NDArray[np.float64], mistakes: NDArray[np.float64]) -> Iterator[_Step]:
        """Yield the arcs of the cheapest path from start to end."""
        steps: list[_Step] = []
        node, place = self.final, costs.shape[1] - 1
        while node != self._start:
            step = self._step_into(node, place, costs, mistakes)
            if step is None:
                place -= 1  # a phone of the text that the sentence lacks
                continue
            reached = float(costs[node, place])
            node, place, phone, word = step
            steps.append(_Step(phone, word, place, reached - float(costs[node, place])))
        yield from reversed(steps)

    def _step_into(
        self, node: int, place: int, costs: NDArray[np.float64], mistakes: NDArray[np.float64]
    ) -> tuple[int, int, int, str | None] | None:
        """Return the arc by which the cheapest path came, None where it put in the text's last phone."""
        reached = costs[node, place] + _ROUNDING
        for source, phone, word in self._entering[node]:
            if place and costs[source, place - 1] + mistakes[phone, place - 1] <= reached:
                return source, place - 1, phone, word
            if costs[source, place] + (0.0 if phone == _SILENT else _MISSING_COST) <= reached:
                return source, place, phone, word
        return None
