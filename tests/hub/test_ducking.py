"""Music goes down while the house listens and speaks, and the room's volume is as ears hear it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.playback.chime import chime
from hub.playback.ducking import Ducker
from hub.playback.mixer import Mixer
from hub.playback.volume import save_volume, saved_volume, volume_db, volume_factor
from sensing.audio_block import Block
from sensing.ultrasound.emitter import CarrierEmitter

RATE_HZ = 48_000


class Tone:
    """Music that is one tone for ever."""

    def __init__(self, level: float = 0.5) -> None:
        self._at = 0
        self._level = level

    def next_block(self, frames: int) -> Block:
        place = np.arange(self._at, self._at + frames)
        self._at += frames
        tone = self._level * np.sin(2 * np.pi * 1000 / RATE_HZ * place)
        return np.stack([tone, tone]).astype(np.float32)


def heard(mixer: Mixer, seconds: float) -> Block:
    return np.concatenate([mixer.next_block(480) for _ in range(round(100 * seconds))], axis=1)


def level_db(sound: Block) -> float:
    return float(20 * np.log10(np.abs(sound).max()))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3000), st.booleans()), min_size=1, max_size=8), st.integers(2, 9))
def test_a_ducker_does_not_care_how_blocks_are_cut(wishes: list[tuple[int, bool]], parts: int) -> None:
    whole, cut = (Ducker(rate_hz=8000) for _ in range(2))
    for frames, is_wanted in wishes:
        pieces = [
            cut.process(len(piece), is_wanted=is_wanted) for piece in np.array_split(np.arange(frames), parts)
        ]
        np.testing.assert_allclose(
            np.concatenate(pieces), whole.process(frames, is_wanted=is_wanted), atol=1e-12
        )


def test_ducking_is_a_straight_line_in_db_down_held_and_up() -> None:
    ducker = Ducker(rate_hz=1000, depth_db=20, attack_seconds=0.1, release_seconds=0.5, hold_seconds=0.2)
    down = 20 * np.log10(ducker.process(100, is_wanted=True))
    np.testing.assert_allclose(down, -0.2 * np.arange(1, 101), atol=1e-9)
    np.testing.assert_allclose(20 * np.log10(ducker.process(200, is_wanted=False)), -20, atol=1e-9)
    assert ducker.is_down
    up = 20 * np.log10(ducker.process(500, is_wanted=False))
    np.testing.assert_allclose(up, -20 + 0.04 * np.arange(1, 501), atol=1e-9)
    assert not ducker.is_down


def test_music_goes_down_for_a_sound_and_comes_back_without_a_click() -> None:
    mixer = Mixer(rate_hz=RATE_HZ, speakers=2, music=Tone())
    before = heard(mixer, 0.5)
    mixer.play(np.zeros((1, RATE_HZ), np.float32))  # speech, were it not silent
    during, after = heard(mixer, 1.0), heard(mixer, 2.0)
    assert level_db(during[:, -4800:]) - level_db(before[:, -4800:]) == pytest.approx(-20, abs=0.05)
    np.testing.assert_allclose(level_db(after[:, -4800:]), level_db(before[:, -4800:]), atol=0.01)
    everything = np.concatenate([before, during, after], axis=1)
    assert np.abs(np.diff(everything, axis=1)).max() < 1.01 * 0.5 * 2 * np.pi * 1000 / RATE_HZ


def test_what_is_said_is_as_loud_with_music_as_without() -> None:
    speech = np.random.default_rng(0).uniform(-0.3, 0.3, (1, RATE_HZ)).astype(np.float32)
    alone = Mixer(rate_hz=RATE_HZ, speakers=2)
    beside = Mixer(rate_hz=RATE_HZ, speakers=2, music=Tone(0.1))
    beside.set_volume(20)
    heard(beside, 0.5)
    for mixer in (alone, beside):
        mixer.play(speech)
    difference = heard(beside, 0.9) - heard(alone, 0.9)
    # all that is left is the music, 20 % and then 20 dB down
    assert level_db(difference[:, -4800:]) == pytest.approx(-20 + volume_db(20) - 20, abs=0.1)


def test_music_is_low_while_the_house_listens_and_comes_back_even_if_the_end_is_lost() -> None:
    mixer = Mixer(rate_hz=RATE_HZ, speakers=1, music=Tone())
    full = level_db(heard(mixer, 0.3)[:, -4800:])
    mixer.listen(True)
    assert level_db(heard(mixer, 1.0)[:, -4800:]) == pytest.approx(full - 20, abs=0.05)
    mixer.listen(False)
    assert level_db(heard(mixer, 2.0)[:, -4800:]) == pytest.approx(full, abs=0.01)
    mixer.listen(True)
    assert level_db(heard(mixer, 22.0)[:, -4800:]) == pytest.approx(full, abs=0.01)


@given(st.floats(0, 100), st.floats(0, 100))
def test_more_volume_is_louder_and_each_tenth_the_same_for_ears(one: float, other: float) -> None:
    quieter, louder = sorted((one, other))
    assert volume_factor(quieter) <= volume_factor(louder) <= 1
    assert volume_db(50) - volume_db(5) == pytest.approx(60)


def test_silence_and_full_are_silence_and_full() -> None:
    mixer = Mixer(rate_hz=RATE_HZ, speakers=2, music=Tone())
    mixer.set_volume(0)
    heard(mixer, 0.2)
    assert not heard(mixer, 0.2).any()
    mixer.set_volume(100)
    heard(mixer, 0.2)
    late = RATE_HZ // 10
    expected = Tone().next_block(RATE_HZ)
    whole = heard(mixer, 0.2)
    assert np.abs(whole).max() == pytest.approx(np.abs(expected[:, late:]).max(), abs=1e-6)


def test_turning_the_volume_does_not_click() -> None:
    mixer = Mixer(rate_hz=RATE_HZ, speakers=1, music=Tone())
    played = [heard(mixer, 0.2)]
    for percent in (10, 100, 0, 60):
        mixer.set_volume(percent)
        played.append(heard(mixer, 0.2))
    step = np.abs(np.diff(np.concatenate(played, axis=1), axis=1)).max()
    assert step < 1.05 * 0.5 * 2 * np.pi * 1000 / RATE_HZ


def test_music_leaves_the_carrier_its_room_and_its_level() -> None:
    emitter = CarrierEmitter(carrier_hz=20_000, rate_hz=RATE_HZ, level=0.1)
    emitter.start()
    mixer = Mixer(rate_hz=RATE_HZ, speakers=2, emitter=emitter, music=Tone(3.0))
    played = heard(mixer, 1.0)[0, RATE_HZ // 4 :]
    assert np.abs(played).max() <= 1
    tone = np.exp(-2j * np.pi * 20_000 / RATE_HZ * np.arange(len(played)))
    # 36 000 frames hold whole periods of the carrier and of the music
    assert 2 * abs(np.mean(played * tone)) == pytest.approx(0.1, rel=0.03)


def test_a_chime_begins_and_ends_in_silence_and_is_gentle() -> None:
    sound = chime(RATE_HZ)
    assert sound.shape == (1, round(1.18 * RATE_HZ))
    assert np.abs(sound[:, [0, -1]]).max() < 1e-3
    assert 0.1 < np.abs(sound).max() <= 0.25


def test_the_volume_is_remembered(tmp_path: Path) -> None:
    path = tmp_path / "state" / "volume.json"
    assert saved_volume(path, otherwise=40) == 40
    save_volume(path, 12.5)
    assert saved_volume(path, otherwise=40) == 12.5


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"volume": true}', '{"volume": 900}', '{"volume": NaN}']
)
def test_a_volume_that_cannot_be_read_is_not_guessed(tmp_path: Path, content: str) -> None:
    path = tmp_path / "volume.json"
    path.write_text(content)
    assert saved_volume(path, otherwise=40) == 40
