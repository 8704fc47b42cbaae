"""Never louder than the ceiling, without a click."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from sensing.audio_block import Block

LOOK_AHEAD_SECONDS = 0.0015
RELEASE_DB_PER_SECOND = 80.0
_BETWEEN = 4
"""Points looked at for each frame (ITU-R BS.1770-5, annex 2, has the same)."""
_REACH = 6
"""Frames to each side from which the sound between two frames is found."""


def _interpolators() -> NDArray[np.float32]:
    """Return filters for the points between two frames, shape ``(2 * _REACH, _BETWEEN - 1)``."""
    place = np.arange(1 - _REACH, _REACH + 1)[:, None] - np.arange(1, _BETWEEN) / _BETWEEN
    taps = np.sinc(place) * np.cos(np.pi * place / (2 * _REACH + 1)) ** 2
    unit: NDArray[np.float32] = (taps / taps.sum(axis=0)).astype(np.float32)
    return unit


class Limiter:
    """Look ahead, turn down in time, let go slowly; any cut of the input gives the same output.

    The attenuation needed by the loudest channel, between the frames too (true peak), falls by a straight
    line in dB, is held for the look-ahead and then averaged over it, so that it is whole when the peak comes.

    Parameters
    ----------
    ceiling : float
        Highest absolute sample that comes out, above 0.
    """

    def __init__(self, *, rate_hz: int, channels: int, ceiling: float = 1.0) -> None:
        if not 0 < ceiling <= 1:
            message = f"a ceiling of {ceiling:g} leaves no room for sound; use one in 0..1"
            raise ValueError(message)
        self.ceiling = ceiling
        self.latency_frames = max(2 * _REACH, round(LOOK_AHEAD_SECONDS * rate_hz))
        self._ahead = self.latency_frames - _REACH  # a peak between frames is known that much later
        self._channels = channels
        self._slope_db = RELEASE_DB_PER_SECOND / rate_hz
        self._interpolators = _interpolators()
        self._harmless = ceiling / float(np.abs(self._interpolators).sum(axis=0).max())
        self.reset()

    def reset(self) -> None:
        """Forget all sound."""
        self._delayed = np.zeros((self._channels, self.latency_frames), np.float32)
        self._needed_db = np.zeros(2 * self._ahead + 1)

    def process(self, block: Block) -> Block:
        """Return as many frames as given, `latency_frames` late, shape ``(channels, frames)``."""
        frames, ahead = block.shape[1], self._ahead
        if frames == 0:
            return block.copy()
        sound = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
        delayed = np.concatenate([self._delayed, sound], axis=1)
        needed_db = np.concatenate([self._needed_db, self._released(self._peaks(delayed, frames))])
        self._delayed, self._needed_db = delayed[:, frames:].copy(), needed_db[frames:].copy()
        out: Block = delayed[:, :frames]
        if needed_db.any():
            # a peak between two frames is held for both of them
            hold = ahead + 2
            held = maximum_filter1d(needed_db, hold, origin=-(hold // 2))[: ahead + frames]
            smooth_db = np.convolve(held, np.full(ahead + 1, 1 / (ahead + 1)), mode="valid")
            out = out * (10 ** (-smooth_db / 20)).astype(np.float32)
        ceiling = np.nextafter(np.float32(self.ceiling), np.float32(0))
        limited: Block = np.clip(out, -ceiling, ceiling).astype(np.float32)
        return limited

    def _peaks(self, delayed: Block, frames: int) -> NDArray[np.float64]:
        """Return the highest level at each frame and up to the next one; the last is `_REACH` frames old."""
        recent = delayed[:, -(frames + 2 * _REACH - 1) :]
        peak: NDArray[np.float64] = np.abs(recent[:, _REACH - 1 : -_REACH]).max(axis=0).astype(float)
        if np.abs(recent).max() > self._harmless:
            around = np.lib.stride_tricks.sliding_window_view(recent, 2 * _REACH, axis=1)
            between = around @ self._interpolators
            peak = np.maximum(peak, np.maximum(between.max(axis=0), -between.min(axis=0)).max(axis=1))
        return peak

    def _released(self, peak: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the attenuation in dB that each frame needs, falling slowly after a peak."""
        over_db = 20 * np.log10(np.maximum(peak / self.ceiling, 1))
        fall = self._slope_db * np.arange(len(over_db) + 1)
        line = np.concatenate([self._needed_db[-1:], over_db]) + fall
        released: NDArray[np.float64] = np.maximum(np.maximum.accumulate(line) - fall, 0)[1:]
        return released
