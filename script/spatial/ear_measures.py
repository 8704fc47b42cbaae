"""What is measured at the ears: cancellation, tone, and the direction that is heard."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hub.spatial.plant import Response

BANDS_HZ = 1000 * 2.0 ** (np.arange(-3, 9) / 3)
"""Centres of the third-octave bands from 500 Hz to 6.3 kHz."""

_EDGE = 2 ** (1 / 6)
_TIMED_HZ = (500.0, 1500.0)
"""Where ears hear by time; the measured heads' median of 298 us at 30 degrees belongs to this band."""
_LEVELLED_HZ = 1500.0
_SHIFTS_SECONDS = np.arange(-1000, 1001, 4) * 1e-6


def is_used(frequency_hz: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which frequencies lie in any of `BANDS_HZ`."""
    used: NDArray[np.bool_] = (frequency_hz >= BANDS_HZ[0] / _EDGE) & (frequency_hz <= BANDS_HZ[-1] * _EDGE)
    return used


def cancellation_db(heard: Response, frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return near over far ear, mean of bands and both sides, shape ``(heads,)``.

    Parameters
    ----------
    heard : ndarray
        Shape ``(heads, inputs, ears, bins)``.
    """
    power = in_bands(heard, frequency_hz)
    level = 10 * np.log10(power[:, [0, 1], [0, 1]] / np.maximum(power[:, [0, 1], [1, 0]], 1e-20))
    mean: NDArray[np.float64] = level.mean(axis=(1, 2))
    return mean


def tone_rms_db(heard: Response, drivers: Response, frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far the near ear's bands are from the drivers' natural level there, shape ``(heads,)``.

    Natural is the mean power of single drivers as this very ear hears them, so that neither head
    nor ear counts as coloration.

    Parameters
    ----------
    drivers : ndarray
        Shape ``(heads, ears, drivers, bins)``.
    """
    near = in_bands(heard, frequency_hz)[:, [0, 1], [0, 1]]
    natural = in_bands(drivers, frequency_hz).mean(axis=2)
    rms: NDArray[np.float64] = np.sqrt(((10 * np.log10(near / natural)) ** 2).mean(axis=(1, 2)))
    return rms


def time_difference_seconds(pair: Response, frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much earlier the first ear hears: highest cross-correlation from 500 Hz to 1.5 kHz.

    Parameters
    ----------
    pair : ndarray
        Shape ``(heads, 2, bins)``.
    """
    timed = (frequency_hz >= _TIMED_HZ[0]) & (frequency_hz <= _TIMED_HZ[1])
    turns = np.exp(2j * np.pi * np.outer(_SHIFTS_SECONDS, frequency_hz[timed]))
    cross = (pair[:, 1] * pair[:, 0].conj())[:, timed]
    likeness = (cross @ turns.T).real
    peak = np.clip(likeness.argmax(axis=1), 1, len(_SHIFTS_SECONDS) - 2)
    before, top, after = (likeness[np.arange(len(peak)), peak + step] for step in (-1, 0, 1))
    curve = before - 2 * top + after
    part = np.where(curve < 0, 0.5 * (before - after) / np.minimum(curve, -1e-30), 0)
    seconds: NDArray[np.float64] = _SHIFTS_SECONDS[peak] + part * (_SHIFTS_SECONDS[1] - _SHIFTS_SECONDS[0])
    return seconds


def level_difference_db(pair: Response, frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much louder the first ear hears, mean of bands from 1.5 kHz, shape ``(heads,)``."""
    power = in_bands(pair, frequency_hz)[..., BANDS_HZ > _LEVELLED_HZ]
    mean: NDArray[np.float64] = (10 * np.log10(power[:, 0] / power[:, 1])).mean(axis=1)
    return mean


def in_bands(response: Response, frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the power in `BANDS_HZ`, of shape ``(..., bins)`` made ``(..., bands)``."""
    distance = np.abs(np.log2(np.maximum(frequency_hz, 1) / BANDS_HZ[:, None]))
    power: NDArray[np.float64] = np.abs(response) ** 2 @ (distance <= 1 / 6).T.astype(float)
    return power
