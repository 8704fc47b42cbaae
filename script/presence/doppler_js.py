"""An emulation of doppler.js, the best known Doppler detector of the web."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import get_window, lfilter

from sensing.ultrasound.demodulator import Baseband
from sensing.ultrasound.doppler_features import HOP_SECONDS

BIN_HZ = 44_100 / 2_048
WIDEST_BINS = 22
"""The original scans 33 bins, 711 Hz; the baseband ends at 500."""
MOTION_BINS = 4
"""Of its example: a side that is wider counts as motion."""

_SMOOTHING = 0.5
_REFRESHES_A_HOP = 3
_LOWEST_DBFS, _HIGHEST_DBFS = -100.0, -30.0
_LEAST_RATIO = 0.001
_LEAST = 1e-12


class DopplerJs:
    """Measure how far the tone is smeared to either side, in bins, every hop.

    After github.com/DanielRapp/doppler at 0232876. What was taken over: the resolution of an FFT of 2048
    frames at 44.1 kHz, Blackman window, smoothing of 0.5 a refresh, bytes over -100 to -30 dBFS, scanning
    outward from the tone until a bin is below 0.001 of it (of bytes: until it is zero), and a side of more
    than four bins as motion. What was not: the tone of 20 kHz and its optimisation, for it hears the carrier
    that everybody else hears; the outer ten bins, which the baseband does not hold; and refreshes of 60 a
    second, of which every third is computed. It listens to the first microphone.
    """

    def __init__(self, baseband_hz: float) -> None:
        frames = round(baseband_hz / BIN_HZ)
        window = get_window("blackman", frames)
        bins = np.arange(-WIDEST_BINS, WIDEST_BINS + 1)
        turns = np.exp(-2j * np.pi * np.outer(np.arange(frames), bins) * BIN_HZ / baseband_hz)
        self._matrix = (turns * window[:, None] / frames / 2).astype(np.complex64)
        self._hop_frames = round(HOP_SECONDS * baseband_hz)
        self._pole = _SMOOTHING**_REFRESHES_A_HOP
        self._state = np.zeros((1, len(bins)))
        self._pending = np.zeros(0, np.complex64)

    def process(self, baseband: Baseband) -> NDArray[np.intp]:
        """Return the bandwidths of the hops that are complete, shape ``(hops, 2)``: left, right, in bins."""
        self._pending = np.concatenate([self._pending, baseband[0]])
        frames = len(self._matrix)
        if len(self._pending) < frames:
            return np.zeros((0, 2), np.intp)
        windows = np.lib.stride_tricks.sliding_window_view(self._pending, frames)[:: self._hop_frames]
        self._pending = self._pending[len(windows) * self._hop_frames :]
        amplitude = np.abs(windows @ self._matrix)
        smooth, self._state = lfilter([1 - self._pole], [1, -self._pole], amplitude, axis=0, zi=self._state)
        share = (20 * np.log10(np.maximum(smooth, _LEAST)) - _LOWEST_DBFS) / (_HIGHEST_DBFS - _LOWEST_DBFS)
        volumes = np.floor(255 * np.clip(share, 0, 1))
        is_out = volumes <= _LEAST_RATIO * volumes[:, WIDEST_BINS : WIDEST_BINS + 1]
        return np.stack(
            [_width(is_out[:, WIDEST_BINS - 1 :: -1]), _width(is_out[:, WIDEST_BINS + 1 :])], axis=1
        )


def _width(is_out: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the number of the first bin outward that is out, counted from one."""
    return np.where(is_out.any(axis=1), is_out.argmax(axis=1) + 1, WIDEST_BINS)
