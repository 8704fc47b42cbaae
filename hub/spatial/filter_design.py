"""From a layout to the filters that playback applies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from hub.spatial.alignment import grid, to_taps
from hub.spatial.beam import centre_beam
from hub.spatial.crosstalk import add_virtual_pair, canceller
from hub.spatial.layout import SpeakerLayout
from hub.spatial.plant import Response, cloud_of_ears

TAPS = 512
DESIGN_SIZE = 2048


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpatialFilters:
    """Filters of one loudspeaker.

    Attributes
    ----------
    filters : ndarray
        Shape ``(3, drivers, taps)``: left, right and centre in, virtual pair included.
    cancellers : ndarray
        Shape ``(2, drivers, taps)``: without the virtual pair.
    delay_frames : int
        Tap that is time zero.
    """

    filters: NDArray[np.float32]
    cancellers: NDArray[np.float32]
    rate_hz: int
    delay_frames: int


def design_filters(layout: SpeakerLayout) -> SpatialFilters:
    """Design the filters; the gain limit holds for the finished taps, not only for the design."""
    frequency_hz = grid(DESIGN_SIZE, layout.sample_rate)
    limit = 10 ** (layout.max_filter_gain_db / 20)
    heads = cloud_of_ears(layout, frequency_hz)
    most = np.full(len(frequency_hz), limit)
    left = canceller(heads[:, 0], heads[:, 1], frequency_hz, most)
    right = canceller(heads[:, 1], heads[:, 0], frequency_hz, most)
    pair = (left, right)
    if layout.virtual_pair_degrees is not None:
        pair = add_virtual_pair(left, right, layout.virtual_pair_degrees, frequency_hz)
    centre = centre_beam(layout, frequency_hz)
    return SpatialFilters(
        filters=_limited_taps(np.stack([*pair, centre]), limit),
        cancellers=_limited_taps(np.stack([left, right]), limit),
        rate_hz=layout.sample_rate,
        delay_frames=TAPS // 2,
    )


def filter_gain_db(filters: NDArray[np.float32]) -> float:
    """Return the highest norm over drivers of any input's filters at any frequency, in dB."""
    return float(20 * np.log10(_norms(filters).max()))


def _norms(filters: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the norm over drivers, shape ``(inputs, bins)``, on a grid finer than the design's."""
    response = fft.rfft(filters.astype(float), 4 * DESIGN_SIZE, axis=-1)
    norms: NDArray[np.float64] = np.linalg.norm(response, axis=1)
    return norms


def _limited_taps(response: Response, limit: float) -> NDArray[np.float32]:
    """Return taps whose norm stays below ``limit``; cutting to length can raise it a little."""
    aim = limit
    for _ in range(4):
        norm = np.linalg.norm(response, axis=1, keepdims=True)
        taps = to_taps(response * np.minimum(1, aim / np.maximum(norm, 1e-9)), TAPS)
        highest = float(_norms(taps).max())
        if highest <= limit:
            return taps
        aim *= 0.998 * limit / highest
    scaled: NDArray[np.float32] = (taps * (0.999 * limit / highest)).astype(np.float32)
    return scaled
