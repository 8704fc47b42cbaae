"""Two tones: how they sound, how each is heard beside the other, and what becomes of both."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import get_window

from script.journal import Batch
from script.presence import two_tones
from script.presence.intervals import wilson_interval
from script.presence.scenes import entry
from sensing.audio_block import AudioBlock, Block
from sensing.observations import MotionSeen, Observation, PresenceChanged, UltrasoundChanged
from sensing.processing_meter import ProcessingMeter
from sensing.simulation.renderer import RoomRenderer
from sensing.simulation.scene import Scene, Walk
from sensing.ultrasound.demodulator import Demodulator
from sensing.ultrasound.doppler_features import BAND_EDGES_HZ, DopplerFrame
from sensing.ultrasound.emission_watch import EmissionWatch
from sensing.ultrasound.emitter import LEAST_APART_HZ, MAX_LEVEL, MOST_APART_HZ, CarrierEmitter
from sensing.ultrasound.front_end import FrontEnd
from sensing.ultrasound.motion_network import network_inputs
from sensing.ultrasound.receiver import UltrasoundReceiver
from sensing.ultrasound.sensor import UltrasoundSensor
from sensing.ultrasound.signal_health import SignalHealth
from sensing.ultrasound.tone_chain import ToneChain
from sensing.ultrasound.tone_join import ToneJoin

RATE = 48_000
FIRST = 21_000.0
BLOCK = RATE // 100
QUIET_DB = -60.0

apart = st.floats(LEAST_APART_HZ, MOST_APART_HZ)
switches = st.lists(st.tuples(st.integers(1, 4_000), st.booleans()), min_size=1, max_size=10)
"""Frames until the next change and what it is to: much faster than any plan."""


def emitter(*, apart_hz: float = 400.0, level: float = 0.1) -> CarrierEmitter:
    return CarrierEmitter(carrier_hz=FIRST, rate_hz=RATE, level=level, second_carrier_hz=FIRST + apart_hz)


def switched(changes: list[tuple[int, bool]], both: CarrierEmitter) -> NDArray[np.float32]:
    parts = []
    for frames, is_on in changes:
        both.start() if is_on else both.stop()
        parts.append(both.process(frames))
    both.stop()
    return np.concatenate([*parts, both.process(RATE // 4)])


def audible_db(sound: NDArray[np.float32], peak: float) -> float:
    """Return the loudest bin below 18 kHz of any 43 ms, in dB relative to one tone."""
    window = get_window("blackmanharris", 2_048)
    pieces = np.lib.stride_tricks.sliding_window_view(sound, len(window))[:: len(window) // 8]
    spectra = np.abs(np.fft.rfft(pieces * window, axis=1)) * 2 / window.sum()
    below = spectra[:, np.fft.rfftfreq(len(window), 1 / RATE) < 18_000]
    return float(20 * np.log10(max(below.max(), 1e-12) / peak))


@settings(max_examples=40, deadline=None)
@given(changes=switches, apart_hz=apart)
def test_no_pattern_of_switching_two_tones_is_audible(
    changes: list[tuple[int, bool]], apart_hz: float
) -> None:
    both = emitter(apart_hz=apart_hz)
    sound = switched(changes, both)
    assert audible_db(sound, both.peak / 2) < QUIET_DB
    assert not sound[-RATE // 8 :].any()


@given(level=st.floats(1e-3, 2), apart_hz=apart)
def test_two_tones_are_as_loud_as_one_and_their_peaks_together_stay_below_the_cap(
    level: float, apart_hz: float
) -> None:
    both = emitter(apart_hz=apart_hz, level=level)
    both.start()
    sound = both.process(RATE // 2)[RATE // 10 :]
    assert np.abs(sound).max() <= both.peak + 1e-6 <= MAX_LEVEL + 2e-6
    # a beat that is cut somewhere makes 1 % of the energy in 0.4 s
    assert np.mean(np.square(sound)) <= 1.01 * min(level, MAX_LEVEL) ** 2 / 2
    if level * math.sqrt(2) <= MAX_LEVEL:
        assert np.mean(np.square(sound)) == pytest.approx(level**2 / 2, rel=0.01)


@given(cuts=st.lists(st.integers(1, 9_599), max_size=6, unique=True))
def test_two_tones_are_the_same_however_they_are_cut(cuts: list[int]) -> None:
    whole, pieces = emitter(), emitter()
    whole.start()
    pieces.start()
    parts = [pieces.process(end - first) for first, end in pairwise([0, *sorted(cuts), 9_600])]
    np.testing.assert_allclose(np.concatenate(parts), whole.process(9_600), atol=1e-6)


def tone_chain(apart_hz: float) -> ToneChain:
    return ToneChain(carrier_hz=FIRST, others_hz=[FIRST + apart_hz], rate_hz=RATE, microphones=1)


@settings(max_examples=25, deadline=None)
@given(apart_hz=apart, is_below=st.booleans(), phase=st.floats(0, 6))
def test_beside_the_other_tone_only_the_own_one_is_heard(
    apart_hz: float, is_below: bool, phase: float
) -> None:
    away_hz = -apart_hz if is_below else apart_hz
    turns = 2 * np.pi / RATE * np.arange(RATE // 2)
    both = np.cos(turns * FIRST) + np.cos(turns * (FIRST + away_hz) + phase)
    heard = tone_chain(away_hz).demodulate(both[None].astype(np.float32))[0, 100:]
    # 80 dB of the demodulator's filter, and its float32
    assert np.abs(heard - heard.mean()).max() < 3e-4
    assert abs(heard.mean()) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("doppler_hz", [-150.0, -30.0, 20.0, 150.0])
def test_motion_passes_beside_the_other_tone(doppler_hz: float) -> None:
    turns = 2 * np.pi / RATE * np.arange(RATE // 2)
    echo = np.cos(turns * (FIRST + doppler_hz))[None].astype(np.float32)
    heard = tone_chain(LEAST_APART_HZ).demodulate(echo)[0, 100:]
    # 0.1 dB
    np.testing.assert_allclose(np.abs(heard), 1.0, atol=0.012)


def frame(chance: np.random.Generator, **changes: object) -> DopplerFrame:
    usual = DopplerFrame(
        hop=7,
        floor_hops=300,
        bands_db=chance.uniform(0, 25, 16).astype(np.float32),
        floors_dbc=chance.uniform(-80, -60, 16).astype(np.float32),
        carrier_db=float(chance.uniform(-40, -10)),
        sideband_dbc=-40.0,
        lines_db=chance.uniform(4, 14, 2).astype(np.float32),
        symmetry=chance.uniform(0, 1, 3).astype(np.float32),
        burst_db=float(chance.uniform(0, 6)),
        masked=np.zeros(16, np.float32),
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def join(apart_hz: float = MOST_APART_HZ) -> ToneJoin:
    return ToneJoin([FIRST, FIRST + apart_hz])


@given(seed=st.integers(0, 999))
def test_one_tone_is_handed_on_as_it_is(seed: int) -> None:
    one = frame(np.random.default_rng(seed))
    assert ToneJoin([FIRST]).process([one]) is one


@given(seed=st.integers(0, 999))
def test_two_tones_that_show_the_same_are_joined_to_that(seed: int) -> None:
    one = frame(np.random.default_rng(seed))
    one = replace(one, sideband_dbc=float((one.bands_db + one.floors_dbc).max()))
    np.testing.assert_allclose(network_inputs([join().process([one, one])]), network_inputs([one]), atol=1e-4)


@given(seed=st.integers(0, 999), is_first=st.booleans(), apart_hz=apart)
def test_a_tone_that_is_lost_takes_nothing_from_the_other(seed: int, is_first: bool, apart_hz: float) -> None:
    chance = np.random.default_rng(seed)
    one = frame(chance)
    one = replace(one, sideband_dbc=float((one.bands_db + one.floors_dbc).max()))
    lost = frame(chance, carrier_db=-110.0, bands_db=np.full(16, 60, np.float32), sideband_dbc=20.0)
    joined = join(apart_hz).process([lost, one] if is_first else [one, lost])
    np.testing.assert_allclose(network_inputs([joined]), network_inputs([one]), atol=1e-4)
    assert joined.carrier_db == pytest.approx(one.carrier_db, abs=1e-3)


def test_when_both_tones_are_lost_the_join_has_no_carrier_either() -> None:
    gone = frame(np.random.default_rng(1), carrier_db=-110.0)
    assert join().process([gone, gone]).carrier_db < -100


@given(seed=st.integers(0, 999))
def test_a_whistle_beside_one_tone_is_as_much_of_a_line_as_beside_a_single_one(seed: int) -> None:
    chance = np.random.default_rng(seed)
    calm = frame(
        chance, bands_db=chance.uniform(0, 5, 16).astype(np.float32), lines_db=np.full(2, 6, np.float32)
    )
    bands_db = calm.bands_db.copy()
    bands_db[3] = 40.0
    whistle = replace(calm, bands_db=bands_db, lines_db=np.array([15, 6], np.float32))
    assert join().process([calm, whistle]).lines_db == pytest.approx([15, 6], abs=0.5)


def test_a_whistle_that_has_been_learnt_beside_one_tone_does_not_hide_what_the_other_shows() -> None:
    """The whistle raises that tone's floor by 40 dB and hides a walker of 20 dB there."""
    chance = np.random.default_rng(1)
    seen = frame(chance, bands_db=np.full(16, 20, np.float32))
    deaf = replace(seen, bands_db=np.zeros(16, np.float32), floors_dbc=seen.floors_dbc + 40)
    # half the energy is 3 dB
    assert (join().process([seen, deaf]).bands_db > 16.5).all()


