"""Sound at one rate becomes sound at another, block by block: the one door to soxr."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray


class Resampler:
    """Resample mono sound as a stream; the result does not depend on how the stream is cut.

    Parameters
    ----------
    from_hz, to_hz : int
        Sampling rates.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._from_hz = from_hz
        self._to_hz = to_hz
        self.reset()

    def reset(self) -> None:
        """Forget the past."""
        self._stream = (
            None
            if self._from_hz == self._to_hz
            else soxr.ResampleStream(self._from_hz, self._to_hz, 1, dtype="float32", quality="MQ")
        )

    def process(self, samples: NDArray[np.float32], *, last: bool = False) -> NDArray[np.float32]:
        """Return what is ready; with ``last``, everything that is left."""
        if self._stream is None:
            return samples
        resampled: NDArray[np.float32] = self._stream.resample_chunk(samples, last=last)
        return resampled
