"""Sound that is not the hub's: lines, other hubs, keys."""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sensing.simulation.baseband.room_images import Array
from sensing.simulation.baseband.scatterers import presence_ramp
from sensing.simulation.baseband.scene_faults import Keys, Line, OtherHub

_BURST_SECONDS = (0.01, 0.05)


def folded_hz(hz: float, rate_hz: float) -> float:
    """Return where a frequency appears after sampling without a filter: folded at half the rate."""
    return abs(hz - rate_hz * round(hz / rate_hz))


class Tones:
    """Lines and other hubs' carriers at the microphones.

    Parameters
    ----------
    amplitudes : function of a level in dB SPL
        Given as ``full_scale_db``: the level whose sine reaches full scale.
    """

    def __init__(
        self,
        tones: Sequence[Line | OtherHub],
        *,
        ends: float,
        rate_hz: int,
        full_scale_db: float,
        microphones: int,
        chance: np.random.Generator,
    ) -> None:
        self._tones, self._ends, self._rate_hz = tones, ends, rate_hz
        self._gains = [
            10 ** ((tone.level_db - full_scale_db) / 20)
            * np.exp(2j * math.pi * chance.uniform(size=(microphones, 1)))
            for tone in tones
        ]
        self._microphones = microphones

    def process(
        self, seconds: Array, *, centre_hz: float, low_hz: float, high_hz: float
    ) -> NDArray[np.complex64]:
        """Return the tones that lie between two frequencies, mixed down by ``centre_hz``.

        Returns
        -------
        NDArray
            Shape ``(microphones, n)``.
        """
        heard = np.zeros((self._microphones, len(seconds)), np.complex128)
        for tone, gain in zip(self._tones, self._gains, strict=True):
            hz = folded_hz(tone.hz, self._rate_hz)
            if not low_hz <= hz < high_hz:
                continue
            phase = 2 * math.pi * (hz - centre_hz) * seconds
            gate = presence_ramp(seconds, tone.at, self._ends if tone.until is None else tone.until, 0.02)
            if isinstance(tone, Line):
                turns = 2 * math.pi * seconds / tone.drift_seconds
                # the integral of drift_hz cos(turns)
                phase = phase + tone.drift_hz * tone.drift_seconds * np.sin(turns)
            elif tone.on_seconds and tone.off_seconds:
                into = np.mod(seconds - tone.at, tone.on_seconds + tone.off_seconds)
                gate = gate * presence_ramp(into, 0.0, tone.on_seconds, 0.02)
            heard += gain * gate * np.exp(1j * phase)
        return heard.astype(np.complex64)


class KeyBursts:
    """When keys jingle: the amplitude of broad-band noise in time."""

    def __init__(self, keys: Sequence[Keys], *, ends: float, chance: np.random.Generator) -> None:
        self._bursts: list[tuple[float, float, float]] = []
        for one in keys:
            until = ends if one.until is None else min(one.until, ends)
            count = chance.poisson(one.bursts_per_second * max(until - one.at, 0))
            for at in np.sort(chance.uniform(one.at, max(until, one.at), count)):
                length = float(chance.uniform(*_BURST_SECONDS))
                self._bursts.append((float(at), length, 10 ** (one.level_db / 20)))
        self._bursts.sort()

    def amplitude(self, seconds: Array) -> Array:
        """Return the noise's amplitude relative to 0 dB SPL per hertz, shape ``(n,)``."""
        amplitude = np.zeros(len(seconds))
        if not len(seconds):
            return amplitude
        low = bisect(self._bursts, (float(seconds[0]) - 4 * _BURST_SECONDS[1],))
        high = bisect(self._bursts, (float(seconds[-1]),))
        for at, length, size in self._bursts[low:high]:
            first, last = np.searchsorted(seconds, [at, at + 4 * length])
            amplitude[first:last] += size * np.exp(-2 * (seconds[first:last] - at) / length)
        return amplitude
