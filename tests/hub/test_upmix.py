"""Left, centre and right: nothing lost, and a centre that is one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.spatial.upmix import CentreUpmix

RATE_HZ = 48_000
Sound = NDArray[np.float32]
both_latencies = pytest.mark.parametrize("low_latency", [False, True])


def noise(*shape: int, seed: int = 0) -> Sound:
    return (0.2 * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def tones(seed: int, seconds: float = 2.0) -> Sound:
    """Notes that change a few times a second, so that sources seldom share a frequency."""
    rng = np.random.default_rng(seed)
    step = RATE_HZ // 4
    time = np.arange(step) / RATE_HZ
    notes = [
        sum(np.sin(2 * np.pi * hz * time) for hz in rng.uniform(200, 6_000, 6)) * np.hanning(step)
        for _ in range(round(4 * seconds))
    ]
    return (0.1 * np.concatenate(notes)).astype(np.float32)


def upmixed(stereo: Sound, *, low_latency: bool = False) -> tuple[Sound, Sound]:
    """The three channels without their delay, and the stereo that they belong to."""
    upmix = CentreUpmix(rate_hz=RATE_HZ, low_latency=low_latency)
    return upmix.process(stereo)[:, upmix.latency_frames :], stereo[:, : -upmix.latency_frames]


def over_error_db(wanted: Sound, heard: Sound) -> float:
    return float(10 * np.log10(np.sum(wanted**2) / np.sum((wanted - heard) ** 2)))


@both_latencies
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 99), alike=st.floats(-1, 1), cuts=st.lists(st.integers(0, 9000), max_size=6))
def test_left_and_right_come_back_whole_and_no_cut_is_heard(
    seed: int, alike: float, cuts: list[int], low_latency: bool
) -> None:
    stereo = noise(2, 9000, seed=seed)
    stereo[1] += np.float32(alike) * stereo[0]
    (left, right, centre), given = upmixed(stereo, low_latency=low_latency)
    # the subtraction and the addition round once each
    np.testing.assert_allclose(left + centre, given[0], atol=2e-7)
    np.testing.assert_allclose(right + centre, given[1], atol=2e-7)
    upmix = CentreUpmix(rate_hz=RATE_HZ, low_latency=low_latency)
    pieces = [upmix.process(piece) for piece in np.split(stereo, sorted(cuts), axis=1)]
    np.testing.assert_array_equal(
        np.concatenate(pieces, axis=1)[:, upmix.latency_frames :], [left, right, centre]
    )


@both_latencies
def test_mono_goes_to_the_centre_and_nowhere_else(low_latency: bool) -> None:
    mono = noise(1, 20_000)
    (left, right, centre), given = upmixed(np.repeat(mono, 2, axis=0), low_latency=low_latency)
    np.testing.assert_allclose(centre, given[0], atol=1e-6)
    assert np.abs([left, right]).max() < 1e-6


@both_latencies
def test_one_side_alone_stays_there(low_latency: bool) -> None:
    stereo = np.stack([noise(20_000), np.zeros(20_000, np.float32)])
    (_, _, centre), _ = upmixed(stereo, low_latency=low_latency)
    assert np.abs(centre).max() < 1e-6


@both_latencies
def test_sides_without_a_centre_leave_it_empty(low_latency: bool) -> None:
    stereo = np.stack([tones(1), tones(2)])
    (_, _, centre), given = upmixed(stereo, low_latency=low_latency)
    assert over_error_db(given, given - centre) > 25


@pytest.mark.parametrize(("low_latency", "least_db"), [(False, 11.0), (True, 8.0)])
def test_a_voice_between_two_instruments_is_found(low_latency: bool, least_db: float) -> None:
    voice = tones(3)
    (_, _, centre), _ = upmixed(np.stack([tones(1) + voice, tones(2) + voice]), low_latency=low_latency)
    assert over_error_db(voice[: len(centre)], centre) > least_db


def test_an_instrument_that_is_panned_halfway_is_no_centre() -> None:
    voice, guitar = tones(3), tones(1)
    (_, _, centre), _ = upmixed(np.stack([voice + 0.95 * guitar, voice + 0.31 * guitar]))
    assert over_error_db(voice[: len(centre)], centre) > 12


def test_what_is_in_opposite_phase_stays_at_the_sides() -> None:
    wide = noise(20_000)
    (_, _, centre), _ = upmixed(np.stack([wide, -wide]))
    assert np.abs(centre).max() < 1e-6


@pytest.mark.parametrize(("low_latency", "most_seconds"), [(False, 0.045), (True, 0.011)])
def test_the_latency_is_what_films_and_music_can_bear(low_latency: bool, most_seconds: float) -> None:
    for rate_hz in (44_100, 48_000, 96_000, 192_000):
        assert (
            CentreUpmix(rate_hz=rate_hz, low_latency=low_latency).latency_frames / rate_hz
            < 1.1 * most_seconds
        )
