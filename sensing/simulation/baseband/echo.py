"""The echo of moving points: factorised for speed, retarded and dense for verification."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from sensing.simulation.baseband.inner_rate import at_inner_rate, inner_rate
from sensing.simulation.baseband.port import SUBSTEPS, Phasors, Port
from sensing.simulation.baseband.room_images import Array
from sensing.simulation.baseband.scatterers import Scatterers, is_absent

_RETARDED_GRID_HZ = 4_000
_FIXED_POINT_ROUNDS = 3
"""Each round gains a factor v/c, less than 1/100."""


def factorised_echo(
    group: Scatterers, speaker: Port, microphones: Sequence[Port], first: int, frames: int, *, rate_hz: int
) -> Phasors:
    """Return the quasi-static echo ``sum_k s_k F_speaker(p_k) F_microphone(p_k)``.

    The double sum over images of speaker and microphone factorises because the way splits into there and
    back, so 2N phasors are enough for N^2 paths. The position is that of the frame instead of the retarded
    instant 10 to 35 ms before: band energies are those of `retarded_echo` within 1 dB, the samples are not.
    Speaker and microphone have to stand some wavelengths apart: at one place the paths ab and ba add in
    phase here, up to 3 dB too much, while the retarded ones do not.

    Parameters
    ----------
    first, frames : int
        Frames of the baseband, ``frames`` a multiple of `SUBSTEPS`.

    Returns
    -------
    Phasors
        Shape ``(microphones, frames)``, relative to the amplitude at one metre.
    """
    if is_absent(group, first, frames, rate_hz):
        return np.zeros((len(microphones), frames), np.complex64)

    def at_rate(inner_first: int, inner_frames: int, inner_hz: int) -> Phasors:
        return _at_rate(group, speaker, microphones, inner_first, inner_frames, inner_hz)

    ratio = max(inner_rate(group.highest_hz, rate_hz), Fraction(1))
    return at_inner_rate(at_rate, ratio, first=first, frames=frames, rate_hz=rate_hz)


def _at_rate(
    group: Scatterers, speaker: Port, microphones: Sequence[Port], first: int, frames: int, rate_hz: int
) -> Phasors:
    seconds = (first + SUBSTEPS * np.arange(frames // SUBSTEPS + 1)) / rate_hz
    points, strengths = group.at(seconds)
    is_there = strengths.any(axis=1)
    if not is_there.any():
        return np.zeros((len(microphones), frames), np.complex64)
    points, strengths = points[is_there], strengths[is_there].astype(np.float32)
    share = (np.arange(SUBSTEPS) / SUBSTEPS).astype(np.float32)
    weights = strengths[:, :-1, None] + np.diff(strengths, axis=1)[..., None] * share
    sent = speaker.response(points) * weights
    heard = [np.einsum("knf,knf->nf", sent, one.response(points)).ravel() for one in microphones]
    return np.array(heard, np.complex64)


def retarded_echo(
    group: Scatterers, speaker: Port, microphone: Port, *, first: int, frames: int, rate_hz: int
) -> Phasors:
    """Return the exact echo of every pair of images, each at its own retarded instant.

    What arrives at t left the scatterer at ``t' = t - r_b(t') / c`` (solved by fixed point), so the path is
    ``A exp(-j k (r_a(t') + r_b(t')))``. Only images, no diffuse tail; some hundred times slower than
    `factorised_echo`.

    Returns
    -------
    Phasors
        Shape ``(frames,)``.
    """
    room = speaker.room
    seconds = (first + np.arange(frames)) / rate_hz
    margin = 0.1
    grid = np.arange(seconds[0] - margin, seconds[-1] + 2 / _RETARDED_GRID_HZ, 1 / _RETARDED_GRID_HZ)
    points, strengths = group.at(grid)
    heard = np.zeros(frames, np.complex128)
    for track, track_strength in zip(points, strengths, strict=True):
        for image in range(len(microphone.images.gains)):
            source = microphone.images.positions[image]
            then = seconds
            for _ in range(_FIXED_POINT_ROUNDS):
                metres = np.linalg.norm(_on_track(track, grid, then) - source, axis=1)
                then = seconds - metres / room.speed_mps
            where = _on_track(track, grid, then)
            back_m, back = microphone.gains(where)
            out_m, out = speaker.gains(where)
            turn = np.exp(-2j * math.pi / room.wavelength_m * (out_m + back_m[image]))
            heard += np.interp(then, grid, track_strength) * back[image] * (out * turn).sum(axis=0)
    return heard.astype(np.complex64)


def _on_track(track: Array, grid: Array, seconds: Array) -> Array:
    return np.stack([np.interp(seconds, grid, track[:, axis]) for axis in range(3)], axis=1)