def test_bands_near_the_other_tone_are_read_from_that_one() -> None:
    chance = np.random.default_rng(1)
    low, high = (frame(chance, bands_db=np.full(16, level, np.float32)) for level in (5.0, 15.0))
    joined = ToneJoin([FIRST, FIRST + 300]).process([low, high]).bands_db
    near = np.array(BAND_EDGES_HZ[1:]) > 200
    np.testing.assert_allclose(joined[8:][near], 15, atol=0.1)  # above the first lies the second
    np.testing.assert_allclose(joined[:8][near], 5, atol=0.1)
    both_db = 10 * np.log10((10**0.5 + 10**1.5) / 2)
    np.testing.assert_allclose(joined[:8][~near], both_db, atol=0.1)


def played_in_room(scene: Scene, both: CarrierEmitter) -> Block:
    both.start()
    room = RoomRenderer(scene, FIRST)
    firsts = range(0, round(scene.seconds * RATE), BLOCK)
    return np.concatenate([room.render(first, both.process(BLOCK)[None]) for first in firsts], axis=1)


def observed(capture: Block, second_hz: float | None) -> list[Observation]:
    sensor = UltrasoundSensor(
        rate_hz=RATE, microphones=len(capture), carrier_hz=FIRST, second_carrier_hz=second_hz
    )
    found: list[Observation] = []
    for first in range(0, capture.shape[1], BLOCK):
        piece = capture[:, first : first + BLOCK]
        block = AudioBlock(first_frame=first, rate_hz=RATE, capture=piece, reference=piece[:0])
        found += sensor.process(block)
    return found


