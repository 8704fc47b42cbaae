"""What microphones hear of a point source in a shoebox room, over the whole band of a sound card."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from sensing.dsp.air import speed_of_sound_mps

Array = NDArray[np.float64]

_OVERSAMPLING = 16
"""A path falls between two points of a grid so fine; the error is below a microsecond at 48 kHz."""

_KERNEL_FRAMES = 32
_LOUDEST_M = 0.1


def room_responses(
    source_m: Array,
    microphones_m: Array,
    *,
    size_m: Array,
    decay_seconds: float,
    rate_hz: int,
    seconds: float = 0.3,
) -> Array:
    """Return impulse responses by the image method (Allen and Berkley, JASA 65, 1979).

    All walls absorb alike and at every frequency, as Eyring's formula asks for the decay.

    Parameters
    ----------
    source_m : Array
        Shape ``(3,)``; the room reaches from the origin to ``size_m``.
    microphones_m : Array
        Shape ``(microphones, 3)``.
    size_m : Array
        Shape ``(3,)``.
    decay_seconds : float
        Time in which the sound decays by 60 dB; 0 for no walls at all.
    seconds : float
        Length of the responses.

    Returns
    -------
    Array
        Shape ``(microphones, frames)``; amplitude 1 at one metre, frame zero is when the sound starts.
    """
    speed = speed_of_sound_mps()
    positions, hits = image_sources(source_m, size_m, speed * seconds if decay_seconds > 0 else 0.0)
    gains = wall_reflection(size_m, decay_seconds) ** hits
    fine_hz = _OVERSAMPLING * rate_hz
    frames = round(seconds * rate_hz)
    heard = np.zeros((len(microphones_m), frames))
    for index, microphone in enumerate(microphones_m):
        metres = np.linalg.norm(positions - microphone, axis=1)
        place = metres / speed * fine_hz
        near = place < (frames - 1) * _OVERSAMPLING
        level = gains[near] / np.maximum(metres[near], _LOUDEST_M)
        first, share = np.divmod(place[near], 1)
        fine = np.bincount(first.astype(int), level * (1 - share), frames * _OVERSAMPLING)
        fine[1:] += np.bincount(first.astype(int), level * share, frames * _OVERSAMPLING)[:-1]
        lead = np.pad(fine, (_KERNEL_FRAMES * _OVERSAMPLING, 0))
        heard[index] = _OVERSAMPLING * resample_poly(lead, 1, _OVERSAMPLING)[_KERNEL_FRAMES:][:frames]
    return heard


def image_sources(source_m: Array, size_m: Array, reach_m: float) -> tuple[Array, Array]:
    """Return all images within reach, and some beyond, and how often each was reflected.

    Shapes ``(images, 3)`` and ``(images,)``.
    """
    most = [math.ceil(reach_m / size) for size in size_m]
    axes = [np.arange(-count, count + 1) for count in most]
    turns = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    is_odd = turns % 2 == 1
    positions = turns * size_m + np.where(is_odd, size_m - source_m, source_m)
    return positions, np.abs(turns).sum(axis=1).astype(float)


def wall_reflection(size_m: Array, decay_seconds: float) -> float:
    """Return what a wall leaves of the amplitude (Eyring, JASA 1, 1930)."""
    if decay_seconds <= 0:
        return 0.0
    x, y, z = size_m
    surface = 2 * (x * y + y * z + z * x)
    return math.exp(-0.5 * 0.161 * x * y * z / (surface * decay_seconds))
