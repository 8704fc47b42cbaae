from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensing.calibration.calibration import Wishes
from sensing.calibration.caps import EmissionCaps, MeasuredLoudspeaker
from sensing.errors import CannotCalibrate
from sensing.ultrasound.emitter import MAX_LEVEL
from tests.sensing.calibration.made_up_card import MadeUpCard, roll_off


@given(
    hz=st.floats(15_000, 45_000),
    has_pets=st.booleans(),
    allows_audible=st.booleans(),
    full_scale_db=st.none() | st.floats(40, 140),
)
def test_no_peak_is_louder_at_the_ear_than_the_table_says(
    hz: float, has_pets: bool, allows_audible: bool, full_scale_db: float | None
) -> None:
    known = (
        None
        if full_scale_db is None
        else MeasuredLoudspeaker(hz=(0.0, 96_000.0), db_spl=(full_scale_db, full_scale_db))
    )
    caps = EmissionCaps(has_pets=has_pets, allows_audible=allows_audible, loudspeaker=known)
    peak = caps.peak(hz)
    assert 0 <= peak <= MAX_LEVEL
    if hz < (25_000 if has_pets else 18_000 if allows_audible else 20_500):
        assert peak == 0
        return
    table_db = 60 if hz < 20_500 else 65 if hz < 22_400 else 80
    table_db -= 6 * (known is None) + 10 * has_pets
    # rounding of powers of ten
    assert caps.full_scale_db_spl(hz) + 20 * math.log10(peak) <= table_db + 1e-6


@settings(max_examples=12, deadline=None)
@given(
    direct=st.floats(0.01, 0.9),
    tail_db=st.floats(-50, -12),
    noise_dbfs=st.floats(-95, -60),
    rate_hz=st.sampled_from([48_000, 96_000]),
    range_m=st.floats(1, 10),
    has_pets=st.booleans(),
    microphone_dbfs=st.none() | st.floats(-45, 0),
)
def test_whatever_the_hardware_nothing_is_played_above_a_cap(
    direct: float,
    tail_db: float,
    noise_dbfs: float,
    rate_hz: int,
    range_m: float,
    has_pets: bool,
    microphone_dbfs: float | None,
) -> None:
    card = MadeUpCard(
        direct=direct, tail_db=tail_db, noise_dbfs=noise_dbfs, rate_hz=rate_hz, microphones=1, delay_frames=40
    )
    wishes = Wishes(
        range_m=range_m,
        has_pets=has_pets and rate_hz > 48_000,
        microphone_dbfs=microphone_dbfs,
        microphone_m=None if microphone_dbfs is None else 0.1,
    )
    try:
        found = card.calibrate(wishes)
    except CannotCalibrate:
        assert card.highest <= 0.1
        return
    assert found.db_spl <= found.cap_db_spl + 1e-6
    assert found.level <= MAX_LEVEL
    assert found.carrier_hz >= (25_000 if wishes.has_pets else 20_500)
    assert found.cap_db_spl <= (70 if wishes.has_pets else 80) - 6 * (not found.is_measured)
    # the sweep comes before anything is known, at the level of the assumed loudspeaker
    assumed = EmissionCaps(has_pets=wishes.has_pets)
    assert card.highest <= max(found.level * 1.0001, assumed.peak(26_000))


def test_a_measured_loudspeaker_that_is_loud_is_turned_down_to_its_cap() -> None:
    """A microphone of -26 dBFS, 10 cm away, hears full scale at -10.5 dB: 95.5 dB at the ear."""
    card = MadeUpCard(tail_db=-60, noise_dbfs=-60)
    found = card.calibrate(Wishes(microphone_dbfs=-26.0, microphone_m=0.1))
    assert found.is_measured
    assert found.limit == "cap"
    assert found.cap_db_spl == 80
    assert 20 * math.log10(found.level) == pytest.approx(80 - 95.5, abs=1.0)


def test_a_clipping_loudspeaker_is_kept_where_it_is_clean() -> None:
    card = MadeUpCard(clips_at=0.05, tail_db=-40)
    found = card.calibrate(Wishes(range_m=6))
    assert found.limit in {"distortion", "compression"}
    assert found.level <= 0.05


def test_a_limiter_is_noticed() -> None:
    card = MadeUpCard(limits_at=0.04, tail_db=-40)
    found = card.calibrate(Wishes(range_m=6))
    assert found.limit == "compression"
    # a pair's crest is its two peaks together; a limiter of 1 dB is let through
    assert found.level <= 0.04 * 1.13


def test_a_loudspeaker_that_always_clips_is_refused() -> None:
    with pytest.raises(CannotCalibrate, match=r"distorts at -\d+ dBFS already"):
        MadeUpCard(clips_at=0.002).calibrate()


def test_the_level_is_no_higher_than_needed() -> None:
    found = MadeUpCard(noise_dbfs=-95).calibrate(Wishes(range_m=2))
    assert found.limit == "enough"
    assert len(found.steps) == 1 or 10 <= found.snr_db <= 12.5
    assert found.level < EmissionCaps().peak(found.carrier_hz)


def test_a_half_known_microphone_is_refused() -> None:
    with pytest.raises(CannotCalibrate, match="give both"):
        MadeUpCard().calibrate(Wishes(microphone_dbfs=-26.0))


def test_hardware_that_ends_below_the_quiet_band_is_kept_to_the_low_cap() -> None:
    found = MadeUpCard(curve=roll_off(21_000, db_per_khz=60)).calibrate()
    assert found.carrier_hz < 21_500
    assert found.cap_db_spl == 59
