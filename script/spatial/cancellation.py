"""Crosstalk cancellation, tone and virtual pair on measured heads, beside rivals.

What is measured are the finished taps: what ``filters.npz`` holds. No design has seen a measured head.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from hub.spatial.alignment import grid
from hub.spatial.filter_design import SpatialFilters, design_filters, filter_gain_db
from hub.spatial.layout import SpeakerLayout, load_layout
from hub.spatial.plant import HeadPose, Response
from hub.spatial.steered_filters import SteeredFilters, steered_filters
from script.spatial import ear_measures
from script.spatial.heads import MeasuredHead, ears_of
from script.spatial.rivals import INVERSES, RIVALS, add_virtual_pair

DEVICES = ("four-100cm", "bar-80cm", "box-20cm", "box-20cm near", "stereo-pair")
STEERED_M = 0.3
DIRECTION_ERROR_DEGREES = 3.0

_SIZE = 4096
_NEAR_M = 0.6
_PAIR_DEGREES = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One method on one device; medians over heads, moved and turned heads the mean of both sides."""

    device: str
    method: str
    cancellation_db: float
    tenth_percentile_db: float
    moved_25_mm_db: float
    moved_50_mm_db: float
    moved_100_mm_db: float
    turned_15_degrees_db: float
    tone_rms_db: float
    filter_gain_db: float
    time_error_us: float
    """Of the virtual pair, beside each head's own measured source there."""
    level_error_db: float
    steered_30_cm_db: float | None = None
    """Steered by a direction 3 degrees wrong, mean of both signs; the head looks straight on."""
    steered_exactly_db: float | None = None


class Audience:
    """Measured heads before one loudspeaker.

    Parameters
    ----------
    heads : sequence of MeasuredHead
    layout : SpeakerLayout
    """

    def __init__(self, heads: Sequence[MeasuredHead], layout: SpeakerLayout) -> None:
        self._heads = heads
        self._layout = layout
        hz = grid(_SIZE, layout.sample_rate)
        self._used = ear_measures.is_used(hz)
        self.frequency_hz = hz[self._used]
        self._drivers: dict[HeadPose, Response] = {}

    def drivers(self, pose: HeadPose) -> Response:
        """Return what they hear of each driver, shape ``(heads, 2, drivers, bins)``."""
        if pose not in self._drivers:
            heard = [ears_of(head, self._layout, pose, self.frequency_hz) for head in self._heads]
            self._drivers[pose] = np.stack(heard)
        return self._drivers[pose]

    def hear(self, taps: NDArray[np.float32], pose: HeadPose) -> Response:
        """Return what they hear of each input through filters, shape ``(heads, inputs, 2, bins)``."""
        weights = fft.rfft(taps.astype(float), _SIZE, axis=-1)[..., self._used]
        heard: Response = np.einsum("kenf,inf->kief", self.drivers(pose), weights)
        return heard

    def cancellation_db(self, taps: NDArray[np.float32], *poses: HeadPose) -> NDArray[np.float64]:
        """Return each head's cancellation, mean of the poses."""
        figures = [ear_measures.cancellation_db(self.hear(taps, pose), self.frequency_hz) for pose in poses]
        mean: NDArray[np.float64] = np.mean(figures, axis=0)
        return mean

    def pair_errors(self, taps: NDArray[np.float32]) -> tuple[float, float]:
        """Return the median errors of time, us, and level, dB, to each head's own measured sources."""
        heard = self.hear(taps, HeadPose())
        times, levels = [], []
        degrees = pair_degrees(self._layout)
        for side, azimuth in enumerate((degrees, -degrees)):
            real = np.stack([head.hears(azimuth, self.frequency_hz) for head in self._heads])
            virtual = heard[:, side]
            times.append(self._time(virtual) - self._time(real))
            levels.append(self._level(virtual) - self._level(real))
        return 1e6 * float(np.median(np.abs(times))), float(np.median(np.abs(levels)))

    def _time(self, pair: Response) -> NDArray[np.float64]:
        return ear_measures.time_difference_seconds(pair, self.frequency_hz)

    def _level(self, pair: Response) -> NDArray[np.float64]:
        return ear_measures.level_difference_db(pair, self.frequency_hz)


