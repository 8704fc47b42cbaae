"""What each band is like when nobody moves, learnt while listening."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Decibels = NDArray[np.float32]

FLOOR_HOPS = 600
"""The floor is that of the last 30 s: a fan that goes on running is part of the room by then."""

_QUANTILE = 0.2
_SETTLED_HOPS = 40
_FEW_BIAS_DB = 3.0
"""How far the lowest of a few noise hops lies below the quantile of many."""
_REFRESH_HOPS = 10
_CLOSE_IN_DB = 12.0
"""In a quiet room the bands near the carrier lie up to so much above the outermost one: measured on phones,
9 to 12 dB, by jitter, mains and breathing air."""
_TRUSTED_HOPS = 200
_TRUST_DB_PER_HOP = 0.1


class NoiseFloor:
    """A low quantile of each band's last 30 s.

    In the first seconds there is no past worth the name. So the floor is bounded from above by the outermost
    bands, which only running people reach: a recording that begins with a walk is seen. After 10 s the bound
    is lifted by 2 dB a second, because the spectrum of stirred air is steeper than any such bound.

    Parameters
    ----------
    bands : int
        Even: one side of the carrier, lowest frequency first, then the other side.

    Attributes
    ----------
    hops : int
        How many were heard since the last reset.
    """

    def __init__(self, bands: int) -> None:
        self._bands = bands
        self.reset()

    def reset(self) -> None:
        """Forget the past."""
        self._history = np.zeros((FLOOR_HOPS, self._bands), np.float32)
        self._floor = np.zeros(self._bands, np.float32)
        self.hops = 0

    def process(self, bands_db: Decibels) -> Decibels:
        """Return the floor at each hop in dB, of the same shape ``(hops, bands)``; the hop itself counts."""
        floors = np.empty_like(bands_db)
        for row, hop_db in enumerate(bands_db):
            self._history[self.hops % FLOOR_HOPS] = hop_db
            self.hops += 1
            if self.hops < _SETTLED_HOPS or self.hops % _REFRESH_HOPS == 0:
                self._refresh()
            floors[row] = self._floor
        return floors

    def _refresh(self) -> None:
        known = self._history[: min(self.hops, FLOOR_HOPS)]
        place = round(_QUANTILE * (len(known) - 1))
        quantile = np.partition(known, place, axis=0)[place]
        half = self._bands // 2
        far_db = min(quantile[half - 1], quantile[-1])
        bias_db = _FEW_BIAS_DB * max(0.0, 1 - self.hops / _SETTLED_HOPS)
        lifted_db = _TRUST_DB_PER_HOP * max(0, self.hops - _TRUSTED_HOPS)
        self._floor = np.minimum(quantile + bias_db, far_db + _CLOSE_IN_DB + lifted_db).astype(np.float32)
