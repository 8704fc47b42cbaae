"""The inaudible tones that the loudspeaker plays."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

MAX_LEVEL = 0.25
"""Highest peak of what is emitted in full scale, whatever the configuration says."""

RAMP_SECONDS = 0.03
"""A tone that is switched clicks audibly; a raised cosine of 30 ms stays above 20 kHz - 100 Hz."""

LEAST_APART_HZ = 300.0
"""Two tones so far apart fade independently of each other."""
MOST_APART_HZ = 1_000.0
"""Further apart the same motion shifts them differently: 4 % of 22.5 kHz, a band's edge at 280 Hz."""


class CarrierEmitter:
    """Produce one or two sines that fade in and out without a click; silent until it is started.

    The phase follows the frame number, so the tone is the same however the time is cut. Two tones are each
    3 dB softer than one would be, so that their sound pressure is that of one; their peaks together never
    exceed `MAX_LEVEL`.

    Parameters
    ----------
    carrier_hz : float
        Below half the rate.
    level : float
        Peak of a single tone in full scale, 0 to 1; capped at `MAX_LEVEL`.
    second_carrier_hz : float, optional
        The other tone.

    Attributes
    ----------
    carriers_hz : tuple of float
        What is played.
    peak : float
        Highest absolute sample.
    """

    def __init__(
        self, *, carrier_hz: float, rate_hz: int, level: float, second_carrier_hz: float | None = None
    ) -> None:
        both = (carrier_hz,) if second_carrier_hz is None else (carrier_hz, second_carrier_hz)
        for hz in both:
            if not 0 < hz < rate_hz / 2:
                message = f"a carrier of {hz:g} Hz needs a rate above {2 * hz:g} Hz, not {rate_hz} Hz"
                raise ValueError(message)
        self.carriers_hz: tuple[float, ...] = both
        self.peak = min(level * math.sqrt(len(both)), MAX_LEVEL)
        self._steps = [2 * math.pi * hz / rate_hz for hz in both]
        self._ramp_frames = round(RAMP_SECONDS * rate_hz)
        self._frame = 0
        self._ramp_at = 0
        self._is_on = False

    def start(self) -> None:
        """Fade in from the next frame on."""
        self._is_on = True

    def stop(self) -> None:
        """Fade out from the next frame on."""
        self._is_on = False

    def reset(self) -> None:
        """Return to silence at frame zero."""
        self._frame = self._ramp_at = 0
        self._is_on = False

    def process(self, frames: int) -> NDArray[np.float32]:
        """Return the next samples, shape ``(frames,)``."""
        steps = np.arange(1, frames + 1)
        ramp = self._ramp_at + (steps if self._is_on else -steps)
        ramp = np.clip(ramp, 0, self._ramp_frames)
        gain = 0.5 - 0.5 * np.cos(np.pi * ramp / self._ramp_frames)
        numbers = self._frame + steps - 1
        self._frame += frames
        self._ramp_at = int(ramp[-1]) if frames else self._ramp_at
        peak = self.peak / len(self._steps)
        tones = [(peak * gain * np.sin(step * numbers)).astype(np.float32) for step in self._steps]
        sound: NDArray[np.float32] = tones[0] if len(tones) == 1 else tones[0] + tones[1]
        return sound
