"""From a frequency response to taps that arrive on time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from hub.spatial.plant import Response


def to_taps(response: Response, taps: int) -> NDArray[np.float32]:
    """Return FIR filters whose time zero is tap ``taps // 2``.

    Parameters
    ----------
    response : ndarray
        Shape ``(..., bins)`` on an even grid from 0 to half the rate.

    Returns
    -------
    ndarray
        Shape ``(..., taps)``.
    """
    size = 2 * (response.shape[-1] - 1)
    frequency = fft.rfftfreq(size)
    late = response * np.exp(-2j * np.pi * frequency * (taps // 2))
    late[..., 0] = late[..., 0].real
    late[..., -1] = 0  # nothing at half the rate: a fractional delay has no real value there
    impulse = fft.irfft(late, size, axis=-1)[..., :taps]
    edge = max(1, taps // 8)
    window = np.ones(taps)
    window[:edge] = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / edge)
    window[-edge:] = window[:edge][::-1]
    shaped: NDArray[np.float32] = (impulse * window).astype(np.float32)
    return shaped


def grid(size: int, rate_hz: int) -> NDArray[np.float64]:
    """Return the frequencies of a transform of ``size`` samples, in Hz."""
    frequency_hz: NDArray[np.float64] = fft.rfftfreq(size, 1 / rate_hz)
    return frequency_hz
