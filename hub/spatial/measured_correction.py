"""Make real drivers those of the layout: delays, levels and equalisation from what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from hub.spatial.alignment import grid
from hub.spatial.filter_design import SpatialFilters, filter_gain_db
from hub.spatial.head_model import SPEED_OF_SOUND
from hub.spatial.layout import SpeakerLayout
from hub.spatial.measured_response import RESPONSE_FRAMES, DirectSound
from hub.spatial.plant import Response, radiate

BAND_HZ = (500.0, 16_000.0)
"""Below, the gate is too short to tell the driver from the room; above, nothing is asked of the filters."""

CURVE_HZ = tuple(float(round(500 * 2 ** (step / 6))) for step in range(31))
"""Where a curve is kept: six points an octave up to 16 kHz."""

MOST_BOOST_DB = 6.0
MOST_CUT_DB = 12.0

_DELAY_BAND_HZ = (1000.0, 12_000.0)
_LEVEL_BAND_HZ = (500.0, 8000.0)
_SMOOTH_OCTAVES = 1 / 3
_OVERSAMPLING = 16
_SEARCH_SECONDS = 0.002
_EDGE_TAPS = 16
_TINY = 1e-20

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DriverDeviation:
    """How a driver differs from the layout's, by the mean of all drivers.

    Attributes
    ----------
    delay_seconds : float
        Positive is late.
    level_db : float
        Mean from 500 Hz to 8 kHz.
    curve_db : ndarray
        Shape of `CURVE_HZ`: response over the model's, smoothed over a third octave, less `level_db`.
    spread_seconds, spread_db : float
        Half the range of delay and level over the microphones; large where the layout's places are wrong.
    """

    delay_seconds: float
    level_db: float
    curve_db: _Array
    spread_seconds: float
    spread_db: float


def deviations(
    layout: SpeakerLayout,
    microphones_m: _Array,
    sounds: Sequence[Sequence[DirectSound]],
    *,
    keeps_common: bool = True,
) -> tuple[DriverDeviation, ...]:
    """Compare what was measured with what the layout says.

    A delay that all drivers share is the card's, a level the microphone's. A curve that all share is
    that of the microphone as much as of the drivers: it stays, unless the microphone is known to be flat.

    Parameters
    ----------
    microphones_m : ndarray
        Shape ``(microphones, 3)``.
    sounds : sequence of sequences of DirectSound
        By driver, then by microphone.
    keeps_common : bool
        False equalises the drivers' common curve as well: for a measuring microphone.
    """
    hz = grid(RESPONSE_FRAMES, layout.sample_rate)
    count = len(microphones_m), len(layout.drivers)
    delay_seconds, level_db = np.zeros(count), np.zeros(count)
    curve_db = np.zeros((*count, len(CURVE_HZ)))
    for microphone, place in enumerate(microphones_m):
        model = radiate(layout, place, hz)
        ways_m = np.linalg.norm(layout.positions_m - place, axis=1) - layout.listener.distance_m
        for driver, sound in enumerate(one[microphone] for one in sounds):
            way_seconds = ways_m[driver] / SPEED_OF_SOUND
            # without the way, which is long, the rest is found near zero
            excess = sound.response / (model[driver] * np.exp(2j * np.pi * hz * way_seconds))
            curve = _smooth_db(excess, hz)
            inside = [_LEVEL_BAND_HZ[0] <= one <= _LEVEL_BAND_HZ[1] for one in CURVE_HZ]
            level_db[microphone, driver] = curve[inside].mean()
            curve_db[microphone, driver] = curve - curve[inside].mean()
            delay_seconds[microphone, driver] = (
                sound.arrival_seconds - way_seconds + _delay(excess, curve, hz)
            )
    delay_seconds -= delay_seconds.mean(axis=1, keepdims=True)
    level_db -= level_db.mean(axis=1, keepdims=True)
    curves = curve_db.mean(axis=0)
    if keeps_common:
        curves = curves - curves.mean(axis=0)
    return tuple(
        DriverDeviation(
            delay_seconds=float(delay_seconds[:, driver].mean()),
            level_db=float(level_db[:, driver].mean()),
            curve_db=curves[driver],
            spread_seconds=float(np.ptp(delay_seconds[:, driver]) / 2),
            spread_db=float(np.ptp(level_db[:, driver]) / 2),
        )
        for driver in range(count[1])
    )


def corrected(
    filters: SpatialFilters, drivers: Sequence[DriverDeviation], layout: SpeakerLayout
) -> SpatialFilters:
    """Return filters that play through these drivers as the designed ones through the layout's.

    Each driver is advanced by its delay, turned down by its level, and equalised by the least-delay
    (minimum-phase) inverse of its curve, held to `MOST_BOOST_DB` and `MOST_CUT_DB`. Where this goes over
    the layout's gain limit, all filters of a kind are turned down alike.
    """
    size = RESPONSE_FRAMES
    hz = grid(size, layout.sample_rate)
    fixes = np.stack([_fix(driver, hz, size) for driver in drivers])

    def fix(taps: NDArray[np.float32]) -> NDArray[np.float32]:
        length = taps.shape[-1]
        longer = fft.irfft(fft.rfft(taps.astype(float), size, axis=-1) * fixes, size, axis=-1)
        edge = 0.5 + 0.5 * np.cos(np.pi * (np.arange(_EDGE_TAPS) + 0.5) / _EDGE_TAPS)
        kept = longer[..., :length]
        kept[..., -_EDGE_TAPS:] *= edge
        kept[..., :_EDGE_TAPS] *= edge[::-1]
        over_db = filter_gain_db(kept.astype(np.float32)) - layout.max_filter_gain_db
        return (kept * 10 ** (-max(0.0, over_db) / 20)).astype(np.float32)

    return replace(filters, filters=fix(filters.filters), cancellers=fix(filters.cancellers))


def _fix(driver: DriverDeviation, hz: _Array, size: int) -> Response:
    """Return the inverse of a driver's deviation, shape ``(bins,)``."""
    gain_db = np.clip(-driver.curve_db, -MOST_CUT_DB, MOST_BOOST_DB)
    points = np.log(np.maximum(hz, 1))
    ramp = np.interp(points, np.log([BAND_HZ[0] / 2, BAND_HZ[0]]), [0.0, 1.0])
    wide_db = ramp * np.interp(points, np.log(CURVE_HZ), gain_db)
    equalised = minimum_phase(wide_db, size)
    turn = np.exp(2j * np.pi * hz * driver.delay_seconds)
    fixed: Response = 10 ** (-driver.level_db / 20) * equalised * turn
    return fixed


