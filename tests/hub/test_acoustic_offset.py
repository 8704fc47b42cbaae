"""What two microphones tell of two devices that are out of step."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hub.sync.acoustic_offset import Arrivals, Unsure, heard, two_way_offset
from hub.sync.chirp_plan import ChirpPlan
from script.spatial.sync_acoustic import RATE_HZ, START_SECONDS, Pair, placed, recorded

PLAN = ChirpPlan()


def straight(
    *,
    late_seconds: float,
    pace: float = 1.0,
    delays: tuple[float, float] = (0.001, 0.01),
    noise: float = 1e-3,
) -> NDArray[np.float32]:
    """What a microphone hears in the open: two direct paths, its own clock."""
    instants = np.arange(round((PLAN.seconds + 0.3) * RATE_HZ)) / RATE_HZ * pace - START_SECONDS
    sound = 0.1 * PLAN.emission(0, instants - delays[0])
    sound += 0.05 * PLAN.emission(1, instants - delays[1] - late_seconds)
    sound += noise * np.random.default_rng(1).standard_normal(instants.size)
    return sound.astype(np.float32)


def arrivals(recording: NDArray[np.float32]) -> Arrivals:
    return heard(recording, rate_hz=RATE_HZ, plan=PLAN, start_seconds=START_SECONDS)


@pytest.mark.parametrize("pace", [1.0, 1 + 1e-4, 1 - 1e-4])
@pytest.mark.parametrize("late_seconds", [0.0, 1e-5, -2.3456e-3])
def test_in_the_open_the_delay_is_found_to_two_microseconds(late_seconds: float, pace: float) -> None:
    found = arrivals(straight(late_seconds=late_seconds, pace=pace))
    # a microphone whose clock is wrong by 100 ppm stretches 12 ms by 1.2 us
    assert found.later_seconds == pytest.approx(late_seconds + 0.009, abs=2e-6)
    assert found.sigma_seconds < 5e-6


def test_two_microphones_separate_the_offset_from_the_distance() -> None:
    at_first = arrivals(straight(late_seconds=4e-4, delays=(0.001, 0.009)))
    at_second = arrivals(straight(late_seconds=4e-4, delays=(0.009, 0.001)))
    found = two_way_offset(at_first, at_second, own_path_metres=0.343)
    assert found.offset_seconds == pytest.approx(4e-4, abs=2e-6)
    assert found.distance_metres == pytest.approx(0.343 * 9, abs=0.01)


def test_microphones_nearer_to_each_other_than_the_loudspeakers_are_reckoned_with() -> None:
    one = Arrivals(later_seconds=0.004, sigma_seconds=2e-6, snr_db=40)
    other = Arrivals(later_seconds=-0.004, sigma_seconds=2e-6, snr_db=40)
    mirrored = two_way_offset(one, other, towards_metres=(0.05, 0.05))
    aside = two_way_offset(one, other, towards_metres=(0.0343, -0.0343))
    assert mirrored.offset_seconds == 0
    assert aside.offset_seconds == pytest.approx(1e-4, rel=0.01)


@pytest.mark.parametrize("near_echo", [0.0, 0.5])
def test_in_rooms_with_music_and_wrong_clocks_the_offset_is_found(near_echo: float) -> None:
    errors = []
    for room in range(3):
        random = np.random.default_rng((9, room))
        pair = placed(random)
        offset = random.uniform(-3e-3, 3e-3)
        both = [
            arrivals(recorded(pair, which, PLAN, random, offset_seconds=offset, near_echo=near_echo))
            for which in (0, 1)
        ]
        errors.append(two_way_offset(both[0], both[1]).offset_seconds - offset)
    # 60 rooms: 95 % within 16 us, with an echo within 0.4 ms 26 us; most of it is where the microphone sits
    assert max(map(abs, errors)) < 4e-5


def test_a_sigma_is_larger_where_an_echo_bends_the_pulses() -> None:
    clear = straight(late_seconds=0.0)
    late = np.roll(clear, 8)
    assert arrivals(clear + np.float32(0.5) * late).sigma_seconds > arrivals(clear).sigma_seconds


def test_silence_is_refused() -> None:
    recording = 1e-3 * np.random.default_rng(2).standard_normal(round((PLAN.seconds + 0.3) * RATE_HZ))
    with pytest.raises(Unsure, match="above the noise"):
        arrivals(recording.astype(np.float32))


def test_a_device_that_does_not_chirp_is_refused() -> None:
    instants = np.arange(round((PLAN.seconds + 0.3) * RATE_HZ)) / RATE_HZ - START_SECONDS
    only_one = 0.1 * PLAN.emission(0, instants - 0.001) + 1e-3 * np.random.default_rng(3).standard_normal(
        instants.size
    )
    with pytest.raises(Unsure, match="above the noise"):
        arrivals(only_one.astype(np.float32))


def test_chirps_that_are_buried_in_noise_are_refused() -> None:
    with pytest.raises(Unsure, match="above the noise"):
        arrivals(straight(late_seconds=0.0, noise=0.3))


def test_a_device_that_moves_is_refused() -> None:
    recording = straight(late_seconds=0.0)
    other = straight(late_seconds=2e-4)
    half = recording.size // 2
    with pytest.raises(Unsure, match="rounds differ"):
        arrivals(np.concatenate([recording[:half], other[half:]]))


def test_a_recording_that_is_too_short_is_refused() -> None:
    with pytest.raises(Unsure, match="does not hold all chirps"):
        arrivals(straight(late_seconds=0.0)[:RATE_HZ])


def test_a_rate_that_cannot_carry_the_chirps_is_refused() -> None:
    with pytest.raises(Unsure, match="Record at 48000 Hz"):
        heard(np.zeros(100_000, np.float32), rate_hz=44_100, plan=PLAN, start_seconds=START_SECONDS)


def test_an_impossible_distance_is_refused() -> None:
    one = Arrivals(later_seconds=0.0, sigma_seconds=2e-6, snr_db=40)
    far = Arrivals(later_seconds=-0.1, sigma_seconds=2e-6, snr_db=40)
    with pytest.raises(Unsure, match="m apart"):
        two_way_offset(one, far)


def test_each_device_is_silent_while_the_other_chirps_and_neither_clips() -> None:
    instants = np.arange(round(PLAN.seconds * RATE_HZ)) / RATE_HZ
    both = [PLAN.emission(device, instants) for device in (0, 1)]
    assert not np.any((both[0] != 0) & (both[1] != 0))
    assert max(np.abs(one).max() for one in both) <= 1


def test_chirps_hold_nothing_that_people_hear() -> None:
    instants = np.arange(round(PLAN.seconds * RATE_HZ)) / RATE_HZ
    power = np.abs(np.fft.rfft(PLAN.emission(0, instants))) ** 2
    hz = np.fft.rfftfreq(instants.size, 1 / RATE_HZ)
    assert 10 * np.log10(power[hz < 16_000].sum() / power.sum()) < -60


def test_a_pair_is_placed_within_its_room() -> None:
    pair: Pair = placed(np.random.default_rng(5))
    assert (pair.speakers > 0).all()
    assert (pair.speakers < pair.room_metres).all()
