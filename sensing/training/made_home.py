"""Rooms and noises of homes made by the program, for who has no recordings of any.

A room response is the direct sound, some early reflections, and a tail of noise that decays by 60 dB in the
reverberation time and loses its treble sooner (Polack's model, 1988).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from sensing.training.recordings import RATE_HZ, Recording, Sound
from sensing.training.rooms_and_noise import Home
from sensing.training.synthetic_speech import Voice, spoken_by

_ROOMS = 40
_RESPONSE_SECONDS = 0.5
_NOISE_SECONDS = 12.0
_REVERBERATION_SECONDS = (0.15, 0.8)
_EARLY_REFLECTIONS = 8
_TALKERS, _CROWD = 5, 8


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A sound that was made, where a `Home` wants one that can be read."""

    sound: Sound

    def read(self) -> Sound:
        """Return the sound."""
        return self.sound


def made_home(
    random: np.random.Generator, *, noises: int, voices: Sequence[Voice], words: Sequence[str]
) -> Home:
    """Return a home with `made_noises` and `made_rooms`."""
    made = made_noises(random, noises, voices=voices, words=words)
    return Home(noises=made, rooms=made_rooms(random))


def made_noises(
    random: np.random.Generator, count: int, *, voices: Sequence[Voice], words: Sequence[str]
) -> list[Made]:
    """Return fans, clatter, music and people who say the words with the voices, in turns."""
    kinds: list[Callable[[], Sound]] = [
        lambda: _fan(random),
        lambda: _clatter(random),
        lambda: _music(random),
        lambda: _babble(random, voices, words),
    ]
    return [Made(kinds[index % len(kinds)]()) for index in range(count)]


def made_rooms(random: np.random.Generator) -> list[Made]:
    """Return the responses of forty rooms."""
    return [Made(room_response(random)) for _ in range(_ROOMS)]


def room_response(random: np.random.Generator) -> Sound:
    """Return the impulse response of a room, half a second at 16 kHz that starts with the direct sound."""
    frames = round(_RESPONSE_SECONDS * RATE_HZ)
    seconds = np.arange(frames) / RATE_HZ
    tail = random.standard_normal(frames) * 10 ** (-3 * seconds / random.uniform(*_REVERBERATION_SECONDS))
    tail[: round(0.004 * RATE_HZ)] = 0.0
    tail = lfilter([1.0], [1.0, -random.uniform(0.1, 0.6)], tail)
    reflections = np.zeros(frames)
    places = random.integers(round(0.001 * RATE_HZ), round(0.03 * RATE_HZ), _EARLY_REFLECTIONS)
    reflections[places] = random.uniform(-0.5, 0.5, _EARLY_REFLECTIONS)
    direct_over_tail = 10 ** (random.uniform(-6, 12) / 20)
    response = reflections + tail / (np.sqrt(np.square(tail).sum()) * direct_over_tail)
    response[0] = 1.0
    return np.asarray(response / np.abs(response).max(), np.float32)


def _fan(random: np.random.Generator) -> Sound:
    """Return air, duller or brighter, over the hum of a motor."""
    frames = round(_NOISE_SECONDS * RATE_HZ)
    air = lfilter([1.0], [1.0, -random.uniform(0.3, 0.98)], random.standard_normal(frames))
    hum_hz = random.uniform(45, 240)
    harmonics = np.arange(1, 7)[:, None]
    phases = 2 * np.pi * (hum_hz * harmonics * np.arange(frames) / RATE_HZ + random.random((6, 1)))
    hum = (random.random((6, 1)) / harmonics * np.sin(phases)).sum(axis=0)
    return _levelled(air / air.std() + random.uniform(0, 1.5) * hum / hum.std())


def _clatter(random: np.random.Generator) -> Sound:
    """Return dishes: blows that ring at a few frequencies and die away."""
    frames = round(_NOISE_SECONDS * RATE_HZ)
    sound = 0.02 * random.standard_normal(frames)
    for _ in range(int(random.integers(10, 60))):
        seconds = np.arange(round(random.uniform(0.03, 0.4) * RATE_HZ)) / RATE_HZ
        tones_hz = random.uniform(300, 7_000, (4, 1))
        ring = np.sin(2 * np.pi * tones_hz * seconds).sum(axis=0) + random.standard_normal(len(seconds))
        ring *= np.exp(-7 * np.arange(len(seconds)) / len(seconds)) * 10 ** random.uniform(-1.2, 0)
        first = int(random.integers(frames - len(ring)))
        sound[first : first + len(ring)] += ring
    return _levelled(sound)


def _music(random: np.random.Generator) -> Sound:
    """Return chords of plucked strings over a beat."""
    frames = round(_NOISE_SECONDS * RATE_HZ)
    sound = np.zeros(frames)
    beat = round(random.uniform(0.25, 0.7) * RATE_HZ)
    root_hz = random.uniform(80, 300)
    for first in range(0, frames - beat, beat):
        seconds = np.arange(min(3 * beat, frames - first)) / RATE_HZ
        for step in random.choice([0, 2, 4, 5, 7, 9, 11, 12], size=3, replace=False):
            tone_hz = root_hz * 2 ** (step / 12) * np.arange(1, 9)[:, None]
            partials = np.sin(2 * np.pi * tone_hz * seconds) * np.exp(-tone_hz / root_hz * seconds)
            sound[first : first + len(seconds)] += (partials / np.arange(1, 9)[:, None]).sum(axis=0)
        blow = random.standard_normal(beat // 3) * np.exp(-9 * np.arange(beat // 3) / beat)
        sound[first : first + len(blow)] += random.uniform(0, 2) * blow
    return _levelled(sound)


def _babble(random: np.random.Generator, voices: Sequence[Voice], words: Sequence[str]) -> Sound:
    """Return several people who talk at once, or one: a television next door."""
    frames = round(_NOISE_SECONDS * RATE_HZ)
    sound = np.zeros(frames)
    for _ in range(int(random.integers(1, _TALKERS + 1))):
        said = " ".join(words[index] for index in random.integers(len(words), size=30))
        talk = spoken_by(voices[int(random.integers(len(voices)))], said, speed=random.uniform(0.8, 1.2))
        sound += np.resize(talk, frames) * random.uniform(0.3, 1.0)
    return _levelled(lfilter([1.0], [1.0, -random.uniform(0.0, 0.8)], sound))


def crowd(said: Sequence[Recording], random: np.random.Generator) -> Made:
    """Return people of recordings who talk at once, each without a pause."""
    frames = round(_NOISE_SECONDS * RATE_HZ)
    sound = np.zeros(frames)
    for _ in range(int(random.integers(2, _CROWD + 1))):
        talk = np.zeros(0)
        while len(talk) < frames:
            talk = np.concatenate([talk, said[int(random.integers(len(said)))].read()])
        sound += talk[:frames] / max(float(talk.std()), 1e-6)
    return Made(_levelled(sound))


def _levelled(sound: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Sound:
    return np.asarray(0.3 * sound / max(float(np.abs(sound).max()), 1e-9), np.float32)
