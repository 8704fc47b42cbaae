"""Split stereo into left, centre and right, with nothing lost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from sensing.audio_block import Block

SMOOTHING_SECONDS = 0.06


class CentreUpmix:
    """Find what both channels share; left and right keep the rest, so that L = L' + C exactly.

    Per frequency: ``M = (L + R) / 2``, ``S = (L - R) / 2``, ``g = E[M S*] / E[S S*]`` held to
    ``|g| <= 1``, ``C = (M - g S) * clip(Re E[L R*] / E|C|^2, 0, 1)``.
    Any cut of the input gives the same output.
    """

    def __init__(self, *, rate_hz: int, size: int = 1024) -> None:
        self.latency_frames = size
        self._step = size // 4
        self._window = np.sqrt(0.5 * signal.get_window("hann", size)).astype(np.float32)
        self._keep = float(np.exp(-self._step / rate_hz / SMOOTHING_SECONDS))
        self.reset()

    def reset(self) -> None:
        """Forget all sound."""
        size, bins = self.latency_frames, self.latency_frames // 2 + 1
        self._waiting = np.zeros((2, size - self._step), np.float32)
        self._tail = np.zeros(size - self._step, np.float32)
        self._centre = np.zeros(self._step, np.float32)
        self._delayed = np.zeros((2, size), np.float32)
        self._means = np.zeros((1, 5, bins), np.complex128)

    def process(self, stereo: Block) -> Block:
        """Return left, right and centre, shape ``(3, frames)``, `latency_frames` late.

        Parameters
        ----------
        stereo : Block
            Shape ``(2, frames)``.
        """
        frames = stereo.shape[1]
        sound = np.concatenate([self._waiting, stereo], axis=1)
        size, step = self.latency_frames, self._step
        count = max(0, (sound.shape[1] - size) // step + 1)
        if count:
            windows = np.lib.stride_tricks.sliding_window_view(sound, size, axis=1)
            pieces = windows[:, : count * step : step] * self._window
            self._overlap(self._shared(fft.rfft(pieces, axis=2)))
        self._waiting = sound[:, count * step :].copy()
        delayed = np.concatenate([self._delayed, stereo], axis=1)
        self._delayed = delayed[:, frames:].copy()
        centre, self._centre = self._centre[:frames], self._centre[frames:].copy()
        out: Block = np.concatenate([delayed[:, :frames] - centre, centre[None]]).astype(np.float32)
        return out

    def _shared(self, spectra: NDArray[np.complex64]) -> NDArray[np.float32]:
        """Return windowed centre pieces, shape ``(pieces, size)``."""
        left, right = spectra
        middle, side = (left + right) / 2, (left - right) / 2
        now = np.stack(
            [middle * side.conj(), np.abs(side) ** 2, left * right.conj(), np.abs(middle) ** 2], axis=1
        ).astype(np.complex128)
        mean = self._smooth(now, slice(0, 4))
        lean = mean[:, 0] / (mean[:, 1].real + 1e-12)
        lean = lean / np.maximum(np.abs(lean), 1)
        centre = middle - lean * side
        power = self._smooth(np.abs(centre)[:, None].astype(np.complex128) ** 2, slice(4, 5))[:, 0].real
        share = np.clip(mean[:, 2].real / np.maximum(power, 1e-15), 0, 1)
        pieces: NDArray[np.float32] = fft.irfft(centre * share, self.latency_frames, axis=1)
        return (pieces * self._window).astype(np.float32)

    def _smooth(self, now: NDArray[np.complex128], rows: slice) -> NDArray[np.complex128]:
        """Return running means over 60 ms, going on from the last call."""
        state = self._means[:, rows] * self._keep
        mean, _ = signal.lfilter([1 - self._keep], [1, -self._keep], now, axis=0, zi=state)
        self._means[:, rows] = mean[-1:]
        smooth: NDArray[np.complex128] = mean
        return smooth

    def _overlap(self, pieces: NDArray[np.float32]) -> None:
        """Add the pieces up and queue what is finished."""
        count, step = len(pieces), self._step
        total = np.zeros((count + 3) * step, np.float32)
        total[: len(self._tail)] = self._tail
        quarters = pieces.reshape(count, 4, step)
        for quarter in range(4):
            total[quarter * step : (quarter + count) * step] += quarters[:, quarter].reshape(-1)
        self._centre = np.concatenate([self._centre, total[: count * step]])
        self._tail = total[count * step :].copy()
