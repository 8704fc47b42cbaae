"""Ogg files of several sounds play them all, and any place in them."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.errors import BadInput
from hub.playback.disk_sound import open_file
from hub.playback.ogg_pages import link_starts
from hub.playback.sound_source import SoundSource
from tests.hub.test_player import EDGE, RATE_HZ, Listener
from tests.hub.test_seeking import noise

TITLES = ("One", "Two", "Three")


def link(folder: Path, number: int, subtype: str = "VORBIS", rate_hz: int = RATE_HZ) -> Path:
    path = folder / f"{number}.{subtype}"
    with soundfile.SoundFile(path, "w", rate_hz, 2, format="OGG", subtype=subtype) as file:
        file.title = TITLES[number]
        file.write(noise(0.4 + 0.3 * number, seed=number))
    return path


def heard(source: SoundSource) -> NDArray[np.float32]:
    pieces = []
    while len(piece := source.read(3000)):
        pieces.append(piece)
    source.close()
    return np.concatenate(pieces)


@pytest.fixture(scope="module", params=["VORBIS", "OPUS"])
def chain(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[Path]]:
    folder = tmp_path_factory.mktemp("chain")
    links = [link(folder, number, request.param) for number in range(3)]
    whole = folder / "radio.ogg"
    whole.write_bytes(b"".join(one.read_bytes() for one in links))
    return whole, links


def test_all_sounds_play_one_behind_the_other_to_the_sample(chain: tuple[Path, list[Path]]) -> None:
    whole, links = chain
    parts = np.concatenate([heard(open_file(one)) for one in links])
    np.testing.assert_array_equal(heard(open_file(whole)), parts)
    assert open_file(whole).seconds == pytest.approx(0.4 + 0.7 + 1.0)


def test_a_file_put_behind_itself_plays_twice(chain: tuple[Path, list[Path]], tmp_path: Path) -> None:
    content = chain[1][0].read_bytes()
    (tmp_path / "twice.ogg").write_bytes(content + content)
    assert len(heard(open_file(tmp_path / "twice.ogg"))) == round(0.8 * RATE_HZ)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_place_in_any_of_the_sounds_is_found_to_the_sample(
    chain: tuple[Path, list[Path]], data: st.DataObject
) -> None:
    source = open_file(chain[0])
    whole = heard(open_file(chain[0]))
    frame = data.draw(st.integers(0, len(whole) - 1))
    source.seek(frame / RATE_HZ)
    np.testing.assert_array_equal(heard(source), whole[frame:])


def test_the_player_tells_each_title_and_how_far_the_whole_is(chain: tuple[Path, list[Path]]) -> None:
    house = Listener(chain[0].parent)
    house.play("radio.ogg")
    told = []
    for _ in range(7):
        house.hear(0.28)
        told.append((house.player.state.title, house.player.state.number))
    assert [title for title, _ in told] == ["One", "Two", "Two", "Three", "Three", "Three", "Three"]
    assert {number for _, number in told} == {1}
    assert house.player.state.seconds == pytest.approx(2.1)
    assert house.player.state.position_seconds == pytest.approx(1.96, abs=0.02)
    house.player.seek(0.5)
    late = house.mixer.latency_frames + round(0.05 * RATE_HZ) + EDGE
    played = house.hear(0.5)[:, late:]
    first = RATE_HZ // 2 + EDGE
    np.testing.assert_array_equal(played.T, heard(open_file(chain[0]))[first : first + played.shape[1]])
    assert house.player.state.title == "Two"


def test_sounds_of_several_rates_follow_each_other(tmp_path: Path) -> None:
    content = link(tmp_path, 0).read_bytes() + link(tmp_path, 1, rate_hz=24_000).read_bytes()
    (tmp_path / "rates.ogg").write_bytes(content)
    source = open_file(tmp_path / "rates.ogg")
    assert source.seconds == pytest.approx(0.4 + 2 * 0.7)
    rates = [source.rate_hz]
    while len(source.read(3000)):
        rates.append(source.rate_hz)
    assert list(dict.fromkeys(rates)) == [48_000, 24_000]


def test_a_file_of_one_sound_is_no_chain(chain: tuple[Path, list[Path]]) -> None:
    for one in chain[1]:
        assert link_starts([one.read_bytes()]) == [0]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 9999))
def test_damage_never_keeps_a_chain_from_playing_or_being_refused_in_one_line(
    chain: tuple[Path, list[Path]], seed: int
) -> None:
    lot, content = random.Random(seed), bytearray(chain[0].read_bytes())
    for _ in range(lot.randint(1, 30)):
        content[lot.randrange(len(content))] = lot.randrange(256)
    if lot.random() < 0.5:
        del content[lot.randrange(1, len(content)) :]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "damaged.ogg"
        path.write_bytes(content)
        frames, why = 0, ""
        try:
            frames = len(heard(open_file(path)))
        except BadInput as error:
            why = str(error)
    assert frames <= 4 * RATE_HZ
    assert frames or ("damaged.ogg" in why and "\n" not in why)
