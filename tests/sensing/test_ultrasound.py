"""Presence from the carrier: theory, properties, and real recordings."""

from __future__ import annotations

import csv
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.audio.sound_file import read_all
from sensing.audio_block import AudioBlock, Block
from sensing.observations import MotionSeen, Observation, PresenceChanged, UltrasoundChanged
from sensing.simulation.renderer import RoomRenderer
from sensing.simulation.scene import Scene, Walk
from sensing.ultrasound.carrier import find_carrier
from sensing.ultrasound.demodulator import Demodulator
from sensing.ultrasound.emitter import MAX_LEVEL, CarrierEmitter
from sensing.ultrasound.sensor import UltrasoundSensor
from tests.conftest import recordings_folder

RATE = 48_000
CARRIER = 20_000.0


def simulated(scene: Scene, carrier_hz: float = CARRIER, level: float = 0.1) -> Block:
    emitter = CarrierEmitter(carrier_hz=carrier_hz, rate_hz=scene.rate_hz, level=level)
    emitter.start()
    room = RoomRenderer(scene, carrier_hz)
    step = scene.rate_hz // 50
    frames = range(0, round(scene.seconds * scene.rate_hz), step)
    return np.concatenate([room.render(first, emitter.process(step)[None]) for first in frames], axis=1)


def observed(capture: Block, rate: int, carrier_hz: float, hold_seconds: float = 180.0) -> list[Observation]:
    sensor = UltrasoundSensor(
        rate_hz=rate, microphones=len(capture), carrier_hz=carrier_hz, hold_seconds=hold_seconds
    )
    found: list[Observation] = []
    step = rate // 100
    for first in range(0, capture.shape[1], step):
        piece = capture[:, first : first + step].copy()
        block = AudioBlock(first_frame=first, rate_hz=rate, capture=piece, reference=piece[:0])
        found += sensor.process(block)
    return found


def test_one_metre_a_second_at_20_khz_shifts_by_116_6_hz() -> None:
    walk = Walk(start_seconds=0, path=((0, 6, 0), (0, 1, 0)), speed_mps=1.0, swings=False, leaves=False)
    capture = simulated(Scene(rate_hz=RATE, seconds=4, microphones=1, walks=(walk,), noise_dbfs=-110))
    demodulator = Demodulator(carrier_hz=CARRIER, rate_hz=RATE, microphones=1)
    baseband = demodulator.process(capture)[0, 1_000:3_048]
    spectrum = np.abs(np.fft.fft((baseband - baseband.mean()) * np.hanning(len(baseband)), 1 << 16))
    hz = np.fft.fftfreq(1 << 16, 1 / demodulator.baseband_hz)
    # 2 v f / c = 2 * 1 * 20,000 / 343; a bin of the 2 s window is 0.5 Hz wide
    assert hz[np.argmax(spectrum * (np.abs(hz) > 20))] == pytest.approx(116.6, abs=0.3)


def test_somebody_who_walks_in_is_noticed_within_a_second_and_an_empty_room_stays_empty() -> None:
    walk = Walk(start_seconds=3, path=((1.5, 4, 0), (0.3, 1.5, 0)), speed_mps=1.0)
    entered = observed(simulated(Scene(rate_hz=RATE, seconds=6, walks=(walk,))), RATE, CARRIER)
    changes = [seen for seen in entered if isinstance(seen, PresenceChanged)]
    assert [change.present for change in changes] == [True]
    assert 3.0 < changes[0].at < 4.0
    empty = observed(simulated(Scene(rate_hz=RATE, seconds=6)), RATE, CARRIER)
    assert not [seen for seen in empty if isinstance(seen, PresenceChanged | MotionSeen)]


def test_a_carrier_that_stops_makes_the_room_unknown_and_not_empty() -> None:
    walk = Walk(start_seconds=2, path=((1.5, 4, 0), (0.3, 1.5, 0)), leaves=False)
    capture = simulated(Scene(rate_hz=RATE, seconds=8, walks=(walk,)))
    capture[:, 6 * RATE :] = np.random.default_rng(1).normal(0, 1e-4, capture[:, 6 * RATE :].shape)
    found = observed(capture, RATE, CARRIER, hold_seconds=1.0)
    modes = [seen.mode for seen in found if isinstance(seen, UltrasoundChanged)]
    assert modes == ["watching", "no_carrier"]
    lost_at = next(
        seen.at for seen in found if isinstance(seen, UltrasoundChanged) and seen.mode == "no_carrier"
    )
    assert not [seen for seen in found if isinstance(seen, PresenceChanged) and seen.at > lost_at]


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(1, 4_799), max_size=6))
def test_the_demodulator_does_not_care_how_audio_is_cut(cuts: list[int]) -> None:
    signal = np.random.default_rng(3).normal(0, 0.1, (2, 4_800)).astype(np.float32)
    whole = Demodulator(carrier_hz=CARRIER, rate_hz=RATE, microphones=2).process(signal)
    pieces = Demodulator(carrier_hz=CARRIER, rate_hz=RATE, microphones=2)
    parts = [pieces.process(part) for part in np.split(signal, sorted(set(cuts)), axis=1)]
    # float32 products are summed in another order
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(1, 9_599), max_size=6), level=st.floats(0, 2))
def test_the_tone_is_the_same_however_it_is_cut_and_never_above_the_cap(
    cuts: list[int], level: float
) -> None:
    whole = CarrierEmitter(carrier_hz=CARRIER, rate_hz=RATE, level=level)
    whole.start()
    expected = whole.process(9_600)
    pieces = CarrierEmitter(carrier_hz=CARRIER, rate_hz=RATE, level=level)
    pieces.start()
    edges = [0, *sorted(set(cuts)), 9_600]
    parts = [pieces.process(end - start) for start, end in pairwise(edges)]
    np.testing.assert_allclose(np.concatenate(parts), expected, atol=1e-6)
    assert np.abs(expected).max() <= min(level, MAX_LEVEL) + 1e-6


