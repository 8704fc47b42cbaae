"""What is there before anything is played: noise, and tones of others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, median_filter
from scipy.signal import get_window

from sensing.audio_block import Block
from sensing.errors import CannotCalibrate

LISTEN_SECONDS = 10.0
EXCLUDED_HZ = 500.0
"""No carrier is put nearer to another's tone: its Doppler band would hold the tone."""
PROMINENT_DB = 10.0

_WINDOW_SECONDS = 0.1
_AROUND_HZ = 800.0
_ALONE_HZ = 100.0
_OVERLOAD = 0.99
_FLOOR = 1e-20
_SINE_POWER = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Interferer:
    """A steady tone that is not ours: switching supplies, other hubs.

    ``prominence_db`` is its height above the noise around it in bins of about 12 Hz, on the microphone
    (from 0) that hears it best.
    """

    hz: float
    prominence_db: float
    microphone: int

    def excludes(self, hz: float) -> bool:
        """Return whether a carrier must not be there."""
        return abs(hz - self.hz) < EXCLUDED_HZ


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Listening:
    """What the microphones hear in silence.

    Attributes
    ----------
    hz : NDArray
        Shape ``(bins,)``, from zero to half the rate.
    noise_db_hz : NDArray
        Shape ``(microphones, bins)``: density in dBFS per hertz; a sine of full scale is 0 dBFS.
    """

    hz: NDArray[np.float64]
    noise_db_hz: NDArray[np.float64]

    def noise_around(self, centres_hz: NDArray[np.float64], half_width_hz: float) -> NDArray[np.float64]:
        """Return the mean density around frequencies in dBFS per hertz, ``(microphones, centres)``."""
        power = np.cumsum(np.pad(10 ** (self.noise_db_hz / 10), ((0, 0), (1, 0))), axis=1)
        first = np.searchsorted(self.hz, centres_hz - half_width_hz)
        last = np.maximum(np.searchsorted(self.hz, centres_hz + half_width_hz), first + 1)
        last = np.minimum(last, len(self.hz))
        first = np.minimum(first, last - 1)
        mean = (power[:, last] - power[:, first]) / (last - first)
        around: NDArray[np.float64] = 10 * np.log10(np.maximum(mean, _FLOOR))
        return around


def listen(capture: Block, rate_hz: int) -> Listening:
    """Return the noise of a silent room.

    Parameters
    ----------
    capture : Block
        Shape ``(microphones, frames)``, at least 0.2 s, while nothing is played.

    Raises
    ------
    CannotCalibrate
        A microphone is overloaded.

    Notes
    -----
    Periodograms of 0.1 s (Blackman-Harris, half overlapping) are averaged by their median, divided by ln 2 as
    for noise: clicks and keys are in few of them.
    """
    loudest = float(np.abs(capture).max())
    if loudest >= _OVERLOAD:
        raise CannotCalibrate("the room is too loud: it overloads a microphone; try again when it is quiet")
    frames = 1 << math.ceil(math.log2(_WINDOW_SECONDS * rate_hz))
    window = get_window("blackmanharris", frames)
    pieces = np.lib.stride_tricks.sliding_window_view(capture, frames, axis=1)[:, :: frames // 2]
    scale = 2 / (rate_hz * np.square(window).sum()) / _SINE_POWER
    density = np.stack(
        [np.median(np.square(np.abs(np.fft.rfft(channel * window))), axis=0) for channel in pieces]
    )
    density *= scale / math.log(2)
    return Listening(
        hz=np.arange(frames // 2 + 1, dtype=np.float64) * (rate_hz / frames),
        noise_db_hz=10 * np.log10(np.maximum(density, _FLOOR)),
    )


def find_interferers(listening: Listening, *, low_hz: float, high_hz: float) -> Sequence[Interferer]:
    """Return the steady tones between two frequencies, lowest first."""
    bin_hz = listening.hz[1]
    width = round(_AROUND_HZ / bin_hz) | 1
    floor_db = median_filter(listening.noise_db_hz, size=(1, width), mode="nearest")
    above_db = listening.noise_db_hz - floor_db
    microphone = np.argmax(above_db, axis=0)
    height_db = above_db.max(axis=0)
    # side lobes of a strong tone are no tones
    is_peak = height_db == maximum_filter1d(height_db, round(2 * _ALONE_HZ / bin_hz) | 1)
    is_there = is_peak & (height_db >= PROMINENT_DB) & (listening.hz >= low_hz) & (listening.hz <= high_hz)
    return [
        Interferer(
            hz=float(listening.hz[index]),
            prominence_db=float(height_db[index]),
            microphone=int(microphone[index]),
        )
        for index in np.flatnonzero(is_there)
    ]
