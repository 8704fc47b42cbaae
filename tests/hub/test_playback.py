"""Playback: the limiter, the mix, the carrier and the voice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.demo.journey import DIRECTORY
from hub.playback.limiter import Limiter
from hub.playback.mixer import Mixer
from hub.playback.text_to_speech import speak
from hub.spatial.filter_design import SpatialFilters, design_filters
from hub.spatial.layout import load_layout
from hub.spatial.renderer import SpatialRenderer
from sensing.ultrasound.emitter import CarrierEmitter

RATE_HZ = 48_000


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 999), st.floats(0.01, 20), st.floats(0.3, 1), st.lists(st.integers(0, 3000), max_size=6)
)
def test_the_limiter_never_passes_its_ceiling_however_cut(
    seed: int, loudness: float, ceiling: float, cuts: list[int]
) -> None:
    sound = (loudness * np.random.default_rng(seed).standard_normal((2, 3000))).astype(np.float32)
    limiter = Limiter(rate_hz=RATE_HZ, channels=2, ceiling=ceiling)
    whole = limiter.process(sound)
    assert np.abs(whole).max() <= ceiling
    limiter.reset()
    pieces = [limiter.process(piece) for piece in np.split(sound, sorted(cuts), axis=1)]
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, atol=1e-6)


def test_quiet_sound_passes_the_limiter_untouched() -> None:
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 2000)).astype(np.float32)  # twice that between
    limiter = Limiter(rate_hz=RATE_HZ, channels=1)
    late = limiter.latency_frames
    np.testing.assert_array_equal(limiter.process(sound)[:, late:], sound[:, :-late])


@settings(max_examples=10, deadline=None)
@given(st.floats(0.1, 30), st.integers(1, 4), st.floats(0, 0.25))
def test_the_mix_never_clips(loudness: float, sounds: int, level: float) -> None:
    emitter = CarrierEmitter(carrier_hz=20_000, rate_hz=RATE_HZ, level=level)
    emitter.start()
    mixer = Mixer(rate_hz=RATE_HZ, speakers=2, emitter=emitter)
    for seed in range(sounds):
        sound = loudness * np.random.default_rng(seed).standard_normal((2, 4800))
        mixer.play(sound.astype(np.float32))
    assert max(np.abs(mixer.next_block(480)).max() for _ in range(15)) <= 1


@pytest.fixture(scope="module")
def filters() -> SpatialFilters:
    return design_filters(load_layout(DIRECTORY / "speakers.yaml"))


@pytest.mark.parametrize("loudness", [0.05, 1.0, 20.0])
def test_spatial_sound_and_carrier_together_never_clip_and_the_carrier_keeps_its_level(
    filters: SpatialFilters, loudness: float
) -> None:
    emitter = CarrierEmitter(carrier_hz=20_000, rate_hz=RATE_HZ, level=0.1)
    emitter.start()
    renderer = SpatialRenderer(filters, RATE_HZ)
    mixer = Mixer(rate_hz=RATE_HZ, speakers=2, renderer=renderer, emitter=emitter)
    mixer.play((loudness * np.random.default_rng(1).standard_normal((2, RATE_HZ))).astype(np.float32))
    played = np.concatenate([mixer.next_block(480) for _ in range(100)], axis=1)
    assert np.abs(played).max() <= 1
    steady = played[0, RATE_HZ // 4 : 3 * RATE_HZ // 4]
    tone = np.exp(-2j * np.pi * 20_000 / RATE_HZ * np.arange(len(steady)))
    # The limiter may leave 1 % of what it takes from the music at the carrier's frequency.
    assert 2 * abs(np.mean(steady * tone)) == pytest.approx(0.1, rel=0.03)
    music = played[1, RATE_HZ // 4 : 3 * RATE_HZ // 4]
    assert np.sqrt(np.mean(music**2)) > 0.3 * min(loudness, 0.3)


def test_music_leaves_the_carrier_alone() -> None:
    levels = []
    for loudness in (0.0, 3.0):
        emitter = CarrierEmitter(carrier_hz=20_000, rate_hz=RATE_HZ, level=0.1)
        emitter.start()
        mixer = Mixer(rate_hz=RATE_HZ, speakers=2, emitter=emitter)
        music = loudness * np.random.default_rng(1).standard_normal((2, 96_000))
        mixer.play(music.astype(np.float32))
        played = np.concatenate([mixer.next_block(480) for _ in range(180)], axis=1)[0, 9600:]
        tone = np.exp(-2j * np.pi * 20_000 / RATE_HZ * np.arange(len(played)))
        levels.append(20 * np.log10(np.abs(np.mean(played * tone))))
    assert abs(levels[1] - levels[0]) < 0.1


def test_a_stopped_sound_ends_once_and_fades() -> None:
    ended: list[str] = []
    mixer = Mixer(rate_hz=RATE_HZ, speakers=1)
    number = mixer.play(np.full((1, 48_000), 0.5, np.float32), on_end=lambda: ended.append("end"))
    first = mixer.next_block(4800)
    mixer.stop(number)
    rest = np.concatenate([first, mixer.next_block(2400)], axis=1)
    mixer.stop(number)
    assert ended == ["end"]
    assert np.abs(np.diff(rest)).max() < 0.01
    assert not mixer.next_block(4800).any()


def test_the_voice_speaks_for_a_plausible_time() -> None:
    speech = speak("the kitchen light is on", RATE_HZ)
    assert 0.8 < speech.shape[1] / RATE_HZ < 3
    assert 0.02 < speech.std() < 0.4
    power = np.abs(np.fft.rfft(speech[0])) ** 2
    below_5_khz = power[: int(5000 * speech.shape[1] / RATE_HZ)].sum()
    assert below_5_khz > 0.8 * power.sum()
    assert speak("on", RATE_HZ).shape[1] < speech.shape[1]
