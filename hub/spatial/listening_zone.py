"""Where the cancellation holds: the map of the listening zone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from hub.spatial.alignment import grid
from hub.spatial.filter_design import SpatialFilters
from hub.spatial.layout import SpeakerLayout
from hub.spatial.plant import HeadPose, ears

GOOD_DB = 8.0
"""Cancellation that makes a sound stand clearly beside the loudspeaker."""

_SIZE = 1024
_SILENCE = 1e-20
_BANDS_HZ = 1000 * 2.0 ** (np.arange(-3, 9) / 3)
_SIDEWAYS_M = np.linspace(-0.3, 0.3, 31)
_FORWARD_M = np.linspace(-0.3, 0.3, 7)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ListeningZone:
    """Mean cancellation of the third-octave bands from 500 Hz to 6.3 kHz, by where the head is.

    Attributes
    ----------
    sideways_m, forward_m : ndarray
        From the listener's place to the right and towards the device.
    cancellation_db : ndarray
        Shape ``(forward, sideways)``, both sides' mean, of the model's usual head.
    """

    sideways_m: NDArray[np.float64]
    forward_m: NDArray[np.float64]
    cancellation_db: NDArray[np.float64]


def listening_zone(
    layout: SpeakerLayout, filters: SpatialFilters, forward_m: NDArray[np.float64] = _FORWARD_M
) -> ListeningZone:
    """Return the map of the cancellers without the virtual pair."""
    forward_m = forward_m[forward_m < 0.8 * layout.listener.distance_m]
    hz = grid(_SIZE, layout.sample_rate)
    band = np.abs(np.log2(np.maximum(hz, 1) / _BANDS_HZ[:, None])) <= 1 / 6
    inside = band.any(axis=0)
    cancellers = fft.rfft(filters.cancellers.astype(float), _SIZE, axis=-1)[..., inside]
    poses = [HeadPose(sideways_m=float(x), forward_m=float(y)) for y in forward_m for x in _SIDEWAYS_M]
    heard = np.einsum("kenf,inf->kief", ears(layout, poses, hz[inside]), cancellers)
    power = np.einsum("kief,bf->kieb", np.abs(heard) ** 2, band[:, inside].astype(float))
    near, far = power[:, [0, 1], [0, 1]], power[:, [0, 1], [1, 0]]
    level_db = 10 * np.log10(np.maximum(near, _SILENCE) / np.maximum(far, _SILENCE))
    return ListeningZone(
        sideways_m=_SIDEWAYS_M,
        forward_m=forward_m,
        cancellation_db=level_db.mean(axis=(1, 2)).reshape(len(forward_m), -1),
    )


def zone_width_m(layout: SpeakerLayout, filters: SpatialFilters) -> float:
    """Return how far the head may move from side to side before less than `GOOD_DB` is left, 0 if never."""
    good = listening_zone(layout, filters, np.zeros(1)).cancellation_db[0] >= GOOD_DB
    middle = len(good) // 2
    if not good[middle]:
        return 0.0
    bad = np.flatnonzero(~good)
    first = bad[bad < middle].max(initial=-1) + 1
    last = bad[bad > middle].min(initial=len(good)) - 1
    return round(float(_SIDEWAYS_M[last] - _SIDEWAYS_M[first]), 2)
