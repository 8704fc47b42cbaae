"""What moves, read from the spectrum around the carrier."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.signal import get_window, lfilter

from sensing.ultrasound.carrier_null import DEAD_RATIO
from sensing.ultrasound.demodulator import Baseband
from sensing.ultrasound.noise_floor import Decibels, NoiseFloor

HOP_SECONDS = 0.05
WINDOW_SECONDS = 0.128
BAND_EDGES_HZ = (12, 24, 40, 64, 96, 140, 200, 280, 400)
"""Edges of the eight bands on each side of the carrier: 0.1 to 3.4 m/s at 20 kHz."""
_FAST_ABOVE_HZ = 64
_HALF = len(BAND_EDGES_HZ) - 1
FAST_BANDS = [
    side + band
    for side in (0, _HALF)
    for band, low_hz in enumerate(BAND_EDGES_HZ[:-1])
    if low_hz >= _FAST_ABOVE_HZ
]
"""Of both sides, 64 Hz and more: torso and legs of somebody who walks (0.55 m/s at 20 kHz)."""
SLOW_BANDS = [band for band in range(2 * _HALF) if band not in FAST_BANDS]
SYMMETRY_EDGES_HZ = (12, 64, 140, 400)

Spectra = NDArray[np.complexfloating]

_READY_HOPS = 6
_RESUMED_HOPS = 1
"""After a pause only the demodulator's filter has to fill."""
_TRACKING_SECONDS = 1.0
"""Two sound cards' clocks differ by up to 1 Hz at the carrier, and that changes over minutes."""
_BURST_PARTS = 8
_POWER_FLOOR = 1e-24
MASK_DB = 6.0
"""A bin in which more distortion was taken out than is left by this much may hold nothing else."""


