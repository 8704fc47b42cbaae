"""How the carrier is heard once a second: from basebands of known content, and through the whole sensor."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensing.audio_block import AudioBlock
from sensing.simulation.renderer import RoomRenderer
from sensing.simulation.scene import Scene, Walk
from sensing.ultrasound.carrier_state import SETTLE_SECONDS, CarrierState, CarrierStates
from sensing.ultrasound.demodulator import Baseband, Demodulator
from sensing.ultrasound.emitter import CarrierEmitter
from sensing.ultrasound.sensor import UltrasoundSensor
from sensing.ultrasound.silent_listener import SilenceHeard

BASEBAND_HZ = 1_000.0
FIELD = np.array([0.1, 0.05j, -0.08], np.complex64)
CARRIER, RATE = 20_500.0, 48_000


def heard(
    seconds: float, *, field: np.ndarray = FIELD, noise: float = 1e-5, drift_hz: float = 0.0
) -> Baseband:
    chance = np.random.default_rng(1)
    frames = round(seconds * BASEBAND_HZ)
    tone = field[:, None] * np.exp(2j * np.pi * drift_hz * np.arange(frames) / BASEBAND_HZ)
    beside = chance.normal(0, noise / math.sqrt(2), (2, len(field), frames))
    return np.asarray(tone + beside[0] + 1j * beside[1], np.complex64)


def states(baseband: Baseband, *, frames: int = 50) -> list[CarrierState]:
    """Return what is told of a baseband that comes in pieces."""
    meter = CarrierStates(baseband_hz=BASEBAND_HZ, microphones=len(baseband))
    told = []
    for first in range(0, baseband.shape[1], frames):
        piece = baseband[:, first : first + frames]
        meter.process(piece, (first + piece.shape[1]) / BASEBAND_HZ)
        state = meter.take(is_moving=False)
        if state is not None:
            told.append(state)
    return told


def turned_to(signature: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Return the signature with the common phase that suits the other best."""
    common = np.vdot(signature, like)
    return np.asarray(signature * common / abs(common))


@given(turn=st.floats(-3.1, 3.1), drift_hz=st.floats(-1.0, 1.0))
def test_the_signature_is_that_of_the_field_however_the_clocks_turn(turn: float, drift_hz: float) -> None:
    found = states(heard(7.0, field=(FIELD * np.exp(1j * turn)).astype(np.complex64), drift_hz=drift_hz))
    assert found
    # the noise of a window of 0.128 s is 50 dB below the carrier; a drift of 1 Hz costs 0.1 dB of its middle
    np.testing.assert_allclose(turned_to(found[-1].signature, FIELD), FIELD, atol=0.015 * abs(FIELD[0]))


@pytest.mark.parametrize("noise_db", [-100.0, -80.0])
def test_the_noise_is_a_density_beside_the_carrier(noise_db: float) -> None:
    noise = 10 ** (noise_db / 20)
    found = states(heard(30.0, noise=noise))
    expected = 20 * math.log10(abs(FIELD[0])) - noise_db + 10 * math.log10(BASEBAND_HZ)
    # the least of four bands of 100 bins each is half a decibel below their mean
    assert np.median([one.snr_db for one in found]) == pytest.approx(expected + 0.5, abs=0.5)


def test_what_moves_on_one_side_of_the_carrier_is_no_noise() -> None:
    calm = heard(10.0)
    blown = calm + 0.003 * np.exp(2j * np.pi * 150 * np.arange(calm.shape[1]) / BASEBAND_HZ)
    blown += 0.003 * np.exp(2j * np.pi * 260 * np.arange(calm.shape[1]) / BASEBAND_HZ)
    difference = states(blown.astype(np.complex64))[-1].snr_db - states(calm)[-1].snr_db
    assert abs(difference) < 1.0


def test_a_second_of_tone_makes_a_state_and_the_first_five_are_left_out() -> None:
    found = states(heard(16.0))
    assert SETTLE_SECONDS + 1 < found[0].at_seconds < SETTLE_SECONDS + 1.3
    assert np.diff([one.at_seconds for one in found]) == pytest.approx(1.024, abs=0.051)


