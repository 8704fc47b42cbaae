"""Find sound that was delivered twice: no microphone hears the same twice to the last bit."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

Sequence64 = NDArray[np.uint64]

_WIDTH = 8
_KEEP_ONE_IN = 8
_PIECES = 4
_LEAST_ANCHORS = 3
_MULTIPLIER = 0x9E3779B97F4A7C15
"""2^64 over the golden ratio (Knuth, The Art of Computer Programming, 6.4)."""


class RepeatFinder:
    """Remember fingerprints of eight samples at places that the sound itself chooses.

    Every eighth fingerprint is kept by its own value, so the same sound keeps the same places wherever
    it begins: a repeat of some 100 samples or more is found, within the last four pieces.
    """

    def __init__(self) -> None:
        self._powers = np.array(
            [pow(_MULTIPLIER, power + 1, 1 << 64) for power in range(_WIDTH)], dtype=np.uint64
        )
        self.reset()

    def reset(self) -> None:
        """Forget all sound."""
        self._known: deque[tuple[Sequence64, NDArray[np.int64]]] = deque(maxlen=_PIECES)
        self._frame = 0

    def process(self, mono: NDArray[np.float32]) -> bool:
        """Return whether this piece, shape ``(frames,)``, holds sound that was there before."""
        anchors, places = self._anchors(mono)
        self._known.append((anchors, places + self._frame))
        self._frame += len(mono)
        everything = np.concatenate([one for one, _ in self._known])
        ordered = np.sort(everything)
        if not (ordered[1:] == ordered[:-1]).any():  # a tenth of the cost of what follows
            return False
        where = np.concatenate([one for _, one in self._known])
        order = np.argsort(everything, kind="stable")
        is_twin = everything[order][1:] == everything[order][:-1]
        lags = (where[order][1:] - where[order][:-1])[is_twin]
        is_new = where[order][1:][is_twin] >= self._frame - len(mono)
        # a true repeat has one lag; tones that meet the same phase by chance have many
        counts = np.unique(lags[is_new], return_counts=True)[1]
        return bool(len(counts)) and int(counts.max()) >= max(_LEAST_ANCHORS, int(counts.sum()) / 2)

    def _anchors(self, mono: NDArray[np.float32]) -> tuple[Sequence64, NDArray[np.int64]]:
        bits = np.ascontiguousarray(mono).view(np.uint32).astype(np.uint64)
        count = len(bits) - _WIDTH + 1
        mixed = np.zeros(count, np.uint64)
        for power, multiplier in enumerate(self._powers):
            mixed += bits[power : power + count] * multiplier
        mixed ^= mixed >> np.uint64(29)
        changes = np.flatnonzero(mixed % np.uint64(_KEEP_ONE_IN) == 0)
        # a constant is the same as itself at every place
        changes = changes[bits[changes] != bits[changes + _WIDTH - 1]]
        return mixed[changes], changes
