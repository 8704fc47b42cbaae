from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensing.calibration.band import usable_band
from sensing.calibration.caps import EmissionCaps
from sensing.calibration.response import PathResponse, measure_responses
from sensing.calibration.sweep import linear_sweep
from tests.sensing.calibration.made_up_card import MadeUpCard, null_at, roll_off


def responses(card: MadeUpCard) -> list[PathResponse]:
    band = usable_band(card.rate_hz, EmissionCaps())
    sweep = linear_sweep(band, rate_hz=card.rate_hz, peak=0.02)
    return list(measure_responses(card.play(sweep), speaker=0, band=band))


@settings(max_examples=10, deadline=None)
@given(
    delay_seconds=st.floats(0.0, 0.45),
    rate_hz=st.sampled_from([44_100, 48_000, 96_000]),
    seed=st.integers(0, 99),
)
def test_the_delay_is_right_to_a_tenth_of_a_frame(delay_seconds: float, rate_hz: int, seed: int) -> None:
    card = MadeUpCard(rate_hz=rate_hz, delay_frames=delay_seconds * rate_hz, seed=seed)
    for path in responses(card):
        assert path.delay_frames == pytest.approx(card.delay_frames, abs=0.1)


@settings(max_examples=10, deadline=None)
@given(tail_db=st.floats(-45, -10), seed=st.integers(0, 99))
def test_echoes_are_measured_apart_from_the_direct_sound(tail_db: float, seed: int) -> None:
    path = responses(MadeUpCard(tail_db=tail_db, seed=seed, microphones=1))[0]
    # of the tail's energy 2 % comes after the gate, 8 % under its edge; 2 kHz of a random tail hold some
    # 200 independent values, a standard deviation of 0.3 dB
    mean_db = 10 * np.log10(np.mean(10 ** (path.late_db / 10)))
    assert mean_db == pytest.approx(tail_db - 0.4, abs=1.2)


def test_the_response_is_that_of_the_hardware() -> None:
    curve = roll_off(21_000)
    path = responses(MadeUpCard(curve=curve, tail_db=-80, noise_dbfs=-110))[0]
    hz = usable_band(48_000, EmissionCaps()).grid_hz
    expected_db = 20 * np.log10(0.3 * curve(hz))
    # a bin of the grid is a mean over 25 Hz, on a slope of 1 dB
    # down to 65 dB; below is the sweep's noise
    is_clear = expected_db > -75
    np.testing.assert_allclose(path.gain_db[is_clear], expected_db[is_clear], atol=0.6)


def test_a_dead_microphone_is_not_heard_and_the_other_is() -> None:
    first, second = responses(MadeUpCard(dead=frozenset({0})))
    assert (first.is_heard, second.is_heard) == (False, True)


def test_a_wall_that_is_louder_than_the_direct_sound_is_not_taken_for_it() -> None:
    card = MadeUpCard(direct=0.05, tail_db=-20)
    for path in responses(card):
        assert path.delay_frames == pytest.approx(card.delay_frames, abs=0.5)


def test_a_null_of_the_hardware_is_seen_in_the_echoes() -> None:
    path = responses(MadeUpCard(curve=null_at(21_500)))[0]
    hz = usable_band(48_000, EmissionCaps()).grid_hz
    inside = path.late_db[np.abs(hz - 21_500) < 60].mean()
    outside = path.late_db[np.abs(hz - 21_500) > 700].mean()
    assert inside < outside - 20
