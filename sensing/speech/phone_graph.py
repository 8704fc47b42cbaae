"""A grammar as arrays: the phones of every sentence, ready for token passing.

Each pronunciation of each arc of words is a chain of phones. A *place* lies behind every phone: inside a word
it has one way in and one way out; at a node of the word graph all the chains that end there meet. Blanks
belong to places, so that words share the pause between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from sensing.speech.biasing import Bias
from sensing.speech.grammar import Grammar
from sensing.speech.lexicon import Lexicon, Phones
from sensing.speech.word_automaton import WordAutomaton, minimal_automaton

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Chain:
    """One way to say a word between two nodes."""

    word: str
    phones: Phones
    weight: float
    """Log prior in nats."""
    source: int
    target: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Repeats:
    """Phones that a phone of the same label may precede: between equal phones there must be a blank.

    ``phones`` are entered from the blank of their place, or from the phones ``others[first:last]`` of another
    label, where ``group`` numbers the pieces into which ``first`` cuts ``others``; -1 for none.
    """

    phones: Indices
    places: Indices
    grouped: Indices
    """Which of ``phones`` have others at all."""
    group: Indices
    others: Indices
    first: Indices


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhoneGraph:
    """Phones and places of a grammar.

    The first ``inner`` phones lie inside words, and the place behind phone ``i`` is place ``i``. Then comes
    the last phone of each chain, in the order of ``chains``: by the node that they lead to, then by label.
    Node ``n`` is place ``inner + n``; the start is the last node, and no chain leads to it.
    """

    chains: tuple[Chain, ...]
    labels: Indices
    """The label of each phone, shape ``(phones,)``."""
    sources: Indices
    """The place before each phone, shape ``(phones,)``."""
    weights: NDArray[np.float32]
    """Nats to enter each phone, shape ``(phones,)``: the word's prior, at its first phone."""
    inner: int
    into: Indices
    """Where the chains into each node but the start begin, shape ``(nodes - 1,)``."""
    ends: Indices
    """Nodes at which a sentence may end."""
    going_on: Indices
    """Nodes from which a sentence may go on, the start left out."""
    repeats: Repeats
    positions: NDArray[np.int32]
    """Chain and place in it of each phone, shape ``(phones, 2)``."""
    arrivals: tuple[tuple[tuple[int, int, int], ...], ...]
    """Chains into each node, the start too, by their last label: ``(label, first chain, end chain)``."""

    @property
    def nodes(self) -> int:
        """Ends of words, and the start."""
        return len(self.into) + 1

    @property
    def start(self) -> int:
        """The node before all sentences."""
        return len(self.into)

    @property
    def edges(self) -> int:
        """Ways from a phone to the next without a blank between, for comparison with other decoders."""
        arriving = np.bincount([chain.target for chain in self.chains], minlength=self.nodes)
        return self.inner + int(sum(arriving[chain.source] for chain in self.chains))


def compile_phones(grammar: Grammar, lexicon: Lexicon, bias: Bias | None = None) -> PhoneGraph:
    """Return the phones of a grammar.

    Parameters
    ----------
    grammar : Grammar
        What may be said; an empty sentence is left out.
    lexicon : Lexicon
        How its words are said.
    bias : mapping or None
        Log priors of phrases, in nats.

    Raises
    ------
    ValueError
        A word cannot be said, or there are no words; the message says which.
    """
    words = minimal_automaton(grammar, bias)
    numbers = _node_numbers(words)
    chains = sorted(
        (
            Chain(arc.word, phones, arc.weight, numbers[arc.first], numbers[arc.last])
            for arc in words.arcs
            for phones in lexicon.pronunciations(arc.word)
        ),
        key=lambda chain: (chain.target, chain.phones[-1]),
    )
    return _laid_out(chains, ends=[numbers[node] for node in words.ends if node in numbers])


def _node_numbers(words: WordAutomaton) -> dict[int, int]:
    """Return new numbers of the nodes: each that an arc leads to, then the start."""
    numbers = {node: new for new, node in enumerate(dict.fromkeys(arc.last for arc in words.arcs))}
    numbers[words.start] = len(numbers)
    return numbers


def _laid_out(chains: Sequence[Chain], ends: Iterable[int]) -> PhoneGraph:
    """Return the arrays of chains in their order."""
    lengths = np.array([len(chain.phones) for chain in chains])
    said = np.concatenate([chain.phones for chain in chains])
    number = np.repeat(np.arange(len(chains)), lengths)
    position = np.arange(len(said)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    is_last = position == lengths[number] - 1
    order = np.concatenate([np.flatnonzero(~is_last), np.flatnonzero(is_last)])
    inner = len(said) - len(chains)
    place = np.empty(len(said), np.intp)
    place[order] = np.arange(len(said))  # the place behind each inner phone
    source_node = inner + np.array([chain.source for chain in chains])
    is_first = position == 0
    sources = np.where(is_first, source_node[number], np.roll(place, 1))[order]
    weights = np.where(is_first, np.array([chain.weight for chain in chains])[number], 0.0)[order]
    targets = np.array([chain.target for chain in chains])
    labels = said[order].astype(np.intp)
    start = int(targets[-1]) + 1
    return PhoneGraph(
        chains=tuple(chains),
        labels=labels,
        sources=sources.astype(np.intp),
        weights=weights.astype(np.float32),
        inner=inner,
        into=np.flatnonzero(np.diff(targets, prepend=-1)).astype(np.intp),
        ends=np.array(sorted(ends), np.intp),
        going_on=np.setdiff1d(source_node - inner, [start]).astype(np.intp),
        repeats=_repeats(labels, sources, inner, targets),
        positions=np.stack([number, position], axis=1)[order].astype(np.int32),
        arrivals=_arrivals(chains, start),
    )


def _arrivals(chains: Sequence[Chain], start: int) -> tuple[tuple[tuple[int, int, int], ...], ...]:
    """Group the chains into each node by their last label."""
    groups: list[list[tuple[int, int, int]]] = [[] for _ in range(start + 1)]
    first = 0
    for (node, label), same in groupby(chains, key=lambda chain: (chain.target, chain.phones[-1])):
        end = first + sum(1 for _ in same)
        groups[node].append((label, first, end))
        first = end
    return tuple(map(tuple, groups))


def _repeats(labels: Indices, sources: Indices, inner: int, targets: Indices) -> Repeats:
    """Find the phones that may follow a phone of their own label."""
    behind = np.concatenate([np.arange(inner), inner + targets])  # the place behind each phone
    many = int(labels.max()) + 1
    arriving = np.unique(behind * many + labels)
    keys = sources * many + labels
    phones = np.flatnonzero(np.isin(keys, arriving))
    groups: dict[int, int] = {}
    others, first, grouped, group = list[Indices](), list[int](), list[int](), list[int]()
    count = 0
    for index, key in enumerate(keys[phones].tolist()):
        place, label = divmod(key, many)
        if key not in groups:
            low, high = np.searchsorted(targets, [place - inner, place - inner + 1])
            apart = inner + low + np.flatnonzero(labels[inner + low : inner + high] != label)
            groups[key] = len(first) if place >= inner and len(apart) else -1
            if groups[key] >= 0:
                others.append(apart)
                first.append(count)
                count += len(apart)
        if groups[key] >= 0:
            grouped.append(index)
            group.append(groups[key])
    return Repeats(
        phones=phones,
        places=sources[phones].astype(np.intp),
        grouped=np.array(grouped, np.intp),
        group=np.array(group, np.intp),
        others=np.concatenate([np.zeros(0, np.intp), *others]),
        first=np.array(first, np.intp),
    )
