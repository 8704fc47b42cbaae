"""What is played to measure the response."""

from __future__ import annotations

import math

import numpy as np

from sensing.audio_block import Block
from sensing.calibration.band import Band
from sensing.calibration.caps import EmissionCaps

SWEEP_SECONDS = 4.0
TAIL_SECONDS = 0.7
"""Silence after the sweep: a card's delay of up to 0.45 s, and 0.2 s of room."""
_FADE_SECONDS = 0.02


def sweep_peak(band: Band, caps: EmissionCaps) -> float:
    """Return the peak of the sweep in full scale: the lowest cap of the whole band."""
    edges = np.append(np.arange(band.low_hz, band.high_hz, 100.0), band.high_hz)
    return min(caps.peak(float(hz)) for hz in edges)


def linear_sweep(band: Band, *, rate_hz: int, peak: float) -> Block:
    """Return a linear sweep with raised-cosine ends of 20 ms or more, then silence; shape ``(1, frames)``.

    Every hertz gets the same energy. The ends take the band's edges, so that it starts and stops without a
    click: nothing is emitted outside the band.

    Parameters
    ----------
    peak : float
        In full scale.
    """
    frames = round(SWEEP_SECONDS * rate_hz)
    seconds = np.arange(frames) / rate_hz
    width_hz = band.high_hz - band.low_hz
    phase = 2 * math.pi * (band.low_hz * seconds + width_hz / (2 * SWEEP_SECONDS) * seconds**2)
    fade = max(round(_FADE_SECONDS * rate_hz), round(band.taper_hz / 2 / width_hz * frames))
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / fade)
    envelope = np.ones(frames)
    envelope[:fade] = ramp
    envelope[-fade:] = ramp[::-1]
    silence = np.zeros(round(TAIL_SECONDS * rate_hz))
    return np.concatenate([peak * envelope * np.sin(phase), silence]).astype(np.float32)[None]
