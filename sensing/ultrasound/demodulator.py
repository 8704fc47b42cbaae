"""Bring the band around the carrier down to a slow complex signal."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin

from sensing.audio_block import Block

Baseband = NDArray[np.complex64]
"""Complex baseband, shape ``(microphones, frames)``; 0 Hz is the carrier."""

PASSBAND_HZ = 400.0
"""Doppler shift kept: 3.4 m/s at 20 kHz."""


class Demodulator:
    """Mix by ``exp(-2 pi j fc t)``, low-pass, and keep every n-th frame.

    The filter is one linear-phase FIR of 80 dB stop band, computed only at the frames that are kept.

    Parameters
    ----------
    carrier_hz : float
        Frequency that becomes 0 Hz.
    rate_hz : int
        Rate of the capture.

    Attributes
    ----------
    baseband_hz : float
        Rate of the output, about 1 kHz: ``rate_hz / factor``.
    latency_frames : int
        Delay of the filter in input frames.
    """

    def __init__(self, *, carrier_hz: float, rate_hz: int, microphones: int) -> None:
        self.factor = round(rate_hz / 1_000)
        self.baseband_hz = rate_hz / self.factor
        stop_hz = self.baseband_hz - PASSBAND_HZ
        # Kaiser's length for 80 dB: (A - 7.95) / (2.285 * transition), transition in radians a frame
        transition = 2 * math.pi * (stop_hz - PASSBAND_HZ) / rate_hz
        taps = math.ceil((80 - 7.95) / (2.285 * transition)) | 1
        cutoff_hz = (stop_hz + PASSBAND_HZ) / 2
        low_pass = firwin(taps, cutoff_hz, window=("kaiser", 7.857), fs=rate_hz)
        self._step = 2 * math.pi * carrier_hz / rate_hz
        # the mixer is part of the filter: what is heard stays real, and only kept frames are turned
        mixed = 2 * low_pass * np.exp(-1j * self._step * np.arange(taps))
        self._taps = np.stack([mixed.real, mixed.imag], axis=1).astype(np.float32)
        self.latency_frames = (taps - 1) // 2
        self._microphones = microphones
        self.reset()

    def reset(self) -> None:
        """Forget the past, as after a gap in the audio."""
        self._frame = 1 - len(self._taps)
        self._past = np.zeros((self._microphones, len(self._taps) - 1), np.float32)
        self._skip = 0

    def process(self, capture: Block) -> Baseband:
        """Return the baseband frames that this block completes, shape ``(microphones, <= frames)``."""
        frames = capture.shape[1]
        history = np.concatenate([self._past, capture], axis=1)
        self._past = history[:, history.shape[1] - len(self._taps) + 1 :]
        windows = np.lib.stride_tricks.sliding_window_view(history, len(self._taps), axis=1)
        first = self._frame + np.arange(self._skip, frames, self.factor, dtype=np.float64)
        kept: Baseband = (windows[:, self._skip :: self.factor] @ self._taps).view(np.complex64)[..., 0]
        self._skip = (self._skip - frames) % self.factor
        self._frame += frames
        # float64 phase: at 20 kHz a day of float32 frame numbers would lose the tone
        phase = np.remainder(self._step * first, 2 * math.pi)
        return kept * np.exp(-1j * phase).astype(np.complex64)
