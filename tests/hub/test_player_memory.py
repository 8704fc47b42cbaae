"""What a player knows again after a restart."""

from __future__ import annotations

import asyncio
import stat
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from hub.clock import VirtualClock
from hub.music_memory import MusicMemory
from hub.playback.player_memory import PlayerMemory, save_player, saved_player
from hub.playback.sound_source import Tags, Track
from tests.hub.test_player import EDGE, RATE_HZ, Listener
from tests.hub.test_seeking import noise, written

WORDS = st.text(max_size=20)


@st.composite
def memories(draw: st.DrawFn) -> PlayerMemory:
    tracks = draw(st.lists(st.builds(Track, source=WORDS, title=st.none() | WORDS), max_size=6))
    numbers = list(range(len(tracks)))
    return PlayerMemory(
        playlist=draw(st.none() | WORDS),
        tracks=tuple(tracks),
        order=tuple(draw(st.permutations(numbers))),
        number=draw(st.none() | st.sampled_from(numbers)) if numbers else None,
        place_seconds=draw(st.floats(0, 1e6)),
        tags=draw(st.builds(Tags, title=st.none() | WORDS, artist=st.none() | WORDS)),
        seconds=draw(st.none() | st.floats(0, 1e6)),
        can_seek=draw(st.booleans()),
        shuffle=draw(st.booleans()),
        repeat=draw(st.sampled_from(["off", "all", "one"])),
    )


@settings(max_examples=50, deadline=None)
@given(memories())
def test_what_is_saved_is_what_is_known_again_and_what_the_player_then_has(memory: PlayerMemory) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "state" / "player.json"
        save_player(path, memory)
        assert saved_player(path) == memory
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        player = Listener(Path(folder)).player
    player.recall(memory)
    known = player.memory()
    if memory.number is None:  # then there is nothing to know of a track
        memory = memory.model_copy(
            update={"place_seconds": 0.0, "tags": Tags(), "seconds": None, "can_seek": False}
        )
    assert known == memory


@settings(max_examples=50, deadline=None)
@given(memories(), st.data())
def test_a_damaged_file_is_told_in_one_line_and_the_player_begins_afresh(
    memory: PlayerMemory, data: st.DataObject
) -> None:
    content = bytearray(memory.model_dump_json().encode())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        del content[place:]
    else:
        content[place : place + 1] = data.draw(st.binary(min_size=1, max_size=3))
    with TemporaryDirectory() as folder, capture_logs() as logs:
        path = Path(folder) / "player.json"
        path.write_bytes(content)
        known = saved_player(path)
    assert len(logs) <= 1  # some damage makes other words, which nobody can tell
    if logs:
        assert known == PlayerMemory()
        assert "\n" not in logs[0]["why"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"volume": 31}',
        b'{"v": 2}',
        b'{"v": 1, "tracks": [{"source": "a"}], "order": [1]}',
        b'{"v": 1, "number": 0}',
        b'{"v": 1, "place_seconds": -1}',
    ],
)
def test_a_foreign_file_is_left_out(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "player.json").write_bytes(content)
    with capture_logs() as logs:
        assert saved_player(tmp_path / "player.json") == PlayerMemory()
    assert [line["log_level"] for line in logs] == ["warning"]


def test_without_a_file_nothing_is_told(tmp_path: Path) -> None:
    with capture_logs() as logs:
        assert saved_player(tmp_path / "player.json") == PlayerMemory()
    assert logs == []


def restarted(house: Listener, folder: Path) -> Listener:
    memory = house.player.memory()
    house.player.close()
    again = Listener(folder)
    again.player.recall(memory)
    return again


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    for number in range(4):
        written(tmp_path / f"{number}.flac", noise(1.5, seed=number))
    return tmp_path


