"""Stereo in, one channel per driver out."""

from __future__ import annotations

from hub.spatial.filter_design import SpatialFilters
from hub.spatial.upmix import CentreUpmix
from sensing.audio_block import Block
from sensing.dsp.convolver import PartitionedConvolver


class SpatialRenderer:
    """Upmix and filter; any cut of the input gives the same output.

    Parameters
    ----------
    filters : SpatialFilters
        From `hub.spatial.filter_design.design_filters`.
    rate_hz : int
        Rate of the sound, which must be the filters' rate.
    """

    def __init__(self, filters: SpatialFilters, rate_hz: int) -> None:
        if rate_hz != filters.rate_hz:
            message = f"filters were designed for {filters.rate_hz} Hz, not {rate_hz} Hz; design them again"
            raise ValueError(message)
        self.drivers = int(filters.filters.shape[1])
        self._upmix = CentreUpmix(rate_hz=rate_hz)
        self._convolver = PartitionedConvolver(filters.filters)
        self.latency_frames = (
            self._upmix.latency_frames + self._convolver.latency_frames + filters.delay_frames
        )

    def process(self, stereo: Block) -> Block:
        """Return shape ``(drivers, frames)`` for shape ``(2, frames)``, `latency_frames` late."""
        return self._convolver.process(self._upmix.process(stereo))

    def reset(self) -> None:
        """Forget all sound."""
        self._upmix.reset()
        self._convolver.reset()
