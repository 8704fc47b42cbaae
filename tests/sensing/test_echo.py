"""The hub's own sound is taken out of what it hears, and nothing else is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from hub.playback.text_to_speech import speak
from sensing.audio_block import AudioBlock, Block
from sensing.observations import Observation, WakeWordHeard
from sensing.processing_meter import ProcessingMeter
from sensing.speech.echo_canceller import BLOCK_FRAMES, EchoCanceller
from sensing.speech.listener import Listener
from sensing.speech.microphone_sound import MicrophoneSound, SoundChunk
from sensing.speech.playback_delay import PlaybackDelay
from sensing.speech.recognizer import Hypothesis
from sensing.speech.self_trigger_guard import SUSPICION, SelfTriggerGuard
from sensing.speech.wake_word import WakeWord

RATE_HZ = 16_000
Sound = NDArray[np.float32]


def noise(seconds: float, seed: int, level: float = 0.1) -> Sound:
    made = np.random.default_rng(seed).standard_normal(round(seconds * RATE_HZ))
    return np.asarray(level * made, np.float32)


def in_room(sound: Sound, seed: int, *, delay_frames: int = 40) -> Sound:
    """Return the sound as a room with 0.3 s of echoes gives it back at half the level."""
    frames = round(0.3 * RATE_HZ)
    way = np.random.default_rng([3, seed]).standard_normal(frames) * 10 ** (-3 * np.arange(frames) / frames)
    way[0] = 5.0
    way = np.concatenate([np.zeros(delay_frames), way / np.sqrt(np.square(way).sum())])
    return np.asarray(0.5 * fftconvolve(sound, way)[: len(sound)], np.float32)


def power_db(sound: Sound) -> float:
    return float(10 * np.log10(np.square(sound).mean() + 1e-20))


def said(text: str, seconds: float, at: float = 0.0) -> Sound:
    """Return a voice in silence of so many seconds."""
    sound = np.zeros(round(seconds * RATE_HZ), np.float32)
    voice = 0.3 * speak(text, RATE_HZ)[0]
    first = round(at * RATE_HZ)
    sound[first : first + len(voice)] = voice[: len(sound) - first]
    return sound


def near(captured: Sound, played: Block) -> Sound:
    frames = len(captured) // BLOCK_FRAMES * BLOCK_FRAMES
    return EchoCanceller(len(played)).process(captured[:frames], played[:, :frames]).near


def test_after_three_seconds_the_echo_is_twenty_db_weaker() -> None:
    played = noise(6, 1)
    captured = in_room(played, 1)
    left = near(captured, played[None])
    assert power_db(left[3 * RATE_HZ :]) < power_db(captured[3 * RATE_HZ :]) - 20


def test_two_loudspeakers_that_play_different_things_are_both_taken_out() -> None:
    left, right = noise(8, 1), noise(8, 2)
    captured = in_room(left, 1) + in_room(right, 2)
    rest = near(captured, np.stack([left + right, left - right]) / 2)
    assert power_db(rest[5 * RATE_HZ :]) < power_db(captured[5 * RATE_HZ :]) - 15


def test_somebody_who_talks_over_the_playback_is_kept() -> None:
    played = noise(8, 1)
    voice = said("what is the weather in the kitchen today", 8, at=4)
    rest = near(in_room(played, 1) + voice, played[None])
    spoken = slice(4 * RATE_HZ, 6 * RATE_HZ)
    # neither echo nor missing voice: their sum is what differs
    assert power_db(rest[spoken] - voice[spoken]) < power_db(voice[spoken]) - 10


def test_a_room_that_was_learnt_is_known_after_a_gap() -> None:
    played = noise(6, 1)
    captured = in_room(played, 1)
    canceller = EchoCanceller(1)
    canceller.process(captured[: 4 * RATE_HZ], played[None, : 4 * RATE_HZ])
    canceller.interrupt()
    rest = canceller.process(captured[4 * RATE_HZ :], played[None, 4 * RATE_HZ :]).near
    assert power_db(rest[RATE_HZ:]) < power_db(captured[5 * RATE_HZ :]) - 15


@given(delay_frames=st.integers(0, 7_900), seed=st.integers(0, 5))
@example(delay_frames=0, seed=1)
@settings(max_examples=10, deadline=None)
def test_any_delay_up_to_half_a_second_is_found(delay_frames: int, seed: int) -> None:
    played = noise(3, seed)
    captured = in_room(played, seed, delay_frames=delay_frames) + noise(3, seed + 9, level=0.02)
    finder = PlaybackDelay()
    found = [
        delay
        for first in range(0, len(played), 1_280)
        if (delay := finder.process(captured[first : first + 1_280], played[first : first + 1_280]))
        is not None
    ]
    assert found
    assert abs(found[-1] - delay_frames) <= 32  # the width that it looks for


def chunks(sound: MicrophoneSound, captured: Block, played: Block, cuts: Sequence[int]) -> list[SoundChunk]:
    return [chunk for block in blocks(captured, played, cuts) for chunk in sound.process(block)]


def blocks(captured: Block, played: Block, cuts: Sequence[int]) -> list[AudioBlock]:
    edges = [0, *sorted(cuts), captured.shape[1]]
    return [
        AudioBlock(
            first_frame=first, rate_hz=RATE_HZ, capture=captured[:, first:end], reference=played[:, first:end]
        )
        for first, end in pairwise(edges)
        if end > first
    ]


def microphone_sound(delay_frames: float | None = None) -> MicrophoneSound:
    return MicrophoneSound(rate_hz=RATE_HZ, meter=ProcessingMeter(lambda: 0.0), delay_frames=delay_frames)


def test_while_nothing_plays_the_microphones_are_heard_as_they_are() -> None:
    captured = noise(2, 4)[None]
    heard = chunks(microphone_sound(), captured, np.zeros_like(captured), range(160, 32_000, 160))
    assert np.array_equal(np.concatenate([chunk.near for chunk in heard]), captured[0])
    assert all(chunk.played is None for chunk in heard)


@given(cuts=st.lists(st.integers(1, 47_999), max_size=10, unique=True))
@settings(max_examples=10, deadline=None)
def test_what_is_left_does_not_depend_on_how_the_sound_is_cut(cuts: list[int]) -> None:
    played = np.stack([noise(3, 1), noise(3, 2)])
    played[:, RATE_HZ : 2 * RATE_HZ] = 0
    captured = in_room(played.mean(axis=0), 1)[None]
    whole = chunks(microphone_sound(), captured, played, [])
    pieces = chunks(microphone_sound(), captured, played, cuts)
    assert [chunk.played is None for chunk in whole] == [chunk.played is None for chunk in pieces]
    for one, other in zip(whole, pieces, strict=True):
        assert np.allclose(one.near, other.near, atol=1e-5)


@pytest.mark.parametrize("delay_seconds", [0.0, 0.12, 0.4])
def test_the_echo_of_a_slow_sound_card_is_found_and_taken_out(delay_seconds: float) -> None:
    played = noise(9, 1)
    captured = in_room(played, 1, delay_frames=round(delay_seconds * RATE_HZ))
    heard = chunks(microphone_sound(), captured[None], played[None], range(160, len(played), 160))
    rest = np.concatenate([chunk.near for chunk in heard])
    assert power_db(rest[6 * RATE_HZ :]) < power_db(captured[6 * RATE_HZ :]) - 15


class NoRecognizer:
    def reset(self) -> None:
        return

    def feed(self, samples: Sound) -> None:
        return

    def finish(self) -> list[Hypothesis]:
        return []


def wakes(captured: Sound, played: Sound, *, is_guarded: bool = True) -> int:
    listener = Listener(
        rate_hz=RATE_HZ,
        wake=WakeWord(),
        recognizer=NoRecognizer(),
        guard=SelfTriggerGuard(WakeWord(threshold=SUSPICION)) if is_guarded else None,
    )
    seen: list[Observation] = []
    for block in blocks(captured[None], played[None], range(160, len(captured), 160)):
        seen += listener.process(block)
    return sum(isinstance(one, WakeWordHeard) for one in seen + listener.finish())


def own_word_in_a_strange_room(level: float) -> tuple[Sound, Sound]:
    """Return the wake word at the microphone and as played, so late that no canceller can expect it."""
    played = said("computer", 3.5, at=1)
    captured = level * in_room(played, 2, delay_frames=6_400) + noise(3.5, 7, level=3e-4)
    return captured, played


@pytest.mark.parametrize("level", [0.05, 0.3, 1.0])
def test_the_house_does_not_answer_its_own_voice(level: float) -> None:
    assert wakes(*own_word_in_a_strange_room(level)) == 0


def test_without_the_guard_the_house_would_answer_its_own_voice() -> None:
    assert wakes(*own_word_in_a_strange_room(1.0), is_guarded=False) == 1


def test_somebody_who_calls_while_the_house_talks_is_heard() -> None:
    played = said("the weather in the kitchen is fine and it will be fine tomorrow in all of the house", 7)
    captured = 2 * in_room(played, 2) + said("computer", 7, at=3.5) + noise(7, 7, level=3e-4)
    assert wakes(captured, played) == 1
