"""How a hard ball shadows sound, exactly: the series of Duda and Martens (1998)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from hub.spatial.head_model import SPEED_OF_SOUND

_LOWEST_HZ = 1.0
"""The series divides by the frequency; below this the ball shadows nothing."""


def rigid_sphere(
    angle_radians: NDArray[np.float64],
    radius_m: float,
    distance_m: float,
    frequency_hz: NDArray[np.float64],
) -> NDArray[np.complex128]:
    """Return what a point on a ball hears, relative to the ball's centre without the ball.

    By reciprocity it is also what a small driver on the ball sends to a place.
    Duda, Martens, JASA 104(5), 1998, equation 3, conjugated to positive time.

    Parameters
    ----------
    angle_radians : ndarray
        Angle between source and point, seen from the centre, shape ``(angles,)``.
    radius_m : float
        Radius of the ball.
    distance_m : float
        From the centre to the source, more than the radius.
    frequency_hz : ndarray
        Shape ``(bins,)``.

    Returns
    -------
    ndarray
        Shape ``(angles, bins)``, level and delay together, 1 at 0 Hz.
    """
    order, terms, phase = _series(radius_m, distance_m, frequency_hz.astype(float).tobytes())
    legendre = np.stack([special.eval_legendre(m, np.cos(angle_radians)) for m in order], axis=1)
    heard: NDArray[np.complex128] = (legendre * (2 * order + 1)) @ terms * phase
    return heard


@lru_cache(maxsize=16)  # the slow part, and the same for all drivers, places and directions of a design
def _series(
    radius_m: float, distance_m: float, frequency_hz: bytes
) -> tuple[NDArray[np.int64], NDArray[np.complex128], NDArray[np.complex128]]:
    """Return the orders, their terms, shape ``(orders, bins)``, and what the sum is multiplied with."""
    hz = np.maximum(np.frombuffer(frequency_hz), _LOWEST_HZ)
    around = 2 * np.pi * hz * radius_m / SPEED_OF_SOUND
    away = distance_m / radius_m
    # terms beyond the circumference in wavelengths fade faster than exponentially
    order = np.arange(int(1.3 * around.max()) + 20)
    with np.errstate(over="ignore", invalid="ignore"):
        terms = _hankel(order, around * away) / _hankel(order, around, derivative=True)
    terms = np.where(np.isfinite(terms), terms, 0)  # overflowed: far below the first term
    return order, terms, -away / around * np.exp(1j * around * away)


def _hankel(
    order: NDArray[np.int64], argument: NDArray[np.float64], *, derivative: bool = False
) -> NDArray[np.complex128]:
    """Return spherical Hankel functions of the second kind, shape ``(orders, bins)``."""
    column = order[:, None]
    function: NDArray[np.complex128] = special.spherical_jn(
        column, argument, derivative
    ) - 1j * special.spherical_yn(column, argument, derivative)
    return function
