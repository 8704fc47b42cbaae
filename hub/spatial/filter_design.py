"""From a layout to the filters that playback applies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import maximum_filter1d

from hub.spatial.alignment import grid, to_taps
from hub.spatial.beam import centre_beam
from hub.spatial.crosstalk import canceller
from hub.spatial.layout import SpeakerLayout
from hub.spatial.plant import HeadCloud, Response, cloud_of_heads
from hub.spatial.virtual_pair import virtual_pair

TAPS = 512
DESIGN_SIZE = 2048
MODEL_ERROR_AT_1_KHZ = 0.025
"""-16 dB: drivers of one kind differ by a decibel or two, and ears more, the more the higher."""
CENTRE_GAIN = float(np.sqrt(2))
"""A phantom centre of plain stereo comes from two loudspeakers: 3 dB more power than one side."""
_LIMIT_ROUNDS = 8


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


def design_filters(layout: SpeakerLayout, front: Sequence[int] | None = None) -> SpatialFilters:
    """Design the filters; the gain limit holds for the finished taps, not only for the design.

    Parameters
    ----------
    front : sequence of int or None
        See `centre_beam`.
    """
    frequency_hz = grid(DESIGN_SIZE, layout.sample_rate)
    limit = 10 ** (layout.max_filter_gain_db / 20)
    cloud = cloud_of_heads(layout, frequency_hz)
    bare = _cancellers(cloud, frequency_hz, limit)
    pair = bare
    if layout.virtual_pair_degrees is not None:
        pair = virtual_pair(layout, cloud, layout.virtual_pair_degrees, frequency_hz, limit)
    centre = CENTRE_GAIN * centre_beam(layout, frequency_hz, front)
    return SpatialFilters(
        filters=_limited_taps(np.stack([*pair, centre]), limit),
        cancellers=_limited_taps(np.stack(bare), limit),
        rate_hz=layout.sample_rate,
        delay_frames=TAPS // 2,
    )


def _cancellers(
    cloud: HeadCloud, frequency_hz: NDArray[np.float64], limit: float
) -> tuple[Response, Response]:
    """Return the left and right input's filters without a virtual pair, shape ``(drivers, bins)`` each."""
    error = MODEL_ERROR_AT_1_KHZ * frequency_hz / 1000
    left, right = (
        canceller(
            cloud.ears[:, side],
            cloud.ears[:, 1 - side],
            cloud.share,
            frequency_hz,
            model_error=error,
            max_gain=limit,
        )
        for side in (0, 1)
    )
    return left, right


def filter_gain_db(filters: NDArray[np.float32]) -> float:
    """Return the highest norm over drivers of any input's filters at any frequency, in dB."""
    return float(20 * np.log10(_norms(filters).max()))


def _norms(filters: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the norm over drivers, shape ``(inputs, bins)``, on a grid finer than the design's."""
    response = fft.rfft(filters.astype(float), 4 * DESIGN_SIZE, axis=-1)
    norms: NDArray[np.float64] = np.linalg.norm(response, axis=1)
    return norms


def _limited_taps(response: Response, limit: float) -> NDArray[np.float32]:
    """Return taps whose norm stays below ``limit``; where cutting to length raises it, less is asked."""
    norm = np.linalg.norm(response, axis=1)
    gain = np.minimum(1, limit / np.maximum(norm, 1e-9))
    for _ in range(_LIMIT_ROUNDS):
        taps = to_taps(response * gain[:, None], TAPS)
        over = maximum_filter1d(_norms(taps), 9, axis=1)[:, ::4] / (0.998 * limit)
        if over.max() <= 1:
            return taps
        gain /= np.maximum(over, 1)
    scaled: NDArray[np.float32] = (taps * (0.998 * limit / _norms(taps).max())).astype(np.float32)
    return scaled
