"""What the loudspeaker plays beside the carrier, and what its cone does meanwhile."""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sensing.audio_block import Block
from sensing.simulation.baseband.amplifier import ENVELOPE_HZ, Amplifier, limiter_gain
from sensing.simulation.baseband.room_images import Array
from sensing.simulation.baseband.scatterers import presence_ramp
from sensing.simulation.baseband.scene_faults import Music

_Number = TypeVar("_Number", np.float32, np.float64, np.complex128)
_RESONANCE_HZ = 90.0
_QUALITY = 0.8
_SECOND_ORDER_DB = -8.0
"""The quadratic term relative to the linear one."""
_TOP_HZ = 15_000.0
_RMS = 0.1
_GATE_SECONDS = 0.05
_BEATS = 64
_SCALE_HZ = (55.0, 65.4, 73.4, 82.4, 98.0)


class PlayedMusic:
    """Music as a seamless loop of whole seconds.

    Attributes
    ----------
    loop : NDArray
        Shape ``(frames,)`` at the card's rate, full scale 1: the playback reference.
    """

    def __init__(
        self,
        music: Music,
        *,
        ends: float,
        rate_hz: int,
        baseband_hz: int,
        carrier_hz: float,
        carrier_db: float,
        samples: NDArray[np.float32] | None,
        chance: np.random.Generator,
    ) -> None:
        self._music, self._ends = music, music.until if music.until is not None else ends
        self._rate_hz, self._baseband_hz = rate_hz, baseband_hz
        if samples is None:
            self.loop = synthetic_music(music.beats_per_minute, rate_hz, chance)
        else:
            whole = max(1, len(samples) // rate_hz) * rate_hz
            self.loop = np.resize(samples, whole).astype(np.float32)
        self._excursion = _excursion(self.loop, rate_hz, baseband_hz)
        self._carrier_hz = carrier_hz
        self._amplifier: Amplifier | None = None
        self._limiter = np.ones(1)
        if music.is_too_loud:
            self._limiter = limiter_gain(self.loop, music.limiter_db, rate_hz=rate_hz)
            self._amplifier = Amplifier.at_work(
                music,
                self.loop,
                rate_hz=rate_hz,
                baseband_hz=baseband_hz,
                carrier_hz=carrier_hz,
                carrier_db=carrier_db,
            )

    @property
    def level_db(self) -> float:
        """Sound pressure level at one metre, rms."""
        return self._music.level_db

    def excursion(self, seconds: Array) -> Array:
        """Return the cone's excursion, rms 1 while the music plays, shape ``(n,)``."""
        value = self._limited(seconds) * _between(self._excursion, seconds * self._baseband_hz)
        return value * presence_ramp(seconds, self._music.at, self._ends, _GATE_SECONDS)

    def modulation(
        self, seconds: Array, wavelength_m: float, *, emitted: Array | float = 1.0
    ) -> NDArray[np.complex128]:
        """Return what becomes of the carrier, shape ``(n,)``; 1 when nothing plays.

        ``s = (1 + a1 x + a2 (x^2 - 1)) exp(j k xd x / 2)``: the magnetic field and the suspension give the
        amplitude, the moving cone the phase (Doppler distortion, Beers and Belar, Proc. IRE 31, 1943).
        What an amplifier at its limits makes of the music alone is there without a carrier too.

        Parameters
        ----------
        emitted : Array
            Shape ``(n,)``: the carrier's envelope.
        """
        x = self.excursion(seconds)
        plays = presence_ramp(seconds, self._music.at, self._ends, _GATE_SECONDS)
        linear = 10 ** (self._music.amplitude_db / 20)
        square = linear * 10 ** (_SECOND_ORDER_DB / 20)
        phase = 2 * math.pi / wavelength_m * self._music.excursion_m * x / 2
        played: NDArray[np.complex128] = (
            emitted * (1 + linear * x + square * (x**2 - 1) * plays) * np.exp(1j * phase)
        )
        if self._amplifier is None:
            return played
        place = seconds * self._baseband_hz
        # the products were mixed down by a whole number of hertz
        rest = np.exp(-2j * math.pi * (self._carrier_hz - round(self._carrier_hz)) * seconds)
        gain, added = _between(self._amplifier.gain, place), _between(self._amplifier.added, place)
        distorted: NDArray[np.complex128] = played * (1 + plays * (gain - 1)) + plays * added * rest
        return distorted

    def reference(self, first: int, frames: int) -> Block:
        """Return what was sent to the speaker, without the carrier, shape ``(1, frames)``, card's rate."""
        played = np.resize(np.roll(self.loop, -(first % len(self.loop))), frames)
        for begin in range(0, frames, self._rate_hz):
            piece = slice(begin, min(begin + self._rate_hz, frames))
            seconds = np.arange(first + piece.start, first + piece.stop) / self._rate_hz
            plays = presence_ramp(seconds, self._music.at, self._ends, _GATE_SECONDS)
            played[piece] *= plays.astype(np.float32)
        return played[None]

    def pressure(self, seconds: Array) -> Array:
        """Return the music at any instants in units of its level at one metre, rms 1, shape ``(n,)``."""
        numbers = seconds * self._rate_hz
        rms = math.sqrt(float(np.mean(self.loop.astype(np.float64) ** 2))) or 1.0
        value = self._limited(seconds) * _between(self.loop, numbers) / rms
        return value * presence_ramp(seconds, self._music.at, self._ends, _GATE_SECONDS)

    def _limited(self, seconds: Array) -> Array:
        """Return the limiter's gain, shape ``(n,)``."""
        return _between(self._limiter, seconds * ENVELOPE_HZ)


def _between(loop: NDArray[_Number], place: Array) -> NDArray[_Number]:
    """Return a loop's values at places between its entries, by straight lines."""
    low = np.floor(place).astype(np.int64)
    share = place - low
    value = (1 - share) * loop[low % len(loop)] + share * loop[(low + 1) % len(loop)]
    return value.astype(loop.dtype)


def _excursion(loop: NDArray[np.float32], rate_hz: int, baseband_hz: int) -> Array:
    """Return the loop through the speaker's second-order low-pass, at the baseband's rate, rms 1."""
    spectrum = np.fft.rfft(loop.astype(np.float64))
    frames = len(loop) * baseband_hz // rate_hz
    spectrum = spectrum[: frames // 2 + 1]
    hz = np.arange(len(spectrum)) * rate_hz / len(loop)
    ratio = hz / _RESONANCE_HZ
    spectrum /= 1 - ratio**2 + 1j * ratio / _QUALITY
    spectrum[0] = spectrum[-1] = 0.0
    excursion: Array = np.fft.irfft(spectrum, frames)
    return excursion / max(math.sqrt(float(np.mean(excursion**2))), 1e-12)


def synthetic_music(
    beats_per_minute: float, rate_hz: int, chance: np.random.Generator
) -> NDArray[np.float32]:
    """Return sixteen bars with kick, bass, chords and hats, a loop of whole seconds, shape ``(frames,)``."""
    seconds = max(4, round(_BEATS * 60 / beats_per_minute))
    frames = seconds * rate_hz
    loop = np.zeros(frames)
    beat = frames / _BEATS
    root = _SCALE_HZ[0]
    for number in range(_BEATS):
        if number % 8 == 0:
            root = float(chance.choice(_SCALE_HZ))
            for ratio in (4.0, 5.04, 5.99):
                _add(loop, round(number * beat), 0.05 * _tone(root * ratio, 8 * beat / rate_hz, rate_hz))
        _add(loop, round(number * beat), 0.9 * _kick(rate_hz))
        for half in range(2):
            start = round((number + half / 2) * beat)
            note = root * float(chance.choice([1.0, 1.0, 1.5, 2.0]))
            _add(loop, start, 0.35 * _tone(note, 0.45 * beat / rate_hz, rate_hz))
            hat = chance.normal(0, 0.08, round(0.05 * rate_hz))
            _add(loop, start, hat * np.exp(-np.arange(len(hat)) / (0.012 * rate_hz)))
    spectrum = np.fft.rfft(loop)
    hz = np.arange(len(spectrum)) / seconds
    spectrum *= (hz > 20) / (1 + np.maximum(hz / _TOP_HZ, 1e-9) ** 24)
    loop = np.fft.irfft(spectrum, frames)
    scaled: NDArray[np.float32] = (_RMS * loop / np.sqrt(np.mean(loop**2))).astype(np.float32)
    return scaled


def _kick(rate_hz: int) -> Array:
    seconds = np.arange(round(0.3 * rate_hz)) / rate_hz
    phase = 2 * math.pi * (48 * seconds + 70 * 0.04 * (1 - np.exp(-seconds / 0.04)))
    kick: Array = np.sin(phase) * np.exp(-seconds / 0.09)
    return kick


def _tone(hz: float, length_seconds: float, rate_hz: int) -> Array:
    seconds = np.arange(round(length_seconds * rate_hz)) / rate_hz
    tone: Array = sum((np.sin(2 * math.pi * hz * n * seconds) / n**1.5 for n in range(1, 5)), np.zeros(1))
    tone *= np.minimum(1, seconds / 0.01) * np.exp(-seconds / max(0.4 * length_seconds, 1e-3))
    return tone


def _add(loop: Array, start: int, sound: Array) -> None:
    """Add a sound; what reaches beyond the end begins the loop anew."""
    end = min(start + len(sound), len(loop))
    loop[start:end] += sound[: end - start]
    loop[: len(sound) - (end - start)] += sound[end - start :]