WALK = Walk(start_seconds=3, path=((1.5, 4, 0), (0.3, 1.5, 0)), speed_mps=1.0)


@pytest.mark.parametrize("apart_hz", [LEAST_APART_HZ, 650.0])
def test_who_walks_in_is_noticed_by_two_tones_within_a_second_and_nobody_is_not(apart_hz: float) -> None:
    entered = observed(
        played_in_room(Scene(rate_hz=RATE, seconds=6, walks=(WALK,)), emitter(apart_hz=apart_hz)),
        FIRST + apart_hz,
    )
    came = [seen for seen in entered if isinstance(seen, PresenceChanged)]
    assert [one.present for one in came] == [True]
    assert 3.0 < came[0].at < 4.0
    empty = observed(
        played_in_room(Scene(rate_hz=RATE, seconds=6), emitter(apart_hz=apart_hz)), FIRST + apart_hz
    )
    assert not [seen for seen in empty if isinstance(seen, PresenceChanged | MotionSeen)]


@pytest.mark.parametrize("left_hz", [FIRST, FIRST + 400])
def test_while_one_tone_is_missing_the_other_one_goes_on(left_hz: float) -> None:
    alone = CarrierEmitter(carrier_hz=left_hz, rate_hz=RATE, level=0.07)
    found = observed(played_in_room(Scene(rate_hz=RATE, seconds=6, walks=(WALK,)), alone), FIRST + 400)
    assert [one.mode for one in found if isinstance(one, UltrasoundChanged)] == ["watching"]
    came = [seen for seen in found if isinstance(seen, PresenceChanged)]
    assert [one.present for one in came] == [True]
    assert 3.0 < came[0].at < 4.0


