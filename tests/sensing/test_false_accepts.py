"""The bench of false accepts: what it plays is new to the heads, and what it counts is counted right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson

from script.journal import Batch, Row
from script.voice.false_accepts import (
    KINDS,
    NEW_TO_ALL,
    NEW_TO_HEADS,
    PARTS,
    REAL,
    measure,
    scene,
    sentences,
    summary,
    voices_for,
    wanted_batches,
)
from sensing.training.recognizer_speech import is_held_back
from sensing.training.recordings import RATE_HZ, part_of
from sensing.training.wake_word_data import person
from tests.conftest import recordings_folder

PHRASES = ("computer", "jarvis", "alexa")


@pytest.mark.parametrize("part", PARTS)
def test_no_voice_of_a_scene_has_trained_a_head(part: str) -> None:
    for kind in (NEW_TO_HEADS, NEW_TO_ALL):
        known = voices_for(part, kind)
        assert {part_of(person(voice)) for voice in known} <= {part}
    assert len(voices_for("test", NEW_TO_HEADS)) > 100
    assert voices_for("test", NEW_TO_ALL)
    assert all(is_held_back(voice) for voice in voices_for("test", NEW_TO_ALL))


def test_what_is_said_holds_no_wake_word_and_what_chooses_is_not_what_measures() -> None:
    chosen, measured = sentences("validation"), sentences("test")
    assert min(len(chosen), len(measured)) > 500
    assert not set(chosen) & set(measured)
    assert not [one for one in measured if any(phrase in one for phrase in PHRASES)]


@given(
    counts=st.lists(st.tuples(st.integers(0, 3), st.floats(60, 4_000)), min_size=1, max_size=8),
)
@settings(max_examples=100, deadline=None)
def test_the_bound_is_the_rate_at_which_so_few_would_be_seen_once_in_twenty(
    counts: list[tuple[int, float]],
) -> None:
    rows: list[Row] = [
        {"head": 2.0 * count, "house": float(count), "seconds": seconds, "phrase": "computer"}
        for count, seconds in counts
    ]
    told = summary(rows)
    hours = sum(seconds for _, seconds in counts) / 3_600
    total = sum(count for count, _ in counts)
    assert (told["head_accepts"], told["false_accepts"]) == (2 * total, total)
    assert told["hours"] == pytest.approx(hours)
    at_most = told["an_hour_at_most"]
    assert isinstance(at_most, float)
    assert poisson.cdf(total, at_most * hours) == pytest.approx(0.05)


@pytest.mark.recordings
def test_a_scene_is_five_minutes_of_talk_that_does_not_clip() -> None:
    data = recordings_folder("noise").parent
    sounds = [scene(data, "test", NEW_TO_ALL, number) for number in (0, 1)]
    for sound in sounds:
        assert len(sound) == 300 * RATE_HZ
        assert 1e-3 < np.abs(sound).max() <= 1
    assert not np.array_equal(sounds[0], sounds[1])


@pytest.mark.recordings
def test_a_recording_counts_for_the_phrases_that_it_does_not_say() -> None:
    data = recordings_folder("wakeword").parent
    plan = [batch for batch in wanted_batches(data, "test", 1.0, PHRASES) if batch.kind == REAL]
    assert [batch.kind in KINDS for batch in plan]
    first = plan[0]
    rows = measure(data, Batch(part="test", kind=REAL, first=first.first, count=2, names=PHRASES))
    assert {row["kind"] for row in rows} == {REAL}
    assert len(rows) in (4, 5, 6)  # a clip of "alexa" is no other sound for "alexa"
    assert all(int(row["house"] or 0) <= int(row["head"] or 0) for row in rows)
