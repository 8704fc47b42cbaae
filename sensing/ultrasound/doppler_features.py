"""What moves, read from the spectrum around the carrier."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.signal import get_window

from sensing.ultrasound.demodulator import Baseband

HOP_SECONDS = 0.05
WINDOW_SECONDS = 0.128
BAND_EDGES_HZ = (12, 24, 40, 64, 96, 140, 200, 280, 400)
"""Edges of the eight bands on each side of the carrier: 0.1 to 3.4 m/s at 20 kHz."""

_READY_HOPS = 6
_MIN_HOPS = 40
_FLOOR_QUANTILE = 0.2
_FLOOR_HOPS = 600
_MINIMUM_BIAS_DB = 3.0
"""How far the lowest of some ten noise hops lies below the quantile of many."""
_POWER_FLOOR = 1e-24
MASK_DB = 6.0
"""A bin in which more distortion was taken out than is left by this much may hold nothing else."""


def _nothing_masked() -> NDArray[np.float32]:
    return np.zeros(2 * (len(BAND_EDGES_HZ) - 1), np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DopplerFrame:
    """One hop of features.

    Attributes
    ----------
    hop : int
        Number of the hop since the last reset.
    bands_db : NDArray
        Shape ``(16,)``: energy of each band over its noise floor in dB; the receding bands
        (lowest frequency first), then the approaching ones.
    carrier_db : float
        Level of the carrier in dBFS of its peak.
    sideband_dbc : float
        Strongest of the bands in dB relative to the carrier.
    masked : NDArray
        Shape ``(16,)``: share of each band, 0 to 1, that music makes useless; ``bands_db`` leaves it out.
    """

    hop: int
    bands_db: NDArray[np.float32]
    carrier_db: float
    sideband_dbc: float
    masked: NDArray[np.float32] = field(default_factory=_nothing_masked)


class DopplerFeatures:
    """Cut the baseband into windows and compare each band with its own floor.

    The close-in spectrum of a quiet room is never flat (converter jitter, mains, breathing air), so each
    band has its own floor: a low quantile of its last 30 s. In the first second there is no past worth
    the name, so the floor is bounded from above by the far spectrum (see ``_initial_floor_db``): a
    recording that begins with a walk is seen.
    """

    def __init__(self, *, baseband_hz: float, microphones: int) -> None:
        self._window_frames = 1 << round(math.log2(WINDOW_SECONDS * baseband_hz))
        self._hop_frames = round(HOP_SECONDS * baseband_hz)
        self.hop_seconds = self._hop_frames / baseband_hz
        window = get_window("blackman", self._window_frames)
        self._window = (window / window.sum()).astype(np.float32)
        hz = np.fft.fftfreq(self._window_frames, 1 / baseband_hz)
        edges = list(itertools.pairwise(BAND_EDGES_HZ))
        self._bands = [(-hz >= low) & (-hz < high) for low, high in edges]
        self._bands += [(hz >= low) & (hz < high) for low, high in edges]
        self._members = np.array(self._bands, np.float32)
        self._widths = self._members.sum(axis=1)
        self._microphones = microphones
        self.reset()

    def reset(self) -> None:
        """Forget the past and the floors."""
        self._pending = np.zeros((self._microphones, 0), np.complex64)
        self._suspect = self._pending
        self._history = np.zeros((_FLOOR_HOPS, len(self._bands)), np.float32)
        self._hop = 0

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
        frames = []
        while self._pending.shape[1] >= self._window_frames:
            window = slice(0, self._window_frames)
            frames.append(self._analyse(self._pending[:, window], self._suspect[:, window]))
            self._pending = self._pending[:, self._hop_frames :]
            self._suspect = self._suspect[:, self._hop_frames :]
        return [frame for frame in frames if frame.hop >= _READY_HOPS]

    def _analyse(self, segment: Baseband, suspect: Baseband) -> DopplerFrame:
        carrier = (segment * self._window).sum(axis=1, keepdims=True)
        power = (np.abs(np.fft.fft((segment - carrier) * self._window, axis=1)) ** 2).mean(axis=0)
        bands_db = self._bands_db(power)
        carrier_db = 20 * math.log10(max(float(np.abs(carrier).mean()), _POWER_FLOOR))
        self._history[self._hop % _FLOOR_HOPS] = bands_db
        self._hop += 1
        masked = _nothing_masked()
        floor_db = self._floor_db()
        if suspect.any():
            is_masked = self._is_masked(power, suspect, floor_db)
            masked = self._members @ is_masked.astype(np.float32) / self._widths
            bands_db = self._bands_db(np.where(is_masked, 0.0, power))
        return DopplerFrame(
            hop=self._hop - 1,
            bands_db=(bands_db - floor_db).astype(np.float32),
            carrier_db=carrier_db,
            sideband_dbc=float(bands_db.max()) - carrier_db,
            masked=masked,
        )

    def _bands_db(self, power: NDArray[np.float64]) -> NDArray[np.float32]:
        bands = np.array([power[band].sum() for band in self._bands])
        decibels: NDArray[np.float32] = (10 * np.log10(np.maximum(bands, _POWER_FLOOR))).astype(np.float32)
        return decibels

    def _is_masked(
        self, power: NDArray[np.float64], suspect: Baseband, floor_db: NDArray[np.float32]
    ) -> NDArray[np.bool_]:
        """Return the bins in which what is left may be what the canceller missed.

        A bin that does not stand over its floor reports nothing that one could wrongly believe.
        """
        steady = (suspect * self._window).sum(axis=1, keepdims=True)
        removed = (np.abs(np.fft.fft((suspect - steady) * self._window, axis=1)) ** 2).mean(axis=0)
        floor = (10 ** (floor_db / 10) / self._widths) @ self._members
        margin = 10 ** (MASK_DB / 10)
        is_masked: NDArray[np.bool_] = (removed > margin * power) & (power > margin * floor)
        return is_masked

    def _floor_db(self) -> NDArray[np.float32]:
        """Return the floor of each band in dB.

        Before two seconds have been heard the lowest value so far stands in for the quantile; and a band
        near the carrier is never believed to be quieter or louder than 12 dB above the outermost band,
        which only running people reach (measured on real phones: 9 to 12 dB).
        """
        known = self._history[: min(self._hop, _FLOOR_HOPS)]
        is_settled = len(known) >= _MIN_HOPS
        quantile = (
            np.quantile(known, _FLOOR_QUANTILE, axis=0)
            if is_settled
            else known.min(axis=0) + _MINIMUM_BIAS_DB
        )
        half = len(BAND_EDGES_HZ) - 1
        far_db = min(quantile[half - 1], quantile[-1])
        floor: NDArray[np.float32] = np.minimum(quantile, far_db + 12.0).astype(np.float32)
        return floor
