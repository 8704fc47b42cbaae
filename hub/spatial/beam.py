"""Send the centre to the listener and little to the side walls."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hub.spatial.layout import SpeakerLayout
from hub.spatial.plant import Response, radiate

MAX_GAIN = 10 ** (6 / 20)
SIDE_ATTENUATION = 10 ** (-20 / 20)
AZIMUTH_DEGREES = np.arange(-180.0, 180.0, 10.0)


def centre_beam(layout: SpeakerLayout, frequency_hz: NDArray[np.float64]) -> Response:
    """Return the centre's driver filters, shape ``(drivers, bins)``.

    Two drivers play the same, in step at the listener. From three on, least squares over the
    azimuth with the listener's sound held exactly: pass the front, hush 90 degrees.
    """
    ahead = radiate(layout, np.array([0.0, -layout.listener.distance_m, 0.0]), frequency_hz)
    if len(layout.drivers) == 2:
        even: Response = ahead.conj() / (len(ahead) * np.abs(ahead) ** 2)
        return even
    pattern = steering(layout, frequency_hz)
    front = _front_driver(layout)
    away = np.abs(AZIMUTH_DEGREES)
    weight = np.where(np.abs(away - 90) <= 10, 20.0, np.where((away <= 45) | (away > 60), 1.0, 0.0))
    wanted = np.where((away <= 45)[:, None], pattern[:, front], 0)
    square = np.einsum("a,anf,amf->fnm", weight, pattern.conj(), pattern)
    cross = np.einsum("a,anf,af->fn", weight, pattern.conj(), wanted)
    side = pattern[away == 90]

    def solve(loading: NDArray[np.float64]) -> Response:
        loaded = square + (10**loading)[:, None, None] * np.eye(square.shape[1])
        columns = np.linalg.solve(loaded, np.stack([cross, ahead.T.conj()], axis=2))
        free, pull = columns[..., 0], columns[..., 1]
        miss = ahead[front] - (ahead.T * free).sum(1)
        answer: Response = free + pull * (miss / (ahead.T * pull).sum(1))[:, None]
        return answer

    low, high = np.full(len(frequency_hz), -6.0), np.full(len(frequency_hz), 4.0)
    for _ in range(16):  # the most loading that still hushes the sides
        middle = (low + high) / 2
        level = np.abs(np.einsum("anf,fn->af", side, solve(middle))).max(axis=0)
        fine = level <= SIDE_ATTENUATION * np.abs(ahead[front])
        low, high = np.where(fine, middle, low), np.where(fine, high, middle)
    loading = low
    for _ in range(16):  # more where the filters would be too strong
        fine = np.linalg.norm(solve(loading), axis=1) <= MAX_GAIN
        loading = np.where(fine, loading, (loading + 6) / 2)
    return solve(loading).T


def steering(layout: SpeakerLayout, frequency_hz: NDArray[np.float64]) -> Response:
    """Return the drivers' sound around the device, shape ``(azimuths, drivers, bins)``.

    Azimuth 0 is the listener, positive to the listener's right, at the listener's distance.
    """
    distance = layout.listener.distance_m
    radians = np.radians(AZIMUTH_DEGREES)
    places = distance * np.stack([np.sin(radians), -np.cos(radians), 0 * radians], axis=1)
    return np.stack([radiate(layout, place, frequency_hz) for place in places])


def _front_driver(layout: SpeakerLayout) -> int:
    """Return the driver that looks most towards the listener and sits nearest the middle."""
    facing = [abs(driver.facing_degrees) for driver in layout.drivers]
    aside = [abs(driver.position_m[0]) for driver in layout.drivers]
    return min(range(len(facing)), key=lambda index: (facing[index], aside[index]))