def _nothing_masked() -> NDArray[np.float32]:
    return np.zeros(2 * _HALF, np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DopplerFrame:
    """One hop of features. Bands are the receding ones, lowest frequency first, then the approaching ones.

    Attributes
    ----------
    hop : int
        Number of the hop since the last reset or pause.
    floor_hops : int
        For how many hops the floors have been learnt.
    bands_db : NDArray
        Shape ``(16,)``: energy of each band over its noise floor in dB.
    floors_dbc : NDArray
        Shape ``(16,)``: those floors in dB relative to the carrier.
    carrier_db : float
        Level of the carrier in dBFS of its peak.
    sideband_dbc : float
        Strongest of the bands in dB relative to the carrier.
    lines_db : NDArray
        Shape ``(2,)``: strongest bin of each side over the mean of that side; high for a foreign tone.
    symmetry : NDArray
        Shape ``(3,)``, 0 to 1: how far the two sides mirror each other (`SYMMETRY_EDGES_HZ`); 1 for a
        carrier that is modulated as a whole, little for an echo.
    burst_db : float
        Strongest eighth of the window over its mean; high for a click or a dropout.
    masked : NDArray
        Shape ``(16,)``: share of each band, 0 to 1, that music makes useless; ``bands_db`` leaves it out.
    """

    hop: int
    floor_hops: int
    bands_db: Decibels
    floors_dbc: Decibels
    carrier_db: float
    sideband_dbc: float
    lines_db: Decibels
    symmetry: NDArray[np.float32]
    burst_db: float
    masked: NDArray[np.float32] = field(default_factory=_nothing_masked)


class DopplerFeatures:
    """Cut the baseband into windows and compare each band with its own floor.

    The carrier is tracked, so that a clock's drift does not smear into the bands. Of several microphones
    only what is orthogonal to the carrier's signature across them counts: ``sum |S_m|^2 - |sum c_m* S_m|^2 /
    sum |c_m|^2``, over one less than their number. Whatever turns or swells the carrier as a whole (jitter,
    converters, the loudspeaker's own distortion) has that signature and is gone; an echo has another.
    The result does not depend on how the stream is cut.
    """

    def __init__(self, *, baseband_hz: float, microphones: int) -> None:
        self._window_frames = 1 << round(math.log2(WINDOW_SECONDS * baseband_hz))
        self._hop_frames = round(HOP_SECONDS * baseband_hz)
        self.hop_seconds = self._hop_frames / baseband_hz
        self._baseband_hz = baseband_hz
        window = get_window("blackman", self._window_frames)
        self._window = (window / window.sum()).astype(np.float32)
        self._half_window = get_window("hann", self._window_frames // 2).astype(np.float32)
        self._seconds = (np.arange(self._window_frames) - (self._window_frames - 1) / 2) / baseband_hz
        hz = np.fft.fftfreq(self._window_frames, 1 / baseband_hz)
        edges = list(itertools.pairwise(BAND_EDGES_HZ))
        bands = [(-hz >= low) & (-hz < high) for low, high in edges]
        bands += [(hz >= low) & (hz < high) for low, high in edges]
        self._members = np.array(bands, np.float32)
        self._widths = self._members.sum(axis=1)
        half = len(edges)
        self._sides = np.array([self._members[:half].any(axis=0), self._members[half:].any(axis=0)])
        self._pairs = [
            np.flatnonzero((hz >= low) & (hz < high)) for low, high in itertools.pairwise(SYMMETRY_EDGES_HZ)
        ]
        self._pole = math.exp(-HOP_SECONDS / _TRACKING_SECONDS)
        self._microphones = microphones
        self._floor = NoiseFloor(len(bands))
        self.reset()

    def reset(self) -> None:
        """Forget the past and the floors."""
        self._floor.reset()
        self._turn = np.zeros(1, np.complex128)
        self.pause()
        self._ready_hops = _READY_HOPS

    def pause(self) -> None:
        """Forget the last windows, as when the tone rests; the floors stay what they are."""
        self._pending = np.zeros((self._microphones, 0), np.complex64)
        self._suspect = self._pending
        self._hops = 0
        self._ready_hops = _RESUMED_HOPS

    @property
    def missing_frames(self) -> int:
        """How many frames more complete the next hop."""
        return self._window_frames - self._pending.shape[1]

    def process(self, baseband: Baseband, suspect: Baseband | None = None) -> list[DopplerFrame]:
        """Return a frame for each hop that is complete; nothing in the first windows after a reset.

        ``suspect`` is the distortion that was taken out of the baseband, of the same shape, if any was.
        """
        self._pending = np.concatenate([self._pending, baseband], axis=1)
        self._suspect = np.concatenate(
            [self._suspect, np.zeros_like(baseband) if suspect is None else suspect], axis=1
        )
        hops = 1 + (self._pending.shape[1] - self._window_frames) // self._hop_frames
        if hops <= 0:
            return []
        removed = self._windows(self._suspect, hops) if self._suspect.any() else None
        frames = self._analyse(self._windows(self._pending, hops), removed)
        self._pending = self._pending[:, hops * self._hop_frames :]
        self._suspect = self._suspect[:, hops * self._hop_frames :]
        return [frame for frame in frames if frame.hop >= self._ready_hops]

    def _windows(self, signal: Baseband, hops: int) -> Baseband:
        """Return the overlapping windows, shape ``(microphones, hops, frames)``."""
        windows = np.lib.stride_tricks.sliding_window_view(signal, self._window_frames, axis=1)
        return windows[:, :: self._hop_frames][:, :hops]

    def _analyse(self, windows: Baseband, suspect: Baseband | None) -> list[DopplerFrame]:
        first_hop, first_floor_hop = self._hops, self._floor.hops
        self._hops += windows.shape[1]
        turns = self._carrier_turns(windows)
        steadied = windows * turns
        carrier = steadied @ self._window
        spectra = np.fft.fft((steadied - carrier[..., None]) * self._window, axis=2)
        is_alive = np.abs(carrier) >= DEAD_RATIO * np.abs(carrier).max(axis=0)
        power = self._power(spectra, carrier, is_alive)
        bands_dbc = self._bands_db(power)
        floors_dbc = self._floor.process(bands_dbc)
        masked = np.zeros_like(bands_dbc)
        seen_dbc = bands_dbc
        if suspect is not None:
            is_masked = self._is_masked(power, suspect * turns, carrier, is_alive, floors_dbc)
            masked = is_masked.astype(np.float32) @ self._members.T / self._widths
            seen_dbc = self._bands_db(np.where(is_masked, 0.0, power))
        levels = np.where(is_alive, np.abs(carrier), 0.0).sum(axis=0) / is_alive.sum(axis=0)
        lines_db = self._lines_db(power)
        symmetry = self._symmetry(spectra, carrier)
        burst_db = self._burst_db(steadied, carrier)
        return [
            DopplerFrame(
                hop=first_hop + row,
                floor_hops=first_floor_hop + row,
                bands_db=seen_dbc[row] - floors_dbc[row],
                floors_dbc=floors_dbc[row],
                carrier_db=20 * math.log10(max(float(levels[row]), _POWER_FLOOR)),
                sideband_dbc=float(seen_dbc[row].max()),
                lines_db=lines_db[row],
                symmetry=symmetry[row],
                burst_db=float(burst_db[row]),
                masked=masked[row],
            )
            for row in range(len(power))
        ]

    def _carrier_turns(self, windows: Baseband) -> Baseband:
        """Return what turns the carrier of each window back to 0 Hz, shape ``(hops, frames)``."""
        half = self._window_frames // 2
        early = windows[..., :half] @ self._half_window
        late = windows[..., half:] @ self._half_window
        turn = (np.conj(early) * late).sum(axis=0)
        turn /= np.maximum(np.abs(turn), _POWER_FLOOR)
        followed, self._turn = lfilter([1.0], [1.0, -self._pole], turn, zi=self._turn)
        hz = np.angle(followed) / (2 * math.pi * half) * self._baseband_hz
        turns: Baseband = np.exp(-2j * math.pi * hz[:, None] * self._seconds).astype(np.complex64)
        return turns

    def _power(self, spectra: Spectra, carrier: Spectra, is_alive: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return what is orthogonal to the carrier, relative to it, shape ``(hops, bins)``."""
        spectra = np.where(is_alive[..., None], spectra, 0)
        carrier = np.where(is_alive, carrier, 0)
        alive = is_alive.sum(axis=0)
        power = (np.abs(spectra) ** 2).sum(axis=0)
        level = (np.abs(carrier) ** 2).sum(axis=0)
        common = np.abs((np.conj(carrier)[..., None] * spectra).sum(axis=0)) ** 2
        common /= np.maximum(level, _POWER_FLOOR)[:, None]
        # a single microphone has nothing to compare with: all it hears has the carrier's signature
        left = np.where(
            alive[:, None] > 1, np.maximum(power - common, 0) / np.maximum(alive - 1, 1)[:, None], power
        )
        relative: NDArray[np.float64] = left / np.maximum(level / alive, _POWER_FLOOR)[:, None]
        return relative

    def _bands_db(self, power: NDArray[np.float64]) -> Decibels:
        decibels: Decibels = (10 * np.log10(np.maximum(power @ self._members.T, _POWER_FLOOR))).astype(
            np.float32
        )
        return decibels

    def _is_masked(
        self,
        power: NDArray[np.float64],
        suspect: Baseband,
        carrier: Baseband,
        is_alive: NDArray[np.bool_],
        floors_dbc: Decibels,
    ) -> NDArray[np.bool_]:
        """Return the bins in which what is left may be what the canceller missed, shape ``(hops, bins)``.

        A bin that does not stand over its floor reports nothing that one could wrongly believe.
        """
        steady = (suspect @ self._window)[..., None]
        spectra = np.fft.fft((suspect - steady) * self._window, axis=2)
        removed = self._power(spectra, carrier, is_alive)
        floor = (10 ** (floors_dbc / 10) / self._widths) @ self._members
        margin = 10 ** (MASK_DB / 10)
        is_masked: NDArray[np.bool_] = (removed > margin * power) & (power > margin * floor)
        return is_masked

    def _lines_db(self, power: NDArray[np.float64]) -> Decibels:
        sides = [power[:, side] for side in self._sides]
        ratios = [side.max(axis=1) / np.maximum(side.mean(axis=1), _POWER_FLOOR) for side in sides]
        lines: Decibels = (10 * np.log10(np.maximum(np.stack(ratios, axis=1), 1.0))).astype(np.float32)
        return lines

    def _symmetry(self, spectra: Spectra, carrier: Spectra) -> NDArray[np.float32]:
        """Return ``|sum Z(f) Z(-f)| / sum (|Z(f)|^2 + |Z(-f)|^2) / 2`` for each range of frequencies.

        Amplitude modulation has ``Z(-f) = Z(f)*``, phase modulation ``-Z(f)*``: both give one.
        """
        relative = spectra / np.where(np.abs(carrier) > 0, carrier, 1)[..., None]
        columns = []
        for bins in self._pairs:
            above, below = relative[..., bins], relative[..., -bins]
            together = np.abs((above * below).sum(axis=(0, 2)))
            energy = (np.abs(above) ** 2 + np.abs(below) ** 2).sum(axis=(0, 2)) / 2
            columns.append(together / np.maximum(energy, _POWER_FLOOR))
        return np.stack(columns, axis=1).astype(np.float32)

    def _burst_db(self, steadied: Baseband, carrier: Baseband) -> NDArray[np.float64]:
        """Return how uneven the window is: of the frames' differences, which leave slow motion out."""
        loudest = int(np.abs(carrier).mean(axis=1).argmax())
        steps = np.abs(np.diff(steadied[loudest], axis=1, append=steadied[loudest][:, -1:])) ** 2
        parts = steps.reshape(len(steps), _BURST_PARTS, -1).mean(axis=2)
        ratio = parts.max(axis=1) / np.maximum(parts.mean(axis=1), _POWER_FLOOR)
        burst: NDArray[np.float64] = 10 * np.log10(np.maximum(ratio, 1.0))
        return burst
