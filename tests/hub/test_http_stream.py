"""Streams over HTTP: what they are, what they say, and what they do when the network does not."""

from __future__ import annotations

import threading
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.errors import BadInput
from hub.music_play import MusicPlay
from hub.playback.http_fetch import MOST_TRIES, HttpFetch
from hub.playback.http_stream import HttpStream
from hub.playback.icy import IcySplitter
from hub.playback.library import Library
from hub.playback.mixer import Mixer
from hub.playback.playlist import shown_address
from hub.playback.sound_source import SoundSource, Tags, Track
from routines.facts import Json
from tests.hub.stream_server import StreamServer, cut, radio, slow, stalled, told, whole

RATE_HZ = 48_000
SUBTYPES = {"MP3": None, "OGG": "VORBIS", "FLAC": None, "WAV": None}
TYPES = {"MP3": "audio/mpeg", "OGG": "application/ogg", "FLAC": "audio/flac", "WAV": "audio/x-wav"}


def noise(seconds: float) -> NDArray[np.float32]:
    return np.random.default_rng(0).uniform(-0.5, 0.5, (round(seconds * RATE_HZ), 2)).astype(np.float32)


def encoded(kind: str, sound: NDArray[np.float32]) -> bytes:
    file = BytesIO()
    soundfile.write(file, sound, RATE_HZ, format=kind, subtype=SUBTYPES[kind])
    return file.getvalue()


def decoded(content: bytes) -> NDArray[np.float32]:
    sound: NDArray[np.float32] = soundfile.read(BytesIO(content), dtype="float32", always_2d=True)[0]
    return sound


