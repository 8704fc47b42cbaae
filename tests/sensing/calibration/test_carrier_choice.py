from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensing.calibration.calibration import Wishes
from sensing.calibration.link_budget import Motion, echo_snr_db, sensing_range_m
from sensing.errors import CannotCalibrate
from tests.sensing.calibration.made_up_card import MadeUpCard, null_at

TABLE = [
    # emission at 1 m, then range and SNR of walk, reach, typing: section 3.3 of the reference
    (20_500, 65, 3, (11, 2, -1)),
    (20_500, 65, 5, (0, -9, -12)),
    (23_500, 75, 3, (20, 11, 8)),
    (23_500, 75, 5, (8, 0, -3)),
    (23_500, 75, 7, (0, -9, -12)),
    (32_800, 75, 3, (18, 9, 6)),
    (32_800, 75, 5, (5, -4, -7)),
    (32_800, 75, 7, (-6, -14, -17)),
]


@pytest.mark.parametrize(("carrier_hz", "emitted_db", "range_m", "expected_db"), TABLE)
def test_the_link_budget_is_that_of_the_reference(
    carrier_hz: float, emitted_db: float, range_m: float, expected_db: tuple[float, ...]
) -> None:
    for motion, snr_db in zip(Motion, expected_db, strict=True):
        seen_db = echo_snr_db(
            emitted_db=emitted_db, noise_db_hz=-5, carrier_hz=carrier_hz, range_m=range_m, motion=motion
        )
        assert seen_db == pytest.approx(snr_db, abs=1.0)


@given(emitted_db=st.floats(-20, 120), hz=st.floats(18_000, 42_000), motion=st.sampled_from(Motion))
def test_at_its_range_a_motion_is_just_seen(emitted_db: float, hz: float, motion: Motion) -> None:
    range_m = sensing_range_m(emitted_db=emitted_db, noise_db_hz=0, carrier_hz=hz, motion=motion)
    assert 0 <= range_m <= 10
    if 0 < range_m < 9.9:
        snr_db = echo_snr_db(
            emitted_db=emitted_db, noise_db_hz=0, carrier_hz=hz, range_m=range_m, motion=motion
        )
        # 1 cm at 0.2 m is 0.9 dB
        assert 10 - 0.01 <= snr_db <= 11


@settings(max_examples=6, deadline=None)
@given(null_hz=st.floats(22_300, 22_900), seed=st.integers(0, 99))
def test_a_null_is_avoided(null_hz: float, seed: int) -> None:
    card = MadeUpCard(curve=null_at(null_hz, width_hz=120), microphones=1, seed=seed)
    assert abs(card.calibrate().carrier_hz - null_hz) > 120


@settings(max_examples=6, deadline=None)
@given(line_hz=st.floats(20_800, 22_700), level_db=st.floats(-90, -40), seed=st.integers(0, 99))
def test_neither_carrier_lies_beside_an_interferer(line_hz: float, level_db: float, seed: int) -> None:
    card = MadeUpCard(lines={line_hz: level_db}, microphones=1, seed=seed)
    found = card.calibrate()
    assert [round(one.hz, -2) for one in found.interferers] == [round(found.interferers[0].hz, -2)]
    for hz in (found.carrier_hz, found.second_carrier_hz):
        # bins are 6 Hz apart
        assert hz is None or abs(hz - line_hz) > 500 - 6


@settings(max_examples=6, deadline=None)
@given(null_hz=st.floats(22_300, 22_900), rate_hz=st.sampled_from([48_000, 96_000]))
def test_the_second_carrier_can_be_played_beside_the_first(null_hz: float, rate_hz: int) -> None:
    """Below 22.4 kHz 15 dB less are allowed: a tone there would be too loud beside one above."""
    found = MadeUpCard(rate_hz=rate_hz, curve=null_at(null_hz, width_hz=120), microphones=1).calibrate()
    assert found.second_tone_hz == found.second_carrier_hz
    if found.second_carrier_hz is not None:
        assert 300 <= abs(found.second_carrier_hz - found.carrier_hz) <= 1_000
        assert (found.second_carrier_hz < 22_400) == (found.carrier_hz < 22_400)


def test_with_a_flat_response_there_is_a_second_carrier() -> None:
    assert MadeUpCard(rate_hz=96_000).calibrate().second_carrier_hz is not None


def test_with_pets_nothing_is_played_or_chosen_below_25_khz() -> None:
    import numpy as np

    card = MadeUpCard(rate_hz=96_000)
    found = card.calibrate(Wishes(has_pets=True))
    assert found.carrier_hz >= 25_000
    for sound in card.sounds:
        energy = np.square(np.abs(np.fft.rfft(sound[0].astype(float))))
        hz = np.fft.rfftfreq(sound.shape[1], 1 / 96_000)
        assert energy[hz < 24_900].sum() <= 1e-6 * energy.sum()


def test_interferers_everywhere_are_refused_by_name() -> None:
    lines = dict.fromkeys((20_700.0, 21_500.0, 22_300.0, 22_900.0), -60.0)
    with pytest.raises(CannotCalibrate, match=r"20\.7, 21\.5, 22\.3, 22\.9 kHz.*switch off"):
        MadeUpCard(lines=lines).calibrate()


def test_silence_of_the_loudspeaker_is_refused() -> None:
    with pytest.raises(CannotCalibrate, match=r"nothing of loudspeaker 1 comes back.*volume"):
        MadeUpCard(dead=frozenset({0, 1})).calibrate()


def test_a_loud_room_is_told_from_a_silent_loudspeaker() -> None:
    with pytest.raises(CannotCalibrate, match=r"room is too loud.*quiet"):
        MadeUpCard(noise_dbfs=-15, direct=0.001, tail_db=-70).calibrate()


def test_two_calibrations_of_the_same_room_agree() -> None:
    first, second = (MadeUpCard().calibrate() for _ in range(2))
    assert first == second
