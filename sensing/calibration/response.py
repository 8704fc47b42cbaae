"""From a sweep to what each microphone hears of a loudspeaker, and how much later."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensing.audio_block import AudioBlock
from sensing.calibration.band import GRID_HZ, Band

LATE_SECONDS = (0.010, 0.150)
"""After the direct sound: echoes of the room, without the device itself and what it stands on."""

HEARD_DB = 20.0
"""The direct sound stands so far above the noise of the impulse response, or was not heard."""

_DIRECT_SECONDS = 0.002
_NOISE_SECONDS = (-0.160, -0.020)
_LONGEST_DELAY_SECONDS = 0.5
_OVERSAMPLING = 16
_EARLY_SHARE = 0.5
"""The first peak of half the highest is the direct sound: a wall may be louder than a covered driver."""
_GATE_EDGE_SECONDS = 0.002
_TINY = 1e-20

_Complex = NDArray[np.complex128]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PathResponse:
    """What one microphone hears of one loudspeaker; both count from 0.

    Attributes
    ----------
    delay_frames : float
        From the reference of a block to the direct sound in its capture.
    peak_to_noise_db : float
        Direct sound over the noise, both in the impulse response.
    gain_db, late_db : NDArray
        Shape ``(grid,)``: response of everything within 150 ms, and of the room's echoes alone, in dB of
        full scale heard over full scale played. Echoes below the noise count as 10 dB below it.
    """

    speaker: int
    microphone: int
    delay_frames: float
    peak_to_noise_db: float
    gain_db: NDArray[np.float64]
    late_db: NDArray[np.float64]

    @property
    def is_heard(self) -> bool:
        """Return whether the direct sound stands out of the noise."""
        return self.peak_to_noise_db >= HEARD_DB


def measure_responses(heard: AudioBlock, *, speaker: int, band: Band) -> Sequence[PathResponse]:
    """Return the response of a loudspeaker at every microphone.

    Parameters
    ----------
    heard : AudioBlock
        Whole sweep and silence, as played (``reference``) and as heard (``capture``).
    speaker : int
        The one that played, from 0.

    Notes
    -----
    The cross-spectrum is divided by the spectrum of what was played, in the band only; its inverse transform
    is the impulse response around the band, which gates cut into direct sound and echoes.
    """
    hz = np.arange(heard.frames // 2 + 1, dtype=np.float64) * (heard.rate_hz / heard.frames)
    bins = np.flatnonzero((hz >= band.low_hz) & (hz <= band.high_hz))
    taper = _taper(hz[bins], band)
    played = np.fft.rfft(heard.reference[speaker])[bins]
    power = np.square(np.abs(played))
    weight = taper * np.conj(played) / np.maximum(power, 1e-4 * max(float(power.max()), _TINY))
    return [
        _PathAnalysis(np.fft.rfft(channel)[bins] * weight, hz[bins], band, heard.rate_hz).response(
            speaker, microphone
        )
        for microphone, channel in enumerate(heard.capture)
    ]


def _taper(hz: NDArray[np.float64], band: Band) -> NDArray[np.float64]:
    """Return a weight that rises and falls over the band's edges: direct sound must not ring into echoes."""
    inside = np.minimum(hz - band.low_hz, band.high_hz - hz) / band.taper_hz
    taper: NDArray[np.float64] = 0.5 - 0.5 * np.cos(np.pi * np.clip(inside, 0, 1))
    return taper


