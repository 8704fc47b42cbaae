"""From which side somebody talks, heard with two or more microphones."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from sensing.audio_block import Block
from sensing.dsp.air import speed_of_sound_mps

SURE = 0.25
"""Least mean coherence with the direction found: below it one answer in five is more than 10 degrees off."""

_FRAME_SECONDS = 0.032
_HOP_SECONDS = 0.008
_BAND_HZ = (1000.0, 7500.0)
"""Below it the microphones hear the same from everywhere, above it speech has little to hear."""

_SMOOTH_KEEP = 0.8
_FLOOR_FRAMES = 125
_FLOOR_BIAS = 2.0
"""The least of smoothed noise lies below its mean (minimum statistics, Martin 2001)."""

_SNR_POWER = 10**0.6
_ONSET_POWER = 10**0.3
_ECHO_KEEP = 0.92
"""What a room keeps of the power after one hop, at a decay of about 1.3 s for 60 dB: safely slow."""

_FORGET_SECONDS = 3.0
_LEAST_BINS = 150.0
"""Onsets in so many bins are half a second of speech."""

_LEAST_SIDEWAYS_M = 0.02
_ALONG_A_LINE = 0.02
_STEP_DEGREES = 1.0
_TINY = 1e-20

_Bins = NDArray[np.float64]
_Spectra = NDArray[np.complex128]


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkerAzimuth:
    """Where the talker is.

    Attributes
    ----------
    azimuth_degrees : float
        Seen from the device: 0 towards the listener's place, positive to the listener's right.
    confidence : float
        Mean coherence of the speech with this direction, `SURE` to 1.
    """

    azimuth_degrees: float
    confidence: float


class TalkerDirection:
    """Follow the azimuth of a talker over an utterance, by steered response power with phase transform.

    All pairs' cross-spectra, of their phase alone (GCC-PHAT, Knapp and Carter 1976), are summed over the
    utterance and steered to every azimuth (SRP-PHAT, DiBiase 2000). Only bins count that stand out of the
    noise and have just risen above the room's decay of what was before: the first wave front comes
    straight from the talker, what follows from the walls. The past is forgotten within seconds, so a
    talker who walks is followed.

    Give it the sound of an utterance, without what the device itself plays; of two voices or a loud
    television it finds the one with the most onsets. Any cut of the sound gives the same answer.

    Microphones in one line cannot tell a direction from its mirror image across that line: for them only
    the half of the circle is searched that looks at the listener's place, -90 to 90 degrees.

    Parameters
    ----------
    positions_m : ndarray
        Shape ``(microphones, 3)``, in the frame of the speaker layout: x to the listener's right, y from
        the listener to the device, z up.
    rate_hz : int
        At least 16 kHz.

    Raises
    ------
    ValueError
        There are less than two microphones, or they do not stand at least 2 cm apart sideways.
    """

    def __init__(self, positions_m: NDArray[np.float64], rate_hz: int) -> None:
        if len(positions_m) < 2 or np.ptp(positions_m[:, 0]) < _LEAST_SIDEWAYS_M:
            message = "a talker's direction needs two microphones that are 2 cm or more apart sideways"
            raise ValueError(message)
        self._frame, self._hop = round(_FRAME_SECONDS * rate_hz), round(_HOP_SECONDS * rate_hz)
        hz = fft.rfftfreq(self._frame, 1 / rate_hz)
        self._bins = np.flatnonzero((hz >= _BAND_HZ[0]) & (hz <= _BAND_HZ[1]))
        self._window = np.hanning(self._frame)
        self._pairs = np.array(list(itertools.combinations(range(len(positions_m)), 2)))
        self._azimuths = _azimuths(positions_m)
        radians = np.radians(self._azimuths)
        towards = np.stack([np.sin(radians), -np.cos(radians), 0 * radians])
        apart = positions_m[self._pairs[:, 1]] - positions_m[self._pairs[:, 0]]
        seconds = apart @ towards / speed_of_sound_mps()
        # e^{+jwt}: the second microphone of a pair hears the talker earlier by the projection
        self._steering = np.exp(2j * np.pi * hz[self._bins, None] * seconds[:, None, :])
        self._keep = float(np.exp(-_HOP_SECONDS / _FORGET_SECONDS))
        self._microphones = len(positions_m)
        self.reset()

    def reset(self) -> None:
        """Forget the utterance."""
        bins = len(self._bins)
        self._waiting = np.zeros((self._microphones, 0), np.float32)
        self._smooth = np.zeros(bins)
        self._least, self._least_before = np.full(bins, np.inf), np.full(bins, np.inf)
        self._frames = 0
        self._decay = np.full(bins, np.inf)
        self._cross = np.zeros((len(self._pairs), bins), np.complex128)
        self._weight = 0.0

    def process(self, speech: Block) -> TalkerAzimuth | None:
        """Return the direction after this piece of the utterance, None as long as it is unsure.

        Parameters
        ----------
        speech : Block
            Shape ``(microphones, frames)``.
        """
        sound = np.concatenate([self._waiting, speech], axis=1)
        count = max(0, (sound.shape[1] - self._frame) // self._hop + 1)
        for first in range(0, count * self._hop, self._hop):
            piece = sound[:, first : first + self._frame] * self._window
            self._add(fft.rfft(piece, axis=1)[:, self._bins])
        self._waiting = sound[:, count * self._hop :].copy()
        return self._direction()

    def _add(self, spectra: _Spectra) -> None:
        """Count the onsets of one frame, shape ``(microphones, bins)``."""
        power = (np.abs(spectra) ** 2).mean(axis=0)
        floor = self._floor(power)
        is_onset = (power > _SNR_POWER * floor) & (power > _ONSET_POWER * self._decay)
        decayed = _ECHO_KEEP * np.where(np.isfinite(self._decay), self._decay, 0)
        self._decay = np.maximum(decayed, power)
        cross = spectra[self._pairs[:, 0]] * spectra[self._pairs[:, 1]].conj()
        phase = cross / np.maximum(np.abs(cross), _TINY)
        self._cross = self._keep * self._cross + is_onset * phase
        self._weight = self._keep * self._weight + float(is_onset.sum())

    def _floor(self, power: _Bins) -> _Bins:
        """Return the noise: the least smoothed power of the last one to two seconds."""
        if self._frames % _FLOOR_FRAMES == 0:
            self._least_before, self._least = self._least, np.full(len(power), np.inf)
        self._smooth = (
            power if self._frames == 0 else self._smooth + (1 - _SMOOTH_KEEP) * (power - self._smooth)
        )
        self._frames += 1
        self._least = np.minimum(self._least, self._smooth)
        floor: _Bins = _FLOOR_BIAS * np.minimum(self._least, self._least_before)
        return floor

    def _direction(self) -> TalkerAzimuth | None:
        if self._weight < _LEAST_BINS:
            return None
        power = np.einsum("pf,pfa->a", self._cross, self._steering).real / len(self._pairs)
        best = int(np.argmax(power))
        confidence = float(power[best]) / self._weight
        if confidence < SURE:
            return None
        degrees = float(self._azimuths[best])
        if 0 < best < len(power) - 1:
            left, middle, right = power[best - 1 : best + 2]
            degrees += _STEP_DEGREES * 0.5 * float((left - right) / (left - 2 * middle + right))
        return TalkerAzimuth(azimuth_degrees=degrees, confidence=min(1.0, confidence))


def _azimuths(positions_m: NDArray[np.float64]) -> _Bins:
    """Return what is searched: the circle, or the listener's half for microphones in one line."""
    level = positions_m[:, :2] - positions_m[:, :2].mean(axis=0)
    extents = np.linalg.svd(level, compute_uv=False)
    most = 90.0 if extents[1] < _ALONG_A_LINE * extents[0] else 180.0
    return np.arange(-most, most + (_STEP_DEGREES if most < 180 else 0), _STEP_DEGREES)
