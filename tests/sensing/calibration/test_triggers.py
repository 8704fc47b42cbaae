from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensing.calibration.calibration import Calibration
from sensing.calibration.interferers import Interferer
from sensing.calibration.triggers import (
    CarrierWatch,
    Recalibration,
    grew_old,
    hardware_changed,
    new_interferer,
)
from sensing.ultrasound.carrier_state import CarrierState
from tests.sensing.calibration.made_up_card import AT, MadeUpCard

FIELD = np.array([0.1, 0.05j, -0.08], np.complex64)
EVERY_SECONDS = 30.0


def state(
    at_seconds: float,
    signature: np.ndarray = FIELD,
    *,
    snr_db: float = 60.0,
    is_moving: bool = False,
    temperature_c: float | None = None,
) -> CarrierState:
    return CarrierState(
        at_seconds=at_seconds,
        signature=signature,
        snr_db=snr_db,
        is_moving=is_moving,
        temperature_c=temperature_c,
    )


def first(states: Iterable[CarrierState]) -> tuple[float, Recalibration] | None:
    watch = CarrierWatch(state(0.0, temperature_c=20.0))
    for one in states:
        reason = watch.process(one)
        if reason is not None:
            return one.at_seconds, reason
    return None


def times(minutes: float) -> list[float]:
    return [EVERY_SECONDS * step for step in range(1, round(minutes * 60 / EVERY_SECONDS) + 1)]


@pytest.mark.parametrize("change", [np.array([1.6, 1.6, 1.0]), np.exp(1j * np.radians([50, -50, 0]))])
def test_a_moved_device_is_told_after_ten_quiet_minutes(change: np.ndarray) -> None:
    found = first(state(at, (FIELD * change).astype(np.complex64)) for at in times(15))
    assert found is not None
    at, reason = found
    assert reason.trigger == "moved"
    assert "moved" in reason.reason
    assert 600 <= at - EVERY_SECONDS <= 630


@pytest.mark.parametrize(
    "change",
    [
        np.array([2.0, 1.0, 1.0]),  # one microphone: covered by a curtain
        np.array([1.3, 1.3, 0.8]),  # less than 3 dB
        np.exp(1j * np.radians([20, -20, 10])),
    ],
)
def test_a_small_change_or_one_microphone_is_no_reason(change: np.ndarray) -> None:
    assert first(state(at, (FIELD * change).astype(np.complex64)) for at in times(60)) is None


@given(turn=st.floats(-3.1, 3.1))
def test_a_turn_of_the_clocks_is_no_reason(turn: float) -> None:
    turned = (FIELD * np.exp(1j * turn)).astype(np.complex64)
    assert first(state(at, turned) for at in times(30)) is None


def test_motion_starts_the_ten_minutes_anew() -> None:
    changed = (FIELD * 2).astype(np.complex64)
    states = [state(at, changed, is_moving=round(at) % 300 == 0) for at in times(60)]
    assert first(states) is None


def test_a_change_that_goes_away_is_forgotten() -> None:
    changed = (FIELD * 2).astype(np.complex64)
    assert first(state(at, changed if round(at) % 300 else FIELD) for at in times(60)) is None


def test_a_weaker_tone_is_a_reason_and_a_little_weaker_is_none() -> None:
    found = first(state(at, snr_db=53.0) for at in times(15))
    assert found is not None
    assert found[1].trigger == "weaker"
    assert "7 dB less" in found[1].reason
    assert first(state(at, snr_db=55.0) for at in times(60)) is None


def test_five_degrees_are_a_reason_and_an_unknown_temperature_is_none() -> None:
    found = first([state(60.0, temperature_c=26.0)])
    assert found is not None
    assert found[1].trigger == "temperature"
    assert first([state(60.0, temperature_c=24.0), state(90.0)]) is None


@pytest.fixture(scope="module")
def kept() -> Calibration:
    return MadeUpCard(lines={21_000.0: -60.0}).calibrate()


def test_other_hardware_is_a_reason_and_the_same_is_none(kept: Calibration) -> None:
    assert hardware_changed(kept, kept.hardware) is None
    reason = hardware_changed(kept, kept.hardware.model_copy(update={"rate_hz": 96_000}))
    assert reason is not None
    assert reason.trigger == "hardware"
    assert "96000 Hz" in reason.reason


@given(days=st.floats(0, 400))
def test_a_calibration_lasts_thirty_days(kept: Calibration, days: float) -> None:
    assert (grew_old(kept, AT + timedelta(days=days)) is not None) == (
        timedelta(days=days).days >= 30 and days > 30
    )


def test_a_new_tone_beside_the_carrier_is_a_reason_and_others_are_none(kept: Calibration) -> None:
    def tone(hz: float) -> list[Interferer]:
        return [Interferer(hz=hz, prominence_db=20.0, microphone=0)]

    reason = new_interferer(kept, tone(kept.carrier_hz + 200))
    assert reason is not None
    assert reason.trigger == "interferer"
    assert new_interferer(kept, tone(kept.carrier_hz - 600)) is None
    assert new_interferer(kept, tone(21_010.0)) is None
    assert new_interferer(kept, []) is None
