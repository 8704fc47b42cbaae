"""Sentence templates become a graph of words: what a recogniser may hear.

A template such as ``turn (on|off) [the] light[s]`` is text with choices that can also lie inside a
word. It first becomes a nondeterministic automaton over pieces of text (Thompson 1968) and then, as
pieces are joined at white space, an acyclic graph of whole words in which equal ends are shared.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hassil import Intents
from hassil.expression import (
    Alternative,
    Expression,
    Group,
    ListReference,
    Permutation,
    RuleReference,
    Sentence,
    TextChunk,
)
from hassil.intents import IntentData, RangeSlotList, SlotList, TextSlotList
from hassil.parser import ParseError
from unicode_rbnf import RbnfEngine

_NOT_SPOKEN = re.compile(r"[^\w\s']|_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """A graph of words; every path from ``start`` to ``final`` is a sentence.

    ``arcs`` are ``(from, to, word)``; a word of None is passed without a sound.
    """

    start: int
    final: int
    arcs: tuple[tuple[int, int, str | None], ...]

    @property
    def words(self) -> frozenset[str]:
        """All words of all sentences."""
        return frozenset(word for _, _, word in self.arcs if word is not None)

    def accepts(self, words: Sequence[str]) -> bool:
        """Return whether the words are a whole sentence."""
        leaving = self._leaving()
        nodes = {self.start}
        for word in (*words, None):
            waiting = list(nodes)
            while waiting:  # arcs without a word
                silent = {to for to, said in leaving.get(waiting.pop(), ()) if said is None} - nodes
                nodes |= silent
                waiting += silent
            if word is not None:
                nodes = {to for node in nodes for to, said in leaving.get(node, ()) if said == word}
        return self.final in nodes

    def sentences(self) -> Iterator[str]:
        """Yield every sentence, for tests of small grammars."""
        leaving = self._leaving()
        paths: list[tuple[int, tuple[str, ...]]] = [(self.start, ())]
        while paths:
            node, said = paths.pop()
            if node == self.final:
                yield " ".join(said)
            paths += [(to, said if word is None else (*said, word)) for to, word in leaving.get(node, ())]

    def _leaving(self) -> dict[int, list[tuple[int, str | None]]]:
        """Return the arcs of each node as ``(to, word)``."""
        leaving: dict[int, list[tuple[int, str | None]]] = {}
        for first, second, word in self.arcs:
            leaving.setdefault(first, []).append((second, word))
        return leaving


def compile_grammar(intents: Intents, *, after: str | None = None) -> Grammar:
    """Return the sentences of all intents as one graph.

    Sentences with an open list (a wildcard) or a list without values cannot be said and are left out.

    Parameters
    ----------
    intents : hassil.Intents
        Templates, lists and rules.
    after : str or None
        Words that may come before each sentence, such as the wake word.

    Raises
    ------
    ValueError
        There is no sentence, a rule is missing, or a template cannot be read; the message names it.
    """
    automaton = _Automaton(intents)
    try:
        for intent in intents.intents.values():
            for data in intent.data:
                for sentence in data.sentences:  # hassil reads the templates here
                    automaton.add(sentence, data)
    except ParseError as error:
        raise ValueError(f"a sentence template cannot be read: {error}") from error
    grammar = _WordGraph(automaton.arcs).grammar()
    return grammar if after is None else _preceded(grammar, after)


def _preceded(grammar: Grammar, words: str) -> Grammar:
    """Return the grammar with words that may come before any sentence."""
    new = 1 + max(max(first, second) for first, second, _ in grammar.arcs)
    said = words.split()
    places = [new + index for index in range(len(said))] + [grammar.start]
    prefix = [(places[index], places[index + 1], word) for index, word in enumerate(said)]
    return Grammar(start=new, final=grammar.final, arcs=(*grammar.arcs, *prefix, (new, grammar.start, None)))


class _Automaton:
    """Arcs of text between numbered states; 0 is the start and 1 the end of every sentence."""

    def __init__(self, intents: Intents) -> None:
        self._intents = intents
        self._numbers = RbnfEngine.for_language(intents.language)
        self._states = itertools.count(2)
        self.arcs: dict[int, list[tuple[str, int]]] = {}

    def add(self, sentence: Sentence, data: IntentData) -> None:
        """Add a template with the lists and rules of its own block."""
        lists = {**self._intents.slot_lists, **data.slot_lists}
        rules = {**self._intents.expansion_rules, **data.expansion_rules}
        end = self._walk(sentence.expression, 0, lists, rules)
        self._arc(end, "", 1)

    def _arc(self, first: int, text: str, second: int) -> None:
        self.arcs.setdefault(first, []).append((text, second))

    def _new(self, first: int, text: str) -> int:
        state = next(self._states)
        self._arc(first, text, state)
        return state

    def _walk(
        self,
        expression: Expression,
        first: int,
        lists: Mapping[str, SlotList],
        rules: Mapping[str, Sentence],
    ) -> int:
        """Add an expression that starts at a state; return the state at its end."""
        match expression:
            case TextChunk():
                return self._new(first, expression.text)
            case Alternative():
                return self._choice([[item] for item in expression.items], first, lists, rules)
            case Permutation():
                orders = [_spaced(order) for order in itertools.permutations(expression.items)]
                return self._choice(orders, first, lists, rules)
            case Group():
                for item in expression.items:
                    first = self._walk(item, first, lists, rules)
                return first
            case RuleReference():
                if expression.rule_name not in rules:
                    raise ValueError(f"no expansion rule <{expression.rule_name}>")
                return self._walk(rules[expression.rule_name].expression, first, lists, rules)
            case ListReference():
                values = list(self._values(expression, lists))
                affixes = (expression.prefix or "", expression.suffix or "")
                spoken = [[TextChunk(affixes[0]), value, TextChunk(affixes[1])] for value in values]
                return self._choice(spoken, first, lists, rules)
            case _:
                raise ValueError(f"cannot say {expression!r}")

    def _choice(
        self,
        ways: Iterable[Iterable[Expression]],
        first: int,
        lists: Mapping[str, SlotList],
        rules: Mapping[str, Sentence],
    ) -> int:
        """Add several ways from one state to one end; without a way the end is never reached."""
        end = next(self._states)
        for way in ways:
            last = first
            for expression in way:
                last = self._walk(expression, last, lists, rules)
            self._arc(last, "", end)
        return end

    def _values(self, reference: ListReference, lists: Mapping[str, SlotList]) -> Iterator[Expression]:
        """Yield the values of a list; none for an open or a missing list."""
        inline = reference.get_inline_range()
        slot_list = lists.get(reference.list_name)
        if inline is None and isinstance(slot_list, RangeSlotList):
            inline = (slot_list.start, slot_list.stop, slot_list.step)
        if inline is not None:
            first, last, step = inline
            for number in range(first, last + 1, step):
                yield TextChunk(self._numbers.format_number(number).text)
        elif isinstance(slot_list, TextSlotList):
            yield from (value.text_in for value in slot_list.values)


def _spaced(expressions: Iterable[Expression]) -> list[Expression]:
    """Return the expressions with white space between them."""
    return [piece for one in expressions for piece in (TextChunk(" "), one)]


class _WordGraph:
    """Joins the automaton's texts to words; equal ends become one node."""

    def __init__(self, arcs: Mapping[int, list[tuple[str, int]]]) -> None:
        self._texts = arcs
        self._known: dict[tuple[int, str], int | None] = {}
        self._nodes: dict[tuple[bool, frozenset[tuple[str, int]]], int] = {}
        self._final = self._node(True, frozenset())

    def grammar(self) -> Grammar:
        """Return the graph of everything that can be said."""
        start = self._ways(0, "")
        if start is None:
            raise ValueError("no sentence can be said: every template needs a list that is missing or open")
        arcs: list[tuple[int, int, str | None]] = []
        waiting, seen = [start], {start}
        leaving = {number: key for key, number in self._nodes.items()}
        while waiting:
            number = waiting.pop()
            ends_here, ways = leaving[number]
            if ends_here and number != self._final:
                arcs.append((number, self._final, None))
            for word, following in sorted(ways):
                arcs.append((number, following, word))
                if following not in seen:
                    seen.add(following)
                    waiting.append(following)
        return Grammar(start=start, final=self._final, arcs=tuple(arcs))

    def _node(self, ends_here: bool, ways: frozenset[tuple[str, int]]) -> int:
        return self._nodes.setdefault((ends_here, ways), len(self._nodes))

    def _ways(self, state: int, begun: str) -> int | None:
        """Return the node for a state in which the letters ``begun`` of a word are already said.

        None where no sentence can end.
        """
        key = (state, begun)
        if key not in self._known:
            ends_here, ways = self._collect(state, begun)
            self._known[key] = self._node(ends_here, frozenset(ways)) if ends_here or ways else None
        return self._known[key]

    def _collect(self, state: int, begun: str) -> tuple[bool, set[tuple[str, int]]]:
        """Return whether a sentence may end here, and which words lead where."""
        ends_here, ways = False, set[tuple[str, int]]()
        waiting, seen = [(state, begun)], set[tuple[int, str]]()
        while waiting:
            place = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            state, begun = place
            if state == 1:
                ends_here = ends_here or not begun
                if begun:
                    ways.add((begun, self._final))
            for text, following in self._texts.get(state, ()):
                words, rest = _cut(begun + text)
                if not words:
                    waiting.append((following, rest))
                    continue
                node = self._ways(following, rest)
                if node is None:
                    continue
                for word in reversed(words[1:]):
                    node = self._node(False, frozenset({(word, node)}))
                ways.add((words[0], node))
        return ends_here, ways


def _cut(text: str) -> tuple[list[str], str]:
    """Return the whole words of a text, and the begun word at its end."""
    plain = _NOT_SPOKEN.sub(" ", text.lower())
    words = plain.split()
    if not words or plain[-1].isspace():
        return words, ""
    return words[:-1], words[-1]
