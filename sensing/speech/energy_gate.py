"""The first level of hearing: whether anything is louder than the room itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PIECE_FRAMES = 320
"""20 ms at 16 kHz."""

_OPEN_DB = 6.0
"""Sound this far above the floor opens the gate."""
_HANGOVER_PIECES = 15
_FLOOR_PIECES = 100
"""The floor is the quietest piece of the last two seconds (minimum statistics, Martin 2001)."""
_QUIETEST_DBFS = -70.0
"""Below this nothing is speech, whatever the floor: digital silence has no floor."""
_SPEECH_PERCENTILE = 90
"""A wake word fills a quarter of two seconds, so the loudest tenth is speech."""


class EnergyGate:
    """Open while a 20 ms piece is louder than the room's floor, and 0.3 s longer.

    Until the floor is known the gate is open.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the room."""
        self._powers_db = np.full(_FLOOR_PIECES, np.inf)
        self._seen = 0
        self._hangover = 0

    def process(self, samples: NDArray[np.float32]) -> bool:
        """Return whether the gate is open at the end of a whole number of 20 ms pieces at 16 kHz."""
        powers = np.square(samples.reshape(-1, PIECE_FRAMES)).mean(axis=1)
        for power_db in 10 * np.log10(powers + 1e-12):
            floor_db = max(float(self._powers_db.min()), _QUIETEST_DBFS - _OPEN_DB)
            self._powers_db[self._seen % _FLOOR_PIECES] = power_db
            self._seen += 1
            if power_db > floor_db + _OPEN_DB or self._seen <= _HANGOVER_PIECES:
                self._hangover = _HANGOVER_PIECES
            else:
                self._hangover = max(0, self._hangover - 1)
        return self._hangover > 0

    @property
    def speech_to_noise_db(self) -> float | None:
        """How far the loudest tenth of the last two seconds stands above the floor; None before any sound."""
        known_db = self._powers_db[np.isfinite(self._powers_db)]
        if not known_db.size:
            return None
        floor_db = max(float(known_db.min()), _QUIETEST_DBFS - _OPEN_DB)
        return max(0.0, float(np.percentile(known_db, _SPEECH_PERCENTILE)) - floor_db)
