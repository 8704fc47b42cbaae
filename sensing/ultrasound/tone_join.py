"""Two tones become one hop of features, as the classifier knows them from one."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sensing.ultrasound.doppler_features import BAND_EDGES_HZ, SYMMETRY_EDGES_HZ, DopplerFrame
from sensing.ultrasound.tone_notch import HEARD_WITHIN_HZ, SPOILT_HZ

_LOST_DBFS = -75.0
_PROMINENT_DBC = 3.0
"""A "carrier" whose sidebands reach it is noise, not a tone."""

Energies = NDArray[np.float64]

_HALF = len(BAND_EDGES_HZ) - 1
_LEAST = 1e-12
_FOLDED_AT_HZ = 1_000.0
_NO_BAND = np.zeros(2 * _HALF, bool)
_SIDES = [list(range(_HALF)), list(range(_HALF, 2 * _HALF))]
_RANGES = [
    [side + band for side in (0, _HALF) for band in range(_HALF) if low <= BAND_EDGES_HZ[band] < high]
    for low, high in itertools.pairwise(SYMMETRY_EDGES_HZ)
]
_MEMBERS = np.array([[band in group for group in (*_SIDES, *_RANGES)] for band in range(2 * _HALF)], float)


def has_carrier(frame: DopplerFrame) -> bool:
    """Return whether there is a carrier at all."""
    return frame.carrier_db > _LOST_DBFS and frame.sideband_dbc < _PROMINENT_DBC


class ToneJoin:
    """Average over the tones that are heard how far each band stands over its own floor.

    A room's field fades at each frequency by itself, so where one tone sees nothing the other often does.
    Energies over the own floor are alike for both, however well loudspeaker and microphones carry each: a
    tone beside which others whistle counts for less in that band as soon as its floor has learnt them. No
    floor of the mean is learnt: as a low quantile it would lie higher than the tones' own, because a mean
    varies less, and all that moves would be told up to 2.7 dB too low.

    What tells a line or a mirrored spectrum is weighted by the energy that it was seen in, as if it had been
    read from the joined spectrum: a whistle beside one tone is as much of a line as ever. Clicks are in both,
    so bursts are averaged.

    Parameters
    ----------
    carriers_hz : sequence of float
        The tones. Bands near another tone are not counted while that is heard. A single tone is what it is.
    """

    def __init__(self, carriers_hz: Sequence[float]) -> None:
        spoilt = [
            [_near(other - hz) for other in carriers_hz if other != hz] or [_NO_BAND] for hz in carriers_hz
        ]
        self._usable = (~np.array([np.any(bands, axis=0) for bands in spoilt])).astype(np.float64)

    def process(self, tones: Sequence[DopplerFrame]) -> DopplerFrame:
        """Return one hop from that of each tone.

        Without any tone that is heard all count, so that their level tells the loss.
        """
        if len(tones) == 1:
            return tones[0]
        heard = [frame for frame in tones if has_carrier(frame)] or list(tones)
        usable = self._usable
        if len(heard) < len(tones):
            usable = np.array([[float(any(frame is one for one in heard))] * 2 * _HALF for frame in tones])
        weights = usable / usable.sum(axis=0)
        over_own = _linear([frame.bands_db for frame in tones])
        under_carrier = _linear([-frame.floors_dbc for frame in tones])
        bands_db = _decibels((weights * over_own).sum(axis=0))
        floors_dbc = -_decibels((weights * under_carrier).sum(axis=0))
        shares = (usable * over_own) @ _MEMBERS + _LEAST
        shares /= shares.sum(axis=0)
        lines = (shares[:, :2] * _linear([frame.lines_db for frame in tones])).sum(axis=0)
        symmetry = (shares[:, 2:] * np.array([frame.symmetry for frame in tones])).sum(axis=0)
        masked = (weights * np.array([frame.masked for frame in tones])).sum(axis=0)
        return DopplerFrame(
            hop=tones[0].hop,
            floor_hops=min(frame.floor_hops for frame in tones),
            bands_db=bands_db,
            floors_dbc=floors_dbc,
            carrier_db=float(_decibels(_linear([frame.carrier_db for frame in heard]).mean())),
            sideband_dbc=float((bands_db + floors_dbc).max()),
            lines_db=_decibels(lines),
            symmetry=symmetry.astype(np.float32),
            burst_db=sum(frame.burst_db for frame in heard) / len(heard),
            masked=masked.astype(np.float32),
        )


def _linear(decibels: Sequence[NDArray[np.float32] | float]) -> Energies:
    return np.asarray(10 ** (np.asarray(decibels, np.float64) / 10), np.float64)


def _decibels(energy: Energies) -> NDArray[np.float32]:
    return np.asarray(10 * np.log10(np.maximum(energy, _LEAST)), np.float32)


def _near(away_hz: float) -> NDArray[np.bool_]:
    """Return which bands lie near a tone that is ``away_hz`` from the carrier, shape ``(16,)``.

    Between half the rate of the baseband and the stop band the tone is heard folded, on the other side.
    """
    if abs(away_hz) >= HEARD_WITHIN_HZ:
        return _NO_BAND
    folded_hz = away_hz - math.copysign(_FOLDED_AT_HZ, away_hz)
    low, high = np.array(BAND_EDGES_HZ[:-1]), np.array(BAND_EDGES_HZ[1:])
    low, high = np.concatenate([-high, low]), np.concatenate([-low, high])
    near = [(low < hz + SPOILT_HZ) & (high > hz - SPOILT_HZ) for hz in (away_hz, folded_hz)]
    return np.asarray(near[0] | near[1])
