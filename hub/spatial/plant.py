"""What every ear hears from every driver."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from hub.spatial.head_model import SPEED_OF_SOUND, point_on_sphere, shadow
from hub.spatial.layout import SpeakerLayout
from hub.spatial.rigid_sphere import rigid_sphere

Response = NDArray[np.complex128]

RADII_M = (0.08, 0.0875, 0.095)
"""Heads that are small, usual and large."""
_YAWS_DEGREES = (-5.0, 0.0, 5.0)
_SPREADS = np.linspace(-2, 2, 7)
"""Where heads of the cloud are, in standard deviations."""
_LEAST_SPREAD_M = 1e-6
_NEAREST_M = 0.05
"""Nearer than this nothing gets louder: a head of the cloud may touch a driver."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadPose:
    """A head near the listener's place."""

    sideways_m: float = 0.0
    forward_m: float = 0.0
    """Towards the device."""
    yaw_degrees: float = 0.0
    """Positive turns to the listener's right."""
    radius_m: float = 0.0875


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeadCloud:
    """The heads a design must suit: people differ, and nobody sits still.

    Attributes
    ----------
    ears : ndarray
        What left and right ear hear of each driver, shape ``(heads, 2, drivers, bins)``.
    radius_m, share : ndarray
        Radius of each head and how much it counts, together 1, shape ``(heads,)``.
    """

    ears: Response
    radius_m: NDArray[np.float64]
    share: NDArray[np.float64]


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
    length = np.maximum(np.linalg.norm(rays, axis=1), _NEAREST_M)
    angle = np.arccos(np.clip((rays * axes).sum(1) / length, -1, 1))
    delay = (length - distance)[:, None] / SPEED_OF_SOUND * frequency_hz
    sound: Response = (distance / length)[:, None] * np.exp(-2j * np.pi * delay)
    if shape == "sphere":  # by reciprocity a driver on a ball radiates as a point on it hears
        sound = sound * point_on_sphere(angle, radius, frequency_hz)
    elif shape == "box":
        sound = sound * shadow(angle, radius, frequency_hz)
    return sound


def cloud_of_heads(layout: SpeakerLayout, frequency_hz: NDArray[np.float64]) -> HeadCloud:
    """Return heads of three sizes, turned a little, normally distributed to both sides."""
    spread_m = layout.listener.spread_m
    sideways = _SPREADS * spread_m if spread_m > _LEAST_SPREAD_M else np.zeros(1)
    weight = np.exp(-(_SPREADS**2) / 2) if len(sideways) > 1 else np.ones(1)
    poses = [
        HeadPose(sideways_m=float(x), yaw_degrees=yaw, radius_m=radius)
        for x, yaw, radius in product(sideways, _YAWS_DEGREES, RADII_M)
    ]
    share = np.repeat(weight, len(poses) // len(weight))
    return HeadCloud(
        ears=ears(layout, poses, frequency_hz),
        radius_m=np.array([pose.radius_m for pose in poses]),
        share=share / share.sum(),
    )


def ears(layout: SpeakerLayout, poses: Sequence[HeadPose], frequency_hz: NDArray[np.float64]) -> Response:
    """Return what both ears of each head hear of each driver, shape ``(heads, 2, drivers, bins)``."""
    centres = np.array([[p.sideways_m, p.forward_m - layout.listener.distance_m, 0.0] for p in poses])
    yaw = np.radians([pose.yaw_degrees for pose in poses])
    rays = layout.positions_m - centres[:, None]
    right = np.stack([np.cos(yaw), -np.sin(yaw), 0 * yaw], axis=1)
    length = np.maximum(np.linalg.norm(rays, axis=2), _NEAREST_M)
    to_right = np.clip(np.einsum("knx,kx->kn", rays, right) / length, -1, 1)
    angle = np.arccos(np.stack([-to_right, to_right], axis=1))
    radius = np.array([pose.radius_m for pose in poses])
    heard = np.empty((*angle.shape, len(frequency_hz)), complex)
    for size in np.unique(radius):
        of_size = angle[radius == size]
        response = head_hears(layout, of_size.ravel(), float(size), frequency_hz)
        heard[radius == size] = response.reshape(*of_size.shape, -1)
    places, which = np.unique(centres, axis=0, return_inverse=True)
    air = np.stack([radiate(layout, place, frequency_hz) for place in places])
    heard *= air[which.ravel()][:, None]
    return heard


def head_hears(
    layout: SpeakerLayout,
    angle_radians: NDArray[np.float64],
    radius_m: float,
    frequency_hz: NDArray[np.float64],
) -> Response:
    """Return what an ear at angles to sources hears, by the layout's head model, shape ``(angles, bins)``."""
    if layout.head_model == "sphere":
        return rigid_sphere(angle_radians, radius_m, layout.listener.distance_m, frequency_hz)
    return point_on_sphere(angle_radians, radius_m, frequency_hz)
