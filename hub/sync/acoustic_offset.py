"""Hear how far two devices are out of step, from chirps above hearing.

Time stamps cannot see a network whose ways there and back differ, nor a loudspeaker that is late. Microphones
can: two devices take turns in the order first, second, second, first, at times that both believe to be the
same clock. At a microphone the mean of the inner two minus the mean of the outer two is the error of the
second plus a difference of distances; a microphone's clock that runs wrong cancels. With a microphone at each
device the distance appears with both signs, and so do reflections on the way between them (Peng et al.,
BeepBeep, SenSys 2007): half the sum is the error, half the difference the distance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from hub.errors import HubError
from hub.sync.chirp_plan import ChirpPlan, Signal
from sensing.dsp.air import speed_of_sound_mps

_OVERSAMPLING = 8
_KAISER_BETA = 4.0
_FIRST_PATH_SHARE = 0.25
_FLANK_SHARE = 0.15
_ECHO_SHARE = 1.0
_NOISE_SHARE = 4.0
_GUARD_SECONDS = 0.002
_LEAST_SNR_DB = 24.0
_LARGEST_SPREAD_SECONDS = 40e-6
_LARGEST_ECHO_SECONDS = 100e-6
_LEAST_SIGMA_SECONDS = 2e-6
_LARGEST_DISTANCE_METRES = 12.0


class Unsure(HubError):
    """The chirps do not tell the offset; why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """What one microphone heard.

    Attributes
    ----------
    later_seconds : float
        How much later than planned, after the first device's chirps, those of the second arrive.
    sigma_seconds : float
        From the spread over the rounds and from the bend that near echoes give the pulses.
    snr_db : float
        The weakest chirp above the noise in its band.
    """

    later_seconds: float
    sigma_seconds: float
    snr_db: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AcousticOffset:
    """The result of two microphones.

    Attributes
    ----------
    offset_seconds : float
        How much later the second device sounds than the first; its trim must grow by it.
    sigma_seconds : float
        One standard deviation.
    distance_metres : float
        Between the devices.
    """

    offset_seconds: float
    sigma_seconds: float
    distance_metres: float


def heard(recording: NDArray[np.float32], *, rate_hz: int, plan: ChirpPlan, start_seconds: float) -> Arrivals:
    """Return when the chirps of both devices arrive at one microphone.

    Parameters
    ----------
    recording : ndarray
        One microphone, shape ``(frames,)``.
    start_seconds : float
        Where in the recording the plan starts, within the plan's margin.

    Raises
    ------
    Unsure
        A chirp is missing, too weak, or the rounds do not agree.
    """
    if plan.high_hz > 0.48 * rate_hz:
        message = (
            f"chirps up to {plan.high_hz:g} Hz cannot be heard at {rate_hz} Hz. Record at 48000 Hz or more"
        )
        raise Unsure(message)
    matched = _MatchedFilter(plan, rate_hz)
    pulses = [
        [matched.pulse(recording, (start_seconds + start) * rate_hz) for start in plan.starts(device).ravel()]
        for device in (0, 1)
    ]
    weakest = min(pulse.snr_db for some in pulses for pulse in some)
    if weakest < _LEAST_SNR_DB:
        raise Unsure(
            f"a chirp is {weakest:.0f} dB above the noise, {_LEAST_SNR_DB:.0f} are needed. "
            "Turn the chirps up, or bring the devices nearer"
        )
    late = np.array([[pulse.late_seconds for pulse in some] for some in pulses])
    later = np.diff(late.reshape(2, plan.rounds, 2).mean(axis=2), axis=0)[0]
    spread = float(later.max() - later.min())
    if spread > _LARGEST_SPREAD_SECONDS:
        raise Unsure(
            f"the rounds differ by {spread * 1e6:.0f} us, {_LARGEST_SPREAD_SECONDS * 1e6:.0f} are allowed. "
            "Measure again while nothing moves"
        )
    echo = abs(float(np.median([pulse.bend_seconds for pulse in pulses[1]]))) + abs(
        float(np.median([pulse.bend_seconds for pulse in pulses[0]]))
    )
    if echo > _LARGEST_ECHO_SECONDS:
        raise Unsure(
            f"an echo bends the pulses by {echo * 1e6:.0f} us, {_LARGEST_ECHO_SECONDS * 1e6:.0f} are "
            "allowed. Move the devices away from what stands close to them"
        )
    return Arrivals(
        later_seconds=float(np.median(later)),
        sigma_seconds=math.hypot(spread / math.sqrt(plan.rounds), _ECHO_SHARE * echo, _LEAST_SIGMA_SECONDS),
        snr_db=weakest,
    )


