"""Tones of others beside the carrier: lines that stand still in level, as no echo of a body does."""

from __future__ import annotations

import math

from sensing.ultrasound.doppler_features import DopplerFrame

_LINE_DB = 12.0
"""A single tone stands 14 dB over the mean of its side."""
_OVER_FLOOR_DB = 12.0
"""Noise moves what stands lower by more than `_STEADY_DB`, and a tone of 30 s is part of the floor."""
_STEADY_DB = 0.3
"""Between two hops. Who walks at 1 m/s, 4 m away, comes nearer by 0.2 dB from hop to hop, and limbs, second
paths and the distance between the microphones move the level by decibels."""
_STEADY_HOPS = 2
"""Of the hops of those who walk, four in a thousand do as much by chance."""


class SteadyTone:
    """Tell from hop to hop whether what stands out is a tone of constant level.

    A window in which the tone begins differs from the one before, so three hops pass before it is known.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the past."""
        self._level_dbc = -math.inf
        self._steady_hops = 0

    def process(self, frame: DopplerFrame) -> bool:
        """Return whether all that stands out is one steady tone, by this hop and the two before.

        The level is that of all bands together, which a tone that drifts from one to the next keeps.
        """
        level_dbc = 10 * math.log10(float((10 ** ((frame.bands_db + frame.floors_dbc) / 10)).sum()))
        is_line = frame.lines_db.max() >= _LINE_DB and frame.bands_db.max() >= _OVER_FLOOR_DB
        is_same = abs(level_dbc - self._level_dbc) < _STEADY_DB
        self._steady_hops = self._steady_hops + 1 if is_line and is_same else 0
        self._level_dbc = level_dbc
        return self._steady_hops >= _STEADY_HOPS
