"""The tones of others, heard while nothing is played."""

from __future__ import annotations

import numpy as np
import pytest

from sensing.audio_block import AudioBlock
from sensing.ultrasound.silent_listener import EVERY_SECONDS, SilenceHeard, SilentListener

RATE, CARRIER = 48_000, 22_500.0
BLOCK_SECONDS = 0.1


def block(
    number: int, *, line_hz: float | None = None, played: float = 0.0, noise: float = 1e-4
) -> AudioBlock:
    frames = round(BLOCK_SECONDS * RATE)
    chance = np.random.default_rng(number)
    capture = chance.normal(0, noise, (2, frames))
    if line_hz is not None:
        capture[1] += 0.001 * np.sin(2 * np.pi * line_hz / RATE * (number * frames + np.arange(frames)))
    return AudioBlock(
        first_frame=number * frames,
        rate_hz=RATE,
        capture=capture.astype(np.float32),
        reference=np.full((1, frames), played, np.float32),
    )


def told(blocks: list[AudioBlock], *, is_sound: bool = True) -> list[SilenceHeard]:
    listener = SilentListener(rate_hz=RATE, carrier_hz=CARRIER)
    found = [listener.process(one, is_sound=is_sound) for one in blocks]
    return [one for one in found if one is not None]


def test_a_tone_beside_the_carrier_is_heard_by_the_microphone_that_hears_it() -> None:
    [silence] = told([block(number, line_hz=22_700.0) for number in range(60)])
    assert silence.at_seconds == pytest.approx(3.7, abs=0.11)
    [tone] = silence.tones
    assert (round(tone.hz / 10), tone.microphone) == (2_270, 1)


@pytest.mark.parametrize("line_hz", [None, 21_900.0, 23_100.0])
def test_noise_and_tones_far_away_are_none(line_hz: float | None) -> None:
    [silence] = told([block(number, line_hz=line_hz) for number in range(60)])
    assert silence.tones == ()


def test_nothing_is_heard_while_something_is_played_and_the_room_rings_after_it() -> None:
    pieces = [block(number, line_hz=22_700.0, played=0.1 * (number % 40 == 0)) for number in range(100)]
    assert told([*pieces, *(block(number) for number in range(100, 105))]) != []
    assert told([block(number, played=0.1 * (number % 30 == 0)) for number in range(100)]) == []


def test_broken_sound_is_not_judged_and_too_loud_a_room_is_left_for_the_next_time() -> None:
    assert told([block(number) for number in range(60)], is_sound=False) == []
    assert told([block(number, noise=1.0) for number in range(60)]) == []


def test_it_is_listened_once_in_ten_minutes() -> None:
    listener = SilentListener(rate_hz=RATE, carrier_hz=CARRIER)
    one = block(0)
    heard = [
        number
        for number in range(round(25 * 60 / BLOCK_SECONDS))
        if listener.process(one, is_sound=True) is not None
    ]
    assert len(heard) == 3
    assert np.diff(heard).min() * BLOCK_SECONDS >= EVERY_SECONDS
