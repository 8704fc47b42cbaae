"""Going to another place in a track: exact, without a click, and only where there is one."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.errors import BadInput
from hub.playback.disk_sound import open_file
from hub.playback.library import Library
from tests.hub.stream_server import Answer, StreamServer, radio, whole
from tests.hub.test_player import EDGE, RATE_HZ, Listener, steepest, tone

FADE = round(0.05 * RATE_HZ)
"""What the player of these tests fades in when it leaves a place."""
BLOCK = RATE_HZ // 100
KINDS = {"wav": ("WAV", "PCM_16"), "flac": ("FLAC", "PCM_16"), "ogg": ("OGG", "VORBIS"), "mp3": ("MP3", None)}


def noise(seconds: float, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(-0.2, 0.2, (round(seconds * RATE_HZ), 2)).astype(np.float32)


def written(path: Path, sound: NDArray[np.float32], rate_hz: int = RATE_HZ) -> Path:
    kind, subtype = KINDS[path.suffix[1:]]
    with soundfile.SoundFile(path, "w", rate_hz, 2, format=kind, subtype=subtype) as file:
        for first in range(0, len(sound), 9000):  # libsndfile's Vorbis does not survive a long write
            file.write(sound[first : first + 9000])
    return path


@cache
def decoded(path: Path) -> NDArray[np.float32]:
    source, pieces = open_file(path), []
    while len(piece := source.read(1 << 16)):
        pieces.append(piece)
    source.close()
    return np.concatenate(pieces)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("music")
    for ending in KINDS:
        written(made / f"long.{ending}", noise(6.0))
    written(made / "next.flac", noise(2.0, seed=1))
    (made / "two.m3u").write_text("long.flac\nnext.flac\n", encoding="utf-8")
    return made


@pytest.mark.parametrize("ending", list(KINDS))
@settings(max_examples=8, deadline=None)
@given(place=st.floats(0, 4.5), heard=st.floats(0.1, 1.0))
def test_after_going_to_a_place_the_samples_are_those_of_the_file_from_there_on(
    folder: Path, ending: str, place: float, heard: float
) -> None:
    house = Listener(folder)
    house.play(f"long.{ending}")
    house.hear(heard)
    house.player.seek(place)
    assert house.player.state.position_seconds == place
    late = house.mixer.latency_frames + FADE + EDGE  # the old place fades, the new one comes
    played = house.hear(1.0)[:, late:]
    first = round(place * RATE_HZ) + EDGE
    np.testing.assert_array_equal(
        played.T, decoded(folder / f"long.{ending}")[first : first + played.shape[1]]
    )
    told = house.player.state.position_seconds
    house.player.close()
    assert told == pytest.approx(place + 1.0 - FADE / RATE_HZ, abs=1.5 * BLOCK / RATE_HZ)


def test_another_rate_comes_from_the_place_too(tmp_path: Path) -> None:
    written(tmp_path / "cd.flac", tone(6.0, 44_100), 44_100)
    house = Listener(tmp_path)
    house.play("cd.flac")
    house.hear(0.3)
    house.player.seek(2.5)
    settled = 4800  # the resampler has no past at the place
    late = house.mixer.latency_frames + FADE + settled
    played = house.hear(1.0)[:, late:]
    first = round(2.5 * RATE_HZ) + settled
    np.testing.assert_allclose(played.T, tone(6.0)[first : first + played.shape[1]], atol=1e-4)


def test_no_click_is_heard_wherever_it_goes(tmp_path: Path) -> None:
    written(tmp_path / "tone.wav", tone(8.0))
    house = Listener(tmp_path)
    house.play("tone.wav")
    heard = [house.hear(0.317)]
    for place in (5.0013, 0.0007, 7.5, 7.4):
        house.player.seek(place)
        heard.append(house.hear(0.317))
    assert steepest(np.concatenate(heard, axis=1)) < 1.1 * steepest(tone(1.0).T)


def test_the_next_track_follows_without_a_gap_after_going_to_a_place(folder: Path) -> None:
    house = Listener(folder)
    house.play("two.m3u")
    house.hear(0.2)
    house.player.seek(5.0)
    late = house.mixer.latency_frames + FADE + EDGE
    played = house.hear(2.5)[:, late:]
    both = np.concatenate(
        [decoded(folder / "long.flac")[5 * RATE_HZ + EDGE :], decoded(folder / "next.flac")]
    )
    np.testing.assert_array_equal(played.T, both[: played.shape[1]])
    assert (house.player.state.number, house.player.state.title) == (2, None)
    assert house.player.state.position_seconds == pytest.approx(1.45, abs=0.02)


def test_what_was_decoded_ahead_is_not_left_out(folder: Path) -> None:
    """A short track's successor has been taken up long before it is heard."""
    (folder / "short.m3u").write_text("next.flac\nlong.flac\n", encoding="utf-8")
    house = Listener(folder)
    house.play("short.m3u")
    house.hear(1.5)
    house.player.seek(0.1)
    house.hear(1.0)
    assert house.player.state.number == 1
    house.hear(1.5)
    assert house.player.state.number == 2


