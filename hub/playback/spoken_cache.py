"""Sentences that have been spoken before, so that what is said often is said at once."""

from __future__ import annotations

from collections import OrderedDict

from sensing.audio_block import Block

_MOST_SECONDS = 120.0
"""Of sound in all: 23 MB at 48 kHz mono."""
_LONGEST_SECONDS = 15.0
"""Longer texts are rarely said twice."""


class SpokenCache:
    """The sentences that were spoken last, in memory; the one that was not wanted for longest goes first.

    Parameters
    ----------
    rate_hz : int
        Of the sound.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._said: OrderedDict[str, Block] = OrderedDict()
        self._frames = 0

    @property
    def seconds(self) -> float:
        """How much sound is kept."""
        return self._frames / self._rate_hz

    def get(self, text: str) -> Block | None:
        """Return a sentence if it is kept; the block cannot be written to."""
        said = self._said.get(text)
        if said is not None:
            self._said.move_to_end(text)
        return said

    def put(self, text: str, said: Block) -> None:
        """Keep a sentence, at the cost of older ones."""
        if said.shape[1] > _LONGEST_SECONDS * self._rate_hz or text in self._said:
            return
        kept = said.copy()
        kept.setflags(write=False)
        self._said[text] = kept
        self._frames += kept.shape[1]
        while self._frames > _MOST_SECONDS * self._rate_hz:
            _, oldest = self._said.popitem(last=False)
            self._frames -= oldest.shape[1]
