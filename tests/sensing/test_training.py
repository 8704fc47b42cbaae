"""The parts of the wake word's training; the training itself takes a quarter of an hour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sensing.dsp.loudness import loud_rms
from sensing.models.session import Session
from sensing.speech.wake_errors import false_accepts
from sensing.training.network import FeedForward
from sensing.training.recordings import Recording, noises, spoken
from sensing.training.rooms_and_noise import Home
from sensing.training.wake_head import Windows
from sensing.training.wake_word_data import NEGATIVE, POSITIVE, Stream, find_words
from tests.conftest import recordings_folder


def test_a_network_learns_what_no_line_can_separate_and_its_export_says_the_same(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    network = FeedForward((2, 16, 16), random, dropout=0.0, averaging=0.99)
    inputs = random.normal(size=(2_000, 2)).astype(np.float32)
    targets = (inputs[:, 0] * inputs[:, 1] > 0).astype(np.float32)
    for _ in range(60):
        for first in range(0, 2_000, 100):
            network.step(inputs[first : first + 100], targets[first : first + 100], 5e-3)
    scores = network.score(inputs)
    assert np.mean((scores > 0.5) == (targets > 0.5)) > 0.95
    mean, scale = np.array([1, 2], np.float32), np.array([2, 3], np.float32)
    network.export(tmp_path / "net.onnx", shape=(1, 2), mean=mean, scale=scale)
    session = Session(tmp_path / "net.onnx")
    exported = [session.run({"embeddings": (row * scale + mean)[None, None]})[0][0, 0] for row in inputs[:50]]
    assert np.allclose(exported, scores[:50], atol=1e-5)


def test_windows_never_reach_across_two_streams() -> None:
    streams = [
        Stream(embeddings=np.full((20, 96), value, np.float32), labels=np.full(20, label, np.int8))
        for value, label in ((1, NEGATIVE), (2, POSITIVE), (3, NEGATIVE))
    ]
    windows = Windows.of(streams, NEGATIVE)
    rows = windows.take(np.arange(len(windows)))
    assert len(rows) == 2 * 5
    assert set(np.ptp(rows, axis=1)) == {0.0}
    assert set(rows[:, 0]) == {1.0, 3.0}


def test_a_false_accept_that_lasts_is_counted_once() -> None:
    scores = np.zeros(100, np.float32)
    scores[[10, 11, 15, 60]] = 0.95
    assert false_accepts(scores, 0.9) == 2


def test_a_speaker_is_in_one_part_only_and_all_parts_have_some() -> None:
    def one(speaker: str, path: str) -> Recording:
        return Recording(path=Path(path), label="x", speaker=speaker, origin="", licence="")

    parts = [one(f"speaker {index}", "a").part for index in range(500)]
    assert parts == [one(f"speaker {index}", "b").part for index in range(500)]
    assert 0.5 < parts.count("train") / 500 < 0.7
    assert min(parts.count("validation"), parts.count("test")) > 60


@pytest.mark.recordings
def test_the_word_is_found_inside_its_recording() -> None:
    clips = [one for one in spoken(recordings_folder("wakeword"), "keyword") if one.label == "computer"][:10]
    words = find_words(clips, "computer")
    assert len(words) == len(clips)
    for word in words:
        sound = word.sound
        assert 0.3 < (word.end - word.first) / 16_000 < 1.2
        assert loud_rms(sound[word.first : word.end]) > 0.9 * loud_rms(sound)


@pytest.mark.recordings
def test_a_home_keeps_length_and_never_clips_and_a_seed_repeats_it() -> None:
    folder = recordings_folder("noise")
    clips = list(noises(folder, ("noise",)))[:5]
    rooms = list(noises(folder, ("rir",)))[:2]
    home = Home(noises=clips, rooms=rooms)
    speech = np.random.default_rng(1).uniform(-0.5, 0.5, 20_000).astype(np.float32)
    heard = []
    for _ in range(2):
        home.draw_from(np.random.default_rng(7))
        heard.append(home.level(home.noisy(home.room(speech))))
    assert np.array_equal(*heard)
    assert len(heard[0]) == len(speech)
    assert np.abs(heard[0]).max() <= 1.0
