"""The rate at which an echo is computed: higher than the baseband's for quick things, lower for slow ones."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin, freqz, upfirdn

from sensing.simulation.baseband.port import Phasors
from sensing.simulation.baseband.room_images import Array

_SLOWEST, _QUICKEST = Fraction(1, 8), Fraction(8)
_RATE_OVER_SHIFT = 2.5
"""Two for Nyquist, and a quarter more for what the amplitude does."""
_HALF_TAPS = 8
"""Half the length of the filter, in frames of the slower of both rates."""
_CUTOFF = 0.46
"""Of the slower rate."""


def inner_rate(highest_hz: float, rate_hz: int) -> Fraction:
    """Return the power of two, 1/8 to 8, by which the rate of an echo differs from the baseband's.

    Parameters
    ----------
    highest_hz : float
        The echo's largest Doppler shift.
    """
    ratio = _SLOWEST
    while ratio < _QUICKEST and (
        ratio * rate_hz < _RATE_OVER_SHIFT * highest_hz or rate_hz % ratio.denominator
    ):
        ratio *= 2
    return ratio


def at_inner_rate(
    render: Callable[[int, int, int], Phasors], ratio: Fraction, *, first: int, frames: int, rate_hz: int
) -> Phasors:
    """Return frames of the baseband from a function that renders at ``ratio`` times its rate.

    Parameters
    ----------
    render : function
        Of the first frame, the frames and the rate, all inner ones; returns ``(microphones, frames)``.
    first, frames : int
        Frames of the baseband, multiples of the ratio's denominator.
    """
    more, fewer = ratio.numerator, ratio.denominator
    inner_hz = rate_hz * more // fewer
    margin = _HALF_TAPS * more
    inner = (first * more // fewer - margin, frames * more // fewer + 2 * margin)
    if ratio == 1:
        return render(first, frames, rate_hz)
    taps = fewer * _lowpass(max(more, fewer))
    kept = upfirdn(taps.astype(np.float32), render(*inner, inner_hz), up=fewer, down=more, axis=1)
    lead = 2 * _HALF_TAPS * fewer
    return kept[:, lead : lead + frames].astype(np.complex64)


def band_gain(hz: Array, rate_hz: int) -> Array:
    """Return what the way down to the baseband leaves of a frequency, the same for every inner rate."""
    quickest_hz = float(rate_hz * _QUICKEST)
    _, response = freqz(_lowpass(int(_QUICKEST)), worN=np.abs(hz), fs=quickest_hz)
    gain: Array = np.where(np.abs(hz) < quickest_hz / 2, np.abs(response), 0.0)
    return gain


@cache
def _lowpass(ratio: int) -> NDArray[np.float64]:
    taps: NDArray[np.float64] = firwin(
        2 * _HALF_TAPS * ratio + 1, _CUTOFF, window=("kaiser", 6.0), fs=float(ratio)
    )
    return taps
