"""No two loudspeakers and microphones are alike: the gain of each unit at the carrier."""

from __future__ import annotations

import math

import numpy as np

RIPPLE_DB = 6.0
"""A cheap speaker's response changes by up to this much within 500 Hz above 18 kHz."""
RIPPLE_STEP_HZ = 500.0
_RIPPLE_LOW_HZ, _RIPPLE_HIGH_HZ = 15_000.0, 100_000.0
MICROPHONE_DB = 1.5
"""Standard deviation of the microphones' sensitivity."""


def speaker_gain(hz: float, *, variation: float, chance: np.random.Generator) -> complex:
    """Return the gain of one speaker unit at a frequency.

    Parameters
    ----------
    variation : float
        0 for the ideal unit, 1 for the spread of commodity units.
    chance : Generator
        The same one gives the same unit, at whatever frequency it is asked.
    """
    knots = np.arange(_RIPPLE_LOW_HZ, _RIPPLE_HIGH_HZ, RIPPLE_STEP_HZ)
    ripple_db = chance.uniform(-RIPPLE_DB, RIPPLE_DB, len(knots))
    phase = variation * chance.uniform(-math.pi, math.pi)
    gain = 10 ** (variation * float(np.interp(hz, knots, ripple_db)) / 20)
    return complex(gain * np.exp(1j * phase))


def microphone_gains(count: int, *, variation: float, chance: np.random.Generator) -> list[complex]:
    """Return the gains of the microphones of one array: 1.5 dB standard deviation, any phase."""
    decibels = variation * chance.normal(0, MICROPHONE_DB, count)
    phases = variation * chance.uniform(-math.pi, math.pi, count)
    return [complex(gain) for gain in 10 ** (decibels / 20) * np.exp(1j * phases)]
