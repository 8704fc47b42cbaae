from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensing.calibration.band import usable_band
from sensing.calibration.caps import EmissionCaps
from sensing.calibration.sweep import SWEEP_SECONDS, linear_sweep, sweep_peak
from sensing.errors import CannotCalibrate

RATES_HZ = [44_100, 48_000, 96_000, 192_000]


@settings(max_examples=12, deadline=None)
@given(rate_hz=st.sampled_from(RATES_HZ), allows_audible=st.booleans())
def test_a_sweep_stays_in_its_band_and_does_not_click(rate_hz: int, allows_audible: bool) -> None:
    caps = EmissionCaps(allows_audible=allows_audible)
    band = usable_band(rate_hz, caps)
    sweep = linear_sweep(band, rate_hz=rate_hz, peak=0.1)[0]
    energy = np.square(np.abs(np.fft.rfft(sweep.astype(float))))
    hz = np.fft.rfftfreq(len(sweep), 1 / rate_hz)
    audible_db = 10 * np.log10(energy[hz < 17_500].sum() / energy.sum())
    assert audible_db < -60
    # a click is a jump: the first and last millisecond rise from nothing
    edge = round(0.001 * rate_hz)
    end = round(SWEEP_SECONDS * rate_hz)
    assert np.abs(sweep[:edge]).max() < 0.1 * 0.02
    assert np.abs(sweep[end - edge : end]).max() < 0.1 * 0.02
    assert not sweep[end:].any()


@settings(max_examples=30, deadline=None)
@given(
    rate_hz=st.sampled_from(RATES_HZ), allows_audible=st.booleans(), share=st.floats(0, 1), pets=st.booleans()
)
def test_a_sweep_is_below_the_cap_of_each_of_its_frequencies(
    rate_hz: int, allows_audible: bool, share: float, pets: bool
) -> None:
    caps = EmissionCaps(allows_audible=allows_audible, has_pets=pets and rate_hz > 48_000)
    band = usable_band(rate_hz, caps)
    hz = band.low_hz + share * (band.high_hz - band.low_hz)
    assert 0 < sweep_peak(band, caps) <= caps.peak(hz)


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_pets_need_a_faster_card(rate_hz: int) -> None:
    with pytest.raises(CannotCalibrate, match=r"25 kHz.*audio\.rate_hz to 96000"):
        usable_band(rate_hz, EmissionCaps(has_pets=True))


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_band_keeps_away_from_half_the_rate_and_from_what_children_hear(rate_hz: int) -> None:
    band = usable_band(rate_hz, EmissionCaps())
    assert band.low_hz >= 20_500
    assert band.high_hz <= rate_hz / 2 - 1_000
    assert band.grid_hz[0] >= band.low_hz
    assert band.grid_hz[-1] <= band.high_hz
