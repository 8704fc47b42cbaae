"""Make clean speech sound as it does in homes: other distances, rooms, noises, speeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import soxr
from scipy.signal import fftconvolve

from sensing.dsp.loudness import loud_rms
from sensing.training.recordings import RATE_HZ, Sound


class Readable(Protocol):
    """A recording, or a sound that was made."""

    def read(self) -> Sound:
        """Return the sound at 16 kHz."""
        ...


class Home:
    """A place with its noises and rooms, from which every call draws anew.

    Parameters
    ----------
    noises, rooms : sequence of Readable
        Background sounds, and impulse responses.
    """

    def __init__(self, *, noises: Sequence[Readable], rooms: Sequence[Readable]) -> None:
        self._noises = [one.read() for one in noises]
        self._rooms = [_direct_first(one.read()) for one in rooms]
        self._random = np.random.default_rng(0)

    def draw_from(self, random: np.random.Generator) -> None:
        """Take all chance from this generator from now on, so that a seed repeats a training."""
        self._random = random

    def speed(self, speech: Sound, *, most: float = 0.12) -> Sound:
        """Return the speech faster or slower, with its pitch, by up to ``most``."""
        factor = 1 + self._random.uniform(-most, most)
        changed: Sound = soxr.resample(speech, RATE_HZ * factor, RATE_HZ).astype(np.float32)
        return changed

    def room(self, speech: Sound) -> Sound:
        """Return the speech as heard in a room, of the same length and level."""
        response = self._rooms[self._random.integers(len(self._rooms))]
        heard = fftconvolve(speech, response)[: len(speech)]
        return (heard * (_rms(speech) / max(_rms(heard), 1e-9))).astype(np.float32)

    def level(self, speech: Sound, *, quietest_dbfs: float = -48, loudest_dbfs: float = -16) -> Sound:
        """Return the speech with a random level of its loud parts, never clipped."""
        wanted = 10 ** (self._random.uniform(quietest_dbfs, loudest_dbfs) / 20)
        gain = min(wanted / max(loud_rms(speech), 1e-6), 0.95 / max(float(np.abs(speech).max()), 1e-6))
        return speech * np.float32(gain)

    def background(self, frames: int) -> Sound:
        """Return noise with its loud parts at 1: mostly of a home, sometimes a steady hiss."""
        if self._random.random() < 0.25:
            hiss = self._random.standard_normal(frames)
            if self._random.random() < 0.5:  # brown rather than white
                hiss = np.cumsum(hiss)
                hiss -= np.linspace(hiss[0], hiss[-1], frames)
            return (hiss / _rms(hiss)).astype(np.float32)
        noise = self._noises[self._random.integers(len(self._noises))]
        noise = np.tile(noise, -(-frames // len(noise)) + 1)
        first = self._random.integers(len(noise) - frames)
        piece = noise[first : first + frames]
        return piece / np.float32(max(loud_rms(piece), 1e-5))

    def noisy(self, speech: Sound, *, worst_db: float = 0, best_db: float = 35) -> Sound:
        """Return the speech with a background at a random signal-to-noise ratio."""
        ratio_db = self._random.uniform(worst_db, best_db)
        noise = self.background(len(speech)) * np.float32(loud_rms(speech) * 10 ** (-ratio_db / 20))
        mixed = speech + noise
        return np.asarray(mixed / max(1.0, np.abs(mixed).max() / 0.99), np.float32)


def _rms(sound: np.ndarray[tuple[int, ...], np.dtype[np.floating]]) -> float:
    return float(np.sqrt(np.mean(np.square(sound)))) if len(sound) else 0.0


def _direct_first(response: Sound) -> Sound:
    """Return an impulse response that starts with its direct sound, at most half a second of it."""
    first = int(np.abs(response).argmax())
    return response[first : first + RATE_HZ // 2]
