"""How loud the tone may be at the nearest ear, and what that is in full scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sensing.ultrasound.emitter import MAX_LEVEL

NEAREST_EAR_M = 0.5
AUDIBLE_BELOW_HZ = 20_500.0
"""Children hear tones below this."""
THIRD_OCTAVE_END_HZ = 22_400.0
"""End of the third octave around 20 kHz, the band that guidelines worry about."""
PETS_ABOVE_HZ = 25_000.0

AUDIBLE_CAP_DB_SPL = 60.0
NEAR_AUDIBLE_CAP_DB_SPL = 65.0
INAUDIBLE_CAP_DB_SPL = 80.0
"""20 dB below the guideline of IRPA/INIRC (1984) for the public."""
PETS_LOWER_DB = 10.0

ASSUMED_FULL_SCALE_DB_SPL = 91.0
"""Assumed, at `NEAREST_EAR_M`: a driver of 85 dB at 1 m and 2.83 V, and 2.83 V from a sine of full scale."""
UNMEASURED_MARGIN_DB = 6.0
"""What loudspeakers of one kind differ by between 18 and 48 kHz: an unknown one may be so much louder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredLoudspeaker:
    """Sound pressure of a full-scale sine at the nearest ear, by a microphone of known sensitivity.

    ``hz`` rises; ``db_spl`` has as many values.
    """

    hz: Sequence[float]
    db_spl: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmissionCaps:
    """The bounds of sound pressure at 0.5 m, and those of full scale that follow.

    Parameters
    ----------
    has_pets : bool
        Nothing below 25 kHz, and 10 dB less: cats and dogs hear all of these carriers.
    allows_audible : bool
        Whether carriers below 20.5 kHz may be used at all.
    loudspeaker : MeasuredLoudspeaker or None
        Without one the loudspeaker is assumed, and all bounds are 6 dB lower.
    """

    has_pets: bool = False
    allows_audible: bool = False
    loudspeaker: MeasuredLoudspeaker | None = None

    @property
    def lowest_hz(self) -> float:
        """Lowest frequency that may be emitted."""
        if self.has_pets:
            return PETS_ABOVE_HZ
        return 18_000.0 if self.allows_audible else AUDIBLE_BELOW_HZ

    def cap_db_spl(self, hz: float) -> float | None:
        """Return the highest sound pressure level at 0.5 m, None where nothing may be emitted."""
        if hz < self.lowest_hz:
            return None
        if hz < AUDIBLE_BELOW_HZ:
            cap_db = AUDIBLE_CAP_DB_SPL
        elif hz < THIRD_OCTAVE_END_HZ:
            cap_db = NEAR_AUDIBLE_CAP_DB_SPL
        else:
            cap_db = INAUDIBLE_CAP_DB_SPL
        unknown_db = UNMEASURED_MARGIN_DB if self.loudspeaker is None else 0.0
        return cap_db - unknown_db - (PETS_LOWER_DB if self.has_pets else 0.0)

    def full_scale_db_spl(self, hz: float) -> float:
        """Return the level at 0.5 m of a sine of full scale: measured, or assumed."""
        if self.loudspeaker is None:
            return ASSUMED_FULL_SCALE_DB_SPL
        return float(np.interp(hz, self.loudspeaker.hz, self.loudspeaker.db_spl))

    def peak(self, hz: float) -> float:
        """Return the highest peak of a sine in full scale, 0 where nothing may be emitted."""
        cap_db = self.cap_db_spl(hz)
        if cap_db is None:
            return 0.0
        return min(MAX_LEVEL, float(10 ** ((cap_db - self.full_scale_db_spl(hz)) / 20)))
