"""Other ways to cancel crosstalk, built from what their makers published, for the same loudspeakers.

Every rival is a function from a layout to taps of shape ``(2, drivers, taps)``. The recursive ones know
two loudspeakers: of more drivers they play the outermost two.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from hub.spatial.alignment import grid, to_taps
from hub.spatial.head_model import SPEED_OF_SOUND, point_on_sphere
from hub.spatial.layout import SpeakerLayout
from hub.spatial.plant import HeadPose, Response, ears

TAPS = 4096
"""Long enough that cutting harms none of them."""

_SIZE = 8192
_HEAD_RADIUS_M = 0.0875
_BACCH_GAIN_DB = 7.0
_RACE_LOSS_DB = 2.5
_RACE_BAND_HZ = (250.0, 5000.0)
_EASY_LOSS_DB = 2.0
_EASY_DELAY_SECONDS = (200e-6, 500e-6)
_EASY_PEAKS = ((688, -2.9, 1.0), (1066, -6.4, 3.352), (2190, -5.6, 2.037), (3792, -4.5, 3.232))
"""Hz, dB and quality of the equaliser that stands for the far ear of a mannequin."""


def bypass(layout: SpeakerLayout) -> NDArray[np.float32]:
    """Return left on the leftmost driver and right on the rightmost."""
    taps = np.zeros((2, len(layout.drivers), TAPS), np.float32)
    left, right = _outer(layout)
    taps[0, left, TAPS // 2] = taps[1, right, TAPS // 2] = 1
    return taps


def plain_inverse(layout: SpeakerLayout) -> NDArray[np.float32]:
    """Return the inverse of one model head at the place, loaded only against noise, of any gain."""
    return to_taps(_inverse(layout, np.inf), TAPS)


def bacch_like(layout: SpeakerLayout) -> NDArray[np.float32]:
    """Return the inverse loaded per frequency until its gain is at most 7 dB.

    After Choueiri, "Optimal crosstalk cancellation for binaural audio with two loudspeakers" (2008):
    the loading follows from a limit of the spectral coloration. His measured, individual filters
    are not public.
    """
    return to_taps(_inverse(layout, 10 ** (_BACCH_GAIN_DB / 20)), TAPS)


def race(layout: SpeakerLayout) -> NDArray[np.float32]:
    """Return a recursive canceller: inverted, delayed as the geometry says, 2.5 dB less, 250 Hz to 5 kHz.

    Glasgal, "360 degrees localization via 4.x RACE processing", AES convention 123 (2007).
    """
    hz = grid(_SIZE, layout.sample_rate)
    turn = np.exp(-2j * np.pi * hz * _far_ear_delay_seconds(layout))
    sections = signal.butter(1, _RACE_BAND_HZ, "bandpass", fs=layout.sample_rate)
    band = signal.freqz(*sections, worN=hz, fs=layout.sample_rate)[1]
    return _two(layout, 10 ** (-_RACE_LOSS_DB / 20) * turn * band)


def easy_effects(layout: SpeakerLayout) -> NDArray[np.float32]:
    """Return the crosstalk canceller of EasyEffects (pull request 5001).

    Recursive; a whole number of frames of delay, 200 to 500 us, 2 dB less, high-pass 250 Hz,
    low-pass 3,245 Hz, four dips fitted to a mannequin.
    """
    hz, rate_hz = grid(_SIZE, layout.sample_rate), layout.sample_rate
    delay_frames = round(float(np.clip(_far_ear_delay_seconds(layout), *_EASY_DELAY_SECONDS)) * rate_hz)
    cross = 10 ** (-_EASY_LOSS_DB / 20) * np.exp(-2j * np.pi * hz / rate_hz * delay_frames)
    for section in (signal.butter(2, 250, "high", fs=rate_hz), signal.butter(2, 3245, "low", fs=rate_hz)):
        cross = cross * signal.freqz(*section, worN=hz, fs=rate_hz)[1]
    for centre_hz, gain_db, quality in _EASY_PEAKS:
        cross = cross * signal.freqz(*_peak(centre_hz, gain_db, quality, rate_hz), worN=hz, fs=rate_hz)[1]
    return _two(layout, cross)


def add_virtual_pair(layout: SpeakerLayout, taps: NDArray[np.float32], degrees: float) -> NDArray[np.float32]:
    """Return an inverse whose far ear gets what it would hear of a loudspeaker ``degrees`` aside.

    The usual way: the crosstalk of Brown and Duda's model, played through the other side's filters.
    """
    hz = grid(_SIZE, layout.sample_rate)
    near, far = point_on_sphere(np.radians([90 - degrees, 90 + degrees]), _HEAD_RADIUS_M, hz)
    back = np.exp(2j * np.pi * hz / layout.sample_rate * (TAPS // 2))
    response = fft.rfft(taps.astype(float), _SIZE, axis=-1) * back
    return to_taps(response + far / near * response[::-1], TAPS)


INVERSES = ("plain inverse", "BACCH-like")
"""These only separate the ears; a virtual pair is for their user to add."""

RIVALS: dict[str, Callable[[SpeakerLayout], NDArray[np.float32]]] = {
    "bypass": bypass,
    "plain inverse": plain_inverse,
    "BACCH-like": bacch_like,
    "RACE-like": race,
    "EasyEffects": easy_effects,
}


def _outer(layout: SpeakerLayout) -> tuple[int, int]:
    """Return the leftmost and the rightmost driver."""
    across = layout.positions_m[:, 0]
    return int(across.argmin()), int(across.argmax())


def _far_ear_delay_seconds(layout: SpeakerLayout) -> float:
    """Return how much later the far ear hears the rightmost driver (Woodworth's formula)."""
    x, y, _ = layout.positions_m[_outer(layout)[1]]
    angle = np.arctan2(x, y + layout.listener.distance_m)
    return float(_HEAD_RADIUS_M / SPEED_OF_SOUND * (angle + np.sin(angle)))


def _two(layout: SpeakerLayout, cross: Response) -> NDArray[np.float32]:
    """Return the recursive canceller: each side less what the other plays, through ``cross``."""
    left, right = _outer(layout)
    response = np.zeros((2, len(layout.drivers), len(cross)), complex)
    own = 1 / (1 - cross**2)
    response[0, left] = response[1, right] = own
    response[0, right] = response[1, left] = -cross * own
    return to_taps(response, TAPS)


def _inverse(layout: SpeakerLayout, max_gain: float) -> Response:
    """Return the loaded inverse of one model head, shape ``(2, drivers, bins)``."""
    hz = grid(_SIZE, layout.sample_rate)
    plant = ears(layout, [HeadPose()], hz)[0].transpose(2, 0, 1)
    natural = np.sqrt((np.abs(plant) ** 2).mean(axis=(1, 2)))
    adjoint = plant.conj().transpose(0, 2, 1)

    def invert(loading: NDArray[np.float64]) -> Response:
        loaded = plant @ adjoint + loading[:, None, None] * np.eye(2)
        weights = adjoint @ np.linalg.inv(loaded)
        reach = np.abs(np.einsum("fij,fji->fi", plant, weights)).mean(axis=1)
        scaled: Response = weights * (natural / reach)[:, None, None]
        return scaled

    low, high = np.full(len(hz), -6.0), np.full(len(hz), 4.0)
    if np.isinf(max_gain):
        high = low
    for _ in range(20):
        middle = (low + high) / 2
        strong = np.linalg.norm(invert(10**middle), axis=1).max(axis=1) > max_gain
        low, high = np.where(strong, middle, low), np.where(strong, high, middle)
    return invert(10**high).transpose(2, 1, 0)


def _peak(
    centre_hz: float, gain_db: float, quality: float, rate_hz: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a peaking equaliser (Bristow-Johnson's cookbook)."""
    angle = 2 * np.pi * centre_hz / rate_hz
    root, width = 10 ** (gain_db / 40), np.sin(angle) / (2 * quality)
    middle = -2 * np.cos(angle)
    return (
        np.array([1 + width * root, middle, 1 - width * root]),
        np.array([1 + width / root, middle, 1 - width / root]),
    )
