"""Air that moves: the room's paths scintillate."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sensing.simulation.baseband.room_images import Array

_LOOP_SECONDS = 64
_OUTER_HZ = 0.5
"""Below this the spectrum is flat: the size of the largest eddies over the speed of the draught."""
_SHARED = 0.6
"""Share of the energy that the microphones of one array have in common."""


class Turbulence:
    """Complex modulation of the static paths with energy ``(f^2 + f0^2)^(-4/3)``, that is f^-8/3.

    The exponent is Tatarskii's for amplitude and phase behind a turbulent layer (Wave Propagation in a
    Turbulent Medium, 1961). One loop of 64 s is made by FFT and repeated without a seam.

    Parameters
    ----------
    level_db : float
        Root mean square relative to the carrier.
    begins, ends, period_seconds : float
        When it blows: half of each period, or always for 0.
    """

    def __init__(
        self,
        *,
        level_db: float,
        begins: float,
        ends: float,
        microphones: int,
        rate_hz: int,
        chance: np.random.Generator,
        period_seconds: float = 0.0,
    ) -> None:
        frames = _LOOP_SECONDS * rate_hz
        hz = np.fft.fftfreq(frames, 1 / rate_hz)
        shape = (hz**2 + _OUTER_HZ**2) ** (-2 / 3)
        shape[0] = 0.0
        rows = chance.normal(size=(2, microphones + 1, frames))
        loops = np.fft.ifft((rows[0] + 1j * rows[1]) * shape, axis=1)
        loops /= np.sqrt(np.mean(np.abs(loops) ** 2, axis=1, keepdims=True))
        mixed = math.sqrt(_SHARED) * loops[:1] + math.sqrt(1 - _SHARED) * loops[1:]
        self._loops = (10 ** (level_db / 20) * mixed).astype(np.complex64)
        self._begins, self._ends, self._period = begins, ends, period_seconds

    def blows(self, seconds: Array) -> Array:
        """Return how strongly it blows, 0 to 1, shape ``(n,)``; a draught takes a second to come and go."""
        blows = np.clip(np.minimum(seconds - self._begins, self._ends - seconds), 0, 1)
        if self._period:
            into = np.mod(seconds - self._begins, self._period)
            blows = blows * np.clip(np.minimum(into, self._period / 2 - into), 0, 1)
        return blows

    def process(self, first: int, seconds: Array) -> NDArray[np.complex64]:
        """Return the modulation of the frames from ``first`` on, shape ``(microphones, n)``; 0 is calm."""
        numbers = (first + np.arange(len(seconds))) % self._loops.shape[1]
        return self._loops[:, numbers] * self.blows(seconds).astype(np.float32)