def minimum_phase(level_db: _Array, size: int) -> Response:
    """Return the response of this level with the least delay, by the real cepstrum.

    Parameters
    ----------
    level_db : ndarray
        Shape ``(size // 2 + 1,)``.
    """
    cepstrum = fft.irfft(level_db * np.log(10) / 20, size)
    fold = np.zeros(size)
    fold[0] = fold[size // 2] = 1
    fold[1 : size // 2] = 2
    response: Response = np.exp(fft.rfft(cepstrum * fold))
    return response


def _smooth_db(response: Response, hz: _Array) -> _Array:
    """Return the mean power over a third octave around each of `CURVE_HZ`, in dB."""
    total = np.concatenate([[0.0], np.cumsum(np.abs(response) ** 2)])
    centres = np.array(CURVE_HZ)
    first = np.searchsorted(hz, centres * 2 ** (-_SMOOTH_OCTAVES / 2))
    last = np.maximum(np.searchsorted(hz, centres * 2 ** (_SMOOTH_OCTAVES / 2)), first + 1)
    power = (total[np.minimum(last, len(hz))] - total[first]) / (last - first)
    smooth: _Array = 10 * np.log10(np.maximum(power, _TINY))
    return smooth


def _delay(excess: Response, curve_db: _Array, hz: _Array) -> float:
    """Return when the sound comes that is left once the curve's own, least delay is taken out.

    It is the peak of the correlation with a driver of this curve, read between frames.
    """
    size = 2 * (len(hz) - 1)
    wide_db = np.interp(np.log(np.maximum(hz, 1)), np.log(CURVE_HZ), curve_db)
    inside = (hz >= _DELAY_BAND_HZ[0]) & (hz <= _DELAY_BAND_HZ[1])
    turned = np.where(inside, excess * minimum_phase(wide_db, size).conj(), 0)
    step_seconds = 1 / (2 * hz[-1]) / _OVERSAMPLING
    correlation = fft.irfft(turned, size * _OVERSAMPLING)
    reach = round(_SEARCH_SECONDS / step_seconds)
    around = np.concatenate([correlation[-reach:], correlation[: reach + 1]])
    best = min(max(int(np.argmax(around)), 1), len(around) - 2)
    left, middle, right = around[best - 1 : best + 2]
    shift = 0.5 * (left - right) / (left - 2 * middle + right)
    return float((best - reach + shift) * step_seconds)
