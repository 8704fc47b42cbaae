"""When the tone sounds, how it sounds, and how the sensor knows."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import get_window

from hub.playback.mixer import Mixer
from sensing.audio_block import AudioBlock, Block
from sensing.simulation.renderer import RoomRenderer
from sensing.simulation.scene import Scene
from sensing.ultrasound.demodulator import Demodulator
from sensing.ultrasound.emission_plan import (
    BLINK_ON_SECONDS,
    LEAST_SECONDS,
    REST_SECONDS,
    EmissionPlan,
    EmissionStep,
    Power,
)
from sensing.ultrasound.emission_watch import SETTLE_SECONDS, EmissionWatch
from sensing.ultrasound.emitter import MAX_LEVEL, CarrierEmitter

RATE = 48_000
CARRIER = 20_500.0
BLOCK = RATE // 100
POWERS: tuple[Power, ...] = ("full", "balanced", "low")
QUIET_DB = -60.0

switches = st.lists(st.tuples(st.integers(1, 4_000), st.booleans()), min_size=1, max_size=12)
"""Frames until the next change and what it is to: much faster than any plan."""


def steps(
    plan: EmissionPlan, seconds: float, *, entry: float | None = None, motions: tuple[float, ...] = ()
) -> list[EmissionStep]:
    """Return a step each 10 ms; somebody comes at ``entry`` and stays."""
    found = []
    for frame in range(0, round(seconds * RATE), BLOCK):
        now = frame / RATE
        moved = [round(at * RATE) for at in motions if at <= now]
        found.append(
            plan.step(
                frame,
                is_present=entry is not None and now >= entry,
                motion_frame=max(moved, default=None),
            )
        )
    return found


def duty(found: list[EmissionStep]) -> float:
    return sum(step.is_on for step in found) / len(found)


def switched(changes: list[tuple[int, bool]], *, carrier_hz: float = CARRIER) -> NDArray[np.float32]:
    emitter = CarrierEmitter(carrier_hz=carrier_hz, rate_hz=RATE, level=0.1)
    parts = []
    for frames, is_on in changes:
        emitter.start() if is_on else emitter.stop()
        parts.append(emitter.process(frames))
    emitter.stop()
    parts.append(emitter.process(RATE // 4))
    return np.concatenate(parts)


def audible_db(sound: NDArray[np.float32], tone_peak: float) -> float:
    """Return the loudest bin below 18 kHz of any 43 ms, in dB relative to the tone: a click is short."""
    window = get_window("blackmanharris", 2_048)
    pieces = np.lib.stride_tricks.sliding_window_view(sound, len(window))[:: len(window) // 8]
    spectra = np.abs(np.fft.rfft(pieces * window, axis=1)) * 2 / window.sum()
    below = spectra[:, np.fft.rfftfreq(len(window), 1 / RATE) < 18_000]
    return float(20 * np.log10(max(below.max(), 1e-12) / tone_peak))


@pytest.mark.parametrize("power", POWERS)
def test_nothing_sounds_until_it_is_allowed_and_forbidding_works_at_once(power: Power) -> None:
    plan = EmissionPlan(rate_hz=RATE, power=power)
    assert {step.state for step in steps(plan, 1.0)} == {"forbidden"}
    plan.allow(True)
    assert plan.step(RATE, is_present=False, motion_frame=None).is_on
    plan.allow(False)
    step = plan.step(RATE + BLOCK, is_present=False, motion_frame=None)
    assert (step.is_on, step.words) == (False, "muted: the tone is not allowed")


def test_the_tone_rests_after_an_entry_then_looks_now_and_then() -> None:
    moving = tuple(float(second) for second in range(1, 300, 20))
    plan = EmissionPlan(rate_hz=RATE, is_allowed=True)
    found = steps(plan, 300.0, entry=1.0, motions=moving)
    assert all(step.is_on for step in found[:100])
    rest = found[100 : 100 + round(REST_SECONDS * 100)]
    assert {(step.is_on, step.state) for step in rest} == {(False, "resting")}
    after = found[100 + len(rest) :]
    assert {step.state for step in after} == {"sparse"}
    assert duty(after) == pytest.approx(1 / 3, abs=0.01)


def test_before_somebody_counts_as_gone_all_is_heard() -> None:
    plan = EmissionPlan(rate_hz=RATE, is_allowed=True)
    found = steps(plan, 200.0, entry=0.0, motions=(40.0, 60.0))
    assert {step.state for step in found[15_100:]} == {"checking"}
    assert all(step.is_on for step in found[15_100:])


def test_full_power_never_rests_and_low_power_blinks_and_looks_closer_when_something_stirs() -> None:
    assert duty(steps(EmissionPlan(rate_hz=RATE, power="full", is_allowed=True), 60.0, entry=5.0)) == 1.0
    plan = EmissionPlan(rate_hz=RATE, power="low", is_allowed=True)
    assert duty(steps(plan, 60.0)) == pytest.approx(BLINK_ON_SECONDS, abs=0.01)
    frame = 60 * RATE + round(0.3 * RATE)
    assert plan.step(frame, is_present=False, motion_frame=None, is_stirring=True).state == "looking"
    on = [plan.step(frame + n * BLOCK, is_present=False, motion_frame=None).is_on for n in range(150)]
    assert all(on)


@settings(max_examples=50, deadline=None)
@given(
    power=st.sampled_from(POWERS),
    life=st.lists(
        st.tuples(st.integers(1, 400), st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=20
    ),
)
def test_no_change_comes_before_the_ramp_of_the_last_but_forbidding(
    power: Power, life: list[tuple[int, bool, bool, bool]]
) -> None:
    plan = EmissionPlan(rate_hz=RATE, power=power, is_allowed=True)
    frame, changed_at, was_on = 0, -RATE, False
    moved: int | None = None
    for blocks, is_present, is_moving, is_allowed in life:
        plan.allow(is_allowed)
        for _ in range(blocks):
            moved = frame if is_moving else moved
            step = plan.step(frame, is_present=is_present, motion_frame=moved, is_stirring=is_moving)
            assert not (step.is_on and not is_allowed)
            assert step.words.startswith(step.state if is_allowed else "muted")
            if step.is_on != was_on:
                assert frame - changed_at >= LEAST_SECONDS * RATE or step.state == "forbidden"
                was_on, changed_at = step.is_on, frame
            frame += BLOCK


@settings(max_examples=60, deadline=None)
@given(changes=switches, carrier_hz=st.sampled_from([19_000.0, 20_000.0, 20_500.0, 22_900.0]))
def test_no_pattern_of_switching_is_audible_or_above_the_level(
    changes: list[tuple[int, bool]], carrier_hz: float
) -> None:
    sound = switched(changes, carrier_hz=carrier_hz)
    assert audible_db(sound, 0.1) < QUIET_DB
    assert np.abs(sound).max() <= 0.1 + 1e-7
    assert not sound[-RATE // 8 :].any()


@settings(max_examples=30, deadline=None)
@given(changes=switches)
def test_the_tone_keeps_its_phase_through_rests(changes: list[tuple[int, bool]]) -> None:
    emitter = CarrierEmitter(carrier_hz=CARRIER, rate_hz=RATE, level=0.1)
    for frames, is_on in changes:
        emitter.start() if is_on else emitter.stop()
        emitter.process(frames)
    at = sum(frames for frames, _ in changes)
    emitter.start()
    tone = emitter.process(RATE // 10)[RATE // 20 :]
    expected = 0.1 * np.sin(2 * np.pi * CARRIER / RATE * (at + RATE // 20 + np.arange(len(tone))))
    np.testing.assert_allclose(tone, expected, atol=1e-6)


@given(level=st.floats(0, 2))
def test_no_configuration_makes_it_louder_than_the_cap(level: float) -> None:
    emitter = CarrierEmitter(carrier_hz=CARRIER, rate_hz=RATE, level=level)
    assert not emitter.process(480).any()
    emitter.start()
    assert np.abs(emitter.process(4_800)).max() <= min(level, MAX_LEVEL) + 1e-7


@settings(max_examples=10, deadline=None)
@given(changes=switches, seed=st.integers(0, 1_000))
def test_with_music_at_full_scale_the_sum_never_clips_and_the_music_stays_below_the_tone(
    changes: list[tuple[int, bool]], seed: int
) -> None:
    emitter = CarrierEmitter(carrier_hz=CARRIER, rate_hz=RATE, level=MAX_LEVEL)
    mixer = Mixer(rate_hz=RATE, speakers=2, emitter=emitter)
    music = np.random.default_rng(seed).uniform(-1, 1, (2, RATE)).astype(np.float32)
    mixer.play(music)
    played = [mixer.next_block(4_800)]
    for frames, is_on in changes:
        emitter.start() if is_on else emitter.stop()
        played.append(mixer.next_block(min(frames, 2_000)))
    whole = np.concatenate(played, axis=1)
    assert np.abs(whole).max() <= 1
    # speaker 1 has no tone: what it has near the carrier is what the guard lets through and the limiter makes
    window = np.hanning(whole.shape[1])
    spectrum = np.abs(np.fft.rfft(whole[1] * window))
    hz = np.fft.rfftfreq(whole.shape[1], 1 / RATE)
    near, below = spectrum[np.abs(hz - CARRIER) < 500], spectrum[(hz > 1_000) & (hz < 15_000)]
    assert 20 * np.log10(np.sqrt(np.mean(near**2) / np.mean(below**2))) < -35


@given(start=st.integers(0, 3 * RATE))
@settings(max_examples=50, deadline=None)
def test_at_low_power_an_entry_is_looked_at_within_1_1_seconds_and_then_all_the_time(start: int) -> None:
    plan = EmissionPlan(rate_hz=RATE, power="low", is_allowed=True)
    ringing = round((0.03 + SETTLE_SECONDS + 0.025 + 0.128) * RATE)
    rung = 0
    seen: list[bool] = []
    is_stirring = False
    for frame in range(0, start + 3 * RATE, BLOCK):
        step = plan.step(frame, is_present=False, motion_frame=None, is_stirring=is_stirring)
        rung = rung + BLOCK if step.is_on else 0
        is_stirring = rung >= ringing and frame >= start
        seen += [rung >= ringing] if frame >= start else []
    first = seen.index(True)
    assert first * BLOCK <= 1.1 * RATE
    assert all(seen[first:])


def test_what_may_be_judged_between_rests_looks_as_if_the_tone_had_never_rested() -> None:
    blinks = [(round(0.45 * RATE), True), (round(0.55 * RATE), False)] * 4
    played, steady = switched(blinks), switched([(4 * RATE, True)])
    spectra = []
    for sound in (played, steady):
        room = RoomRenderer(Scene(rate_hz=RATE, seconds=5, noise_dbfs=-110), CARRIER)
        capture = room.render(0, sound[None])
        demodulator = Demodulator(carrier_hz=CARRIER, rate_hz=RATE, microphones=2)
        spectra.append((demodulator.process(capture), capture))
    watch = watched(played, spectra[0][1])
    factor, past = demodulator.factor, 2 * demodulator.latency_frames
    window = get_window("blackman", 128)
    judged = 0
    for first in range(0, 3_800, 10):
        if not watch.is_usable(first * factor - past, (first + 128) * factor):
            continue
        judged += 1
        resting, always = (
            np.abs(np.fft.fft((part - part.mean()) * window))[2:-1]
            for part in (baseband[0, first : first + 128] for baseband, _ in spectra)
        )
        # the noise of both is the same; what differs is what switching leaves
        np.testing.assert_allclose(resting, always, atol=0.02 * always.max())
    assert judged > 4


def heard(played: NDArray[np.float32], *, lag: int, seed: int = 1) -> Block:
    """Return the tone a lag later, with a little noise, shape ``(2, frames)``."""
    late = np.concatenate([np.zeros(lag, np.float32), played])[: len(played)]
    noise = np.random.default_rng(seed).normal(0, 1e-4, (2, len(played)))
    sound: Block = (0.3 * late + noise).astype(np.float32)
    return sound


def watched(played: NDArray[np.float32], capture: Block, cuts: list[int] | None = None) -> EmissionWatch:
    watch = EmissionWatch(rate_hz=RATE, carrier_hz=CARRIER)
    edges = [0, *(cuts or range(BLOCK, len(played), BLOCK)), len(played)]
    for first, end in pairwise(edges):
        watch.process(
            AudioBlock(
                first_frame=first,
                rate_hz=RATE,
                capture=capture[:, first:end],
                reference=played[None, first:end],
            )
        )
    return watch


PATTERN = [(RATE, False), (RATE, True), (RATE, False), (RATE, True)]


@settings(max_examples=15, deadline=None)
@given(lag=st.integers(0, RATE // 3), cuts=st.lists(st.integers(1, 4 * RATE), max_size=6, unique=True))
def test_the_watch_knows_when_the_tone_is_in_the_room_however_the_stream_is_cut(
    lag: int, cuts: list[int]
) -> None:
    played = switched(PATTERN)
    watch = watched(played, heard(played, lag=lag), sorted(cuts) or None)
    assert watch.lag_frames is not None
    assert watch.lag_frames == pytest.approx(lag, abs=0.02 * RATE)  # half a ramp and a cell
    window = round(0.128 * RATE)
    settle = round(SETTLE_SECONDS * RATE)
    on = RATE + watch.lag_frames
    assert not watch.is_usable(0, window)
    assert not watch.is_usable(on + settle - BLOCK, on + settle - BLOCK + window)
    ramped = on + settle + round(0.05 * RATE)
    assert watch.is_usable(ramped, ramped + window)
    assert not watch.is_usable(2 * RATE + lag - window // 2, 2 * RATE + lag + window // 2)
    assert watch.is_usable(3 * RATE + ramped - RATE, 3 * RATE + ramped - RATE + window)


def test_a_blink_holds_one_window_even_if_hops_begin_late() -> None:
    played = switched([(RATE, True), (RATE, False), (round(BLINK_ON_SECONDS * RATE), True), (RATE, False)])
    watch = watched(played, heard(played, lag=1_000))
    fir, window, hop = round(0.025 * RATE), round(0.128 * RATE), round(0.05 * RATE)
    starts = range(2 * RATE, 4 * RATE, BLOCK // 10)
    usable = [start for start in starts if watch.is_usable(start - fir, start + window)]
    assert usable[-1] - usable[0] + BLOCK // 10 >= hop


def test_before_the_lag_was_heard_the_longest_is_assumed() -> None:
    played = switched([(RATE, False), (2 * RATE, True)])
    silent = np.random.default_rng(1).normal(0, 1e-5, (1, len(played))).astype(np.float32)
    watch = watched(played, silent)
    assert watch.lag_frames is None
    assert not watch.is_usable(round(1.6 * RATE), round(1.7 * RATE))
    assert watch.is_usable(round(1.8 * RATE), round(1.9 * RATE))


def test_where_nobody_knows_what_was_played_all_is_usable() -> None:
    watch = EmissionWatch(rate_hz=RATE, carrier_hz=CARRIER)
    sound = np.zeros((1, RATE), np.float32)
    watch.process(AudioBlock(first_frame=0, rate_hz=RATE, capture=sound, reference=sound[:0]))
    assert watch.is_usable(0, RATE)
    watch.process(AudioBlock(first_frame=RATE, rate_hz=RATE, capture=sound, reference=sound))
    assert watch.is_usable(RATE, 2 * RATE)


def test_music_is_no_tone() -> None:
    emitter = CarrierEmitter(carrier_hz=CARRIER, rate_hz=RATE, level=0.1)
    mixer = Mixer(rate_hz=RATE, speakers=1, emitter=emitter)
    mixer.play(np.random.default_rng(1).uniform(-1, 1, (1, 2 * RATE)).astype(np.float32))
    played = mixer.next_block(2 * RATE)[0]
    watch = watched(played, heard(played, lag=0))
    assert not watch.is_on
    assert not watch.is_known


@settings(max_examples=30, deadline=None)
@given(starts=st.lists(st.integers(0, 2 * RATE - 200), max_size=20), width=st.integers(1, 200))
def test_holes_in_the_music_are_no_tone(starts: list[int], width: int) -> None:
    played = np.random.default_rng(2).uniform(-0.2, 0.2, 2 * RATE)
    played = np.asarray(np.convolve(played, np.ones(16) / 16, "same"), np.float32)
    for start in starts:
        played[start : start + width] = 0
    watch = watched(played, heard(played, lag=0))
    assert not watch.is_known
    assert watch.is_usable(RATE, 2 * RATE)
