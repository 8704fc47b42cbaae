"""Bring what is decoded to stereo at one rate, as a stream that goes on from track to track."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

_NOTHING = np.zeros((0, 2), np.float32)


class StereoRate:
    """Resample with soxr (100 dB), and only where the rate differs: the same rate passes bit for bit.

    Attributes
    ----------
    to_hz : int
        Rate of the result.
    """

    def __init__(self, to_hz: int) -> None:
        self.to_hz = to_hz
        self._from_hz = to_hz
        self._stream: soxr.ResampleStream | None = None
        self._before = 0
        self._given = 0
        self._returned = 0

    @property
    def position(self) -> int:
        """The frame of the result at which the next frame that is given will be heard."""
        return self._before + round(self._given * self.to_hz / self._from_hz)

    def turn_to(self, from_hz: int) -> NDArray[np.float32]:
        """Expect another rate, and return what is left of the sound before, shape ``(frames, 2)``."""
        if from_hz == self._from_hz:
            return _NOTHING
        left = self.finish()
        self._from_hz = from_hz
        if from_hz != self.to_hz:
            self._stream = soxr.ResampleStream(from_hz, self.to_hz, 2, dtype="float32", quality="HQ")
        return left

    def process(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what is ready of samples of shape ``(frames, channels)``, shape ``(frames, 2)``.

        One channel is heard on both sides; of more than two, the first two.
        """
        stereo = np.broadcast_to(samples[:, :2], (len(samples), 2))
        self._given += len(stereo)
        if self._stream is None:
            ready = np.ascontiguousarray(stereo)
        else:
            ready = self._stream.resample_chunk(np.ascontiguousarray(stereo))
        self._returned += len(ready)
        return ready

    def finish(self) -> NDArray[np.float32]:
        """Return what is left, shape ``(frames, 2)``; what comes next begins anew."""
        left = _NOTHING if self._stream is None else self._stream.resample_chunk(_NOTHING, last=True)
        self._before += self._returned + len(left)
        self._given = self._returned = 0
        self._stream, self._from_hz = None, self.to_hz
        return left
