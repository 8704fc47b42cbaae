"""A loudspeaker that distorts, in a random room, with two microphones and somebody who walks.

The speaker's model is ``s = (1 + a1 x + a2 (x^2 - 1)) exp(j k d x / 2)``: the bass ``x`` moves the membrane
by ``d`` and so modulates the tone that the same membrane plays. One `s` leaves the speaker; it reaches each
microphone over the direct path and the walls (image sources), and over the walker (scatterers).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter, resample_poly

Signal = NDArray[np.complex128]

INNER_HZ = 4_000
BASEBAND_HZ = 1_000
SPEED_MPS = 343.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Distorted:
    """What the microphones hear at 1 kHz around the carrier, in parts that add up.

    Attributes
    ----------
    tone : Signal
        Shape ``(microphones, frames)``: the tone with its distortion, by way of the room.
    person, noise : Signal
        Same shape: the echo of the walker, already scaled; and the microphones' own noise.
    excursion, playback : NDArray
        Shape ``(frames,)``: the membrane's path, and the music below 400 Hz as it was played.
    playback_4khz : NDArray
        Shape ``(4 * frames,)``: the music at 4 kHz.
    """

    tone: Signal
    person: Signal
    noise: Signal
    excursion: NDArray[np.float64]
    playback: NDArray[np.float64]
    playback_4khz: NDArray[np.float64]


def music(chance: np.random.Generator, seconds: float) -> NDArray[np.float64]:
    """Return a kick drum, a bass line and some noise above it at 4 kHz, rms 0.1."""
    frames = round(seconds * INNER_HZ)
    sound = np.zeros(frames)
    beat = 60 / chance.uniform(85, 135)
    for start in np.arange(chance.uniform(0, 0.1), seconds, beat):
        t = np.arange(min(round(0.3 * INNER_HZ), frames - round(start * INNER_HZ))) / INNER_HZ
        sweep = 2 * math.pi * (52 * t + 4 * (1 - np.exp(-t / 0.03)))
        at = round(start * INNER_HZ)
        sound[at : at + len(t)] += chance.uniform(0.8, 1.2) * np.exp(-t / 0.09) * np.sin(sweep)
    for start in np.arange(0, seconds, beat / 2):
        t = np.arange(min(round(beat / 2 * INNER_HZ), frames - round(start * INNER_HZ))) / INNER_HZ
        hz = 41.2 * 2 ** (chance.integers(0, 20) / 12)
        at = round(start * INNER_HZ)
        for harmonic in range(1, 5):
            phase = chance.uniform(0, 2 * math.pi)
            fade = np.minimum(t / 0.01, 1) * np.exp(-t / 0.3)
            sound[at : at + len(t)] += (
                0.6 / harmonic**1.5 * fade * np.sin(2 * np.pi * hz * harmonic * t + phase)
            )
    sound += 0.15 * lfilter([1], [1, -0.9], chance.normal(size=frames))
    return 0.1 * sound / sound.std()


def distorted(
    seed: int,
    *,
    seconds: float = 8.0,
    microphones: int = 2,
    carrier_hz: float = 20_000.0,
    walks: tuple[float, float] = (0.0, 1e9),
    score: tuple[float, float] = (4.0, 8.0),
    echo_to_distortion_db: float = -9.5,
    reverberates: bool = False,
    music_seed: int | None = None,
) -> Distorted:
    """Return one random room with music.

    The walker is scaled so that the echo stands ``echo_to_distortion_db`` over the distortion between 15 and
    300 Hz within ``score``, at microphone 0; ``walks`` is when there is a walker.
    """
    chance = np.random.default_rng(seed)
    played = music(chance if music_seed is None else np.random.default_rng(music_seed), seconds)
    membrane = _membrane(played, resonance_hz=chance.uniform(55, 110), quality=chance.uniform(0.6, 1.1))
    wave_number = 2 * math.pi * carrier_hz / SPEED_MPS
    first, second = 10 ** (chance.uniform(-45, -28, 2) / 20)
    excursion_metres = chance.uniform(0.02e-3, 0.25e-3)
    speaker = (1 + first * membrane + second * (membrane**2 - 1)) * np.exp(
        0.5j * wave_number * excursion_metres * membrane
    )
    room = _Room(chance, microphones, carrier_hz)
    tone = _slower(room.paths(speaker, reverberates=reverberates, chance=chance))
    seconds_at = np.arange(tone.shape[1]) / BASEBAND_HZ
    person = room.walker(chance, seconds_at) * _slower(speaker)
    is_scored = (seconds_at >= score[0]) & (seconds_at < score[1])
    scale_db = echo_to_distortion_db - (band_db(person[:1, is_scored]) - band_db(tone[:1, is_scored]))
    person *= 10 ** (scale_db / 20)
    level = float(np.abs(tone.mean(axis=1)).mean())
    edge = np.clip((seconds_at - walks[0]) / 0.2, 0, 1) * np.clip((walks[1] - seconds_at) / 0.2, 0, 1)
    noise = chance.normal(size=(2, *tone.shape))
    return Distorted(
        tone=tone / level,
        person=person * edge / level,
        noise=10 ** (-78 / 20) * (noise[0] + 1j * noise[1]) / math.sqrt(2),
        excursion=_slower(membrane).real,
        playback=_slower(played).real,
        playback_4khz=played,
    )


def band_db(signal: Signal | NDArray[np.complex64], low_hz: float = 15.0, high_hz: float = 300.0) -> float:
    """Return the power between two Doppler shifts, both signs, mean over the channels."""
    window = np.hanning(signal.shape[-1])
    spectrum = np.fft.fft((signal - signal.mean(axis=-1, keepdims=True)) * window, axis=-1)
    hz = np.abs(np.fft.fftfreq(signal.shape[-1], 1 / BASEBAND_HZ))
    power = np.abs(spectrum[..., (hz >= low_hz) & (hz <= high_hz)]) ** 2
    return float(10 * np.log10(power.sum(axis=-1).mean() / (window**2).sum() / signal.shape[-1] + 1e-30))


def as_recording(baseband: Signal, rate_hz: int, carrier_hz: float, level: float) -> NDArray[np.float32]:
    """Return the sound that microphones at ``rate_hz`` would have recorded."""
    wide = resample_poly(baseband, rate_hz // BASEBAND_HZ, 1, axis=1)
    turn = np.exp(2j * np.pi * carrier_hz / rate_hz * np.arange(wide.shape[1]))
    return (level * (wide * turn).real).astype(np.float32)


def _membrane(played: NDArray[np.float64], *, resonance_hz: float, quality: float) -> NDArray[np.float64]:
    """Return the excursion for a voltage, unit rms: constant below the resonance, -12 dB an octave above."""
    omega = 2 * math.pi * resonance_hz / INNER_HZ
    alpha = math.sin(omega) / (2 * quality)
    low = (1 - math.cos(omega)) / 2
    moved: NDArray[np.float64] = lfilter(
        [low, 2 * low, low], [1 + alpha, -2 * math.cos(omega), 1 - alpha], played
    )
    return moved / moved.std()


def _slower(signal: NDArray[np.float64] | Signal) -> Signal:
    """Return a signal at 1 kHz, cut at 400 Hz as the demodulator does."""
    frames = signal.shape[-1] // (INNER_HZ // BASEBAND_HZ)
    spectrum = np.fft.fft(signal, axis=-1)
    bins = np.fft.fftfreq(frames, 1 / frames).astype(int)
    kept = spectrum[..., bins] * (np.abs(bins) < 0.42 * frames)
    return np.fft.ifft(kept, axis=-1) * frames / signal.shape[-1]


class _Room:
    """A box with a speaker, microphones around it, and walls of random absorption."""

    def __init__(self, chance: np.random.Generator, microphones: int, carrier_hz: float) -> None:
        self.size = chance.uniform((3, 3, 2.4), (6, 6, 3.0))
        self.speaker = chance.uniform((0.6, 0.6, 0.7), (self.size[0] - 0.6, 1.2, 1.3))
        angle = chance.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(microphones) / microphones
        radius = chance.uniform(0.03, 0.045)
        around = np.stack([np.cos(angle), np.sin(angle), np.full(microphones, 2.0)]) * radius
        self.microphones = self.speaker + around.T + np.array([0, 0, 0.03])
        self.gain = 10 ** (chance.normal(0, 1.5, microphones) / 20)
        self.gain = self.gain * np.exp(2j * np.pi * chance.uniform(size=microphones))
        self.reflection = np.sqrt(1 - chance.uniform(0.1, 0.6, 6))
        self.carrier_hz = carrier_hz

    def images(self, point: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the point and its six mirror images, and how strong they are."""
        places, gains = [point], [1.0]
        for axis in range(3):
            for side, wall in enumerate((0.0, self.size[axis])):
                mirrored = point.copy()
                mirrored[axis] = 2 * wall - point[axis]
                places.append(mirrored)
                gains.append(float(self.reflection[2 * axis + side]))
        return np.array(places), np.array(gains)

    def paths(self, signal: Signal, *, reverberates: bool, chance: np.random.Generator) -> Signal:
        """Return a signal at 4 kHz as each microphone hears it: the exact delay of each image."""
        hz = np.fft.fftfreq(len(signal), 1 / INNER_HZ)
        spectrum = np.fft.fft(signal)
        heard = []
        places, gains = self.images(self.speaker)
        for place, gain in zip(self.microphones, self.gain, strict=True):
            response = np.zeros(len(hz), complex)
            for distance, strength in zip(np.linalg.norm(places - place, axis=1), gains, strict=True):
                delay = distance / SPEED_MPS
                response += strength / distance * np.exp(-2j * np.pi * (hz + self.carrier_hz) * delay)
            if reverberates:
                t = np.arange(round(0.4 * INNER_HZ)) / INNER_HZ
                tail = chance.normal(size=(2, len(t))) * np.exp(-6.9 * t / 0.25) * (t > 0.012)
                tail = 0.25 * tail / np.sqrt((tail**2).sum())
                response += np.fft.fft(tail[0] + 1j * tail[1], len(hz))
            heard.append(gain * np.fft.ifft(spectrum * response))
        return np.array(heard)

    def walker(self, chance: np.random.Generator, seconds: NDArray[np.float64]) -> Signal:
        """Return the echo of a person who walks up and down, for a steady tone, ``(microphones, frames)``."""
        ends = chance.uniform((0.5, 1.5, 0), (self.size[0] - 0.5, self.size[1] - 0.4, 0), (2, 3))
        while np.linalg.norm(ends[1] - ends[0]) < 1.0:
            ends = chance.uniform((0.5, 1.5, 0), (self.size[0] - 0.5, self.size[1] - 0.4, 0), (2, 3))
        length = float(np.linalg.norm(ends[1] - ends[0]))
        walked = chance.uniform(0.6, 1.4) * seconds
        along = np.abs((walked / length + chance.uniform(0, 2)) % 2 - 1)
        centre = ends[0] + along[:, None] * (ends[1] - ends[0])
        heading = (ends[1] - ends[0]) / length
        echo = np.zeros((len(self.microphones), len(seconds)), complex)
        for part in range(16):
            is_limb = part >= 6
            swing = chance.uniform(0.15, 0.3) if is_limb else chance.uniform(0, 0.02)
            gait = swing * np.sin(2 * np.pi * walked / 1.4 + np.pi * (part % 2))
            offset = chance.normal((0, 0, chance.uniform(0.3, 0.9) if is_limb else 1.2), 0.1)
            place = centre + offset + gait[:, None] * heading
            strength = 0.12 if is_limb else 0.3
            out = self._field(place, self.speaker)
            echo += strength * out * np.array([self._field(place, one) for one in self.microphones])
        return self.gain[:, None] * echo

    def _field(self, place: NDArray[np.float64], device: NDArray[np.float64]) -> Signal:
        total = np.zeros(len(place), complex)
        for image, gain in zip(*self.images(device), strict=True):
            distance = np.linalg.norm(place - image, axis=1)
            total += gain / distance * np.exp(-2j * np.pi * self.carrier_hz / SPEED_MPS * distance)
        return total
