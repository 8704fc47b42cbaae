"""What a design promises: cancellation, zone, tone, beam and gain by the design model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from hub.spatial.alignment import grid
from hub.spatial.beam import AZIMUTH_DEGREES, steering
from hub.spatial.filter_design import DESIGN_SIZE, SpatialFilters, filter_gain_db
from hub.spatial.layout import SpeakerLayout
from hub.spatial.listening_zone import zone_width_m
from hub.spatial.plant import Response, cloud_of_heads
from hub.spatial.relative_form import delay_and_level, relative_form

BANDS_HZ = tuple(float(round(1000 * 2 ** (step / 3))) for step in range(-7, 13))
"""Centres of the third-octave bands from 200 Hz to 16 kHz."""


def band_cancellation_db(
    heads: Response, cancellers: Response, frequency_hz: NDArray[np.float64]
) -> list[float]:
    """Return the level of the near ear over the far one by band of `BANDS_HZ`, both sides' mean.

    Parameters
    ----------
    heads : ndarray
        What ears hear, shape ``(heads, 2, drivers, bins)``.
    cancellers : ndarray
        Shape ``(2, drivers, bins)``.
    """
    power = np.abs(np.einsum("kenf,inf->kief", heads, cancellers)) ** 2
    near = (power[:, 0, 0] + power[:, 1, 1]).mean(axis=0)
    far = (power[:, 0, 1] + power[:, 1, 0]).mean(axis=0)
    bands = [band_mask(frequency_hz, centre) for centre in BANDS_HZ]
    return [float(10 * np.log10(near[band].sum() / max(far[band].sum(), 1e-20))) for band in bands]


def band_mask(frequency_hz: NDArray[np.float64], centre_hz: float) -> NDArray[np.bool_]:
    """Return which bins lie in a third-octave band."""
    mask: NDArray[np.bool_] = np.abs(np.log2(np.maximum(frequency_hz, 1) / centre_hz)) <= 1 / 6
    return mask


def beam_pattern_db(layout: SpeakerLayout, filters: SpatialFilters) -> NDArray[np.float64]:
    """Return the centre's level around the device, shape ``(azimuths, bins)``, 0 dB ahead."""
    frequency_hz = grid(DESIGN_SIZE, layout.sample_rate)
    centre = fft.rfft(filters.filters[2].astype(float), DESIGN_SIZE, axis=-1)
    level = np.abs(np.einsum("anf,nf->af", steering(layout, frequency_hz), centre))
    ahead = np.maximum(level[AZIMUTH_DEGREES == 0], 1e-9)
    pattern: NDArray[np.float64] = 20 * np.log10(np.maximum(level / ahead, 1e-3))
    return pattern


def describe(layout: SpeakerLayout, filters: SpatialFilters, latency_frames: int) -> dict[str, object]:
    """Return the values of ``report.json``."""
    frequency_hz = grid(DESIGN_SIZE, layout.sample_rate)
    cloud = cloud_of_heads(layout, frequency_hz)
    heads = cloud.ears * np.sqrt(len(cloud.share) * cloud.share)[:, None, None, None]
    cancellers = fft.rfft(filters.cancellers.astype(float), DESIGN_SIZE, axis=-1)
    by_band = band_cancellation_db(heads, cancellers, frequency_hz)
    inside = [db for hz, db in zip(BANDS_HZ, by_band, strict=True) if 500 <= hz <= 6400]
    heard = (np.abs(np.einsum("knf,nf->kf", heads[:, 0], cancellers[0])) ** 2).mean(axis=0)
    natural = (np.abs(heads[:, 0]) ** 2).mean(axis=(0, 1))
    middle = (frequency_hz >= 500) & (frequency_hz <= 6300)
    off_db = 10 * np.log10(heard[middle] / natural[middle])
    pattern = beam_pattern_db(layout, filters)
    levels = {
        str(int(azimuth)): round(float(10 * np.log10((10 ** (row[middle] / 10)).mean())), 2)
        for azimuth, row in zip(AZIMUTH_DEGREES, pattern, strict=True)
    }
    return {
        "model": f"{layout.head_model} heads near the listener's place, not measured heads",
        "cancellation_db": {f"{hz:g}": round(db, 2) for hz, db in zip(BANDS_HZ, by_band, strict=True)},
        "cancellation_mean_db": round(float(np.mean(inside)), 2),
        "listening_zone_m": zone_width_m(layout, filters),
        "ipsilateral_deviation_db": {
            "rms": round(float(np.sqrt((off_db**2).mean())), 2),
            "max": round(float(np.abs(off_db).max()), 2),
        },
        "relative_form": _relative(layout, filters),
        "beam_pattern_db": levels,
        "filter_gain_db": round(filter_gain_db(filters.filters), 2),
        "latency_seconds": latency_frames / layout.sample_rate,
    }


def _relative(layout: SpeakerLayout, filters: SpatialFilters) -> dict[str, object]:
    """Return for the left input what each driver plays of its loudest one, without the virtual pair."""
    form = relative_form(filters.cancellers)
    drivers = {}
    for driver, relative in zip(layout.drivers, form.relative[0], strict=True):
        delay_seconds, level_db = delay_and_level(relative, layout.sample_rate)
        drivers[driver.name] = {
            "delay_microseconds": round(delay_seconds * 1e6),
            "level_db": round(level_db, 1),
        }
    return {"reference": layout.drivers[form.reference[0]].name, "drivers": drivers}
