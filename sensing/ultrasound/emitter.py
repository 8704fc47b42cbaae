"""The inaudible tone that the loudspeaker plays."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

MAX_LEVEL = 0.25
"""Highest peak of the carrier in full scale, whatever the configuration says."""

RAMP_SECONDS = 0.03
"""A tone that is switched clicks audibly; a raised cosine of 30 ms stays above 20 kHz - 100 Hz."""


class CarrierEmitter:
    """Produce a sine that fades in and out without a click; it is silent until it is started.

    The phase follows the frame number, so the tone is the same however the time is cut.

    Parameters
    ----------
    carrier_hz : float
        Below half the rate.
    level : float
        Peak in full scale, 0 to 1; capped at `MAX_LEVEL`.
    """

    def __init__(self, *, carrier_hz: float, rate_hz: int, level: float) -> None:
        if not 0 < carrier_hz < rate_hz / 2:
            message = (
                f"a carrier of {carrier_hz:g} Hz needs a rate above {2 * carrier_hz:g} Hz, not {rate_hz} Hz"
            )
            raise ValueError(message)
        self.carrier_hz = carrier_hz
        self.peak = min(level, MAX_LEVEL)
        self._step = 2 * math.pi * carrier_hz / rate_hz
        self._ramp_frames = round(RAMP_SECONDS * rate_hz)
        self._frame = 0
        self._ramp_at = 0
        self._is_on = False

    def start(self) -> None:
        """Fade the tone in from the next frame on."""
        self._is_on = True

    def stop(self) -> None:
        """Fade the tone out from the next frame on."""
        self._is_on = False

    def reset(self) -> None:
        """Return to silence at frame zero."""
        self._frame = self._ramp_at = 0
        self._is_on = False

    def process(self, frames: int) -> NDArray[np.float32]:
        """Return the next samples of the tone, shape ``(frames,)``."""
        steps = np.arange(1, frames + 1)
        ramp = self._ramp_at + (steps if self._is_on else -steps)
        ramp = np.clip(ramp, 0, self._ramp_frames)
        gain = 0.5 - 0.5 * np.cos(np.pi * ramp / self._ramp_frames)
        phase = self._step * (self._frame + steps - 1)
        self._frame += frames
        self._ramp_at = int(ramp[-1]) if frames else self._ramp_at
        tone: NDArray[np.float32] = (self.peak * gain * np.sin(phase)).astype(np.float32)
        return tone