def test_a_tone_that_blinks_makes_a_state_of_many_blinks() -> None:
    meter = CarrierStates(baseband_hz=BASEBAND_HZ, microphones=3)
    told = []
    for second in range(120):
        meter.process(heard(0.18), second + 0.45)
        meter.pause()
        state = meter.take(is_moving=False)
        if state is not None:
            told.append(state.at_seconds)
    assert told[0] < 50
    assert np.diff(told) == pytest.approx(8.0)


def test_a_long_rest_is_followed_by_five_seconds_that_are_left_out() -> None:
    meter = CarrierStates(baseband_hz=BASEBAND_HZ, microphones=3)
    told = []
    for second in [*range(1, 10), *range(40, 50)]:
        meter.process(heard(1.0), float(second))
        if meter.take(is_moving=False) is not None:
            told.append(second)
    assert next(second for second in told if second >= 40) >= 45


def test_a_tone_that_rests_stands_as_high_above_the_noise_as_one_that_does_not() -> None:
    demodulator = Demodulator(carrier_hz=CARRIER, rate_hz=RATE, microphones=1)
    meter = CarrierStates(baseband_hz=demodulator.baseband_hz, microphones=1)
    chance = np.random.default_rng(1)
    tone = 0.1 * np.sin(2 * np.pi * CARRIER / RATE * np.arange(RATE))
    told: dict[bool, list[float]] = {False: [], True: []}
    for piece in range(60):
        rests = piece >= 12
        if rests:
            demodulator.reset()
            meter.pause()
        frames = RATE // 5 if rests else RATE
        capture = (tone[:frames] + chance.normal(0, 1e-4, frames)).astype(np.float32)
        meter.process(demodulator.process(capture[None]), piece + 1.0)
        state = meter.take(is_moving=False)
        told[rests] += [] if state is None else [state.snr_db]
    assert len(told[True]) >= 4
    # a tenth of a second's noise is known to a decibel
    assert np.median(told[True]) == pytest.approx(np.median(told[False]), abs=1.0)


def test_silence_is_no_division_by_zero() -> None:
    found = states(np.zeros((2, 8_000), np.complex64))
    assert all(np.isfinite(one.snr_db) and np.isfinite(one.signature).all() for one in found)


def test_the_sensor_tells_the_field_of_a_real_room_and_whether_somebody_moves() -> None:
    """From blocks of 48 kHz on: the signature is what a Fourier sum over the capture gives."""
    walk = Walk(start_seconds=9.0, path=((1.5, 3.5, 0), (0.3, 1.2, 0)))
    room = RoomRenderer(Scene(rate_hz=RATE, seconds=13.0, walks=(walk,)), CARRIER)
    emitter = CarrierEmitter(carrier_hz=CARRIER, rate_hz=RATE, level=0.1)
    emitter.start()
    told: list[CarrierState | SilenceHeard] = []
    sensor = UltrasoundSensor(rate_hz=RATE, microphones=2, carrier_hz=CARRIER, tell_field=told.append)
    captures = []
    for first in range(0, 13 * RATE, 960):
        played = emitter.process(960)[None]
        captures.append(room.render(first, played))
        sensor.process(AudioBlock(first_frame=first, rate_hz=RATE, capture=captures[-1], reference=played))
    found = [one for one in told if isinstance(one, CarrierState)]
    quiet = np.concatenate(captures, axis=1)[:, 6 * RATE : 8 * RATE]
    step = 2j * np.pi * CARRIER / RATE
    expected = 2 * quiet @ np.exp(-step * np.arange(quiet.shape[1])) / quiet.shape[1]
    # a hundredth: the room's noise in two seconds is 60 dB below the carrier
    np.testing.assert_allclose(turned_to(found[0].signature, expected), expected, rtol=0.01)
    assert [one.is_moving for one in found if one.at_seconds < 9] == [False] * 3
    assert any(one.is_moving for one in found if one.at_seconds > 9.5)
    assert len(told) == len(found)  # the tone never rested
