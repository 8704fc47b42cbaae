"""The asynchronous rate converter: what passes, what it adds, and that it can be steered."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.sync.limits import LARGEST_CORRECTION, LARGEST_SLEW_PER_SECOND
from hub.sync.rate_converter import TAPS, RateConverter
from hub.sync.steering import Steering

RATE_HZ = 48_000
Numbers = NDArray[np.float64]


def tone(hz: float, instants: Numbers) -> Numbers:
    return np.sin(2 * np.pi * hz / RATE_HZ * instants)


def converted_tone(hz: float, instants: Numbers) -> Numbers:
    """What comes out at ``instants`` where a tone goes in."""
    samples = tone(hz, np.arange(round(instants[-1]) + TAPS))[np.newaxis].astype(np.float32)
    return RateConverter().process(samples, instants)[0].astype(np.float64)


def level_db(signal: Numbers) -> float:
    return 20 * np.log10(np.sqrt(np.mean(signal**2)) * np.sqrt(2))


@pytest.mark.parametrize("ppm", [-500, -37, 500])
@pytest.mark.parametrize("hz", [100, 1000, 8000, 16_000, 20_000, 21_700])
def test_a_tone_below_the_transition_band_comes_out_as_it_is(hz: float, ppm: float) -> None:
    instants = TAPS + np.arange(20_000) * (1 + ppm * 1e-6)
    # aliases, ripple and the table's steps together; the band's very edge has -91
    assert level_db(converted_tone(hz, instants) - tone(hz, instants)) < -90


def test_a_ratio_that_changes_all_the_time_adds_nothing() -> None:
    rates = 1 + 5e-4 * np.sin(2 * np.pi * np.arange(20_000) / 4000)
    instants = TAPS + np.cumsum(rates)
    assert level_db(converted_tone(10_000, instants) - tone(10_000, instants)) < -92


def test_what_lies_above_the_new_rate_does_not_fold_back() -> None:
    ratio = 48_000 / 32_000
    converter = RateConverter(ratio)
    samples = tone(18_400, np.arange(30_000))[np.newaxis].astype(np.float32)
    below = tone(12_000, np.arange(30_000))[np.newaxis].astype(np.float32)
    instants = TAPS + np.arange(19_000) * ratio
    assert level_db(converter.process(samples, instants)[0].astype(np.float64)) < -85
    assert level_db(converter.process(below, instants)[0].astype(np.float64)) == pytest.approx(0, abs=0.1)


@given(cuts=st.lists(st.integers(1, 999), max_size=5), start=st.floats(TAPS, TAPS + 1))
@settings(max_examples=30, deadline=None)
def test_it_does_not_matter_how_the_instants_are_cut(cuts: list[int], start: float) -> None:
    samples = np.random.default_rng(1).standard_normal((2, 1300)).astype(np.float32)
    instants = start + np.arange(1000) * 1.0003
    converter = RateConverter()
    pieces = [converter.process(samples, piece) for piece in np.split(instants, sorted(cuts))]
    # einsum may sum in another order for another length
    np.testing.assert_allclose(
        np.concatenate(pieces, axis=1), converter.process(samples, instants), atol=1e-5
    )


def test_instants_beyond_the_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="do not reach"):
        RateConverter().process(np.zeros((1, 100), np.float32), np.array([80.0]))


@given(errors=st.lists(st.floats(-1, 1), min_size=2, max_size=60), drift=st.floats(-1e-3, 1e-3))
def test_steering_stays_within_its_limits(errors: list[float], drift: float) -> None:
    steering, last = Steering(), 1.0
    for error in errors:
        ratio = steering.step(error_seconds=error, drift=drift, elapsed_seconds=0.01)
        assert abs(ratio - 1) <= LARGEST_CORRECTION * (1 + 1e-9)
        assert abs(ratio - last) <= LARGEST_SLEW_PER_SECOND * 0.01 * (1 + 1e-6)
        last = ratio


def test_an_error_is_played_away_without_overshoot() -> None:
    steering, error, errors = Steering(), 1e-3, []
    for _ in range(1500):
        ratio = steering.step(error_seconds=error, drift=40e-6, elapsed_seconds=0.01)
        error -= 0.01 * (ratio - 1 - 40e-6)
        errors.append(error)
    assert abs(errors[-1]) < 2e-5
    # the limit of the slew lets it swing through by a little
    assert min(errors) > -2e-4
