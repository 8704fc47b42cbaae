"""The smallest graph of words that says the same sentences with the same weights.

A grammar's silent arcs are taken out, equal beginnings become one (Rabin and Scott 1959), and equal ends
become one again. A decoder pays for every arc in every frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sensing.speech.biasing import Bias, PhraseMatcher
from sensing.speech.grammar import Grammar

_MOST_GROWTH = 4
"""States per arc of the grammar at which beginnings are no longer shared: in the worst case a graph with
shared beginnings is exponentially larger."""


@dataclass(frozen=True, slots=True)
class WordArc:
    """A word between two nodes, and its log prior in nats."""

    first: int
    last: int
    word: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WordAutomaton:
    """An acyclic graph; a sentence is a path from ``start`` to one of ``ends``."""

    start: int
    ends: frozenset[int]
    arcs: tuple[WordArc, ...]


def minimal_automaton(grammar: Grammar, bias: Bias | None = None) -> WordAutomaton:
    """Return the grammar as a small graph without silent arcs, weighted by the bias.

    Raises
    ------
    ValueError
        No sentence has a word.
    """
    return _Minimal(grammar, PhraseMatcher(bias or {})).automaton()


_Ways = tuple[bool, frozenset[tuple[str, float, int]]]
"""Whether a sentence may end at a node, and its arcs as ``(word, weight, node)``."""


class _Minimal:
    def __init__(self, grammar: Grammar, matcher: PhraseMatcher) -> None:
        self._grammar = grammar
        self._matcher = matcher
        self._leaving: dict[int, list[tuple[int, str | None]]] = {}
        for first, last, word in grammar.arcs:
            self._leaving.setdefault(first, []).append((last, word))
        self._most = _MOST_GROWTH * len(grammar.arcs)
        self._known: dict[tuple[frozenset[int], tuple[str, ...]], int] = {}
        self._nodes: dict[_Ways, int] = {}

    def automaton(self) -> WordAutomaton:
        """Return the graph; numbers of nodes rise from the ends to the start."""
        start = self._node(frozenset({self._grammar.start}), self._matcher.start)
        arcs = _reachable(start, {number: ways for (_, ways), number in self._nodes.items()})
        if not arcs:
            raise ValueError("no sentence of the grammar has a word")
        ends = frozenset(number for (ends_here, _), number in self._nodes.items() if ends_here)
        return WordAutomaton(start=start, ends=ends - {start}, arcs=tuple(arcs))

    def _node(self, places: frozenset[int], said: tuple[str, ...]) -> int:
        """Return the node at which the grammar may be at any of some places."""
        key = (places, said)
        if key in self._known:
            return self._known[key]
        ends_here, following = self._following(places)
        ways = set[tuple[str, float, int]]()
        for word, targets in following.items():
            reached, weight = self._matcher.after(said, word)
            shared = len(self._known) < self._most
            for group in [frozenset(targets)] if shared else [frozenset({one}) for one in targets]:
                ways.add((word, weight, self._node(group, reached)))
        node = self._nodes.setdefault((ends_here, frozenset(ways)), len(self._nodes))
        self._known[key] = node
        return node

    def _following(self, places: frozenset[int]) -> tuple[bool, dict[str, set[int]]]:
        """Return whether a sentence may end, and where each word leads, over silent arcs too."""
        waiting, seen, following = list(places), set(places), dict[str, set[int]]()
        while waiting:
            for last, word in self._leaving.get(waiting.pop(), ()):
                if word is not None:
                    following.setdefault(word, set()).add(last)
                elif last not in seen:
                    seen.add(last)
                    waiting.append(last)
        return self._grammar.final in seen, following


def _reachable(start: int, leaving: Mapping[int, frozenset[tuple[str, float, int]]]) -> list[WordArc]:
    """Return the arcs on paths from the start, in an order that does not depend on hashes."""
    arcs, waiting, seen = list[WordArc](), [start], {start}
    while waiting:
        node = waiting.pop()
        for word, weight, last in sorted(leaving[node]):
            arcs.append(WordArc(node, last, word, weight))
            if last not in seen:
                seen.add(last)
                waiting.append(last)
    return arcs
