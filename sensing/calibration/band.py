"""Which frequencies a calibration looks at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensing.calibration.caps import EmissionCaps
from sensing.errors import CannotCalibrate

GRID_HZ = 25.0
HIGHEST_HZ = 42_000.0
NYQUIST_GUARD_HZ = 1_000.0
_NARROWEST_HZ = 500.0
_WIDEST_TAPER_HZ = 250.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The band that is swept, from ``low_hz`` to ``high_hz``."""

    low_hz: float
    high_hz: float

    @property
    def taper_hz(self) -> float:
        """Width of the edges, where the sweep fades and the response is not trusted."""
        return min(_WIDEST_TAPER_HZ, (self.high_hz - self.low_hz) / 4)

    @property
    def grid_hz(self) -> NDArray[np.float64]:
        """Frequencies at which everything is told, `GRID_HZ` apart, half an edge inside the band."""
        first = np.ceil((self.low_hz + self.taper_hz / 2) / GRID_HZ)
        last = np.floor((self.high_hz - self.taper_hz / 2) / GRID_HZ)
        grid: NDArray[np.float64] = GRID_HZ * np.arange(first, last + 1)
        return grid


def usable_band(rate_hz: int, caps: EmissionCaps) -> Band:
    """Return what may be emitted and can be captured at this rate.

    Raises
    ------
    CannotCalibrate
        Less than 500 Hz are left.
    """
    high_hz = min(HIGHEST_HZ, rate_hz / 2 - NYQUIST_GUARD_HZ)
    if high_hz - caps.lowest_hz < _NARROWEST_HZ:
        what = "with pets at home only carriers above" if caps.has_pets else "only carriers above"
        raise CannotCalibrate(
            f"{what} {caps.lowest_hz / 1000:g} kHz are allowed, and a card at {rate_hz} Hz ends at "
            f"{high_hz / 1000:g} kHz; set audio.rate_hz to 96000 if roomwise devices says the card takes it"
        )
    return Band(low_hz=caps.lowest_hz, high_hz=high_hz)
