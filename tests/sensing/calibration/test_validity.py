"""Whether a calibration still holds: the quiet minute, and each reason once."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensing.calibration.calibration import Calibration
from sensing.calibration.interferers import Interferer
from sensing.calibration.quiet_stretch import QUIET_SECONDS, QuietStretch
from sensing.calibration.triggers import Trigger
from sensing.calibration.validity import CalibrationValidity
from sensing.ultrasound.carrier_state import CarrierState
from tests.sensing.calibration.made_up_card import AT, MadeUpCard

FIELD = np.array([0.1, 0.05j], np.complex64)
ONE_TURNED = np.exp(1j * np.radians([0, 60]))


def state(
    at_seconds: float,
    field: np.ndarray = FIELD,
    *,
    is_moving: bool = False,
    snr_db: float = 60.0,
    temperature_c: float | None = None,
) -> CarrierState:
    return CarrierState(
        at_seconds=at_seconds,
        signature=np.asarray(field, np.complex64),
        snr_db=snr_db,
        is_moving=is_moving,
        temperature_c=temperature_c,
    )


@pytest.fixture(scope="module")
def kept() -> Calibration:
    return MadeUpCard().calibrate()


@given(turns=st.lists(st.floats(-3.1, 3.1), min_size=61, max_size=61))
def test_the_baseline_is_the_field_of_the_first_quiet_minute_whatever_the_clocks_do(
    turns: list[float],
) -> None:
    stretch = QuietStretch()
    found = [stretch.process(state(at, FIELD * np.exp(1j * turn))) for at, turn in enumerate(turns)]
    assert found[:-1] == [None] * 60
    assert found[-1] is not None
    # float32 of many turns
    np.testing.assert_allclose(found[-1].signature, FIELD, atol=1e-6)


def test_motion_and_a_gap_begin_the_minute_anew() -> None:
    stretch = QuietStretch()
    times = [*range(50), *range(120, 170), *range(171, 232)]
    done = [at for at in times if stretch.process(state(at, is_moving=at == 169)) is not None]
    assert done == [171 + QUIET_SECONDS]


def told_by(validity: CalibrationValidity, states: list[CarrierState]) -> dict[Trigger, float]:
    found = {}
    for one in states:
        reason = validity.hear(one)
        if reason is not None:
            assert reason.trigger not in found
            found[reason.trigger] = one.at_seconds
    return found


def test_one_of_two_microphones_turned_by_sixty_degrees_is_a_moved_device_told_once(
    kept: Calibration,
) -> None:
    validity = CalibrationValidity(kept)
    assert told_by(validity, [state(at) for at in range(300)]) == {}
    assert told_by(validity, [state(at, FIELD * ONE_TURNED) for at in range(300, 3_000)]) == {"moved": 900}


def test_a_dead_microphone_has_no_phase_to_be_moved_by(kept: Calibration) -> None:
    validity = CalibrationValidity(kept, baseline=state(0))
    chance = np.random.default_rng(1)
    hum = [FIELD * [1, 0.001 * np.exp(6j * chance.random())] for _ in range(900)]
    assert told_by(validity, [state(at, field) for at, field in enumerate(hum)]) == {}


def test_one_reason_does_not_hide_another(kept: Calibration) -> None:
    validity = CalibrationValidity(kept, baseline=state(0, temperature_c=20.0))
    worse = [state(at, FIELD * ONE_TURNED, snr_db=50.0, temperature_c=26.0) for at in range(700)]
    assert set(told_by(validity, worse)) == {"moved", "weaker", "temperature"}


def test_what_was_told_is_not_told_again(kept: Calibration) -> None:
    validity = CalibrationValidity(kept, baseline=state(0), told=["moved", "age", "interferer"])
    assert told_by(validity, [state(at, FIELD * ONE_TURNED) for at in range(900)]) == {}
    assert validity.look_at(AT + timedelta(days=40)) is None


def test_what_lasts_only_on_both_sides_of_a_long_silence_is_not_known_to_last(kept: Calibration) -> None:
    validity = CalibrationValidity(kept, baseline=state(0))
    seen = [state(at, FIELD * ONE_TURNED) for at in [*range(300), *range(900, 1_200)]]
    assert told_by(validity, seen) == {}


def test_an_old_calibration_is_told_once(kept: Calibration) -> None:
    validity = CalibrationValidity(kept)
    assert validity.look_at(AT + timedelta(days=29)) is None
    reason = validity.look_at(AT + timedelta(days=40))
    assert reason is not None
    assert "40 days old" in reason.reason
    assert validity.look_at(AT + timedelta(days=41)) is None


def test_a_tone_of_others_counts_when_two_silences_hold_one(kept: Calibration) -> None:
    tone = [Interferer(hz=kept.carrier_hz + 200, prominence_db=20.0, microphone=0)]
    validity = CalibrationValidity(kept)
    told = [validity.hear_silence(heard) for heard in (tone, [], tone, tone, tone)]
    assert [reason is not None for reason in told] == [False, False, False, True, False]


def test_a_thermometer_that_comes_late_says_what_it_was(kept: Calibration) -> None:
    validity = CalibrationValidity(kept, baseline=state(0))
    assert told_by(validity, [state(1), state(2, temperature_c=20.0), state(3, temperature_c=24.0)]) == {}
    assert validity.baseline is not None
    assert validity.baseline.temperature_c == 20.0
    assert told_by(validity, [state(4, temperature_c=14.0)]) == {"temperature": 4}
