"""What the loudspeaker played, brought down to the rate of the baseband."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin

from sensing.audio_block import Block

MUSIC_HZ = 500.0
"""Middle of the low-pass: all bass that lands in the sensing band, and no carrier (80 dB down by 600 Hz)."""

Playback = NDArray[np.float32]
"""Sound of all speakers together at the baseband's rate, shape ``(frames,)``."""


class PlaybackReference:
    """Low-pass what was played and keep the frames that the demodulator keeps.

    The filter is as long as the demodulator's, so both outputs belong to the same instants. The emitted
    carrier, which a live reference contains, lies in the stop band. After a reset the output is zero until
    the filter is full: a carrier that seems to begin there at once is no sound.

    Parameters
    ----------
    rate_hz : int
        Rate of the reference.
    factor, latency_frames : int
        Those of the `Demodulator`.
    """

    def __init__(self, *, rate_hz: int, factor: int, latency_frames: int) -> None:
        self._factor = factor
        taps = firwin(2 * latency_frames + 1, MUSIC_HZ, window=("kaiser", 7.857), fs=rate_hz)
        self._taps = taps.astype(np.float32)
        self.reset()

    def reset(self) -> None:
        """Forget the past, as after a gap in the audio."""
        self._past = np.zeros(len(self._taps) - 1, np.float32)
        self._skip = 0
        self._filling = len(self._past)

    def process(self, reference: Block) -> Playback:
        """Return the baseband frames that this block of shape ``(speakers, frames)`` completes."""
        frames = reference.shape[1]
        # the membranes of all speakers excite the same room; one sum stands for them
        history = np.concatenate([self._past, reference.mean(axis=0)])
        self._past = history[len(history) - len(self._taps) + 1 :]
        windows = np.lib.stride_tricks.sliding_window_view(history, len(self._taps))
        kept = windows[self._skip :: self._factor]
        low: Playback = kept @ self._taps
        low[: max(0, math.ceil((self._filling - self._skip) / self._factor))] = 0
        self._filling = max(0, self._filling - frames)
        self._skip = (self._skip - frames) % self._factor
        return low
