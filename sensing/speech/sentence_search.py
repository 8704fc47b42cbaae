"""The best sentences of an utterance, each word sequence once, from the scores of token passing.

A best-first search backwards over endings of sentences (A*, as in Soong and Huang 1991). An ending of some
words holds its best score for every frame at which the word before it may end; added to the token scores
there, that is exactly the score of the best sentence with this ending. So no estimate is needed, complete
sentences come out in order, and different pronunciations and alignments of the same words never crowd the
list. Time is never a loop: staying in a label from one frame to another is a difference of cumulative sums,
and the best moment to leave it a running maximum.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

import numpy as np
from numpy.typing import NDArray

from sensing.speech.phone_graph import Chain, PhoneGraph
from sensing.speech.phones import BLANK
from sensing.speech.token_passing import Trellis

Scores = NDArray[np.float64]
"""Nats for each frame."""

_ROUNDING = 1e-2
"""Nats by which token passing in float32 may differ from the search in float64, with room to spare."""


@dataclass(frozen=True, slots=True)
class FoundWord:
    """A word, its frames, and its score against the filler in nats (at most 0, without priors)."""

    text: str
    first_frame: int
    end_frame: int
    score: float


@dataclass(frozen=True, slots=True)
class FoundSentence:
    """A word sequence on its best path."""

    words: tuple[FoundWord, ...]
    score: float
    """Nats against the filler over the whole utterance, priors included."""
    prior: float
    """The priors' part of it."""

    @property
    def texts(self) -> tuple[str, ...]:
        """The words alone."""
        return tuple(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class _Rest:
    """What may follow a place behind a phone."""

    gates: dict[int, Scores]
    """For the first label of what follows, see `SentenceSearch._gate`."""
    silence: Scores | None = None
    """The end, for each frame in which the phone before it ends."""


@dataclass(frozen=True, slots=True)
class _ChainScores:
    """Best scores from the frame in which each phone of a chain begins, and after that in which it ends."""

    enter: list[Scores]
    leave: list[Scores]


@dataclass(frozen=True, slots=True)
class _Ending:
    """Words at the end of sentences, and what they cost from each node."""

    words: tuple[str, ...]
    rests: dict[int, _Rest]
    chains: dict[int, _ChainScores]
    """Of the first of the words."""
    following: _Ending | None


class SentenceSearch:
    """Find the best sentences of the frames so far.

    Parameters
    ----------
    graph, trellis
        Of the same token passing. The trellis must not change while sentences are taken.
    """

    def __init__(self, graph: PhoneGraph, trellis: Trellis) -> None:
        self._graph = graph
        self._trellis = trellis
        self._frames = len(trellis.emissions)
        emissions = trellis.emissions.astype(np.float64)
        zero = np.zeros((1, emissions.shape[1]))
        self._sums = np.ascontiguousarray(np.concatenate([zero, emissions.cumsum(axis=0)]).T)
        self._edge_sums = np.concatenate([[0.0], trellis.edge.astype(np.float64).cumsum()])

    def sentences(self, most: int) -> Iterator[FoundSentence]:
        """Yield up to ``most`` sentences of the grammar, best first, no word sequence twice."""
        if not self._frames:
            return iter(())
        silence = _Rest({}, self._edge_sums[-1] - self._edge_sums[1:])
        rests = {int(node): silence for node in self._graph.ends}
        return self._best_first(_Ending((), rests, {}, None), most)

    def words_so_far(self) -> tuple[FoundWord, ...]:
        """Return the whole words of the best path, also where its sentence is not over."""
        trellis = self._trellis
        if not self._frames:
            return ()
        if trellis.said >= max(trellis.phones.max(), trellis.blanks.max()):
            return next(self.sentences(1)).words
        ending = self._under_way()
        best = next(self._best_first(ending, 1), None)
        if best is None:
            return ()
        return best.words[: len(best.words) - len(ending.words)]

    def _best_first(self, last: _Ending, most: int) -> Iterator[FoundSentence]:
        """Yield the best sentences with an ending."""
        order = count()  # equal scores come out in the order in which they were found
        waiting: list[tuple[float, int, _Ending, dict[int, list[int]] | None]] = []

        def wait(score: float, ending: _Ending, chains: dict[int, list[int]] | None) -> None:
            if score > -np.inf:
                heappush(waiting, (-score, next(order), ending, chains))

        def grow(ending: _Ending) -> None:
            wait(self._whole(ending), ending, None)
            for score, chains in self._words_before(ending, most):
                wait(score, ending, chains)

        grow(last)
        found = 0
        while waiting and found < most:
            score, _, ending, chains = heappop(waiting)
            if chains is not None:
                grow(self._prepend(ending, chains))
            elif ending.words:
                found += 1
                yield self._traced(ending, -score)

    def _whole(self, ending: _Ending) -> float:
        """Return the score of an ending that is the whole sentence; -inf if it cannot be."""
        starts = [
            scores.enter[0]
            for number, scores in ending.chains.items()
            if self._graph.chains[number].source == self._graph.start
        ]
        return max((float((self._edge_sums[:-1] + enter).max()) for enter in starts), default=-np.inf)

    def _words_before(self, ending: _Ending, most: int) -> list[tuple[float, dict[int, list[int]]]]:
        """Return the best words before an ending: their exact scores, and their chains into each node."""
        graph, ends = self._graph, self._trellis.ends
        found: dict[str, list[tuple[float, int, int]]] = {}
        for node, rest in ending.rests.items():
            for label, first, end in graph.arrivals[node]:
                scores = (ends[:, first:end] + self._after(rest, label)[:, None]).max(axis=0)
                for number, score in enumerate(scores.tolist(), start=first):
                    found.setdefault(graph.chains[number].word, []).append((score, node, number))
        best = {word: max(ways)[0] for word, ways in found.items()}
        # Each word leads to another sentence, so more than the wanted number of them are never needed, and
        # for a single sentence only the chains of its path, whose score is known but for rounding.
        slack = _ROUNDING if most == 1 else np.inf
        likeliest = sorted((word for word in best if best[word] > -np.inf), key=lambda word: -best[word])
        grown = []
        for word in likeliest[:most]:
            chains: dict[int, list[int]] = {}
            for score, node, number in found[word]:
                if score > -np.inf and score >= best[word] - slack:
                    chains.setdefault(node, []).append(number)
            grown.append((best[word], chains))
        return grown

    def _prepend(self, ending: _Ending, chains: dict[int, list[int]]) -> _Ending:
        """Return an ending that is longer by a word."""
        rests: dict[int, _Rest] = {}
        passed: dict[int, _ChainScores] = {}
        word = ""
        for node, numbers in chains.items():
            for number in numbers:
                chain = self._graph.chains[number]
                word, label = chain.word, chain.phones[0]
                passed[number] = self._through(chain, len(chain.phones), ending.rests[node])
                gates = rests.setdefault(chain.source, _Rest({})).gates
                gate = self._gate(passed[number].enter[0])
                gates[label] = np.maximum(gates[label], gate) if label in gates else gate
        return _Ending((word, *ending.words), rests, passed, ending)

    def _through(self, chain: Chain, length: int, rest: _Rest) -> _ChainScores:
        """Return the scores of the first phones of a chain before a rest."""
        enter, leave = list[Scores](), list[Scores]()
        following = self._after(rest, chain.phones[length - 1])
        for position in reversed(range(length)):
            label = chain.phones[position]
            sums = self._sums[label]
            leave.append(following)
            enter.append(_best_later(sums[1:] + following) - sums[:-1])
            if position:
                following = self._behind(self._gate(enter[-1]), chain.phones[position - 1] == label)
        enter[-1] += chain.weight
        return _ChainScores(enter[::-1], leave[::-1])

    def _gate(self, enter: Scores) -> Scores:
        """Return the best way into what can be entered, for each frame from which on there are blanks.

        Blanks since the utterance began are counted in; two frames follow in which nothing can be entered.
        """
        gate = np.full(self._frames + 2, -np.inf)
        gate[:-2] = _best_later(self._sums[BLANK, :-1] + enter)
        return gate

    def _behind(self, gate: Scores, is_equal: bool) -> Scores:
        """Return the scores behind a phone, for each frame in which it ends; an equal one needs a blank."""
        first = 2 if is_equal else 1
        return np.asarray(gate[first : first + self._frames] - self._sums[BLANK, 1:])

    def _after(self, rest: _Rest, label: int) -> Scores:
        """Return the scores of a rest behind a phone, for each frame in which it ends."""
        ways = [self._behind(gate, first == label) for first, gate in rest.gates.items()]
        if rest.silence is not None:
            ways.append(rest.silence)
        return ways[0] if len(ways) == 1 else np.asarray(np.maximum.reduce(ways))

    def _under_way(self) -> _Ending:
        """Return the end of the best path of all: silence at a node, or the beginning of a word."""
        graph, trellis = self._graph, self._trellis
        silence = _Rest({}, self._sums[BLANK, -1] - self._sums[BLANK, 1:])
        phone, place = int(trellis.phones.argmax()), int(trellis.blanks.argmax())
        is_blank = trellis.blanks[place] >= trellis.phones[phone]
        if is_blank and place >= graph.inner:
            return _Ending((), {place - graph.inner: silence}, {}, None)
        number, position = graph.positions[place if is_blank else phone].tolist()
        chain = graph.chains[number]
        if position == len(chain.phones) - 1:
            return _Ending((), {chain.target: silence}, {}, None)
        scores = self._through(chain, position + 1, silence)
        rests = {chain.source: _Rest({chain.phones[0]: self._gate(scores.enter[0])})}
        return _Ending((chain.word,), rests, {number: scores}, None)

    def _traced(self, ending: _Ending, score: float) -> FoundSentence:
        """Follow the best path of a whole sentence forwards."""
        words, prior = list[FoundWord](), 0.0
        node, frame, last = self._graph.start, -1, BLANK
        following: _Ending | None = ending
        while following is not None and following.chains:
            number, first = self._entered(following, node, frame, last)
            chain, scores = self._graph.chains[number], following.chains[number]
            frame, heard = self._followed(chain, scores, first)
            words.append(FoundWord(chain.word, first, frame + 1, heard))
            prior += chain.weight
            node, last, following = chain.target, chain.phones[len(scores.enter) - 1], following.following
        return FoundSentence(tuple(words), score, prior)

    def _entered(self, ending: _Ending, node: int, frame: int, last: int) -> tuple[int, int]:
        """Return the chain that follows a phone which ends in a frame, and the frame in which it begins."""
        waits = self._edge_sums if node == self._graph.start else self._sums[BLANK]
        ways = []
        for number, scores in ending.chains.items():
            chain = self._graph.chains[number]
            if chain.source == node:
                soonest = frame + 2 if chain.phones[0] == last else frame + 1
                if soonest < self._frames:
                    first = _best_moment(waits[:-1] + scores.enter[0], soonest)
                    ways.append((waits[first] + scores.enter[0][first], number, first))
        _, number, first = max(ways)
        return number, first

    def _followed(self, chain: Chain, scores: _ChainScores, first: int) -> tuple[int, float]:
        """Return the last frame of a chain that begins in a frame, and its score without priors."""
        heard = 0.0
        blanks = self._sums[BLANK]
        frame = first
        for position, leave in enumerate(scores.leave):
            sums = self._sums[chain.phones[position]]
            if position:
                soonest = frame + 2 if chain.phones[position] == chain.phones[position - 1] else frame + 1
                begun = _best_moment(blanks[:-1] + scores.enter[position], soonest)
                heard += blanks[begun] - blanks[frame + 1]
                first = begun
            frame = _best_moment(sums[1:] + leave, first)
            heard += sums[frame + 1] - sums[first]
        return frame, float(heard)


def _best_later(scores: Scores) -> Scores:
    """Return for each frame the best score from it on."""
    return np.asarray(np.maximum.accumulate(scores[::-1])[::-1])


def _best_moment(scores: Scores, soonest: int) -> int:
    """Return the frame of the best score from a frame on."""
    return soonest + int(scores[soonest:].argmax())
