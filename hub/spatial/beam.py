"""Send the centre to the listener and little to the side walls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hub.spatial.head_model import SPEED_OF_SOUND
from hub.spatial.layout import SpeakerLayout
from hub.spatial.plant import Response, radiate
from hub.spatial.rigid_sphere import rigid_sphere

MAX_GAIN = 10 ** (5 / 20)
"""One decibel below what the finished filters may reach: cutting them to length adds a little."""
SIDE_WEIGHT = 30.0
"""How much more the walls count than the room as a whole."""
SIDE_DEGREES = (-95.0, -90.0, -85.0, 85.0, 90.0, 95.0)
AZIMUTH_DEGREES = np.arange(-180.0, 180.0, 10.0)


def centre_beam(
    layout: SpeakerLayout, frequency_hz: NDArray[np.float64], front: Sequence[int] | None = None
) -> Response:
    """Return the centre's driver filters, shape ``(drivers, bins)``.

    Two drivers play the same, in step at the listener, as late as they are in the mean. From three on,
    the sound towards the walls at 90 degrees and towards the room as a whole is the least that leaves
    the listener exactly what the front driver alone would play (linearly constrained minimum power). One
    weight between walls and room for all frequencies spends a lobe where it buys the most: near 2 kHz a
    ball of 9 cm cannot hush the walls and keep the front at the same time.

    Parameters
    ----------
    front : sequence of int or None
        The drivers at the device's front, where the layout is `turned`; None for its own `front_drivers`.
    """
    ahead = _radiate_to(layout, np.zeros(1), np.zeros(1), frequency_hz)[0]
    if len(layout.drivers) == 2:
        seconds = _seconds_after_middle(layout, range(2)).mean()
        late = np.exp(-2j * np.pi * seconds * frequency_hz)
        even: Response = late * ahead.conj() / (len(ahead) * np.abs(ahead) ** 2)
        return even
    sides = np.radians(SIDE_DEGREES)
    square = _room_power(layout, frequency_hz) + SIDE_WEIGHT * _power(
        _radiate_to(layout, sides, 0 * sides, frequency_hz), np.ones(len(sides))
    )
    wanted = _front_sound(layout, ahead, front or front_drivers(layout), frequency_hz)

    def solve(loading: NDArray[np.float64]) -> Response:
        loaded = square + (10**loading)[:, None, None] * np.eye(square.shape[1])
        pull = np.linalg.solve(loaded, ahead.T.conj()[..., None])[..., 0]
        answer: Response = pull * (wanted / (ahead.T * pull).sum(1))[:, None]
        return answer

    low, high = np.full(len(frequency_hz), -6.0), np.full(len(frequency_hz), 4.0)
    for _ in range(20):  # the least loading that keeps the filters weak enough
        middle = (low + high) / 2
        fine = np.linalg.norm(solve(middle), axis=1) <= MAX_GAIN
        low, high = np.where(fine, low, middle), np.where(fine, middle, high)
    return solve(high).T


def steering(layout: SpeakerLayout, frequency_hz: NDArray[np.float64]) -> Response:
    """Return the drivers' sound around the device, shape ``(azimuths, drivers, bins)``.

    Azimuth 0 is the listener, positive to the listener's right, at the listener's distance.
    """
    radians = np.radians(AZIMUTH_DEGREES)
    return _radiate_to(layout, radians, 0 * radians, frequency_hz)


def _radiate_to(
    layout: SpeakerLayout,
    azimuth: NDArray[np.float64],
    elevation: NDArray[np.float64],
    frequency_hz: NDArray[np.float64],
) -> Response:
    """Return the drivers' sound towards directions in radians, shape ``(directions, drivers, bins)``."""
    distance = layout.listener.distance_m
    level = np.cos(elevation)
    towards = np.stack([level * np.sin(azimuth), -level * np.cos(azimuth), np.sin(elevation)], axis=1)
    if layout.enclosure.shape != "sphere":
        return np.stack([radiate(layout, distance * place, frequency_hz) for place in towards])
    facing = np.radians([driver.facing_degrees for driver in layout.drivers])
    axes = np.stack([np.sin(facing), -np.cos(facing), 0 * facing], axis=1)
    angle = np.arccos(np.clip(towards @ axes.T, -1, 1))
    heard = rigid_sphere(angle.ravel(), layout.enclosure.radius_m, distance, frequency_hz)
    return heard.reshape(*angle.shape, -1)


def _room_power(layout: SpeakerLayout, frequency_hz: NDArray[np.float64]) -> Response:
    """Return what each two drivers share in all directions' mean, shape ``(bins, drivers, drivers)``."""
    azimuth, elevation = np.meshgrid(np.radians(np.arange(-180, 180, 15)), np.radians(np.arange(-75, 90, 30)))
    weight = np.cos(elevation).ravel()
    return _power(_radiate_to(layout, azimuth.ravel(), elevation.ravel(), frequency_hz), weight)


def _power(pattern: Response, weight: NDArray[np.float64]) -> Response:
    weighted = pattern * (weight / weight.sum())[:, None, None]
    power: Response = np.einsum("anf,amf->fnm", pattern.conj(), weighted)
    return power


def front_drivers(layout: SpeakerLayout) -> tuple[int, ...]:
    """Return the drivers that look most towards the listener and sit nearest the middle; two may tie."""
    facing = [abs((driver.facing_degrees + 180) % 360 - 180) for driver in layout.drivers]
    aside = [abs(driver.position_m[0]) for driver in layout.drivers]
    places = [(round(angle, 3), round(x, 6)) for angle, x in zip(facing, aside, strict=True)]
    return tuple(index for index, place in enumerate(places) if place == min(places))


def _front_sound(
    layout: SpeakerLayout, ahead: Response, front: Sequence[int], frequency_hz: NDArray[np.float64]
) -> Response:
    """Return the mean of the front drivers, as if all stood at their mean distance, shape ``(bins,)``.

    With one of two that tie, the centre would come earlier or later the more the device is turned.
    """
    seconds = _seconds_after_middle(layout, front)
    later = np.exp(2j * np.pi * (seconds - seconds.mean())[:, None] * frequency_hz)
    sound: Response = (ahead[list(front)] * later).mean(axis=0)
    return sound


def _seconds_after_middle(layout: SpeakerLayout, drivers: Sequence[int]) -> NDArray[np.float64]:
    """Return how much later than the middle of the device each driver is heard by the listener."""
    distance = layout.listener.distance_m
    listener = np.array([0.0, -distance, 0.0])
    metres = np.linalg.norm(layout.positions_m[list(drivers)] - listener, axis=1) - distance
    seconds: NDArray[np.float64] = metres / SPEED_OF_SOUND
    return seconds
