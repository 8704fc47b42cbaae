"""Stereo in, one channel per driver out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from hub.spatial.filter_design import SpatialFilters
from hub.spatial.upmix import CentreUpmix
from sensing.audio_block import Block
from sensing.dsp.convolver import PartitionedConvolver


class SpatialRenderer:
    """Upmix and filter; any cut of the input gives the same output.

    Other filters and the bypass take over in a fade of 21 ms, from any thread.

    Parameters
    ----------
    filters : SpatialFilters
        From `hub.spatial.filter_design.design_filters`.
    rate_hz : int
        Rate of the sound, which must be the filters' rate.
    low_latency : bool
        See `CentreUpmix`.
    """

    def __init__(self, filters: SpatialFilters, rate_hz: int, *, low_latency: bool = False) -> None:
        if rate_hz != filters.rate_hz:
            message = f"filters were designed for {filters.rate_hz} Hz, not {rate_hz} Hz; design them again"
            raise ValueError(message)
        self.drivers = int(filters.filters.shape[1])
        self._upmix = CentreUpmix(rate_hz=rate_hz, low_latency=low_latency)
        self._filters, self._is_bypassed = filters, False
        self._convolver = PartitionedConvolver(filters.filters)
        self.latency_frames = (
            self._upmix.latency_frames + self._convolver.latency_frames + filters.delay_frames
        )

    @property
    def is_bypassed(self) -> bool:
        """Whether plain stereo plays: the same latency, about the same loudness."""
        return self._is_bypassed

    def bypass(self, *, on: bool) -> None:
        """Compare: fade to plain stereo, or back to the filters."""
        self._is_bypassed = on
        self._exchange()

    def set_filters(self, filters: SpatialFilters) -> None:
        """Fade to other filters, as when the listener has moved; a bypass stays.

        Raises
        ------
        ValueError
            They have another rate, delay, length or number of drivers.
        """
        old = self._filters
        if (filters.rate_hz, filters.delay_frames) != (old.rate_hz, old.delay_frames):
            message = (
                f"filters of {filters.rate_hz} Hz that are {filters.delay_frames} frames late cannot follow "
                f"those of {old.rate_hz} Hz and {old.delay_frames} frames; make a new renderer"
            )
            raise ValueError(message)
        if filters.filters.shape != old.filters.shape:
            message = (
                f"filters {filters.filters.shape} cannot follow {old.filters.shape}; make a new renderer"
            )
            raise ValueError(message)
        self._filters = filters
        self._exchange()

    def process(self, stereo: Block) -> Block:
        """Return shape ``(drivers, frames)`` for shape ``(2, frames)``, `latency_frames` late."""
        return self._convolver.process(self._upmix.process(stereo))

    def reset(self) -> None:
        """Forget all sound."""
        self._upmix.reset()
        self._convolver.reset()

    def _exchange(self) -> None:
        self._convolver.exchange(_plain(self._filters) if self._is_bypassed else self._filters.filters)


def departure_frames(filters: SpatialFilters) -> NDArray[np.float64]:
    """Return when left, right and centre leave their loudest driver, shape ``(3,)``.

    Frames after the filters' time zero: the peak of the envelope, to a fraction of a frame. A driver that
    stands farther from the listener, or looks away, plays earlier for all to arrive together.
    """
    loudest = (filters.filters**2).sum(axis=2).argmax(axis=1)
    main = filters.filters[np.arange(len(loudest)), loudest].astype(float)
    finer = 16
    envelope = np.abs(signal.hilbert(signal.resample(main, finer * main.shape[1], axis=1), axis=1))
    departure: NDArray[np.float64] = envelope.argmax(axis=1) / finer - filters.delay_frames
    return departure


def _plain(filters: SpatialFilters) -> NDArray[np.float32]:
    """Return filters that give left and right back to the driver that each sounds from most."""
    power = (filters.filters**2).sum(axis=2)
    left = int(power[0].argmax())
    right = int(np.where(np.arange(power.shape[1]) == left, -1, power[1]).argmax())
    plain = np.zeros_like(filters.filters)
    plain[0, left, filters.delay_frames] = plain[1, right, filters.delay_frames] = 1
    plain[2, [left, right], filters.delay_frames] = 1
    return plain