class _PathAnalysis:
    """The impulse response of one path, sampled at the band's own width."""

    def __init__(self, spectrum: _Complex, hz: NDArray[np.float64], band: Band, rate_hz: int) -> None:
        self._hz, self._band, self._rate_hz = hz, band, rate_hz
        self._record_seconds = 1 / (hz[1] - hz[0])
        self._impulse: _Complex = np.fft.ifft(spectrum)
        fine = np.fft.ifft(spectrum, _OVERSAMPLING * len(spectrum))
        self._envelope = np.abs(fine) * _OVERSAMPLING
        self._direct_seconds = self._find_direct()

    def response(self, speaker: int, microphone: int) -> PathResponse:
        direct = self._gated(-_DIRECT_SECONDS, _DIRECT_SECONDS)
        noise = self._gated(*_NOISE_SECONDS)
        late = self._gated(*LATE_SECONDS)
        noise_rms = math.sqrt(float(np.square(np.abs(noise)).sum()) / self._count(_NOISE_SECONDS))
        highest = float(np.abs(direct).max())
        noise_power = self._power(noise)
        late_power = np.maximum(self._power(late) - noise_power, 0.1 * noise_power)
        whole_seconds = (_NOISE_SECONDS[1], LATE_SECONDS[1])
        whole_noise = noise_power * self._count(whole_seconds) / self._count(_NOISE_SECONDS)
        whole_power = np.maximum(self._power(self._gated(*whole_seconds)) - whole_noise, 0.1 * whole_noise)
        return PathResponse(
            speaker=speaker,
            microphone=microphone,
            delay_frames=self._direct_seconds * self._rate_hz,
            peak_to_noise_db=20 * math.log10(max(highest, _TINY) / max(noise_rms, _TINY)),
            gain_db=10 * np.log10(np.maximum(whole_power, _TINY)),
            late_db=10 * np.log10(np.maximum(late_power, _TINY)),
        )

    def _find_direct(self) -> float:
        """Return when the direct sound comes, in seconds after it was played."""
        step = self._record_seconds / len(self._envelope)
        lead, longest = round(_DIRECT_SECONDS / step), round(_LONGEST_DELAY_SECONDS / step)
        # the record is a circle: what comes "before" the start is at its end
        envelope = np.concatenate([self._envelope[-lead:], self._envelope[:longest]])
        first = int(np.argmax(envelope >= _EARLY_SHARE * envelope.max()))
        lobe = envelope[first : first + 2 * _OVERSAMPLING]
        peak = first + int(np.argmax(lobe))
        peak = min(max(peak, 1), len(envelope) - 2)
        left, middle, right = np.square(envelope[peak - 1 : peak + 2])
        curvature = left - 2 * middle + right
        shift = 0.5 * (left - right) / curvature if curvature else 0.0
        return float((peak - lead + shift) * step)

    def _lags(self) -> NDArray[np.float64]:
        """Return the time of each sample after the direct sound, within half a record each way."""
        step = self._record_seconds / len(self._impulse)
        lags = np.arange(len(self._impulse)) * step - self._direct_seconds
        half = self._record_seconds / 2
        around: NDArray[np.float64] = np.remainder(lags + half, self._record_seconds) - half
        return around

    def _gated(self, start_seconds: float, end_seconds: float) -> _Complex:
        """Return the impulse response between two times, with soft edges inside them."""
        lags = self._lags()
        inside = np.minimum(lags - start_seconds, end_seconds - lags) / _GATE_EDGE_SECONDS
        gate = 0.5 - 0.5 * np.cos(np.pi * np.clip(inside, 0, 1))
        gated: _Complex = self._impulse * gate
        return gated

    def _count(self, window: tuple[float, float]) -> float:
        return float((window[1] - window[0]) * len(self._impulse) / self._record_seconds)

    def _power(self, impulse: _Complex) -> NDArray[np.float64]:
        """Return the power response on the grid: means over one step of it, without the taper."""
        power = np.square(np.abs(np.fft.fft(impulse)) / np.maximum(_taper(self._hz, self._band), 0.1))
        total = np.cumsum(np.pad(power, (1, 0)))
        grid_hz = self._band.grid_hz
        first = np.searchsorted(self._hz, grid_hz - GRID_HZ / 2)
        last = np.searchsorted(self._hz, grid_hz + GRID_HZ / 2)
        mean: NDArray[np.float64] = (total[last] - total[first]) / np.maximum(last - first, 1)
        return mean
