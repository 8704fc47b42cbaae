"""Chirps above hearing: how they sound, and whose turn it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]

_TAPER_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ChirpPlan:
    """Who chirps when.

    Attributes
    ----------
    low_hz, high_hz : float
        The linear chirp's band, between music and half the sampling rate.
    chirp_seconds : float
    slot_seconds : float
        From the start of a chirp to that of the next; longer than a chirp, its echoes and twice the margin.
    margin_seconds : float
        How far a chirp may be from where it is expected.
    rounds : int
        Of four chirps each.
    """

    low_hz: float = 18_500.0
    high_hz: float = 22_000.0
    chirp_seconds: float = 0.04
    slot_seconds: float = 0.15
    margin_seconds: float = 0.03
    rounds: int = 3

    @property
    def seconds(self) -> float:
        """Length of the whole plan."""
        return 4 * self.rounds * self.slot_seconds

    def emission(self, device: int, instants: Signal) -> Signal:
        """Return what a device plays, within +-1, shape of ``instants``.

        Parameters
        ----------
        device : int
            0 or 1.
        instants : ndarray
            Seconds from the plan's start on the clock that both follow, ascending. Given at the true instants
            of the card's frames, the chirps need no resampling.
        """
        sound = np.zeros(instants.shape)
        for start in self.starts(device).ravel():
            first, last = np.searchsorted(instants, (start, start + self.chirp_seconds))
            sound[first:last] = self.chirp(instants[first:last] - start)
        return sound

    def starts(self, device: int) -> Signal:
        """Return when a device's chirps start, shape ``(rounds, 2)``."""
        slots = (0, 3) if device == 0 else (1, 2)
        rounds: Signal = np.arange(self.rounds, dtype=np.float64)[:, np.newaxis]
        return self.slot_seconds * (4 * rounds + np.array(slots, np.float64))

    def chirp(self, seconds: Signal) -> Signal:
        """Return one chirp at instants from its start; its ends are faded."""
        place = seconds / self.chirp_seconds
        edge = np.clip(np.minimum(place, 1 - place) / _TAPER_SHARE, 0, 1)
        sweep = (self.high_hz - self.low_hz) / (2 * self.chirp_seconds)
        wave = np.sin(2 * np.pi * (self.low_hz + sweep * seconds) * seconds)
        return np.sin(np.pi / 2 * edge) ** 2 * wave
