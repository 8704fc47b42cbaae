"""Two loudspeakers where there are none: each ear gets what it would hear of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hub.spatial.crosstalk import canceller
from hub.spatial.layout import SpeakerLayout
from hub.spatial.plant import RADII_M, HeadCloud, Response, head_hears

_MODEL_ERROR = 0.012
"""Less cautious than a bare canceller: what reaches the far ear is wanted there."""
_TONE_GAIN = 10 ** (1.5 / 20)
"""What the low end may lose in level for its direction, where the gain does not suffice for both."""


def virtual_pair(
    layout: SpeakerLayout,
    cloud: HeadCloud,
    degrees: float,
    frequency_hz: NDArray[np.float64],
    max_gain: float,
) -> tuple[Response, Response]:
    """Return the filters of a left and a right loudspeaker at ``degrees``, shape ``(drivers, bins)`` each.

    Pressure matching: what is cancelled at the far ear is not the sound itself but its difference
    to what this head would hear there of the wanted loudspeaker. The filters may be `_TONE_GAIN`
    louder than ``max_gain``.
    """
    crosstalk = _crosstalk(layout, cloud, degrees, frequency_hz)[:, None]
    error = np.full(len(frequency_hz), _MODEL_ERROR)
    left, right = (
        canceller(
            cloud.ears[:, side],
            cloud.ears[:, 1 - side] - crosstalk * cloud.ears[:, side],
            cloud.share,
            frequency_hz,
            model_error=error,
            max_gain=max_gain * _TONE_GAIN,
        )
        for side in (0, 1)
    )
    return left, right


def _crosstalk(
    layout: SpeakerLayout, cloud: HeadCloud, degrees: float, frequency_hz: NDArray[np.float64]
) -> Response:
    """Return the far ear over the near one of a loudspeaker at ``degrees``, shape ``(heads, bins)``."""
    angle = np.radians([90 - degrees, 90 + degrees])
    ratio = np.empty((len(cloud.radius_m), len(frequency_hz)), complex)
    for radius in RADII_M:
        near, far = head_hears(layout, angle, radius, frequency_hz)
        ratio[cloud.radius_m == radius] = far / near
    return ratio
