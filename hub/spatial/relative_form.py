"""The relative-transfer-function form of filters: one common path, and each driver beside a reference.

Read it as: what the reference driver plays, and what every other driver plays of it. Of a pair of
drivers the second part is the textbook canceller, a delay and a low-pass turned upside down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from hub.spatial.alignment import to_taps

_QUIET = 1e-4
"""Power beside a filter's highest (-40 dB) below which the reference is not divided by."""
_SIZE = 4096
_SEARCH_SECONDS = 2e-3
_STEP_SECONDS = 5e-6
_VOICED_HZ = (500.0, 2000.0)
"""Where delay and level of a relative filter are read: phase is still clear, cancellation is deep."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RelativeForm:
    """Filters taken apart.

    Attributes
    ----------
    reference : tuple of int
        Of each input the driver that plays it loudest.
    path : ndarray
        Its filter, shape ``(inputs, taps)``; near an all-pass.
    relative : ndarray
        What each driver plays of that, shape ``(inputs, drivers, taps)``; time zero is tap ``taps // 2``.
    """

    reference: tuple[int, ...]
    path: NDArray[np.float32]
    relative: NDArray[np.float32]


def relative_form(filters: NDArray[np.float32]) -> RelativeForm:
    """Take filters of shape ``(inputs, drivers, taps)`` apart; path and relative in series give them back."""
    inputs, _, taps = filters.shape
    loudest = np.einsum("int,int->in", filters, filters).argmax(axis=1)
    path = filters[np.arange(inputs), loudest]
    spectrum = fft.rfft(filters.astype(float), _SIZE, axis=-1)
    through = fft.rfft(path.astype(float), _SIZE, axis=-1)[:, None]
    power = np.abs(through) ** 2
    ratio = spectrum * through.conj() / (power + _QUIET * power.max(axis=-1, keepdims=True))
    return RelativeForm(
        reference=tuple(int(driver) for driver in loudest), path=path, relative=to_taps(ratio, taps)
    )


def delay_and_level(relative: NDArray[np.float32], rate_hz: int) -> tuple[float, float]:
    """Return a relative filter's delay in seconds and its level in dB from 500 Hz to 2 kHz.

    The delay is that of the highest envelope, positive where the driver plays after its reference.
    """
    hz = fft.rfftfreq(_SIZE, 1 / rate_hz)
    voiced = (hz >= _VOICED_HZ[0]) & (hz <= _VOICED_HZ[1])
    spectrum = fft.rfft(relative.astype(float), _SIZE)[voiced]
    seconds = np.arange(-_SEARCH_SECONDS, _SEARCH_SECONDS, _STEP_SECONDS)
    zero_seconds = relative.size // 2 / rate_hz
    turns = np.outer(seconds + zero_seconds, hz[voiced])
    envelope = np.abs(np.exp(2j * np.pi * turns) @ spectrum)
    level = float(np.sqrt((np.abs(spectrum) ** 2).mean()))
    return float(seconds[envelope.argmax()]), 20 * float(np.log10(max(level, 1e-6)))
