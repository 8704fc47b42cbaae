"""How much later the microphones hear what was played."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

MAX_DELAY_SECONDS = 0.5

_RATE_HZ = 16_000
_PIECE_FRAMES = _RATE_HZ
"""The delay is looked for once a second."""
_FORGET = 0.7
"""Weight of the past a second."""
_LOADING = 0.01
"""Frequencies 20 dB below the strongest are not divided by: they hold more noise than echo."""
_WIDTH_FRAMES = 32
"""Direct sound and the desk: 2 ms."""
_PROMINENCE = 12.0
_TINY = 1e-20


class PlaybackDelay:
    """Find the delay by deconvolution, with moments of the last few seconds.

    Music is tonal and resembles itself at many delays. Dividing the cross-spectrum by the spectrum of what
    was played gives the impulse response instead of the correlation.
    """

    def __init__(self) -> None:
        self._most_frames = round(MAX_DELAY_SECONDS * _RATE_HZ)
        # what was played in a piece is heard up to half a second after it
        self._fft = 2 * _PIECE_FRAMES
        self._cross = np.zeros(_PIECE_FRAMES + 1, np.complex64)
        self._power = np.zeros(_PIECE_FRAMES + 1, np.float32)
        self.interrupt()

    def interrupt(self) -> None:
        """Forget the sound, as after a gap in it, but not what was found."""
        self._played = np.zeros(self._most_frames + _PIECE_FRAMES, np.float32)
        self._heard = np.zeros(_PIECE_FRAMES, np.float32)
        self._frames = 0

    def process(self, heard: NDArray[np.float32], played: NDArray[np.float32]) -> int | None:
        """Return the frames from played to heard where they stand out; None most of the time.

        Parameters
        ----------
        heard, played : NDArray
            Mono at 16 kHz, shape ``(frames,)``, of the same instants and at most a second.
        """
        room = _PIECE_FRAMES - self._frames
        found = self._take(heard[:room], played[:room])
        if len(heard) > room:
            self._take(heard[room:], played[room:])
        return found

    def _take(self, heard: NDArray[np.float32], played: NDArray[np.float32]) -> int | None:
        end = self._frames + len(heard)
        self._heard[self._frames : end] = heard
        self._played[self._most_frames + self._frames : self._most_frames + end] = played
        self._frames = end
        if end < _PIECE_FRAMES:
            return None
        found = self._look()
        self._played[: self._most_frames] = self._played[-self._most_frames :].copy()
        self._frames = 0
        return found

    def _look(self) -> int | None:
        heard = np.zeros(self._fft, np.float32)
        heard[self._most_frames : self._most_frames + _PIECE_FRAMES] = self._heard
        played = rfft(self._played, self._fft)
        self._cross = _FORGET * self._cross + rfft(heard) * np.conj(played)
        self._power = _FORGET * self._power + np.square(np.abs(played))
        response = irfft(self._cross / (self._power + _LOADING * self._power.max() + _TINY), self._fft)
        sums = np.cumsum(np.square(response[: self._most_frames + _WIDTH_FRAMES]))
        sums = np.concatenate([[0.0], sums])  # so that the first window begins with the first frame
        energy = sums[_WIDTH_FRAMES:] - sums[:-_WIDTH_FRAMES]
        best = int(np.argmax(energy))
        return best if energy[best] > _PROMINENCE * np.median(energy) + _TINY else None
