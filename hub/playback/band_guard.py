"""Keep music out of the ultrasonic band."""

from __future__ import annotations

import numpy as np
from scipy import signal

from sensing.audio_block import Block

GUARD_HZ = 2000.0
"""Doppler of a running person stays within 1 kHz of a 20 kHz tone; the rest is margin."""


class BandGuard:
    """Low-pass that ends 2 kHz below the carrier (Chebyshev II, 70 dB)."""

    def __init__(self, *, carrier_hz: float, rate_hz: int, channels: int) -> None:
        edge_hz = min(carrier_hz - GUARD_HZ, 0.49 * rate_hz)
        self._sections = signal.cheby2(10, 70, edge_hz, fs=rate_hz, output="sos")
        self._channels = channels
        self.reset()

    def reset(self) -> None:
        """Forget all sound."""
        self._state = np.zeros((len(self._sections), self._channels, 2))

    def process(self, block: Block) -> Block:
        """Return the block without its ultrasound, shape ``(channels, frames)``."""
        if block.shape[1] == 0:
            return block.copy()
        out, self._state = signal.sosfilt(self._sections, block, axis=1, zi=self._state)
        return out.astype(np.float32)