def test_paused_music_stays_paused_at_the_new_place_and_tells_it(folder: Path) -> None:
    house = Listener(folder)
    house.play("long.flac")
    house.hear(0.3)
    house.player.pause()
    house.hear(0.2)
    house.player.seek(4.25)
    assert not house.hear(0.3).any()
    state = house.player.state
    assert (state.state, state.position_seconds, state.seconds) == ("paused", 4.25, 6.0)
    house.player.resume()
    played = house.hear(0.5)[:, house.mixer.latency_frames + EDGE :]
    first = round(4.25 * RATE_HZ) + EDGE
    np.testing.assert_array_equal(played.T, decoded(folder / "long.flac")[first : first + played.shape[1]])


def test_the_last_of_many_places_counts(folder: Path) -> None:
    house = Listener(folder)
    house.play("long.flac")
    house.hear(0.3)
    for place in (1.0, 5.0, 3.0, 4.0):
        house.player.seek(place)
    house.hear(0.5)
    assert house.player.state.position_seconds == pytest.approx(4.45, abs=0.02)
    assert house.failures == []


def test_a_place_that_is_not_there_is_refused_and_the_music_goes_on(folder: Path) -> None:
    house = Listener(folder)
    with pytest.raises(BadInput, match="nothing plays"):
        house.player.seek(1.0)
    house.play("long.flac")
    house.hear(0.5)
    with pytest.raises(BadInput, match=r"is 6\.0 s long, so nothing is at 6\.0 s"):
        house.player.seek(6.0)
    assert house.hear(0.3).all(axis=0).mean() > 0.99
    assert house.player.state.position_seconds == pytest.approx(0.8, abs=0.02)


def parts(content: bytes, content_type: str) -> Answer:
    """Return answers of a server that sends the part that is asked for."""

    async def answer(request: web.Request) -> web.StreamResponse:
        wanted = request.http_range
        first = wanted.start or 0
        if first >= len(content):
            return web.Response(status=416)
        return web.Response(
            body=content[first:],
            status=206 if first else 200,
            content_type=content_type,
            headers={"Accept-Ranges": "bytes", "ETag": '"1"'},
        )

    return answer


@pytest.mark.parametrize("ending", list(KINDS))
def test_a_file_on_a_server_that_sends_parts_plays_from_any_place(folder: Path, ending: str) -> None:
    path = folder / f"long.{ending}"
    with StreamServer({"/sound": parts(path.read_bytes(), "audio/x-sound")}) as server:
        house = Listener(folder)
        house.play(f"{server.address}/sound")
        house.hear(0.3)
        assert house.player.state.can_seek
        house.player.seek(4.3)
        late = house.mixer.latency_frames + FADE + EDGE
        played = house.hear(1.0)[:, late:]
        house.player.close()
    first = round(4.3 * RATE_HZ) + EDGE
    np.testing.assert_array_equal(played.T, decoded(path)[first : first + played.shape[1]])
    assert house.failures == []


def test_radios_and_servers_that_send_no_parts_are_refused_in_one_line(folder: Path) -> None:
    content = (folder / "long.mp3").read_bytes()
    answers = {"/radio": radio([("Song", content)], interval=8000), "/plain": whole(content)}
    with StreamServer(answers) as server:
        for path in answers:
            house = Listener(folder)
            house.play(server.address + path)
            house.hear(0.3)
            assert not house.player.state.can_seek
            with pytest.raises(BadInput, match="plays only as it comes") as refused:
                house.player.seek(3.0)
            assert "\n" not in str(refused.value)
            assert house.hear(0.3).any()
            house.player.close()


def test_a_file_that_was_cut_since_it_began_is_told_and_left_out(tmp_path: Path) -> None:
    path = written(tmp_path / "song.flac", noise(6.0))
    library = Library(tmp_path)
    source = library.open(library.tracks("song.flac")[0])
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(BadInput, match=r"song\.flac: has nothing to play at 5\.0 s"):
        source.seek(5.0)
    source.close()
