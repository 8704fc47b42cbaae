"""Take a second tone out of the baseband of the first."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin, lfilter

from sensing.ultrasound.demodulator import Baseband

HEARD_WITHIN_HZ = 600.0
"""Where the demodulator's stop band begins: a tone that is as far away needs no notch."""
SPOILT_HZ = 100.0
"""So near the other tone little is left of the baseband but that tone's own echoes of slow motion."""

_TAPS = 37
"""It takes 36 dB 10 Hz beside the tone and nothing from `SPOILT_HZ` on; a longer one outlasts a blink."""
_KAISER_BETA = 5.65


class ToneNotch:
    """Subtract what lies around one frequency of the baseband.

    The filter is a delayed impulse less a low-pass that is moved to the other tone: its zero there is exact,
    so a steady tone is gone once the filter is full.

    Parameters
    ----------
    away_hz : float
        Where the other tone lies relative to the carrier, either sign, nearer than `HEARD_WITHIN_HZ`.
    """

    def __init__(self, *, away_hz: float, baseband_hz: float, microphones: int) -> None:
        low = firwin(_TAPS, SPOILT_HZ / 2, window=("kaiser", _KAISER_BETA), fs=baseband_hz)
        place = np.arange(_TAPS) - _TAPS // 2
        self._taps = -low * np.exp(2j * math.pi * away_hz / baseband_hz * place)
        self._taps[_TAPS // 2] += 1
        self._microphones = microphones
        self.reset()

    def reset(self) -> None:
        """Forget the past, as after a gap in the audio."""
        self._state: NDArray[np.complex128] = np.zeros((self._microphones, _TAPS - 1), np.complex128)

    def process(self, baseband: Baseband) -> Baseband:
        """Return the baseband without the other tone, 18 frames late, shape ``(microphones, frames)``."""
        if baseband.shape[1] == 0:
            return baseband
        cleaned, self._state = lfilter(self._taps, [1.0], baseband, axis=1, zi=self._state)
        clean: Baseband = cleaned.astype(np.complex64)
        return clean
