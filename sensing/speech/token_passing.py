"""Exact Viterbi decoding of a phone graph, frame by frame as the sound comes.

Connectionist temporal classification (Graves et al. 2006): a phone may last several frames, blanks may lie
before, between and after phones, and between two equal phones there must be one. Each phone holds the score
of the best token in it (Young, Russell and Thornton 1989), each place that of the best token in its blank.

All scores are relative to the *filler*: the best way to explain the sound by any phones in any order, which
is the likeliest label of every frame. So 0 is as good as free sounds of speech, and float32 stays exact to
thousandths of a nat. Nothing is pruned. What words a path holds is found backwards (`sentence_search`), from
the scores at the ends of words alone, so tokens carry no history.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sensing.speech.phone_graph import PhoneGraph
from sensing.speech.phones import BLANK

_LEAST = -100.0
"""A label's log probability is at least this far below the likeliest one's; differences of sums of less
would lose their digits."""
_NEVER = np.float32(-np.inf)
_FIRST_FRAMES = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Whether a sentence is over, should the speaker now be silent.

    ``kind`` is ``over`` if the best sentence is complete and nothing else is likely to be under way,
    ``open`` if it is complete but may go on or a rival is under way, else ``inside``.
    """

    kind: Literal["over", "open", "inside"]
    lead: float
    """Nats by which the best complete sentence beats the best one under way; negative inside a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trellis:
    """What the search for words needs of the frames so far.

    Attributes
    ----------
    emissions : ndarray
        Log probabilities relative to the likeliest label, shape ``(frames, labels)``.
    edge : ndarray
        The same of a frame before or after the sentence, shape ``(frames,)``.
    ends : ndarray
        Score of the best token in the last phone of each chain, shape ``(frames, chains)``.
    phones, blanks : ndarray
        Scores of tokens in phones and in the blanks of places after the last frame.
    said : float
        Score of the best complete sentence.
    """

    emissions: NDArray[np.float32]
    edge: NDArray[np.float32]
    ends: NDArray[np.float32]
    phones: NDArray[np.float32]
    blanks: NDArray[np.float32]
    said: float


class TokenPassing:
    """Move the best tokens through a graph.

    Parameters
    ----------
    graph : PhoneGraph
        What may be said.
    edge_penalty : float or None
        Nats a frame for other sounds before and after the sentence; None allows only blanks there.
    """

    def __init__(self, graph: PhoneGraph, *, edge_penalty: float | None = None) -> None:
        self.graph = graph
        self._edge_least = _LEAST if edge_penalty is None else -edge_penalty
        self._is_weighted = bool(graph.weights.any())
        self.reset()

    def reset(self) -> None:
        """Begin an utterance."""
        graph = self.graph
        self._phones = np.full(len(graph.labels), _NEVER)
        self._blanks = np.full(graph.inner + graph.nodes, _NEVER)
        self._blanks[-1] = 0.0  # the start
        self._arrived = np.full(graph.inner + graph.nodes, _NEVER)
        self._words = np.full(len(graph.into), _NEVER)
        """The best token in the last phone of a word that leads to each node."""
        self._entries = np.empty_like(self._phones)
        self._heard = np.empty_like(self._phones)
        self._said = _NEVER
        """The best complete sentence and at least one frame of blank behind it."""
        self._emissions = np.empty((0, 0), np.float32)
        self._ends = np.empty((_FIRST_FRAMES, len(graph.chains)), np.float32)
        self.frames = 0

    def feed(self, log_probs: NDArray[np.float32]) -> None:
        """Take the next frames, shape ``(frames, labels)``: natural logarithms, the blank first."""
        if not self.frames:
            self._emissions = np.empty((len(self._ends), log_probs.shape[1]), np.float32)
        best = log_probs.max(axis=1, keepdims=True)
        emissions = np.maximum(log_probs - best, np.float32(_LEAST))
        while self.frames + len(emissions) > len(self._ends):
            self._emissions = np.concatenate([self._emissions, np.empty_like(self._emissions)])
            self._ends = np.concatenate([self._ends, np.empty_like(self._ends)])
        self._emissions[self.frames : self.frames + len(emissions)] = emissions
        for emission in emissions:
            self._step(emission)

    def _step(self, emission: NDArray[np.float32]) -> None:
        """Move all tokens by one frame."""
        graph, phones, blanks = self.graph, self._phones, self._blanks
        self._said = max(self._said, self._just_said()) + self._edge(emission[BLANK])
        arrived = self._arrive()
        np.take(arrived, graph.sources, out=self._entries, mode="clip")
        self._forbid_repeats()
        if self._is_weighted:
            self._entries += graph.weights
        np.maximum(phones, self._entries, out=phones)
        np.take(emission, graph.labels, out=self._heard, mode="clip")
        phones += self._heard
        np.add(arrived, emission[BLANK], out=blanks)
        blanks[-1] = arrived[-1] + self._edge(emission[BLANK])
        self._ends[self.frames] = phones[graph.inner :]
        np.maximum.reduceat(phones[graph.inner :], graph.into, out=self._words)
        self.frames += 1

    def _arrive(self) -> NDArray[np.float32]:
        """Return the best token at each place, in its blank or at the end of a phone before it."""
        graph, arrived = self.graph, self._arrived
        arrived[: graph.inner] = self._phones[: graph.inner]
        arrived[graph.inner : -1] = self._words
        arrived[-1] = _NEVER  # the start: only its blank
        return np.maximum(arrived, self._blanks, out=arrived)

    def _forbid_repeats(self) -> None:
        """Enter a phone that equals the one before it only from the blank between them."""
        repeats = self.graph.repeats
        if len(repeats.phones):
            entries = self._blanks[repeats.places]
            if len(repeats.others):
                others = np.maximum.reduceat(self._phones[repeats.others], repeats.first)
                entries[repeats.grouped] = np.maximum(entries[repeats.grouped], others[repeats.group])
            self._entries[repeats.phones] = entries

    def _edge(self, emission: np.float32) -> np.float32:
        return max(emission, np.float32(self._edge_least))

    def _just_said(self) -> np.float32:
        """Return the best token at the last phone of a complete sentence."""
        return np.float32(self._words[self.graph.ends].max())

    @property
    def score(self) -> float:
        """Nats of the best complete sentence against the filler, priors included; -inf before any fits."""
        return float(max(self._said, self._just_said()))

    @property
    def trellis(self) -> Trellis:
        """The frames so far; valid until the next frame or reset."""
        emissions = self._emissions[: self.frames]
        return Trellis(
            emissions=emissions,
            edge=np.maximum(emissions[:, BLANK], np.float32(self._edge_least)),
            ends=self._ends[: self.frames],
            phones=self._phones,
            blanks=self._blanks,
            said=self.score,
        )

    def ending(self, beam: float = 8.0) -> Ending:
        """Return whether the best sentence is over.

        Parameters
        ----------
        beam : float
            Nats below the best complete sentence at which another, under way, is no longer likely.
        """
        graph = self.graph
        arrived = self._arrive()[graph.inner :].copy()
        under_way = float(max(self._phones[: graph.inner].max(initial=_NEVER), self._blanks[-1]))
        under_way = max(under_way, float(self._blanks[: graph.inner].max(initial=_NEVER)))
        may_go_on = float(arrived[graph.going_on].max(initial=_NEVER))
        arrived[graph.ends] = _NEVER
        rival = max(under_way, float(arrived.max()))
        if self.score <= rival or self.score == -np.inf:
            return Ending(kind="inside", lead=self.score - rival if self.score > -np.inf else -np.inf)
        lead = self.score - max(rival, may_go_on)
        return Ending(kind="over" if lead > beam else "open", lead=lead)
