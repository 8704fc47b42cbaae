from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sensing.calibration.calibration import Calibration, Wishes
from sensing.calibration.verdict import judge
from tests.sensing.calibration.made_up_card import MadeUpCard, roll_off


def words(found: Calibration) -> str:
    return " ".join(judge(found).lines)


def test_good_hardware_is_told_its_ranges() -> None:
    found = MadeUpCard(noise_dbfs=-90).calibrate(Wishes(range_m=4))
    verdict = judge(found)
    assert verdict.fitness == "room"
    assert verdict.walk_m >= 4
    assert verdict.walk_m > verdict.reach_m > verdict.typing_m > 0
    assert f"walks up to {verdict.walk_m:.1f} m" in words(found)


def test_hardware_that_hears_too_little_is_told_so() -> None:
    found = MadeUpCard(noise_dbfs=-60, tail_db=-50, direct=0.1).calibrate()
    assert judge(found).fitness == "unfit"
    assert "cannot sense this room" in words(found)
    assert "More is not allowed" in words(found)
    assert "should see" not in words(found)


@settings(max_examples=4, deadline=None)
@given(noise_dbfs=st.floats(-80, -65), quieter_db=st.floats(3, 10))
def test_at_the_cap_more_noise_sees_less_far(noise_dbfs: float, quieter_db: float) -> None:
    quiet, loud = (
        MadeUpCard(noise_dbfs=noise_dbfs - less, microphones=1).calibrate(Wishes(range_m=10))
        for less in (quieter_db, 0.0)
    )
    assert quiet.limit == loud.limit == "cap"
    assert judge(loud).walk_m < judge(quiet).walk_m


def test_each_fault_of_the_hardware_is_named() -> None:
    card = MadeUpCard(
        speakers=2,
        speaker_gains=(0.2, 1.0),
        dead=frozenset({1}),
        curve=roll_off(21_200, db_per_khz=60),
        lines={22_400.0: -50.0},
    )
    told = words(card.calibrate())
    assert "Microphone 2 hears nothing" in told
    assert "With one microphone music hides" in told
    assert "the hardware carries little" in told
    assert "Tones of other devices were avoided: 22.40 kHz" in told
    assert "Loudspeaker 2 reaches the room 14 dB better" in told


def test_what_was_assumed_and_what_it_cannot_see_is_always_said() -> None:
    told = words(MadeUpCard().calibrate())
    assert "assumed" in told
    assert "not measured" in told
    assert "cannot see through walls" in told
    measured = words(MadeUpCard().calibrate(Wishes(microphone_dbfs=-26.0, microphone_m=0.1)))
    assert "Loudness, measured" in measured
    assert "assumed" not in measured


def test_pets_are_not_promised_silence() -> None:
    told = words(MadeUpCard(rate_hz=96_000).calibrate(Wishes(has_pets=True)))
    assert "may still hear it" in told
