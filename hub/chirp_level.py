"""How loud the chirps of an acoustic calibration may be."""

from __future__ import annotations

import math

from hub.config.hub_config import HubConfig
from sensing.calibration.calibration import Calibration
from sensing.calibration.caps import ASSUMED_FULL_SCALE_DB_SPL, EmissionCaps
from sensing.ultrasound.emitter import MAX_LEVEL

_LOWEST_HZ = 18_000.0
"""Of all plans: the lower, the stricter the caps."""


def chirp_peak(config: HubConfig, calibration: Calibration | None) -> float:
    """Return the highest sample of a chirp in full scale; 0 where animals would hear it.

    The carrier may be louder than that, for nobody hears most carriers. Chirps go through the band below
    20.5 kHz, so theirs is the cap of audible tones, and that of a loudspeaker nobody has measured. One that
    was measured to be louder than assumed gets less.
    """
    if config.audio.device != "card":
        return MAX_LEVEL  # nobody hears a simulated loudspeaker
    if calibration is None:
        return EmissionCaps(allows_audible=True).peak(_LOWEST_HZ)
    caps = EmissionCaps(has_pets=calibration.wishes.has_pets, allows_audible=True)
    full_scale_db = calibration.db_spl - 20 * math.log10(calibration.level)
    louder_db = max(0.0, full_scale_db - ASSUMED_FULL_SCALE_DB_SPL)
    return caps.peak(_LOWEST_HZ) * float(10 ** (-louder_db / 20))
