"""What plays next: lists, their order, and what may be in them."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import BadInput
from hub.playback.library import Library
from hub.playback.play_queue import PlayQueue
from hub.playback.playlist import parse_playlist
from hub.playback.sound_source import Track


def names(queue: PlayQueue, most: int = 20) -> list[str]:
    played = []
    while len(played) < most and (entry := queue.advance()) is not None:
        played.append(entry.track.source)
    return played


def queue_of(count: int, seed: int = 0) -> PlayQueue:
    queue = PlayQueue(random.Random(seed))
    queue.replace([Track(source=str(number)) for number in range(count)])
    return queue


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 30), st.integers(0, 99), st.sets(st.integers(0, 29)))
def test_shuffled_or_not_every_track_that_can_be_played_comes_once(
    count: int, seed: int, broken: set[int]
) -> None:
    queue = queue_of(count, seed)
    for number in broken:
        queue.fail(number)
    queue.shuffle = True
    assert sorted(map(int, names(queue, 99))) == [one for one in range(count) if one not in broken]


def test_a_list_repeats_and_one_track_repeats() -> None:
    queue = queue_of(2)
    queue.repeat = "all"
    assert names(queue, 5) == ["0", "1", "0", "1", "0"]
    queue.repeat = "one"
    assert names(queue, 3) == ["0", "0", "0"]
    queue.step(0, 1)
    assert names(queue, 3) == ["1", "1", "1"]


def test_a_list_of_which_nothing_can_be_played_ends_even_if_it_repeats() -> None:
    queue = queue_of(3)
    queue.repeat = "all"
    for number in range(3):
        queue.fail(number)
    assert names(queue) == []


def test_switching_shuffle_off_goes_on_in_the_order_of_the_list() -> None:
    queue = queue_of(9, seed=4)
    queue.shuffle = True
    last = int(names(queue, 3)[-1])
    queue.shuffle = False
    assert names(queue) == [str(number) for number in range(last + 1, 9)]


def test_going_back_stops_at_the_first_and_on_at_the_last() -> None:
    queue = queue_of(3)
    assert queue.step(1, -5) == 0
    assert names(queue, 1) == ["0"]
    assert queue.step(2, 1) is None
    queue.repeat = "all"
    assert queue.step(2, 1) == 0


@pytest.mark.parametrize(
    ("text", "tracks"),
    [
        ("a.mp3\n\n# words\nb/c.flac\r\n", [("/m/a.mp3", None), ("/m/b/c.flac", None)]),
        ("#EXTM3U\n#EXTINF:12,Nina - Song\nhttp://h/x\n", [("http://h/x", "Nina - Song")]),
        (
            "[playlist]\nFile2=/abs.ogg\nTitle1=One\nFile1=http://h/1\n",
            [("http://h/1", "One"), ("/abs.ogg", None)],
        ),
    ],
)
def test_playlists_are_understood(text: str, tracks: list[tuple[str, str | None]]) -> None:
    parsed = parse_playlist(text, "/m/list.m3u")
    assert [(track.source, track.title) for track in parsed] == tracks


def test_names_in_a_playlist_on_a_server_start_from_there() -> None:
    [track] = parse_playlist("../live.ogg", "http://h/a/list.m3u")
    assert track.source == "http://h/live.ogg"


@pytest.mark.parametrize(("text", "complaint"), [("# nothing", "no track"), ("#EXT-X-VERSION:3", "HLS")])
def test_a_playlist_that_cannot_be_played_says_why(text: str, complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint):
        parse_playlist(text, "list.m3u8")


@pytest.mark.parametrize("source", ["../secret.wav", "a" * 2000, "/etc/passwd", "list.m3u/../../x", "a\0b"])
def test_nothing_outside_the_folder_of_the_music_can_be_asked_for(tmp_path: Path, source: str) -> None:
    (tmp_path / "music").mkdir()
    soundfile.write(tmp_path / "secret.wav", np.zeros((480, 2)), 48_000)
    with pytest.raises(BadInput):
        Library(tmp_path / "music").tracks(source)
    with pytest.raises(BadInput):
        Library(tmp_path / "music").open(Track(source=source))
