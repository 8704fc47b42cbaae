"""From what is emitted and how noisy it is to what moves at which distance."""

from __future__ import annotations

import math
from enum import Enum

from sensing.dsp.air import air_absorption_db

SEEN_DB = 10.0
"""Motion counts as seen from this ratio of echo to noise on, in the motion's own band, on one microphone."""
FURTHEST_M = 10.0
_NEAREST_M = 0.2


class Motion(Enum):
    """Kinds of motion: echo of a body 1 m away over the noise density, less the noise of its Doppler band.

    Target strength in dB re 1 m, minus ten logarithms of the band in hertz. Fitted to the table in section
    3.3 of the reference (20.5 to 32.8 kHz, 3 to 7 m), which it meets within 1 dB.
    """

    WALK = -36.8
    REACH = -45.8
    TYPING = -48.8


def echo_snr_db(
    *, emitted_db: float, noise_db_hz: float, carrier_hz: float, range_m: float, motion: Motion
) -> float:
    """Return the ratio of a moving body's echo to the noise.

    Spreading and absorption of air count for both ways, ``40 log10 r + 2 alpha r``.

    Parameters
    ----------
    emitted_db : float
        Level of the tone 1 m from the loudspeaker.
    noise_db_hz : float
        Noise density, relative to the same level as ``emitted_db``, per hertz.
    """
    way_db = 40 * math.log10(max(range_m, _NEAREST_M)) + 2 * range_m * air_absorption_db(carrier_hz)
    return emitted_db - noise_db_hz - way_db + motion.value


def sensing_range_m(*, emitted_db: float, noise_db_hz: float, carrier_hz: float, motion: Motion) -> float:
    """Return the distance up to which the motion is seen: 0 if not even near, `FURTHEST_M` at most."""

    def is_seen(range_m: float) -> bool:
        ratio_db = echo_snr_db(
            emitted_db=emitted_db,
            noise_db_hz=noise_db_hz,
            carrier_hz=carrier_hz,
            range_m=range_m,
            motion=motion,
        )
        return ratio_db >= SEEN_DB

    near, far = _NEAREST_M, FURTHEST_M
    if not is_seen(near):
        return 0.0
    while far - near > 0.01 and not is_seen(far):
        middle = (near + far) / 2
        near, far = (middle, far) if is_seen(middle) else (near, middle)
    return far if is_seen(far) else near
