"""The renderer while it plays: other filters, the bypass, and no click; and the limiter behind it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import signal

from hub.playback.limiter import Limiter
from hub.spatial.filter_design import SpatialFilters
from hub.spatial.renderer import SpatialRenderer, departure_frames

RATE_HZ = 48_000
TAPS = 512
FADE_FRAMES = 1024
Sound = NDArray[np.float32]


def filters(seed: int = 0, drivers: int = 3) -> SpatialFilters:
    """Filters as a design makes them: a main tap at time zero and something that fades around it."""
    rng = np.random.default_rng(seed)
    late = np.arange(TAPS) - TAPS // 2
    made = 0.05 * rng.standard_normal((3, drivers, TAPS)) * np.exp(-np.abs(late) / 20)
    for side, driver in enumerate((0, drivers - 1, 1)):
        made[side, driver, TAPS // 2] += 1
    return SpatialFilters(
        filters=made.astype(np.float32),
        cancellers=made[:2].astype(np.float32),
        rate_hz=RATE_HZ,
        delay_frames=TAPS // 2,
    )


def sine(frames: int, hz: float = 200.0) -> Sound:
    wave = 0.5 * np.sin(2 * np.pi * hz / RATE_HZ * np.arange(frames))
    return np.stack([wave, 0.3 * np.roll(wave, 60)]).astype(np.float32)


def bends(sound: Sound) -> float:
    """The largest second difference: a step or a kink stands out of a slow sine."""
    return float(np.abs(np.diff(sound, 2, axis=1)).max())


@settings(max_examples=10, deadline=None)
@given(st.booleans(), st.lists(st.integers(0, 9000), max_size=8))
def test_rendering_does_not_depend_on_how_the_sound_is_cut(low_latency: bool, cuts: list[int]) -> None:
    renderer = SpatialRenderer(filters(), RATE_HZ, low_latency=low_latency)
    stereo = np.random.default_rng(0).standard_normal((2, 9000)).astype(np.float32)
    whole = renderer.process(stereo)
    renderer.reset()
    pieces = [renderer.process(piece) for piece in np.split(stereo, sorted(cuts), axis=1)]
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole)


def switched(renderer: SpatialRenderer, *, other: SpatialFilters | None) -> tuple[Sound, int]:
    """Play a sine, switch in the middle to other filters or to the bypass, and say at which frame."""
    stereo = sine(30_000)
    before = renderer.process(stereo[:, :15_000])
    if other is None:
        renderer.bypass(on=True)
    else:
        renderer.set_filters(other)
    return np.concatenate([before, renderer.process(stereo[:, 15_000:])], axis=1), 15_000


@pytest.mark.parametrize("other", [None, filters(7)])
def test_a_switch_while_a_tone_plays_makes_no_click(other: SpatialFilters | None) -> None:
    played, at = switched(SpatialRenderer(filters(), RATE_HZ), other=other)
    settled = at + FADE_FRAMES + 2 * 256
    steady = max(bends(played[:, 8_000:at]), bends(played[:, settled:]))
    # a straight fade adds four slopes of the tone over its length, and a kink at both ends
    slope = np.abs(np.diff(played[:, 8_000:], axis=1)).max()
    assert bends(played[:, at - 600 : settled]) <= steady + 4 * slope / FADE_FRAMES + 1 / FADE_FRAMES
    assert np.abs(played[:, settled:]).max() > 0.1


def test_a_hard_switch_would_be_heard_by_that_measure() -> None:
    one, other = SpatialRenderer(filters(), RATE_HZ), SpatialRenderer(filters(7), RATE_HZ)
    other.bypass(on=True)
    first, second = one.process(sine(30_000)), other.process(sine(30_000))
    cut = 15_050
    joined = np.concatenate([first[:, :cut], second[:, cut:]], axis=1)
    assert bends(joined[:, 8_000:]) > max(bends(first[:, 8_000:]), bends(second[:, 8_000:])) + 0.01


def test_after_the_fade_it_plays_as_if_it_had_always_had_the_new_filters() -> None:
    played, at = switched(SpatialRenderer(filters(), RATE_HZ), other=filters(7))
    fresh = SpatialRenderer(filters(7), RATE_HZ).process(sine(30_000))
    settled = at + FADE_FRAMES + 2 * 256
    np.testing.assert_allclose(played[:, settled:], fresh[:, settled:], atol=1e-6)


def test_bypass_plays_plain_stereo_with_the_same_latency() -> None:
    stereo = np.random.default_rng(0).standard_normal((2, 20_000)).astype(np.float32)
    renderer = SpatialRenderer(filters(), RATE_HZ)
    renderer.bypass(on=True)
    renderer.reset()
    played, late = renderer.process(stereo), renderer.latency_frames
    assert renderer.is_bypassed
    np.testing.assert_allclose(played[0, late:], stereo[0, :-late], atol=1e-5)
    np.testing.assert_allclose(played[2, late:], stereo[1, :-late], atol=1e-5)
    assert np.abs(played[1]).max() < 1e-6


def test_new_filters_wait_while_bypassed() -> None:
    renderer = SpatialRenderer(filters(), RATE_HZ)
    renderer.bypass(on=True)
    renderer.set_filters(filters(7))
    renderer.reset()
    assert np.abs(renderer.process(sine(9_000))[1]).max() < 1e-6
    renderer.bypass(on=False)
    renderer.reset()
    fresh = SpatialRenderer(filters(7), RATE_HZ)
    np.testing.assert_array_equal(renderer.process(sine(9_000)), fresh.process(sine(9_000)))


@pytest.mark.parametrize(
    "other", [filters(drivers=4), replace(filters(), rate_hz=96_000), replace(filters(), delay_frames=100)]
)
def test_filters_that_would_jump_are_refused(other: SpatialFilters) -> None:
    with pytest.raises(ValueError, match="cannot follow"):
        SpatialRenderer(filters(), RATE_HZ).set_filters(other)


def test_departure_is_found_to_a_fraction_of_a_frame() -> None:
    made = filters()
    late = np.arange(TAPS) - TAPS // 2
    made.filters[2, 1] = np.sinc(late - 3.25) * np.hanning(TAPS)
    np.testing.assert_allclose(departure_frames(made), [0, 0, 3.25], atol=0.07)


def finer(sound: Sound) -> NDArray[np.float64]:
    return np.asarray(signal.resample_poly(sound.astype(float), 16, 1, axis=1))


@settings(max_examples=20, deadline=None)
@given(st.floats(30, 15_000), st.floats(0, 6.28), st.floats(0.2, 8), st.floats(0.3, 1))
def test_no_tone_passes_the_ceiling_between_two_samples(
    hz: float, phase: float, level: float, ceiling: float
) -> None:
    tone = level * np.sin(2 * np.pi * hz / RATE_HZ * np.arange(6_000) + phase)[None].astype(np.float32)
    played = Limiter(rate_hz=RATE_HZ, channels=1, ceiling=ceiling).process(tone)
    # four points a frame may miss 1 % of a peak at 15 kHz; the start of the tone is no tone
    assert np.abs(finer(played)[:, 32_000:-1_000]).max() <= 1.02 * ceiling


def test_a_quarter_rate_tone_whose_samples_miss_its_peaks_is_turned_down() -> None:
    tone = 1.2 * np.sin(np.pi / 2 * np.arange(4_000) + np.pi / 4)[None].astype(np.float32)
    assert np.abs(tone).max() < 0.86
    played = Limiter(rate_hz=RATE_HZ, channels=1).process(tone)
    assert np.abs(finer(played)[:, 16_000:48_000]).max() == pytest.approx(1.0, abs=0.01)


@settings(max_examples=10, deadline=None)
@given(st.floats(1.5, 30), st.integers(200, 3_000))
def test_the_limiter_turns_down_before_a_sudden_peak_without_a_click(loudness: float, at: int) -> None:
    limiter = Limiter(rate_hz=RATE_HZ, channels=1)
    quiet = np.full((1, 6_000), 0.01, np.float32)
    quiet[0, at] = loudness
    shape = limiter.process(quiet)[0, limiter.latency_frames :] / 0.01
    steps_db = np.abs(np.diff(20 * np.log10(np.maximum(np.delete(shape, at), 1e-9))))
    # all of the attenuation over the look-ahead, in equal steps
    assert steps_db.max() <= 20 * np.log10(loudness) / 66 + 0.05
