"""How a head shadows and delays sound: the model of Brown and Duda (1998)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SPEED_OF_SOUND = 343.0
"""Metres per second in air at 20 degrees Celsius."""


def shadow(
    angle_radians: NDArray[np.float64], radius_m: float, frequency_hz: NDArray[np.float64]
) -> NDArray[np.complex128]:
    """Return the level that a point on a sphere hears, without its delay.

    One zero and one pole (Brown, Duda, IEEE Trans. Speech Audio 6(5), 1998, equations 4 and 5).

    Parameters
    ----------
    angle_radians : ndarray
        Angle between source and point, seen from the centre, shape ``(sources,)``.
    radius_m : float
        Radius of the sphere.
    frequency_hz : ndarray
        Shape ``(bins,)``.

    Returns
    -------
    ndarray
        Shape ``(sources, bins)``, 1 at 0 Hz.
    """
    alpha = 1.05 + 0.95 * np.cos(np.minimum(angle_radians * 180 / 150, np.pi))
    ratio = 1j * np.pi * frequency_hz * radius_m / SPEED_OF_SOUND
    level: NDArray[np.complex128] = (1 + alpha[:, None] * ratio) / (1 + ratio)
    return level


def arrival_seconds(angle_radians: NDArray[np.float64], radius_m: float) -> NDArray[np.float64]:
    """Return when the sound reaches the point, from when it would pass the centre."""
    direct = -np.cos(angle_radians)
    around = angle_radians - np.pi / 2
    seconds: NDArray[np.float64] = (
        np.where(angle_radians < np.pi / 2, direct, around) * radius_m / SPEED_OF_SOUND
    )
    return seconds


def point_on_sphere(
    angle_radians: NDArray[np.float64], radius_m: float, frequency_hz: NDArray[np.float64]
) -> NDArray[np.complex128]:
    """Return level and delay together, shape ``(sources, bins)``."""
    delay = arrival_seconds(angle_radians, radius_m)[:, None] * frequency_hz
    response: NDArray[np.complex128] = shadow(angle_radians, radius_m, frequency_hz) * np.exp(
        -2j * np.pi * delay
    )
    return response