def test_after_a_restart_it_is_silent_and_then_goes_on_at_the_sample_where_it_was(songs: Path) -> None:
    house = Listener(songs)
    house.play(".")
    house.hear(2.0)
    before = house.player.state
    house = restarted(house, songs)
    assert not house.hear(0.3).any()
    state = house.player.state
    assert (state.state, state.number, state.position_seconds) == ("paused", 2, before.position_seconds)
    assert (state.source, state.tracks, state.seconds) == (before.source, 4, 1.5)
    house.player.resume()
    played = house.hear(0.5)[:, house.mixer.latency_frames + EDGE :]
    first = round(before.position_seconds * RATE_HZ) + EDGE
    decoded = house.library.open(house.library.tracks("1.flac")[0]).read(2 * RATE_HZ)
    np.testing.assert_array_equal(played.T, decoded[first : first + played.shape[1]])
    house.hear(1.0)
    assert house.player.state.number == 3


def test_a_drawn_order_goes_on_where_it_was(songs: Path) -> None:
    house = Listener(songs)
    house.player.set_shuffle(True)
    house.play(".")
    heard = []
    for _ in range(4):
        house.hear(0.3)
        heard.append(house.player.state.number)
        house = restarted(house, songs)
        house.player.skip(1)
    assert sorted(number or 0 for number in heard) == [1, 2, 3, 4]


def test_before_it_goes_on_another_place_or_more_music_may_be_asked_for(songs: Path) -> None:
    house = Listener(songs)
    house.play("0.flac")
    house.hear(0.5)
    house = restarted(house, songs)
    house.player.seek(1.25)
    house.player.add("1.flac", house.library.tracks("1.flac"))
    assert (house.player.state.state, house.player.state.position_seconds) == ("paused", 1.25)
    house.player.toggle()
    house.hear(0.5)
    assert (house.player.state.number, house.player.state.tracks) == (2, 2)


def test_a_list_that_was_stopped_or_had_ended_is_kept_and_begins_with_its_first_track(songs: Path) -> None:
    house = Listener(songs)
    house.play(".")
    house.hear(2.0)
    house.player.stop()
    house = restarted(house, songs)
    assert (house.player.state.state, house.player.state.tracks) == ("idle", 4)
    house.player.resume()
    house.hear(0.2)
    assert house.player.state.number == 1


def test_a_track_that_has_gone_meanwhile_is_told_and_the_next_plays(songs: Path) -> None:
    house = Listener(songs)
    house.play(".")
    house.hear(0.5)
    house = restarted(house, songs)
    (songs / "0.flac").unlink()
    house.player.resume()
    house.hear(0.3)
    assert house.player.state.number == 2
    assert ["0.flac: no such file" in why for why in house.failures] == [True]
    assert house.player.state.position_seconds < 0.5


async def test_many_changes_are_written_once_and_progress_once_a_minute(
    songs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written_at: list[float] = []
    clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
    monkeypatch.setattr("hub.music_memory.save_player", lambda *_: written_at.append(clock.monotonic()))
    house = Listener(songs)
    memory = MusicMemory(songs / "player.json", house.player, clock)
    running = asyncio.create_task(memory.run())

    async def writes_within(seconds: int) -> int:
        written_at.clear()
        for _ in range(seconds):
            await asyncio.to_thread(clock.advance, 0)  # what was handed to a thread has come back
            clock.advance(1)
            await asyncio.sleep(0)
        return len(written_at)

    house.play(".")
    house.hear(0.3)
    for _ in range(20):
        memory.note()
    assert await writes_within(30) == 1
    assert 4 <= await writes_within(300) <= 5
    house.player.pause()
    assert await writes_within(300) == 0
    running.cancel()
    house.player.close()


async def test_a_full_disk_is_told_and_the_music_plays_on(songs: Path) -> None:
    house = Listener(songs)
    (songs / "file").touch()
    with capture_logs() as logs:
        await MusicMemory(
            songs / "file" / "player.json", house.player, VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
        ).save()
    assert [line["event"] for line in logs] == ["the music is not remembered"]
