"""When the hub sends, and what of it the echoes show."""

from __future__ import annotations

import numpy as np

from sensing.simulation.baseband.room_images import Array
from sensing.simulation.baseband.scatterers import presence_ramp
from sensing.simulation.baseband.scene import Emission

_ECHO_DELAYS_SECONDS = (0.010, 0.015, 0.020, 0.025, 0.030, 0.035)
"""Ways of 3.4 to 12 m, there and back and by the walls."""


def envelope(emission: Emission, seconds: Array) -> Array:
    """Return what the speaker sends, 0 to 1, shape ``(n,)``; it begins to send at the second 0."""
    into = np.mod(seconds, emission.on_seconds + emission.off_seconds)
    return presence_ramp(into, 0.0, emission.on_seconds, emission.ramp_seconds)


def echo_envelope(emission: Emission, seconds: Array) -> Array:
    """Return what of it is in the echoes: each path is late by its own way, here the mean of usual ones."""
    late: Array = np.mean([envelope(emission, seconds - delay) for delay in _ECHO_DELAYS_SECONDS], axis=0)
    return late
