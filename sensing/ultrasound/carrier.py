"""Find the tone in what the microphone hears."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.signal import get_window

from sensing.audio_block import Block

LOWEST_CARRIER_HZ = 17_000.0
MIN_PROMINENCE_DB = 20.0
"""A usable carrier stands this far above the noise around it, measured in bins of about 12 Hz."""

_WINDOW_SECONDS = 0.1
_FLOOR_DB = -200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """A steady line above the audible band.

    ``level_db`` is dBFS of a sine's peak, ``prominence_db`` its height above the median around it.
    """

    hz: float
    level_db: float
    prominence_db: float


def find_carrier(capture: Block, rate_hz: int, *, near_hz: float | None = None) -> Carrier | None:
    """Return the strongest steady line above 17 kHz, or None when there is none.

    Parameters
    ----------
    capture : Block
        Shape ``(microphones, frames)``; at least 0.1 s.
    near_hz : float, optional
        Look only within 100 Hz of this frequency.

    Notes
    -----
    Spectra of 0.1 s windows are averaged by their median: a click or a jingle of keys is in few windows, a
    carrier in all. The frequency is refined by a parabola through the logarithm of three bins.
    """
    frames = 1 << math.ceil(math.log2(_WINDOW_SECONDS * rate_hz))
    if capture.shape[1] < frames:
        return None
    window = get_window("blackmanharris", frames)
    starts = range(0, capture.shape[1] - frames + 1, frames // 2)
    spectra = [np.abs(np.fft.rfft(capture[:, s : s + frames] * window, axis=1)) for s in starts]
    # of the microphone that hears it best: one of them may be dead
    amplitude = np.median(spectra, axis=0).max(axis=0) * 2 / window.sum()
    decibels = 20 * np.log10(np.maximum(amplitude, 10 ** (_FLOOR_DB / 20)))
    bin_hz = rate_hz / frames
    hz = np.arange(len(decibels)) * bin_hz
    low, high = (LOWEST_CARRIER_HZ, rate_hz / 2 - 300) if near_hz is None else (near_hz - 100, near_hz + 100)
    candidates = np.flatnonzero((hz >= low) & (hz <= high))
    candidates = candidates[(candidates > 0) & (candidates < len(hz) - 1)]
    if len(candidates) == 0:
        return None
    peak = int(candidates[np.argmax(decibels[candidates])])
    around = decibels[(np.abs(hz - hz[peak]) > 300) & (np.abs(hz - hz[peak]) < 1_200)]
    prominence_db = float(decibels[peak] - np.median(around)) if len(around) else 0.0
    if prominence_db < MIN_PROMINENCE_DB:
        return None
    left, middle, right = decibels[peak - 1 : peak + 2]
    curvature = left - 2 * middle + right
    shift = 0.5 * (left - right) / curvature if curvature else 0.0
    return Carrier(hz=float((peak + shift) * bin_hz), level_db=float(middle), prominence_db=prominence_db)
