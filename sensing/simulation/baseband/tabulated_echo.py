"""The echo of a machine that repeats: every pose is computed once, then looked up."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len

from sensing.simulation.baseband.inner_rate import at_inner_rate, band_gain, inner_rate
from sensing.simulation.baseband.port import Phasors, Port
from sensing.simulation.baseband.room_images import Array
from sensing.simulation.baseband.scatterers import Mechanism, is_absent

_HARMONICS_A_RADIAN, _MORE_HARMONICS = 1.2, 8.0
"""A phase that swings by x radians has harmonics up to x (Carson), and the amplitude's beside."""
_ENTRIES_A_PERIOD = 10
"""Of the highest harmonic: cubic interpolation is then wrong by less than -45 dB of it, of others by less."""
_NEGLIGIBLE = 1e-5
"""Share of the energy, -50 dB, in the harmonics that are left out."""
_MOST_POINTS = 1_500_000
"""A larger table takes longer than the scenes in which the machine occurs."""


class TabulatedEcho:
    """The echo of a `Mechanism`, an exact function of time, some hundred times quicker than its points.

    Harmonics of the crank beyond the baseband's band are removed from the table, as the decimating filter
    of `factorised_echo` would do; the lever is so slow that its harmonics are beside them.

    Parameters
    ----------
    rate_hz : int
        Of the baseband.
    """

    def __init__(self, machine: Mechanism, speaker: Port, microphones: Sequence[Port], rate_hz: int) -> None:
        self._machine = machine
        self._rate_hz = rate_hz
        self._ratio = min(inner_rate(machine.highest_hz, rate_hz), Fraction(1))
        spectrum = np.fft.fft2(_poses(machine, speaker, microphones), axes=(1, 2))
        harmonics = np.fft.fftfreq(spectrum.shape[1], 1 / spectrum.shape[1])
        spectrum *= band_gain(harmonics * machine.crank_hz, rate_hz)[:, None, None]
        table = _refined(_refined(spectrum, axis=1), axis=2)
        self._sizes = table.shape[1:3]
        # rows of all microphones, so that one look-up serves them all
        self._rows = np.ascontiguousarray(table.reshape(-1, len(microphones)), np.complex64)

    @staticmethod
    def fits(machine: Mechanism) -> bool:
        """Return whether the table is small enough to be worth it."""
        crank, lever = _grid(machine)
        points, _ = machine.pose(np.zeros(1), np.zeros(1))
        return crank * lever / 2 * len(points) <= _MOST_POINTS

    def process(self, first: int, frames: int) -> Phasors:
        """Return frames of the baseband, shape ``(microphones, frames)``."""
        if is_absent(self._machine, first, frames, self._rate_hz):
            return np.zeros((self._rows.shape[1], frames), np.complex64)
        return at_inner_rate(self._at_rate, self._ratio, first=first, frames=frames, rate_hz=self._rate_hz)

    def _at_rate(self, first: int, frames: int, rate_hz: int) -> Phasors:
        seconds = (first + np.arange(frames)) / rate_hz
        presence = self._machine.presence(seconds)
        (crank, crank_weights), (lever, lever_weights) = (
            _taps(phase, size) for phase, size in zip(self._machine.phases(seconds), self._sizes, strict=True)
        )
        part = np.arange(self._machine.parts)[:, None] * self._sizes[0]
        places = (part + crank[:, None]) * self._sizes[1] + lever
        weights = crank_weights[:, None] * lever_weights * presence.astype(np.float32)
        shape = (-1, self._machine.parts, frames)
        rows = np.take(self._rows, places.reshape(shape), axis=0).view(np.float32)
        heard: NDArray[np.float32] = np.einsum("tpn,tpnr->nr", weights.reshape(shape), rows)
        return np.ascontiguousarray(heard.view(np.complex64).T)


def _grid(machine: Mechanism) -> tuple[int, int]:
    """Return as many poses of the crank and phases of the lever as the series has harmonics, both signs."""
    return _poses_for(machine.crank_radians), _poses_for(machine.lever_radians)


def _poses_for(radians: float) -> int:
    if radians == 0:
        return 1
    return next_fast_len(2 * round(_HARMONICS_A_RADIAN * radians + _MORE_HARMONICS))


def _poses(machine: Mechanism, speaker: Port, microphones: Sequence[Port]) -> NDArray[np.complex128]:
    """Return the echo of every pose, shape ``(parts, cranks, levers, microphones)``."""
    cranks, levers = _grid(machine)
    crank = np.arange(cranks) / cranks
    # to and fro pass the same places
    lever, where = np.unique(
        np.round(np.sin(2 * np.pi * np.arange(levers) / levers), 12), return_inverse=True
    )
    echo = np.empty((machine.parts, cranks, len(lever), len(microphones)), np.complex128)
    for number, place in enumerate(lever):
        points, strengths = machine.pose(crank, np.full(cranks, place))
        flat = points.reshape(-1, 3)
        sent = speaker.field(flat) * strengths.ravel().astype(np.float32)
        for microphone, port in enumerate(microphones):
            parts = (sent * port.field(flat)).reshape(machine.parts, -1, cranks)
            echo[:, :, number, microphone] = parts.sum(axis=1)
    return echo[:, :, where]


def _refined(spectrum: NDArray[np.complex128], *, axis: int) -> NDArray[np.complex128]:
    """Return the series at more places along an axis, enough to interpolate what harmonics it has."""
    size = spectrum.shape[axis]
    if size == 1:
        return spectrum
    others = tuple(other for other in range(4) if other != axis)
    energy = np.sum(np.abs(spectrum) ** 2, axis=others)
    order = np.abs(np.fft.fftfreq(size, 1 / size))
    moving = energy[order > 0].sum()
    beyond = np.array([energy[order > n].sum() for n in range(size // 2 + 1)])
    highest = max(1, int(np.argmax(beyond <= _NEGLIGIBLE * moving)))
    finer = next_fast_len(_ENTRIES_A_PERIOD * highest)
    places = np.arange(finer) / finer
    kept = np.flatnonzero(order <= highest)
    harmonics = np.fft.fftfreq(size, 1 / size)[kept]
    waves = np.exp(2j * np.pi * harmonics[:, None] * places) / size
    refined = np.tensordot(np.take(spectrum, kept, axis=axis), waves, axes=(axis, 0))
    return np.moveaxis(refined, -1, axis)


def _taps(turns: Array, size: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the entries next to phases and Lagrange's cubic weights, each ``(4, parts, n)``.

    A table of a single entry is itself: one tap.
    """
    if size == 1:
        return np.zeros((1, *turns.shape), np.int64), np.ones((1, *turns.shape), np.float32)
    place = turns * size
    low = np.floor(place)
    x = (place - low).astype(np.float32)
    entries = np.arange(-1, 3, dtype=np.int64)[:, None, None] + low.astype(np.int64)
    entries %= size
    inner, outer = x * (x - 1), (x + 1) * (x - 2)
    weights: NDArray[np.float32] = np.stack(
        [inner * (2 - x) / 6, outer * (x - 1) / 2, outer * x / -2, inner * (x + 1) / 6]
    )
    return entries, weights
