"""An amplifier at its limits: what loud music does to the carrier that goes through it too."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from sensing.simulation.baseband.room_images import Array
from sensing.simulation.baseband.scene_faults import Music

_ATTACK_SECONDS, _RELEASE_SECONDS = 0.005, 0.2
ENVELOPE_HZ = 100
"""Entries a second of a limiter's gain."""
_TREBLE_HZ = 2_000.0
_TINY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Amplifier:
    """What an amplifier does to the carrier, one entry a frame of the baseband, as long as the music.

    Attributes
    ----------
    gain : NDArray
        Shape ``(frames,)``: times the carrier; one where nothing is wrong.
    added : NDArray
        Shape ``(frames,)`` complex, of amplitude one relative to the carrier: products of the music alone
        that fall around ``round(carrier_hz)``.
    """

    gain: Array
    added: NDArray[np.complex128]

    @classmethod
    def at_work(
        cls,
        music: Music,
        loop: NDArray[np.float32],
        *,
        rate_hz: int,
        baseband_hz: int,
        carrier_hz: float,
        carrier_db: float,
    ) -> Amplifier:
        """Return what the amplifier does while it plays a loop.

        The limiter turns down music and carrier together. Rails cut the music, and while it is cut the
        carrier is not heard at all. A cubic term ``3 m^2`` of the treble m modulates the carrier, and ``m^3``
        adds products that fall into its band.

        Parameters
        ----------
        loop : NDArray
            Shape ``(frames,)``, whole seconds at ``rate_hz``, repeated without a seam.
        carrier_db : float
            Sound pressure level of the carrier at one metre.
        """
        signal = loop.astype(np.float64)
        signal /= max(math.sqrt(float(np.mean(signal**2))), _TINY)
        frames = len(loop) // rate_hz * baseband_hz
        # the carrier is the peak of a sine, the music's unit is rms
        louder = 10 ** ((music.level_db - carrier_db) / 20) / math.sqrt(2)
        gain, added = np.ones(frames), np.zeros(frames, np.complex128)
        if music.clipping_db > 0:
            rail = np.abs(signal).max() * 10 ** (-music.clipping_db / 20)
            gain *= _band(np.abs(signal) < rail, 0, rate_hz, baseband_hz).real
            cut = np.clip(signal, -rail, rail) - signal
            added += louder * _band(cut, round(carrier_hz), rate_hz, baseband_hz)
        if music.treble_db is not None:
            # twice the rate: the third power of 15 kHz would fold at 24 kHz
            treble = _treble(signal, rate_hz)
            energy = max(float(np.mean(treble**2)), _TINY)
            third = 10 ** (music.treble_db / 20)
            gain *= 1 + third * (_band(treble**2, 0, 2 * rate_hz, baseband_hz).real / energy - 1)
            products = _band(treble**3, round(carrier_hz), 2 * rate_hz, baseband_hz)
            added += louder * third / (3 * energy) * products
        if music.limiter_db > 0:
            limiter = limiter_gain(loop, music.limiter_db, rate_hz=rate_hz)
            places = np.arange(frames) * ENVELOPE_HZ / baseband_hz
            now = np.interp(places, np.arange(len(limiter)), limiter, period=len(limiter))
            gain, added = gain * now, added * now
        return cls(gain=gain, added=added)


def limiter_gain(loop: NDArray[np.float32], depth_db: float, *, rate_hz: int) -> Array:
    """Return the gain of a limiter every 10 ms: each kick of the drum ducks the carrier (pumping).

    It follows the peaks within 5 ms and forgets them in 200 ms; the loudest are turned down by ``depth_db``.
    """
    peaks = np.abs(loop).reshape(-1, rate_hz // ENVELOPE_HZ).max(axis=1).astype(np.float64)
    # twice, so that the end of the loop is still remembered at its beginning
    fades = np.arange(2 * len(peaks)) / (_RELEASE_SECONDS * ENVELOPE_HZ)
    held = np.maximum.accumulate(np.log(np.maximum(np.tile(peaks, 2), _TINY)) + fades) - fades
    pole = math.exp(-1 / (_ATTACK_SECONDS * ENVELOPE_HZ))
    level = lfilter([1 - pole], [1, -pole], np.exp(held))[len(peaks) :]
    gain: Array = np.minimum(1.0, level.max() * 10 ** (-depth_db / 20) / np.maximum(level, _TINY))
    return gain


def _treble(signal: Array, rate_hz: int) -> Array:
    """Return what is above 2 kHz, at twice the rate."""
    spectrum = np.fft.rfft(signal)
    spectrum[: round(_TREBLE_HZ * len(signal) / rate_hz)] = 0
    treble: Array = 2 * np.fft.irfft(spectrum, 2 * len(signal))
    return treble


def _band(
    signal: NDArray[np.float64] | NDArray[np.bool_], centre_hz: int, rate_hz: int, baseband_hz: int
) -> NDArray[np.complex128]:
    """Return the band around a frequency of a loop of whole seconds, mixed down to the baseband's rate."""
    seconds = len(signal) // rate_hz
    frames = seconds * baseband_hz
    spectrum = np.fft.rfft(signal) / len(signal)
    bins = centre_hz * seconds + np.arange(-(frames // 2), frames - frames // 2)
    inside = np.abs(bins) < len(spectrum)
    kept = np.zeros(frames, np.complex128)
    kept[inside] = spectrum[np.abs(bins[inside])]
    kept[bins < 0] = kept[bins < 0].conj()
    band: NDArray[np.complex128] = np.fft.ifft(np.fft.ifftshift(kept)) * frames
    return band if centre_hz == 0 else 2 * band
