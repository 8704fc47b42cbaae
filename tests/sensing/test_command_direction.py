"""From which side a command came: followed from the wake word to its end."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import fft

from hub.hearing import BUILT_IN_SENTENCES, make_recognizer, read_phrases
from hub.playback.text_to_speech import speak
from sensing.audio_block import AudioBlock
from sensing.dsp.air import speed_of_sound_mps
from sensing.observations import Observation, TalkerLocated, TranscriptDone
from sensing.speech.command_direction import CommandDirection
from sensing.speech.listener import Listener
from sensing.speech.recognizer import SpeechRecognizer
from sensing.speech.wake_word import WakeWord

RATE_HZ = 16_000
PAIR = np.array([[-0.05, 0.0, 0.0], [0.05, 0.0, 0.0]])
Sound = NDArray[np.float32]


def from_aside(mono: Sound, azimuth_degrees: float) -> Sound:
    """Return what two microphones hear of somebody far away, in a quiet room without walls."""
    late_seconds = -PAIR[:, :1] * np.sin(np.radians(azimuth_degrees)) / speed_of_sound_mps()
    turn = np.exp(-2j * np.pi * fft.rfftfreq(len(mono), 1 / RATE_HZ) * late_seconds)
    both = fft.irfft(fft.rfft(mono) * turn, len(mono), axis=1)
    noise = np.random.default_rng(3).standard_normal(both.shape)
    return np.asarray(both + 3e-4 * noise, np.float32)


def speech(text: str) -> Sound:
    silence = np.zeros(RATE_HZ, np.float32)
    return np.concatenate([silence, np.asarray(0.3 * speak(text, RATE_HZ)[0], np.float32), silence])


def blocks(sound: Sound, cuts: list[int], played: Sound | None = None) -> list[AudioBlock]:
    edges = [0, *sorted(cuts), sound.shape[1]]
    reference = np.zeros((1, sound.shape[1]), np.float32) if played is None else played
    return [
        AudioBlock(
            first_frame=first,
            rate_hz=RATE_HZ,
            capture=sound[:, first:end].copy(),
            reference=reference[:, first:end].copy(),
        )
        for first, end in pairwise(edges)
        if end > first
    ]


def every(frames: int, sound: Sound) -> list[int]:
    return list(range(frames, sound.shape[1], frames))


@pytest.fixture(scope="module")
def recognizer() -> SpeechRecognizer:
    return make_recognizer(read_phrases(BUILT_IN_SENTENCES, []), after="computer")


def heard(recognizer: SpeechRecognizer, sound: Sound, played: Sound | None = None) -> list[Observation]:
    listener = Listener(
        rate_hz=RATE_HZ,
        wake=WakeWord(),
        recognizer=recognizer,
        direction=CommandDirection(PAIR, RATE_HZ),
    )
    pieces = blocks(sound, every(160, sound), played)
    return [seen for block in pieces for seen in listener.process(block)] + listener.finish()


@pytest.mark.parametrize("azimuth_degrees", [-20.0, 35.0])
def test_a_command_that_is_understood_tells_from_which_side_it_came(
    azimuth_degrees: float, recognizer: SpeechRecognizer
) -> None:
    seen = heard(recognizer, from_aside(speech("computer, turn on the kitchen lights"), azimuth_degrees))
    [located] = [one for one in seen if isinstance(one, TalkerLocated)]
    [done] = [one for one in seen if isinstance(one, TranscriptDone)]
    assert done.text == "turn on the kitchen lights"
    assert located.azimuth_degrees == pytest.approx(azimuth_degrees, abs=2)
    assert seen.index(located) < seen.index(done)  # what answers is played from the new direction
    assert located.frame == done.frame


def test_the_wake_word_alone_tells_no_direction(recognizer: SpeechRecognizer) -> None:
    seen = heard(recognizer, from_aside(speech("computer"), 20))
    assert [one for one in seen if isinstance(one, TalkerLocated)] == []


def test_a_command_over_music_is_understood_and_located(recognizer: SpeechRecognizer) -> None:
    sound = from_aside(speech("computer, turn on the kitchen lights"), 20)
    music = 0.01 * np.random.default_rng(5).standard_normal((1, sound.shape[1])).astype(np.float32)
    seen = heard(recognizer, sound + 0.1 * music, music)
    assert [one for one in seen if isinstance(one, TranscriptDone)] != []
    [located] = [one for one in seen if isinstance(one, TalkerLocated)]
    assert located.azimuth_degrees == pytest.approx(20, abs=3)


def beside_noise(azimuth_degrees: float, *, delay_frames: int, echo: float) -> tuple[Sound, Sound]:
    """Return syllables from aside after six seconds, and a stereo noise whose echo is heard all the time.

    The loudspeakers stand to the sides of the microphones.
    """
    talk = from_aside(np.concatenate([np.zeros(6 * RATE_HZ, np.float32), syllables(3.0)]), azimuth_degrees)
    played = np.random.default_rng(8).standard_normal((2, talk.shape[1])).astype(np.float32)
    late = np.roll(played, delay_frames, axis=1)
    left, right = (from_aside(one, side) for one, side in zip(late, (-80, 80), strict=True))
    return talk + echo * (left + right), 0.1 * played


def located_beside(direction: CommandDirection, sound: Sound, played: Sound, cuts: list[int]) -> float | None:
    """Return the answer where the wake word is noticed after 7.2 s."""
    frames = 0
    for block in blocks(sound, [*cuts, round(7.2 * RATE_HZ)], played):
        direction.keep(block)
        frames += block.frames
        if frames >= 7.2 * RATE_HZ:
            direction.hear(is_alone=False)
    found = direction.finish()
    return None if found is None else found.azimuth_degrees


@settings(max_examples=8, deadline=None)
@given(st.floats(-60, 60), st.integers(160, 4000), st.sampled_from([0.01, 0.05, 0.1]))
def test_a_talker_is_found_beside_music_however_late_the_sound_card_is(
    azimuth_degrees: float, delay_frames: int, echo: float
) -> None:
    sound, played = beside_noise(azimuth_degrees, delay_frames=delay_frames, echo=echo)
    found = located_beside(CommandDirection(PAIR, RATE_HZ), sound, played, every(1280, sound))
    assert found == pytest.approx(azimuth_degrees, abs=4)


def test_without_the_reference_the_loudspeakers_would_be_the_talker() -> None:
    sound, played = beside_noise(-30, delay_frames=1600, echo=0.2)
    direction = CommandDirection(PAIR, RATE_HZ)
    assert located_beside(direction, sound, np.zeros_like(played), every(1280, sound)) != pytest.approx(
        -30, abs=10
    )


def test_where_music_begins_during_the_command_nobody_is_located() -> None:
    direction = CommandDirection(PAIR, RATE_HZ)
    sound = from_aside(syllables(3.0), 25)
    for is_alone in (True, False, True):
        for block in blocks(sound, []):
            direction.keep(block)
        direction.hear(is_alone=is_alone)
    assert direction.finish() is None
    for block in blocks(sound, []):
        direction.keep(block)
    direction.hear(is_alone=True)
    assert direction.finish() is not None


def syllables(seconds: float) -> Sound:
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    noise = np.random.default_rng(0).standard_normal(len(times))
    return np.asarray(0.1 * noise * np.maximum(np.sin(8 * np.pi * times), 0) ** 2, np.float32)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 3 * RATE_HZ), max_size=40))
def test_the_direction_does_not_depend_on_how_the_command_is_cut(cuts: list[int]) -> None:
    def located(pieces: list[AudioBlock]) -> float:
        direction = CommandDirection(PAIR, RATE_HZ)
        for block in pieces:
            direction.keep(block)
            direction.hear(is_alone=True)
        found = direction.finish()
        assert found is not None
        return found.azimuth_degrees

    sound = from_aside(syllables(3.0), 25)
    whole, cut = located(blocks(sound, [])), located(blocks(sound, cuts))
    assert cut == pytest.approx(whole, abs=1e-6)
    assert whole == pytest.approx(25, abs=2)


def test_one_command_does_not_tell_of_the_next_and_old_sound_is_forgotten() -> None:
    direction = CommandDirection(PAIR, RATE_HZ)
    for block in blocks(both := from_aside(syllables(3.0), 25), every(160, both)):
        direction.keep(block)
    direction.hear(is_alone=True)
    assert direction.finish() is not None
    direction.hear(is_alone=True)
    assert direction.finish() is None
    for azimuth_degrees in (-60, 25):  # half a minute of talk before the wake word counts no more
        sound = from_aside(syllables(20.0 if azimuth_degrees < 0 else 1.6), azimuth_degrees)
        for block in blocks(sound, every(160, sound)):
            direction.keep(block)
    direction.hear(is_alone=True)
    found = direction.finish()
    assert found is not None
    assert found.azimuth_degrees == pytest.approx(25, abs=2)