def two_way_offset(
    at_first: Arrivals,
    at_second: Arrivals,
    *,
    own_path_metres: float = 0.0,
    towards_metres: tuple[float, float] = (0.0, 0.0),
) -> AcousticOffset:
    """Return the offset that the microphones of both devices tell together.

    Parameters
    ----------
    own_path_metres : float
        From a device's loudspeaker to its own microphone; the same in both.
    towards_metres : tuple of float
        How much nearer to the other device each microphone is than its loudspeaker. Where the two are equal,
        as in a pair that stands like a mirror image, they cancel; else a centimetre unknown is 15 us.

    Raises
    ------
    Unsure
        The distance that follows cannot be true.
    """
    speed_mps = speed_of_sound_mps()
    apart_seconds = (at_first.later_seconds - at_second.later_seconds) / 2
    distance = speed_mps * apart_seconds + own_path_metres + sum(towards_metres) / 2
    aside_seconds = (towards_metres[0] - towards_metres[1]) / (2 * speed_mps)
    if not -0.1 < distance < _LARGEST_DISTANCE_METRES:
        raise Unsure(
            f"the chirps say that the devices are {distance:.1f} m apart. "
            "Check that both recordings are of the same chirps, each with its own device's microphone"
        )
    return AcousticOffset(
        offset_seconds=(at_first.later_seconds + at_second.later_seconds) / 2 + aside_seconds,
        sigma_seconds=math.hypot(at_first.sigma_seconds, at_second.sigma_seconds) / 2,
        distance_metres=distance,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pulse:
    late_seconds: float
    bend_seconds: float
    snr_db: float


class _MatchedFilter:
    """Deconvolution by the chirp, with a Kaiser window over its band."""

    def __init__(self, plan: ChirpPlan, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._margin = round(plan.margin_seconds * rate_hz)
        self._frames = 2 * self._margin + round(plan.chirp_seconds * rate_hz)
        self._size = fft.next_fast_len(2 * self._frames)
        hz = fft.fftfreq(self._size, 1 / rate_hz)
        spectrum = fft.fft(plan.chirp(np.arange(self._frames) / rate_hz), self._size)
        power = np.abs(spectrum) ** 2
        place = 2 * (hz - plan.low_hz) / (plan.high_hz - plan.low_hz) - 1
        band = np.where(abs(place) <= 1, np.i0(_KAISER_BETA * np.sqrt(np.maximum(0, 1 - place**2))), 0)
        self._inverse = spectrum.conj() / (power + 1e-3 * power.max()) * band
        edge = np.minimum(np.arange(self._frames), np.arange(self._frames)[::-1]) / (0.1 * self._margin)
        # cut off hard, music would leak into the band
        self._taper = np.sin(np.pi / 2 * np.clip(edge, 0, 1)) ** 2
        ideal = plan.chirp((np.arange(self._frames) - self._margin) / rate_hz)
        envelope = self._envelope(ideal)
        top = int(np.argmax(envelope))
        self._flank_ahead = _vertex(envelope, top) - _flank(envelope, top)

    def pulse(self, recording: NDArray[np.float32], expected_frame: float) -> _Pulse:
        """Return how late a chirp is.

        The first path counts, not the strongest: the first peak of the envelope that is above a quarter of
        the highest and above the noise before it. An echo right behind moves the peak; it moves the flank
        before it less. By how much the two disagree tells of the echo.
        """
        first = round(expected_frame) - self._margin
        if first < 0 or first + self._frames > recording.size:
            raise Unsure("the recording does not hold all chirps. Begin earlier, or record longer")
        envelope = self._envelope(recording[first : first + self._frames] * self._taper)
        highest = int(np.argmax(envelope))
        guard = round(_GUARD_SECONDS * self._rate_hz * _OVERSAMPLING)
        if highest < 4 * guard:  # no noise before it: nobody chirped, or far too early
            return _Pulse(late_seconds=0.0, bend_seconds=0.0, snr_db=0.0)
        noise = max(float(np.sqrt(np.mean(envelope[guard : highest - 2 * guard] ** 2))), 1e-12)
        threshold = max(_FIRST_PATH_SHARE * envelope[highest], _NOISE_SHARE * noise)
        inner = envelope[1:-1]
        is_peak = (inner >= envelope[:-2]) & (inner > envelope[2:]) & (inner >= threshold)
        peaks = 1 + np.flatnonzero(is_peak)
        if not peaks.size:
            return _Pulse(late_seconds=0.0, bend_seconds=0.0, snr_db=0.0)
        top = int(peaks[0])
        place = _flank(envelope, top) + self._flank_ahead
        return _Pulse(
            late_seconds=(first + place / _OVERSAMPLING - expected_frame) / self._rate_hz,
            bend_seconds=(_vertex(envelope, top) - place) / _OVERSAMPLING / self._rate_hz,
            snr_db=20 * math.log10(max(float(envelope[top]), 1e-12) / noise),
        )

    def _envelope(self, piece: Signal) -> Signal:
        """Return the envelope of the deconvolved signal at delays from 0 to twice the margin."""
        filtered = fft.fft(piece, self._size) * self._inverse
        finer = np.zeros(self._size * _OVERSAMPLING, np.complex128)
        finer[: self._size // 2] = filtered[: self._size // 2]
        envelope: Signal = np.abs(fft.ifft(finer))[: 2 * self._margin * _OVERSAMPLING]
        return envelope


def _vertex(envelope: Signal, top: int) -> float:
    """Return where the parabola through a peak is highest."""
    before, peak, after = envelope[top - 1 : top + 2]
    return float(top + 0.5 * (before - after) / (before - 2 * peak + after))


def _flank(envelope: Signal, top: int) -> float:
    """Return where the envelope last rises through 15 % of a peak."""
    level = _FLANK_SHARE * envelope[top]
    below = int(np.flatnonzero(envelope[:top] < level)[-1])
    return float(below + (level - envelope[below]) / (envelope[below + 1] - envelope[below]))