def test_with_one_tone_the_features_are_those_of_demodulator_and_front_end() -> None:
    capture = played_in_room(
        Scene(rate_hz=RATE, seconds=5, walks=(WALK,)),
        CarrierEmitter(carrier_hz=FIRST, rate_hz=RATE, level=0.1),
    )
    receiver = UltrasoundReceiver(
        rate_hz=RATE, microphones=2, carrier_hz=FIRST, meter=ProcessingMeter(lambda: 0.0)
    )
    demodulator = Demodulator(carrier_hz=FIRST, rate_hz=RATE, microphones=2)
    front_end = FrontEnd(baseband_hz=demodulator.baseband_hz, microphones=2)
    hops, frames = [], []
    for first in range(0, capture.shape[1], 5 * BLOCK):
        piece = capture[:, first : first + 5 * BLOCK]
        block = AudioBlock(first_frame=first, rate_hz=RATE, capture=piece, reference=piece[:0])
        hops += [hop.frame for hop in receiver.process(block)]
        frames += front_end.process(demodulator.process(piece), None)
    # the receiver cuts the sound where hops end, and float32 sums in another order
    np.testing.assert_allclose(network_inputs(hops), network_inputs(frames[: len(hops)]), atol=1e-3)


@settings(max_examples=10, deadline=None)
@given(lag=st.integers(0, RATE // 3), apart_hz=apart)
def test_the_watch_takes_two_tones_that_beat_for_steady(lag: int, apart_hz: float) -> None:
    played = switched([(RATE, False), (RATE, True)], emitter(apart_hz=apart_hz))
    late = np.concatenate([np.zeros(lag, np.float32), played])[: len(played)]
    noise = np.random.default_rng(1).normal(0, 1e-4, len(played))
    capture = (0.3 * late + noise).astype(np.float32)[None]
    watch = EmissionWatch(rate_hz=RATE, carrier_hz=FIRST, second_carrier_hz=FIRST + apart_hz)
    on = []
    for first in range(0, len(played), BLOCK):
        piece = slice(first, first + BLOCK)
        watch.process(
            AudioBlock(
                first_frame=first, rate_hz=RATE, capture=capture[:, piece], reference=played[None, piece]
            )
        )
        on.append(watch.is_on)
    assert watch.lag_frames == pytest.approx(lag, abs=0.02 * RATE)  # half a ramp and a cell
    assert all(on[106:200])
    assert not any(on[:100])


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 999), level=st.floats(0.001, 0.2), apart_hz=apart, is_missing=st.booleans())
def test_nothing_is_wrong_with_good_sound_of_two_tones_or_of_one_of_them(
    seed: int, level: float, apart_hz: float, is_missing: bool
) -> None:
    turns = 2 * np.pi / RATE * np.arange(2 * RATE)
    first = 0.0 if is_missing else level * np.sin(turns * FIRST)
    sound = first + level * np.sin(turns * (FIRST + apart_hz))
    sound = sound + np.random.default_rng(seed).normal(0, 1e-3, (2, len(turns)))
    health = SignalHealth(rate_hz=RATE, microphones=2, carrier_hz=FIRST, second_carrier_hz=FIRST + apart_hz)
    capture = (np.round(sound * 32_767) / 32_768).astype(np.float32)
    health.process(AudioBlock(first_frame=0, rate_hz=RATE, capture=capture, reference=capture[:0]))
    assert health.findings == ()


def test_a_tone_of_half_the_rate_or_more_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a rate above 48000 Hz"):
        CarrierEmitter(carrier_hz=23_500, rate_hz=RATE, level=0.1, second_carrier_hz=24_000)


def test_the_bench_hears_the_same_entries_by_one_tone_and_by_two() -> None:
    rows = two_tones.measure(Batch(part="tones", kind="quiet", first=0, count=1, names=()))
    assert len({row["watcher"] for row in rows}) == len(rows) == 4
    found = two_tones.summary([*rows, {"one": 0.5, "two": None}, {"one": 1.5, "two": 0.9}])
    assert (found["entries"], found["only_one"], found["only_two"]) == (6, 1, 1)


@pytest.mark.parametrize("number", range(4))
def test_the_tones_of_the_bench_may_be_played_together(number: int) -> None:
    scene = entry(number, "quiet").scene
    apart_hz = abs(two_tones.second_carrier_hz(scene) - scene.carrier_hz)
    assert LEAST_APART_HZ <= apart_hz <= MOST_APART_HZ


def test_the_score_interval_is_that_of_wilson() -> None:
    # z^2 / (n + z^2) with n = 10
    assert wilson_interval(0, 10) == pytest.approx((0.0, 0.27753), abs=1e-5)
    assert wilson_interval(10, 10) == pytest.approx((0.72247, 1.0), abs=1e-5)