def test_starting_and_stopping_the_tone_does_not_click() -> None:
    emitter = CarrierEmitter(carrier_hz=CARRIER, rate_hz=RATE, level=0.2)
    emitter.start()
    on = emitter.process(9_600)
    emitter.stop()
    tone = np.concatenate([on, emitter.process(9_600)])
    spectrum = np.abs(np.fft.rfft(tone))
    audible = spectrum[np.fft.rfftfreq(len(tone), 1 / RATE) < 15_000]
    # 100 dB below the tone: under the hearing threshold for any permitted level
    assert 20 * np.log10(audible.max() / spectrum.max()) < -100


def test_the_carrier_is_found_beside_a_dead_microphone() -> None:
    tone = 0.1 * np.sin(2 * np.pi * CARRIER / RATE * np.arange(RATE)).astype(np.float32)
    for capture in (np.stack([0 * tone, tone]), np.stack([tone, 0 * tone])):
        carrier = find_carrier(capture, RATE)
        assert carrier is not None
        assert carrier.hz == pytest.approx(CARRIER, abs=1)


def test_noise_has_no_carrier() -> None:
    noise = np.random.default_rng(5).normal(0, 0.05, (1, 2 * RATE)).astype(np.float32)
    assert find_carrier(noise, RATE) is None


def test_real_people_who_walk_are_seen_in_every_recording() -> None:
    folder = recordings_folder("ultrasound")
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        walks = [row for row in csv.DictReader(file) if row["major"] == "1"]
    assert walks
    for row in walks:
        capture, rate = read_all(folder / row["file"])
        carrier = find_carrier(capture, rate)
        assert carrier is not None, row["file"]
        assert carrier.hz == pytest.approx(float(row["carrier_hz"]), abs=25), row["file"]
        found = observed(capture, rate, carrier.hz)
        present = [seen.at for seen in found if isinstance(seen, PresenceChanged) and seen.present]
        # the slowest of them begins to walk about half a second into the recording
        assert min(present, default=9.9) < 2.0, row["file"]


@given(cuts=st.lists(st.integers(1, 4 * RATE - 1), max_size=8, unique=True))
@settings(max_examples=5, deadline=None)
def test_what_the_sensor_sees_does_not_depend_on_how_the_sound_is_cut(
    walking_capture: Block, cuts: list[int]
) -> None:
    sensor = UltrasoundSensor(rate_hz=RATE, microphones=2, carrier_hz=CARRIER)
    found: list[Observation] = []
    for first, end in pairwise([0, *sorted(cuts), walking_capture.shape[1]]):
        piece = walking_capture[:, first:end].copy()
        block = AudioBlock(first_frame=first, rate_hz=RATE, capture=piece, reference=piece[:0])
        found += sensor.process(block)
    usual = observed(walking_capture, RATE, CARRIER)
    assert [(type(one), one.frame) for one in found] == [(type(one), one.frame) for one in usual]
    assert any(isinstance(one, PresenceChanged) for one in found)


@pytest.fixture(scope="module")
def walking_capture() -> Block:
    walk = Walk(start_seconds=1.5, path=((2, 4, 0), (0.3, 1.2, 0)))
    return simulated(Scene(rate_hz=RATE, seconds=4, walks=(walk,)))


@given(cuts=st.lists(st.integers(1, 9_599), max_size=6, unique=True))
@settings(max_examples=5, deadline=None)
def test_a_simulated_room_sounds_the_same_however_it_is_cut(cuts: list[int]) -> None:
    walk = Walk(start_seconds=0, path=((1, 3, 0), (0.3, 1.2, 0)))
    room = RoomRenderer(Scene(rate_hz=RATE, seconds=0.2, walks=(walk,)), CARRIER)
    tone = 0.1 * np.sin(2 * np.pi * CARRIER / RATE * np.arange(9_600)).astype(np.float32)[None]
    whole = room.render(0, tone)
    room.reset()
    pieces = [room.render(a, tone[:, a:b]) for a, b in pairwise([0, *sorted(cuts), 9_600])]
    assert np.allclose(np.concatenate(pieces, axis=1), whole, atol=1e-5)
