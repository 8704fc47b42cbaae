"""Never louder than the ceiling, without a click."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sensing.audio_block import Block

LOOK_AHEAD_SECONDS = 0.0015
RELEASE_DB_PER_SECOND = 80.0


class Limiter:
    """Look ahead, turn down in time, let go slowly; any cut of the input gives the same output.

    The attenuation needed by the loudest channel falls by a straight line in dB, is held for the
    look-ahead and then averaged over it, so that it is whole when the peak comes.

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
        self.latency_frames = max(1, round(LOOK_AHEAD_SECONDS * rate_hz))
        self._channels = channels
        self._slope_db = RELEASE_DB_PER_SECOND / rate_hz
        self.reset()

    def reset(self) -> None:
        """Forget all sound."""
        ahead = self.latency_frames
        self._delayed = np.zeros((self._channels, ahead), np.float32)
        self._needed_db = np.zeros(2 * ahead)

    def process(self, block: Block) -> Block:
        """Return as many frames as given, `latency_frames` late, shape ``(channels, frames)``."""
        frames, ahead = block.shape[1], self.latency_frames
        if frames == 0:
            return block.copy()
        sound = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
        needed_db = np.concatenate([self._needed_db, self._released(sound)])
        windows = np.lib.stride_tricks.sliding_window_view(needed_db, ahead + 1)
        held = windows.max(axis=1)
        smooth_db = np.convolve(held, np.full(ahead + 1, 1 / (ahead + 1)), mode="valid")
        delayed = np.concatenate([self._delayed, sound], axis=1)
        self._delayed, self._needed_db = delayed[:, frames:].copy(), needed_db[frames:].copy()
        out = delayed[:, :frames] * 10 ** (-smooth_db / 20)
        ceiling = np.nextafter(np.float32(self.ceiling), np.float32(0))
        return np.clip(out, -ceiling, ceiling).astype(np.float32)

    def _released(self, sound: Block) -> NDArray[np.float64]:
        """Return the attenuation in dB that each frame needs, falling slowly after a peak."""
        peak = np.abs(sound).max(axis=0).astype(np.float64)
        over_db = 20 * np.log10(np.maximum(peak / self.ceiling, 1))
        fall = self._slope_db * np.arange(len(over_db) + 1)
        line = np.concatenate([self._needed_db[-1:], over_db]) + fall
        released: NDArray[np.float64] = np.maximum(np.maximum.accumulate(line) - fall, 0)[1:]
        return released
