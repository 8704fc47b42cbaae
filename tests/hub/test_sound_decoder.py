"""Sounds of every format, from files and as streams that never end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.errors import BadInput
from hub.playback import ogg_pages
from hub.playback.disk_sound import open_file
from hub.playback.mpeg_frames import first_frame
from hub.playback.sound_decoder import DecodedSound, encoded_parts
from hub.playback.sound_source import SoundSource

RATE_HZ = 48_000


def tone(seconds: float, rate_hz: int = RATE_HZ, hz: float = 440.0) -> NDArray[np.float32]:
    place = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.repeat(0.5 * np.sin(2 * np.pi * hz * place)[:, None], 2, axis=1).astype(np.float32)


@pytest.mark.parametrize("ending", ["mp3", "ogg", "opus", "flac", "wav"])
@pytest.mark.parametrize("is_known", [True, False])
def test_a_stream_of_unknown_or_known_length_decodes_like_the_file(
    tmp_path: Path, ending: str, is_known: bool
) -> None:
    path = tmp_path / f"sound.{ending}"
    kinds = {"mp3": ("MP3", None), "ogg": ("OGG", "VORBIS"), "opus": ("OGG", "OPUS")}
    kind, subtype = kinds.get(ending, (ending.upper(), None))
    soundfile.write(path, tone(2.0), RATE_HZ, format=kind, subtype=subtype)
    content = path.read_bytes()
    chunks = (content[at : at + 701] for at in range(0, len(content), 701))
    part = next(encoded_parts(chunks, len(content) if is_known else None))
    np.testing.assert_array_equal(_all(DecodedSound("stream", part)), _all(open_file(path)))
    assert len(_all(open_file(path))) == 2 * RATE_HZ


def _all(sound: SoundSource) -> NDArray[np.float32]:
    pieces = []
    while len(piece := sound.read(4096)):
        pieces.append(piece)
    sound.close()
    return np.concatenate(pieces)


def test_a_stream_is_decoded_while_it_comes() -> None:
    """An endless MP3 must not be read to an end that never comes."""
    taken = 0

    def endless(content: bytes) -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += len(content)
            yield content

    content = _encoded("MP3", tone(1.0))
    part = next(encoded_parts(endless(content), None, is_endless=True))
    sound = DecodedSound("endless", part)
    for _ in range(20):
        assert len(sound.read(4800)) == 4800
    assert sound.seconds is None
    assert taken <= 4 * len(content)


def _encoded(kind: str, sound: NDArray[np.float32], subtype: str | None = None) -> bytes:
    from io import BytesIO

    file = BytesIO()
    soundfile.write(file, sound, RATE_HZ, format=kind, subtype=subtype)
    return file.getvalue()


def test_an_mp3_of_changing_speed_without_a_header_plays_to_its_end(tmp_path: Path) -> None:
    """Libsndfile alone guesses the length from the first frames and would stop after a fraction."""
    path = tmp_path / "changing.mp3"
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (RATE_HZ, 2))
    sound = np.concatenate([noise, np.zeros((8 * RATE_HZ, 2))])
    soundfile.write(path, sound, RATE_HZ, format="MP3", bitrate_mode="VARIABLE", compression_level=0.2)
    content = path.read_bytes()
    path.write_bytes(content[content.find(b"\xff\xfb", 4) :])  # all but the frame with the header
    assert soundfile.info(str(path)).frames < 4 * RATE_HZ
    # a frame more at each end: only the header says how much is padding
    assert len(_all(open_file(path))) == pytest.approx(len(sound), abs=2 * 1152)


def test_a_chain_of_ogg_streams_becomes_one_sound_after_the_other() -> None:
    first, second = _encoded("OGG", tone(0.5), "VORBIS"), _encoded("OGG", tone(0.25), "OPUS")
    content = first + second + first
    chunks = (content[at : at + 333] for at in range(0, len(content), 333))
    lengths = [len(_all(DecodedSound("chain", part))) for part in encoded_parts(chunks, None)]
    assert lengths == [24_000, 12_000, 24_000]


@given(st.binary(max_size=300), st.integers(1, 50))
@settings(max_examples=50, deadline=None)
def test_pages_of_ogg_are_found_in_any_bytes(rubbish: bytes, step: int) -> None:
    page = ogg_pages.end_page(b"OggS".ljust(14, b"\0") + b"abcd")
    content = rubbish.replace(b"OggS", b"") + page + page
    chunks = [content[at : at + step] for at in range(0, len(content), step)]
    assert [list(link) for link in ogg_pages.links(chunks)] == [[page, page]]


def test_an_mp3_that_is_joined_anywhere_begins_with_its_next_frame() -> None:
    content = _encoded("MP3", tone(1.0))
    start = first_frame(content[1000:])
    assert start is not None
    part = next(encoded_parts([content[1000:]], None))
    assert len(_all(DecodedSound("radio", part))) > 0.8 * RATE_HZ
    assert first_frame(b"\xff" * 500) is None


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "empty"),
        (b"no sound at all" * 100, "cannot be read as sound"),
        (_encoded("WAV", tone(0.1))[:-1000], "is cut"),
    ],
)
def test_a_file_that_is_none_is_named_in_one_line(tmp_path: Path, content: bytes, complaint: str) -> None:
    (tmp_path / "bad.wav").write_bytes(content)
    with pytest.raises(BadInput, match=complaint) as raised:
        open_file(tmp_path / "bad.wav")
    assert "bad.wav" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_is_no_number_is_refused_before_it_is_heard(tmp_path: Path) -> None:
    sound = tone(0.5)
    sound[9000] = np.nan
    soundfile.write(tmp_path / "bad.wav", sound, RATE_HZ, subtype="FLOAT")
    opened = open_file(tmp_path / "bad.wav")
    with pytest.raises(BadInput, match="no number"):
        _all(opened)