class Waits:
    """A clock for tries that only notes how long they wait."""

    def __init__(self, most: int = 99) -> None:
        self.seconds: list[float] = []
        self._most = most

    def __call__(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        return len(self.seconds) > self._most


def library(wait: Waits | None = None, stall_seconds: float = 5.0) -> Library:
    waits = wait or Waits()
    return Library(
        Path("/nowhere"), fetch=lambda address: HttpFetch(address, stall_seconds=stall_seconds, wait=waits)
    )


def opened(address: str, wait: Waits | None = None, stall_seconds: float = 5.0) -> SoundSource:
    return library(wait, stall_seconds).open(Track(source=address))


def heard(sound: SoundSource, most: int = 10**9) -> NDArray[np.float32]:
    pieces, frames = [], 0
    try:
        while frames < most and len(piece := sound.read(4096)):
            pieces.append(piece)
            frames += len(piece)
    finally:
        sound.close()
    return np.concatenate(pieces)


@pytest.mark.parametrize("kind", list(TYPES))
def test_a_file_on_a_server_sounds_like_the_file(kind: str) -> None:
    content = encoded(kind, noise(1.5))
    with StreamServer({"/sound": whole(content, TYPES[kind])}) as server:
        np.testing.assert_array_equal(heard(opened(f"{server.address}/sound")), decoded(content))


def test_slow_bytes_and_no_length_are_no_hindrance() -> None:
    content = encoded("OGG", noise(0.5))
    with StreamServer({"/sound": slow(content, step=97)}) as server:
        np.testing.assert_array_equal(heard(opened(f"{server.address}/sound")), decoded(content))


def test_redirects_are_followed_and_circles_are_not() -> None:
    content = encoded("FLAC", noise(0.3))
    answers = {
        "/old": told(302, Location="/new"),
        "/new": whole(content, "audio/flac"),
        "/round": told(302, Location="/round"),
    }
    with StreamServer(answers) as server:
        assert len(heard(opened(f"{server.address}/old"))) == round(0.3 * RATE_HZ)
        with pytest.raises(BadInput, match="redirects again and again"):
            opened(f"{server.address}/round")


def test_a_file_that_is_cut_again_and_again_is_whole_all_the_same() -> None:
    content = encoded("FLAC", noise(1.0))
    waits = Waits()
    with StreamServer({"/sound": cut(content, after=len(content) // 4 + 1)}) as server:
        np.testing.assert_array_equal(heard(opened(f"{server.address}/sound", waits)), decoded(content))
    asked = [request.headers.get("Range") for request in server.requests]
    assert (asked[0], len(asked) >= 4, len(set(asked))) == (None, True, len(asked))
    assert waits.seconds[0] == 0.5


def test_a_cut_file_of_a_server_that_cannot_resume_is_told_after_what_has_come() -> None:
    content = encoded("FLAC", noise(1.0))
    with StreamServer({"/sound": cut(content, after=60_000, can_resume=False)}) as server:
        sound = opened(f"{server.address}/sound")
        frames: list[int] = []
        with pytest.raises(BadInput, match="/sound: "):
            frames.extend(iter(lambda: len(sound.read(1000)), 0))
        sound.close()
    assert len(frames) > 5


def test_a_stalled_stream_gives_up_after_growing_waits() -> None:
    """The server begins and stalls each time; its radio brings no byte after the first time."""
    content = encoded("MP3", noise(0.5))
    waits = Waits()
    times = iter(range(99))

    async def dying(request: object) -> object:
        begins = stalled(content, **{"icy-name": "Dead Air"})
        answer = begins if next(times) == 0 else told(503)
        return await answer(request)  # type: ignore[arg-type]

    with StreamServer({"/live": dying}) as server:  # type: ignore[dict-item]
        sound = opened(f"{server.address}/live", waits, stall_seconds=0.3)
        with pytest.raises(BadInput, match=rf"answers 503 .*did not come back in {MOST_TRIES} tries"):
            heard(sound)
    assert waits.seconds == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_an_endless_radio_plays_on_says_its_titles_and_comes_back_when_it_breaks_off() -> None:
    content = encoded("MP3", noise(1.0))
    pieces = [("The Band - First", content), ("Second; 'quoted'", content)]
    waits = Waits()
    with StreamServer({"/live": radio(pieces, interval=500)}) as server:
        sound = opened(f"{server.address}/live", waits)
        said: list[Tags] = []
        frames = 0
        while frames < 6 * RATE_HZ:
            frames += len(sound.read(4096))
            if not said or said[-1] != sound.tags:
                said.append(sound.tags)
        assert sound.seconds is None
        sound.close()
    assert waits.seconds[0] == 0.5
    assert len(server.requests) >= 3
    assert {tags.title for tags in said} <= {"First", "Second; 'quoted'", "Test FM"}
    assert Tags(title="Second; 'quoted'") in said


def test_a_radio_in_ogg_goes_on_from_title_to_title() -> None:
    content = encoded("OGG", noise(0.5)) + encoded("OGG", noise(0.25))
    with StreamServer({"/live": whole(content, "application/ogg")}) as server:
        assert len(heard(opened(f"{server.address}/live"))) == round(0.75 * RATE_HZ)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=400), st.integers(1, 60), st.integers(1, 30), st.text(max_size=20))
def test_what_a_radio_says_is_taken_out_however_the_stream_is_cut(
    sound: bytes, interval: int, step: int, title: str
) -> None:
    sent = bytearray()
    said = f"StreamTitle='{title}';".encode()[: 16 * 255]
    for at in range(0, len(sound), interval):
        piece = sound[at : at + interval]
        sent += piece
        if len(piece) == interval:
            units = -(-len(said) // 16)
            sent += bytes([units]) + said.ljust(16 * units, b"\0")
    splitter = IcySplitter(interval)
    left = b"".join(splitter.process(bytes(sent[at : at + step])) for at in range(0, len(sent), step))
    assert left == sound


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (told(404), "the server answers 404 Not Found"),
        (told(500), "the server answers 500"),
        (told(200, "<html>no music</html>"), "answers with text/html, not with sound"),
        (whole(b"x" * 20_000, "application/octet-stream"), "is no sound that can be played"),
        (whole(b"x" * 20_000, "audio/aac"), "audio/aac, which is not played"),
        (whole(b"", "audio/mpeg"), "sends nothing"),
        (told(200, "#EXTM3U\n#EXT-X-VERSION:3\n", "application/vnd.apple.mpegurl"), "HLS"),
    ],
)
def test_what_is_no_sound_is_said_in_one_line(answer: object, complaint: str) -> None:
    with StreamServer({"/sound": answer}) as server:  # type: ignore[dict-item]
        address = f"{server.address}/sound"
        with pytest.raises(BadInput, match=complaint) as raised:
            opened(address)
    assert str(raised.value).startswith(address)
    assert "\n" not in str(raised.value)


def test_a_server_that_is_not_there_or_has_no_name_is_said_in_one_line() -> None:
    with StreamServer({}) as server:
        gone = server.address
    for address in (gone, "http://no-such-host.invalid/", "http:///", "http://[bad/x"):
        with pytest.raises(BadInput) as raised:
            opened(address)
        assert str(raised.value).startswith(address)


def test_a_server_that_accepts_and_says_nothing_is_given_up() -> None:
    with StreamServer({"/sound": stalled(b"")}) as server, pytest.raises(BadInput, match=r"for 0\.3 s"):
        opened(f"{server.address}/sound", stall_seconds=0.3)


def test_a_stream_that_waits_lets_go_when_it_is_cancelled() -> None:
    content = encoded("MP3", noise(0.5))
    with StreamServer({"/live": stalled(content[: len(content) // 2])}) as server:
        address = f"{server.address}/live"
        stream = HttpStream(address, HttpFetch(address, stall_seconds=100)).open()
        ended = threading.Event()

        def play() -> None:
            with pytest.raises(BadInput):
                list(iter(lambda: len(stream.read(4096)), 0))
            stream.close()
            ended.set()

        thread = threading.Thread(target=play)
        thread.start()
        stream.cancel()
        assert ended.wait(20)
        thread.join()


@pytest.mark.parametrize(
    ("path", "content_type"), [("/list.m3u", "audio/x-mpegurl"), ("/list.pls", "text/plain")]
)
def test_a_playlist_on_a_server_is_a_list_of_tracks(path: str, content_type: str) -> None:
    text = (
        "[playlist]\nFile1=one.mp3\nFile2=http://h/two\n"
        if path.endswith("pls")
        else "one.mp3\nhttp://h/two\n"
    )
    content_types = {path: told(200, text, content_type)}
    with StreamServer(content_types) as server:
        tracks = library().tracks(f"{server.address}{path}")
        assert [track.source for track in tracks] == [f"{server.address}/one.mp3", "http://h/two"]


def test_the_link_of_a_radio_that_turns_out_a_playlist_plays_its_first_entry() -> None:
    content = encoded("MP3", noise(0.3))
    answers = {"/listen": told(200, "live.mp3\n", "audio/x-scpls"), "/live.mp3": whole(content)}
    with StreamServer(answers) as server:
        assert len(heard(opened(f"{server.address}/listen"))) == round(0.3 * RATE_HZ)


def test_a_password_in_an_address_is_not_shown() -> None:
    assert shown_address("http://me:secret@host:8000/live?x=1") == "http://host:8000/live?x=1"
    assert shown_address("http://host/a@b") == "http://host/a@b"
    with pytest.raises(BadInput) as raised:
        opened("http://me:secret@127.0.0.1:1/live")
    assert "secret" not in str(raised.value)


def test_a_list_of_addresses_plays_what_can_be_played_and_tells_the_rest(tmp_path: Path) -> None:
    answers = {
        "/one.mp3": whole(encoded("MP3", noise(0.5))),
        "/page": told(200, "<html></html>"),
        "/two.ogg": slow(encoded("OGG", noise(0.5)), step=500, content_type="application/ogg"),
    }
    shown: list[dict[str, Json]] = []
    with StreamServer(answers) as server:
        names = ("one.mp3", "gone", "page", "two.ogg")
        text = "\n".join(f"{server.address}/{name}" for name in names)
        (tmp_path / "list.m3u").write_text(text, encoding="utf-8")
        mixer = Mixer(rate_hz=RATE_HZ, speakers=2)
        music = MusicPlay(mixer, RATE_HZ, fade_seconds=0.1, is_lossless=True, show=shown.append)
        music.start(str(tmp_path / "list.m3u"))
        heard_frames = sum(block.shape[1] for block in music.blocks(480))
    assert heard_frames == pytest.approx(RATE_HZ, abs=480)
    assert [event["number"] for event in shown if event["event"] == "track"] == [1, 4]
    whys = [str(event["why"]) for event in shown if event["event"] == "failed"]
    assert ["404" in whys[0], "text/html" in whys[1], len(whys)] == [True, True, 2]
