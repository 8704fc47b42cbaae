"""Which frequencies the room and the hardware carry best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensing.calibration.band import GRID_HZ, Band
from sensing.calibration.caps import AUDIBLE_BELOW_HZ, EmissionCaps
from sensing.calibration.interferers import Interferer, Listening
from sensing.calibration.link_budget import Motion, echo_snr_db
from sensing.calibration.response import PathResponse
from sensing.errors import CannotCalibrate
from sensing.ultrasound.emitter import LEAST_APART_HZ, MOST_APART_HZ

SECOND_BELOW_DB = 3.0
"""Of two tones each has half the peak that one may have, so both together stay below the cap if one of them
may be 3 dB softer by itself."""
SMOOTHED_HZ = 200.0
NOISE_HALF_WIDTH_HZ = 400.0
_AUDIBLE_PENALTY_DB = 10.0
_LOUD_DBFS_HZ = -95.0
"""Noise above this is the room's, not a microphone's own: 16 bits have -140, cheap microphones -115."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CarrierChoice:
    """The best carrier, and a second one for where the first fades.

    Attributes
    ----------
    carrier_hz, second_hz : float
        ``second_hz`` is None when nothing suitable lies 300 to 1,000 Hz away.
    hz, score_db : NDArray
        Shape ``(grid,)``: echo over noise at the permitted level, less penalties; -inf where excluded.
    full_scale_snr_db : NDArray
        Shape ``(grid,)``: the same for a tone of full scale, without penalties.
    """

    carrier_hz: float
    second_hz: float | None
    hz: NDArray[np.float64]
    score_db: NDArray[np.float64]
    full_scale_snr_db: NDArray[np.float64]

    def snr_at(self, hz: float, peak: float) -> float:
        """Return the estimated ratio of a walker's echo to noise at the range asked for, in dB."""
        return float(np.interp(hz, self.hz, self.full_scale_snr_db)) + 20 * float(np.log10(peak))


def choose_carrier(
    paths: Sequence[PathResponse],
    listening: Listening,
    interferers: Sequence[Interferer],
    *,
    band: Band,
    caps: EmissionCaps,
    range_m: float,
) -> CarrierChoice:
    """Return the carriers of best echo to noise, away from nulls and interferers.

    ``score(f) = cap(f) + late(f) - noise(f) - 2 alpha(f) r - penalty(f)``, all in dB, the mean of the
    microphones that hear anything, smoothed over 200 Hz so that the slope of a null counts as well.

    Parameters
    ----------
    paths : sequence of PathResponse
        Of the loudspeaker that will play the tone.
    range_m : float
        Distance at which somebody who walks shall be seen.

    Raises
    ------
    CannotCalibrate
        No microphone hears the sweep, or interferers leave no place.
    """
    hz = band.grid_hz
    snr_db = _smoothed(_full_scale_snr_db(paths, listening, hz, range_m))
    permitted_db = 20 * np.log10(np.maximum([caps.peak(float(one)) for one in hz], 1e-6))
    penalty_db = np.where(hz < AUDIBLE_BELOW_HZ, _AUDIBLE_PENALTY_DB, 0.0)
    score_db = snr_db + permitted_db - penalty_db
    is_excluded = np.array([any(other.excludes(float(one)) for other in interferers) for one in hz])
    score_db = np.where(is_excluded, -np.inf, score_db)
    if is_excluded.all():
        lines = ", ".join(f"{other.hz / 1000:.1f}" for other in interferers)
        raise CannotCalibrate(
            f"tones of other devices ({lines} kHz) leave no place for a carrier; find and switch off what "
            "makes them (chargers, other hubs), or use a card of 96 kHz"
        )
    carrier_hz = float(hz[np.argmax(score_db)])
    apart_hz = np.abs(hz - carrier_hz)
    fits = (apart_hz >= LEAST_APART_HZ) & (apart_hz <= MOST_APART_HZ)
    fits &= permitted_db >= permitted_db[np.argmax(score_db)] - SECOND_BELOW_DB
    apart_db = np.where(fits, score_db, -np.inf)
    second_hz = float(hz[np.argmax(apart_db)]) if np.isfinite(apart_db).any() else None
    return CarrierChoice(
        carrier_hz=carrier_hz, second_hz=second_hz, hz=hz, score_db=score_db, full_scale_snr_db=snr_db
    )


def noise_at(listening: Listening, hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the noise that counts for carriers, shape ``(microphones, carriers)``, dBFS per hertz."""
    return listening.noise_around(hz, NOISE_HALF_WIDTH_HZ)


def _full_scale_snr_db(
    paths: Sequence[PathResponse], listening: Listening, hz: NDArray[np.float64], range_m: float
) -> NDArray[np.float64]:
    heard = [path for path in paths if path.is_heard]
    noise_db = noise_at(listening, hz)
    if not heard:
        raise _not_heard(paths, noise_db)
    way_db = [
        echo_snr_db(emitted_db=0, noise_db_hz=0, carrier_hz=one, range_m=range_m, motion=Motion.WALK)
        for one in hz.tolist()
    ]
    ratios_db = [path.late_db - noise_db[path.microphone] + way_db for path in heard]
    mean_db: NDArray[np.float64] = np.mean(ratios_db, axis=0)
    return mean_db


def _not_heard(paths: Sequence[PathResponse], noise_db: NDArray[np.float64]) -> CannotCalibrate:
    speaker = paths[0].speaker + 1
    quietest_db = float(noise_db.mean(axis=1).min())
    noise = f"noise {quietest_db:.0f} dBFS/Hz"
    if quietest_db > _LOUD_DBFS_HZ:
        return CannotCalibrate(
            f"the room is too loud to hear loudspeaker {speaker} ({noise}); try again when it is quiet"
        )
    return CannotCalibrate(
        f"nothing of loudspeaker {speaker} comes back to any microphone ({noise}); check that it is on and "
        "its volume up, and that no filter of the system takes ultrasound away"
    )


def _smoothed(values_db: NDArray[np.float64]) -> NDArray[np.float64]:
    half = round(SMOOTHED_HZ / 2 / GRID_HZ)
    padded = np.pad(values_db, half, mode="edge")
    smooth: NDArray[np.float64] = np.convolve(padded, np.full(2 * half + 1, 1 / (2 * half + 1)), mode="valid")
    return smooth