def measure(heads: Sequence[MeasuredHead], devices: Sequence[str] = DEVICES) -> Iterator[Measured]:
    """Yield the hub's design and every rival on each device."""
    for device in devices:
        layout = device_layout(device)
        audience = Audience(heads, layout)
        filters = design_filters(layout)
        steered = steered_cancellation_db(audience, layout, steered_filters(layout))
        yield _measured(audience, (device, "hub"), filters.cancellers, filters.filters[:2], steered)
        for name, rival in RIVALS.items():
            taps = rival(layout)
            pair = add_virtual_pair(layout, taps, pair_degrees(layout)) if name in INVERSES else taps
            yield _measured(audience, (device, name), taps, pair, (None, None))


def device_layout(device: str) -> SpeakerLayout:
    """Return the layout of a device: a preset, with `` near`` behind it 60 cm away."""
    preset, _, near = device.partition(" ")
    layout = load_layout(Path(preset))
    if near:
        listener = layout.listener.model_copy(update={"distance_m": _NEAR_M})
        layout = layout.model_copy(update={"listener": listener})
    return layout


def pair_degrees(layout: SpeakerLayout) -> float:
    """Return where the virtual loudspeakers are to stand."""
    return layout.virtual_pair_degrees or _PAIR_DEGREES


def steered_cancellation_db(
    audience: Audience, layout: SpeakerLayout, steered: SteeredFilters
) -> tuple[float, float]:
    """Return the cancellation 30 cm aside, steered by a direction 3 degrees wrong, and exactly."""
    figures: dict[bool, list[NDArray[np.float64]]] = {True: [], False: []}
    for sideways_m in (-STEERED_M, STEERED_M):
        azimuth = float(np.degrees(np.arctan2(sideways_m, layout.listener.distance_m)))
        for error in (-DIRECTION_ERROR_DEGREES, 0.0, DIRECTION_ERROR_DEGREES):
            filters: SpatialFilters = steered.towards(azimuth + error)
            reached = audience.cancellation_db(filters.cancellers, HeadPose(sideways_m=sideways_m))
            figures[error == 0].append(reached)
    wrong, exact = (float(np.median(np.mean(figures[kind], axis=0))) for kind in (False, True))
    return wrong, exact


def _measured(
    audience: Audience,
    names: tuple[str, str],
    cancellers: NDArray[np.float32],
    pair: NDArray[np.float32],
    steered: tuple[float | None, float | None],
) -> Measured:
    def moved(metres: float) -> float:
        poses = (HeadPose(sideways_m=-metres), HeadPose(sideways_m=metres))
        return float(np.median(audience.cancellation_db(cancellers, *poses)))

    there = HeadPose()
    centre = audience.cancellation_db(cancellers, there)
    turned = audience.cancellation_db(cancellers, HeadPose(yaw_degrees=-15), HeadPose(yaw_degrees=15))
    heard, hz = audience.hear(cancellers, there), audience.frequency_hz
    time_error_us, level_error_db = audience.pair_errors(pair)
    return Measured(
        device=names[0],
        method=names[1],
        cancellation_db=float(np.median(centre)),
        tenth_percentile_db=float(np.percentile(centre, 10)),
        moved_25_mm_db=moved(0.025),
        moved_50_mm_db=moved(0.05),
        moved_100_mm_db=moved(0.1),
        turned_15_degrees_db=float(np.median(turned)),
        tone_rms_db=float(np.median(ear_measures.tone_rms_db(heard, audience.drivers(there), hz))),
        filter_gain_db=max(filter_gain_db(cancellers), filter_gain_db(pair)),
        time_error_us=time_error_us,
        level_error_db=level_error_db,
        steered_30_cm_db=steered[0],
        steered_exactly_db=steered[1],
    )
