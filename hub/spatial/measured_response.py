"""What microphones hear of each driver: sweep, deconvolution, the direct sound alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from hub.spatial.plant import Response
from sensing.audio_block import Block

SWEEP_SECONDS = 3.0
TAIL_SECONDS = 0.7
"""Silence after the sweep: a card's delay of up to 0.4 s, and 0.3 s of room."""

GATE_SECONDS = (-0.0005, 0.003)
"""Around the direct sound; a reflection that travels a metre more comes later."""

RESPONSE_FRAMES = 4096

_LOWEST_HZ, _HIGHEST_HZ = 80.0, 18_000.0
_PEAK = 0.25
_FADE_SECONDS = 0.02
_LOW_EDGE_OCTAVES, _HIGH_EDGE_OCTAVES = 1.0, 1 / 6
_EARLY_SHARE = 0.5
"""The first peak of half the highest is the direct sound: a wall may be louder than a covered driver."""

_NOISE_SECONDS = 0.1
_TINY = 1e-20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DirectSound:
    """The direct sound of one driver at one microphone.

    Attributes
    ----------
    arrival_seconds : float
        Start of the gate's time axis, to the nearest frame; the response's phase counts from here.
    response : ndarray
        Shape ``(bins,)`` on the even grid of `RESPONSE_FRAMES`; full scale heard over full scale played.
    peak_to_noise_db : float
        Peak of the impulse response over the noise of it.
    """

    arrival_seconds: float
    response: Response
    peak_to_noise_db: float


def highest_hz(rate_hz: int) -> float:
    """Return where the sweep ends: below ultrasound, which other parts of the house listen to."""
    return min(_HIGHEST_HZ, 0.45 * rate_hz)


def exponential_sweep(rate_hz: int) -> NDArray[np.float32]:
    """Return a sweep whose pitch rises evenly (Farina, AES 108, 2000), then silence; shape ``(frames,)``.

    Low frequencies, where rooms are loud, get more energy, and distortion falls ahead of the response,
    where the gate leaves it out. The ends are faded over 20 ms.
    """
    frames = round(SWEEP_SECONDS * rate_hz)
    octaves = math.log(highest_hz(rate_hz) / _LOWEST_HZ)
    pace = SWEEP_SECONDS / octaves
    seconds = np.arange(frames) / rate_hz
    phase = 2 * np.pi * _LOWEST_HZ * pace * (np.exp(seconds / pace) - 1)
    envelope = signal.windows.tukey(frames, 2 * _FADE_SECONDS / SWEEP_SECONDS)
    silence = np.zeros(round(TAIL_SECONDS * rate_hz))
    return np.concatenate([_PEAK * envelope * np.sin(phase), silence]).astype(np.float32)


def impulse_responses(played: NDArray[np.float32], heard: Block, rate_hz: int) -> NDArray[np.float64]:
    """Return what turned the sweep into what was heard, shape ``(microphones, frames)``.

    The spectra are divided inside the sweep's band, with soft edges. The record is a
    circle: what seems to come before the sweep, as distortion does, is at its end.

    Parameters
    ----------
    played : ndarray
        Shape ``(frames,)``, the sweep and its silence.
    heard : Block
        Shape ``(microphones, frames)``.
    """
    frames = len(played)
    hz = fft.rfftfreq(frames, 1 / rate_hz)
    spectrum = fft.rfft(played.astype(float))
    low = np.log2(np.maximum(hz, 1) / _LOWEST_HZ) / _LOW_EDGE_OCTAVES
    high = np.log2(highest_hz(rate_hz) / np.maximum(hz, 1)) / _HIGH_EDGE_OCTAVES
    taper = 0.5 - 0.5 * np.cos(np.pi * np.clip(np.minimum(low, high), 0, 1))
    inverse = np.where(taper > 0, taper * spectrum.conj() / np.maximum(np.abs(spectrum) ** 2, _TINY), 0)
    responses: NDArray[np.float64] = fft.irfft(fft.rfft(heard.astype(float), axis=1) * inverse, frames)
    return responses


def direct_sounds(
    played: NDArray[np.float32], heard: Block, silence: Block, rate_hz: int
) -> tuple[DirectSound, ...]:
    """Return the direct sound of one driver at every microphone.

    Parameters
    ----------
    played : ndarray
        Shape ``(frames,)``.
    heard, silence : Block
        Shape ``(microphones, frames)``: with the sweep, and without.
    """
    responses = impulse_responses(played, heard, rate_hz)
    noises = impulse_responses(played, silence, rate_hz)
    return tuple(_gated(one, noise, rate_hz) for one, noise in zip(responses, noises, strict=True))


def _gated(impulse: NDArray[np.float64], noise: NDArray[np.float64], rate_hz: int) -> DirectSound:
    """Cut the direct sound out of an impulse response, with soft ends."""
    latest = round(TAIL_SECONDS * rate_hz)
    envelope = np.abs(signal.hilbert(impulse))
    highest = float(envelope[:latest].max())
    first = int(np.argmax(envelope[:latest] >= _EARLY_SHARE * highest))
    peak = first + int(np.argmax(envelope[first : first + round(0.0002 * rate_hz) + 1]))
    before, after = (round(abs(seconds) * rate_hz) for seconds in GATE_SECONDS)
    gate = np.ones(before + after)
    gate[:before] = 0.5 - 0.5 * np.cos(np.pi * (np.arange(before) + 0.5) / before)
    half = after // 2
    gate[-half:] = 0.5 + 0.5 * np.cos(np.pi * (np.arange(half) + 0.5) / half)
    places = np.arange(peak - before, peak + after)
    placed = np.zeros(RESPONSE_FRAMES)
    placed[np.arange(-before, after)] = impulse[places % len(impulse)] * gate
    # the noise of the record's end is the noise of all of it
    rms = math.sqrt(float((noise[-round(_NOISE_SECONDS * rate_hz) :] ** 2).mean()))
    return DirectSound(
        arrival_seconds=peak / rate_hz,
        response=fft.rfft(placed),
        peak_to_noise_db=20 * math.log10(max(highest, _TINY) / max(rms, _TINY)),
    )
