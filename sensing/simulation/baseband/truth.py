"""What really happened: labels every 50 ms, and the events that they make."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensing.simulation.baseband.cast import Cast, When

HOP_SECONDS = 0.05
NONE, MINOR, MAJOR = 0, 1, 2
KINDS = ("none", "minor", "major")
_MOTION_INTERVAL_HOPS = 10
"""Motion that lasts is told every half second, as the detector tells it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth:
    """Labels of the hops; hop n lies at ``(n + 0.5) * HOP_SECONDS``.

    Attributes
    ----------
    motion : NDArray
        Shape ``(hops,)``, int8: `NONE`, `MINOR` or `MAJOR` motion of people.
    occupied : NDArray
        Shape ``(hops,)``: whether anybody is in the room.
    nuisances : dict
        For each kind that occurs, shape ``(hops,)``: whether it is active.
    """

    motion: NDArray[np.int8]
    occupied: NDArray[np.bool_]
    nuisances: dict[str, NDArray[np.bool_]]

    def events(self) -> list[dict[str, float | str | bool]]:
        """Return the events in order of time, in the words of ``roomwise presence``."""
        found = [*self._motions(), *_changes(self.occupied, {"event": "presence"}, "present")]
        for kind, active in self.nuisances.items():
            found += _changes(active, {"event": "nuisance", "kind": kind}, "active")
        return sorted(found, key=lambda event: event["at"])

    def _motions(self) -> Iterator[dict[str, float | str | bool]]:
        last, told = NONE, -_MOTION_INTERVAL_HOPS
        for hop in np.flatnonzero(self.motion):
            kind = int(self.motion[hop])
            if hop - told >= _MOTION_INTERVAL_HOPS or kind > last:
                yield {"at": _at(int(hop)), "event": "motion", "kind": KINDS[kind]}
                last, told = kind, int(hop)


def truth_of(cast: Cast, fault_times: list[tuple[str, When]], seconds: float) -> Truth:
    """Return the labels of a cast; faults count as nuisances."""
    middles = (np.arange(round(seconds / HOP_SECONDS), dtype=np.float64) + 0.5) * HOP_SECONDS
    motion = np.zeros(len(middles), np.int8)
    for when in cast.minor:
        motion[when(middles)] = MINOR
    for when in cast.major:
        motion[when(middles)] = MAJOR
    occupied = np.zeros(len(middles), bool)
    for when in cast.occupied:
        occupied |= when(middles)
    nuisances: dict[str, NDArray[np.bool_]] = {}
    for kind, when in [*cast.nuisances, *fault_times]:
        nuisances[kind] = nuisances.get(kind, np.zeros(len(middles), bool)) | when(middles)
    return Truth(motion=motion * occupied, occupied=occupied, nuisances=nuisances)


def _changes(
    flags: NDArray[np.bool_], event: dict[str, float | str | bool], word: str
) -> Iterator[dict[str, float | str | bool]]:
    before = np.concatenate([[False], flags[:-1]])
    for hop in np.flatnonzero(flags != before):
        yield {"at": _at(int(hop)), **event, word: bool(flags[hop])}


def _at(hop: int) -> float:
    return round(hop * HOP_SECONDS, 3)
