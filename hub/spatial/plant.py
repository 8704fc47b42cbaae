"""What every ear hears from every driver."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from hub.spatial.head_model import SPEED_OF_SOUND, point_on_sphere, shadow
from hub.spatial.layout import SpeakerLayout

Response = NDArray[np.complex128]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadPose:
    """A head near the listener's place."""

    sideways_m: float = 0.0
    yaw_degrees: float = 0.0
    """Positive turns to the listener's right."""
    radius_m: float = 0.0875


CLOUD = tuple(
    HeadPose(sideways_m=sideways, yaw_degrees=yaw, radius_m=radius)
    for sideways, yaw, radius in product((-0.03, 0.0, 0.03), (-5.0, 0.0, 5.0), (0.08, 0.0875, 0.095))
)
"""The heads a design must suit: people differ, and nobody sits still."""


def radiate(
    layout: SpeakerLayout, place_m: NDArray[np.float64], frequency_hz: NDArray[np.float64]
) -> Response:
    """Return the sound of every driver at a place, with the listener's distance as time zero.

    Parameters
    ----------
    place_m : ndarray
        Shape ``(3,)``.

    Returns
    -------
    ndarray
        Shape ``(drivers, bins)``; 1 for a driver at the listener's distance.
    """
    distance = layout.listener.distance_m
    positions = layout.positions_m
    facing = np.radians([driver.facing_degrees for driver in layout.drivers])
    axes = np.stack([np.sin(facing), -np.cos(facing), 0 * facing], axis=1)
    shape, radius = layout.enclosure.shape, layout.enclosure.radius_m
    rays = place_m - (np.zeros_like(positions) if shape == "sphere" else positions)
    length = np.linalg.norm(rays, axis=1)
    angle = np.arccos(np.clip((rays * axes).sum(1) / length, -1, 1))
    delay = (length - distance)[:, None] / SPEED_OF_SOUND * frequency_hz
    sound: Response = (distance / length)[:, None] * np.exp(-2j * np.pi * delay)
    if shape == "sphere":  # by reciprocity a driver on a ball radiates as a point on it hears
        sound = sound * point_on_sphere(angle, radius, frequency_hz)
    elif shape == "box":
        sound = sound * shadow(angle, radius, frequency_hz)
    return sound


def ears(layout: SpeakerLayout, pose: HeadPose, frequency_hz: NDArray[np.float64]) -> Response:
    """Return what the left and right ear hear of each driver, shape ``(2, drivers, bins)``."""
    centre = np.array([pose.sideways_m, -layout.listener.distance_m, 0.0])
    rays = layout.positions_m - centre
    yaw = np.radians(pose.yaw_degrees)
    right = np.array([np.cos(yaw), -np.sin(yaw), 0.0])
    to_right = np.clip(rays @ right / np.linalg.norm(rays, axis=1), -1, 1)
    air = radiate(layout, centre, frequency_hz)
    return np.stack(
        [
            air * point_on_sphere(np.arccos(-to_right), pose.radius_m, frequency_hz),
            air * point_on_sphere(np.arccos(to_right), pose.radius_m, frequency_hz),
        ]
    )


def cloud_of_ears(layout: SpeakerLayout, frequency_hz: NDArray[np.float64]) -> Response:
    """Return what all heads of `CLOUD` hear, shape ``(heads, 2, drivers, bins)``."""
    return np.stack([ears(layout, pose, frequency_hz) for pose in CLOUD])
