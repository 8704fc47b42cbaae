from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from sensing.simulation.room_response import room_responses
from sensing.speech.talker_direction import SURE, TalkerAzimuth, TalkerDirection

RATE_HZ = 16_000
PAIR = np.array([[-0.05, 0.0, 0.0], [0.05, 0.0, 0.0]])
SQUARE = 0.035 * np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], float)
ROOM = np.array([5.0, 4.0, 2.6])
DEVICE = np.array([2.4, 3.2, 1.0])


def voice(seed: int = 0, seconds: float = 2.0) -> NDArray[np.float64]:
    """Noise that starts and ends like syllables, four a second."""
    random = np.random.default_rng(abs(seed))
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    syllables: NDArray[np.float64] = np.maximum(np.sin(2 * np.pi * 4 * times), 0) ** 2
    return random.standard_normal(len(times)) * syllables


def heard(
    azimuth_degrees: float,
    *,
    microphones: NDArray[np.float64] = PAIR,
    distance_m: float = 1.5,
    decay_seconds: float = 0.4,
    snr_db: float = 10.0,
    seed: int = 0,
) -> NDArray[np.float32]:
    angle = np.radians(azimuth_degrees)
    talker = DEVICE + distance_m * np.array([np.sin(angle), -np.cos(angle), 0])
    responses = room_responses(
        talker,
        DEVICE + microphones,
        size_m=ROOM,
        decay_seconds=decay_seconds,
        rate_hz=RATE_HZ,
        seconds=0.2,
    )
    speech = fftconvolve(voice(seed)[None], responses, axes=1)
    noise = np.random.default_rng(abs(seed) + 1).standard_normal(speech.shape)
    both = speech + noise * np.sqrt((speech**2).mean()) * 10 ** (-snr_db / 20)
    return np.asarray(both, np.float32)


def found(
    sound: NDArray[np.float32], microphones: NDArray[np.float64] = PAIR, rate_hz: int = RATE_HZ
) -> TalkerAzimuth:
    answer = TalkerDirection(microphones, rate_hz).process(sound)
    assert answer is not None
    return answer


def test_talkers_in_a_room_are_found() -> None:
    azimuths = [-60, -40, -20, -5, 10, 30, 50]
    answers = [found(heard(azimuth, seed=azimuth)) for azimuth in azimuths]
    off = [abs(answer.azimuth_degrees - azimuth) for answer, azimuth in zip(answers, azimuths, strict=True)]
    # the aim at 10 dB; single rooms with strong early walls lie beyond
    assert np.median(off) <= 3
    assert max(off) <= 10
    assert all(SURE <= answer.confidence <= 1 for answer in answers)


@settings(max_examples=8, deadline=None)
@given(st.floats(-60, 60))
def test_without_walls_and_noise_the_azimuth_is_exact(azimuth_degrees: float) -> None:
    sound = heard(azimuth_degrees, decay_seconds=0, snr_db=40)
    assert found(sound).azimuth_degrees == pytest.approx(azimuth_degrees, abs=1.0)


def test_the_listeners_right_is_positive() -> None:
    assert found(heard(40)).azimuth_degrees > 30
    assert found(heard(-40)).azimuth_degrees < -30


def test_two_microphones_take_a_talker_behind_for_the_mirror_image() -> None:
    assert found(heard(150, decay_seconds=0, distance_m=0.7)).azimuth_degrees == pytest.approx(30, abs=2)


def test_a_square_of_microphones_knows_front_from_back() -> None:
    sound = heard(150, microphones=SQUARE, distance_m=0.7)
    assert found(sound, SQUARE).azimuth_degrees == pytest.approx(150, abs=8)


@settings(max_examples=6, deadline=None)
@given(st.lists(st.integers(0, 32_000), max_size=6))
def test_the_answer_does_not_depend_on_how_the_sound_is_cut(cuts: list[int]) -> None:
    sound = heard(25)
    direction = TalkerDirection(PAIR, RATE_HZ)
    answers = [direction.process(piece) for piece in np.split(sound, sorted(cuts), axis=1)]
    assert answers[-1] == found(sound)


def test_noise_alone_gives_no_direction() -> None:
    noise = np.random.default_rng(3).standard_normal((2, 6 * RATE_HZ)).astype(np.float32)
    assert TalkerDirection(PAIR, RATE_HZ).process(noise) is None


def test_silence_and_the_first_moment_give_no_direction() -> None:
    direction = TalkerDirection(PAIR, RATE_HZ)
    assert direction.process(np.zeros((2, RATE_HZ), np.float32)) is None
    direction.reset()
    assert direction.process(heard(20)[:, :600]) is None


def test_a_talker_who_walks_is_followed() -> None:
    direction = TalkerDirection(PAIR, RATE_HZ)
    direction.process(heard(-40))
    for seed in range(4):
        answer = direction.process(heard(40, seed=seed))
    assert answer is not None
    assert answer.azimuth_degrees == pytest.approx(40, abs=8)


def test_after_a_reset_the_last_talker_is_forgotten() -> None:
    direction = TalkerDirection(PAIR, RATE_HZ)
    direction.process(heard(-40))
    direction.reset()
    assert direction.process(heard(40)) == found(heard(40))


@pytest.mark.parametrize(
    "places", [[[0, 0, 0]], [[0, 0, 0], [0, 0.1, 0]], [[0, 0, 0], [0.005, 0, 0]]], ids=["one", "deep", "near"]
)
def test_microphones_that_cannot_tell_left_from_right_are_refused(places: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="2 cm or more apart sideways"):
        TalkerDirection(np.array(places, float), RATE_HZ)
