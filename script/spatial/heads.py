"""Measured heads: what their ears hear from drivers anywhere before them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from hub.spatial.layout import SpeakerLayout
from hub.spatial.plant import HeadPose, Response, radiate

_TRANSFORM = 4096


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeasuredHead:
    """One measured head, in the horizontal plane.

    Attributes
    ----------
    azimuth_degrees : ndarray
        Ascending, positive to the listener's left, shape ``(directions,)``.
    level, turn_radians : ndarray
        Magnitude and phase, unwrapped over frequency, shape ``(directions, 2, bins)``.
    frequency_hz : ndarray
        Shape ``(bins,)``.
    """

    name: str
    azimuth_degrees: NDArray[np.float64]
    level: NDArray[np.float64]
    turn_radians: NDArray[np.float64]
    frequency_hz: NDArray[np.float64]

    def hears(self, azimuth_degrees: float, frequency_hz: NDArray[np.float64]) -> Response:
        """Return what both ears hear of a direction, shape ``(2, bins)``.

        Magnitude and phase are interpolated apart between the two measured directions beside it.
        Whole turns between these two are taken out first: one that the unwrapping slipped in a
        notch would be half a turn between them.
        """
        above = int(np.searchsorted(self.azimuth_degrees, azimuth_degrees, side="right"))
        if not 0 < above < len(self.azimuth_degrees):
            raise ValueError(f"{self.name} was not measured around {azimuth_degrees:.0f} degrees")
        lower, upper = self.azimuth_degrees[above - 1 : above + 1]
        share = (azimuth_degrees - lower) / (upper - lower)
        step = self.turn_radians[above] - self.turn_radians[above - 1]
        step -= 2 * np.pi * np.round(step / (2 * np.pi))
        level = (1 - share) * self.level[above - 1] + share * self.level[above]
        turn = np.unwrap(self.turn_radians[above - 1] + share * step)
        return np.stack(
            [
                np.interp(frequency_hz, self.frequency_hz, ear_level)
                * np.exp(1j * np.interp(frequency_hz, self.frequency_hz, ear_turn))
                for ear_level, ear_turn in zip(level, turn, strict=True)
            ]
        )


def load_heads(folder: Path) -> list[MeasuredHead]:
    """Read every head of a folder, in the order of their names; its README tells the keys."""
    return [_load(path) for path in sorted(folder.glob("*.npz"))]


def ears_of(
    head: MeasuredHead, layout: SpeakerLayout, pose: HeadPose, frequency_hz: NDArray[np.float64]
) -> Response:
    """Return what a measured head hears of each driver, shape ``(2, drivers, bins)``.

    The air between is that of `hub.spatial.plant.radiate`; the radius of the pose has no say here.
    """
    centre = np.array([pose.sideways_m, pose.forward_m - layout.listener.distance_m, 0.0])
    rays = layout.positions_m - centre
    to_right = np.degrees(np.arctan2(rays[:, 0], rays[:, 1])) - pose.yaw_degrees
    heard = np.stack([head.hears(-angle, frequency_hz) for angle in to_right], axis=1)
    ears: Response = radiate(layout, centre, frequency_hz) * heard
    return ears


def _load(path: Path) -> MeasuredHead:
    with np.load(path) as head:
        azimuth, hrir, rate_hz = head["azimuth_degrees"], head["hrir"], float(head["rate"])
    spectra = fft.rfft(hrir.astype(float), _TRANSFORM, axis=-1)
    return MeasuredHead(
        name=path.stem,
        azimuth_degrees=azimuth.astype(float),
        level=np.abs(spectra),
        turn_radians=np.unwrap(np.angle(spectra), axis=-1),
        frequency_hz=fft.rfftfreq(_TRANSFORM, 1 / rate_hz),
    )
