"""What the page about music shows is what the hub takes, prints and publishes."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import soundfile
from ruamel.yaml import YAML

from hub.cli.main import run_command
from hub.config.files import load_config
from hub.config.hub_config import HubConfig
from hub.playback.player_state import PlayerState
from hub.playback.volume import volume_db
from integrations.mqtt.player_discovery import player_components
from integrations.mqtt.topics import (
    announce_topic,
    announcement_topic,
    player_event_topic,
    player_request_topic,
    player_state_topic,
)

PAGE = (Path(__file__).parents[2] / "docs" / "playback.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_evening_prints_what_the_page_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for title, frames in (("First", 48_000), ("Second", 72_000)):
        with soundfile.SoundFile(f"{title}.flac", "w", 48_000, 2) as file:
            file.title, file.artist = title, "The Band"
            file.write(np.full((frames, 2), 0.1))
    Path("evening.m3u").write_text("First.flac\ngone.mp3\nSecond.flac\n", encoding="utf-8")
    command, expected = blocks("console")[0].split("\n", 1)
    assert run_command(command.removeprefix("$ roomwise ").split()) == 0
    printed = capsys.readouterr().out.replace(f"{tmp_path}/", "")
    assert sorted(printed.splitlines()) == sorted(expected.splitlines())  # a failure is told when it is found
    rendered, rate_hz = soundfile.read("evening.wav")
    assert (rate_hz, rendered.shape) == (48_000, (120_000, 2))
    np.testing.assert_allclose(rendered[1000:-1000], 0.1, atol=2**-16)  # of 16 bits


def test_every_line_of_json_is_an_event(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    soundfile.write("one.wav", np.zeros((4800, 1)), 48_000)
    assert run_command(["play", "one.wav", "--out", "out.wav", "--json"]) == 0
    track, end = map(json.loads, capsys.readouterr().out.splitlines())
    assert (track["event"], track["number"], track["seconds"]) == ("track", 1, 0.1)
    assert end == {"event": "end", "seconds": 0.1, "played": 1, "failed": 0}


@pytest.mark.parametrize("source", ["gone.wav", "text.wav", "empty"])
def test_what_cannot_be_played_at_all_ends_with_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.wav").write_text("no sound", encoding="utf-8")
    Path("empty").mkdir()
    assert run_command(["play", source, "--out", "out.wav", "--json"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert source in line


def test_a_layout_renders_a_channel_for_each_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("layout.yaml").write_text(
        "sample_rate: 48000\nlistener: {distance_m: 1.0}\ndrivers:\n"
        + "".join(f"  - {{name: d{x}, position_m: [{x}, 0.0, 0.0]}}\n" for x in (-0.2, 0.0, 0.2)),
        encoding="utf-8",
    )
    soundfile.write("loud.wav", np.random.default_rng(0).uniform(-1, 1, (24_000, 2)), 48_000)
    assert run_command(["play", "loud.wav", "--out", "out.wav", "--layout", "layout.yaml"]) == 0
    rendered, _ = soundfile.read("out.wav")
    assert rendered.shape == (24_000, 3)
    assert 0.05 < np.abs(rendered).max() <= 1


def test_the_settings_and_the_routines_are_valid(tmp_path: Path) -> None:
    settings, routines, serving, following = blocks("yaml")
    assert HubConfig.model_validate(YAML(typ="safe").load(settings)).playback.ducking_db == 24
    served, followed = (
        HubConfig.model_validate(YAML(typ="safe").load(text)).playback.together
        for text in (serving, following)
    )
    assert served is not None
    assert served.wait_seconds == 1.0
    assert followed is not None
    assert followed.follow == "kitchen-hub.local"
    (tmp_path / "routines").mkdir()
    (tmp_path / "hub.yaml").write_text("version: 1\n", encoding="utf-8")
    (tmp_path / "routines" / "music.yaml").write_text(routines, encoding="utf-8")
    assert [one.id for one in load_config(tmp_path).routines] == ["breakfast", "leave"]
    assert player_request_topic("kitchen", "command") in routines
    assert f"{-volume_db(50):.0f} dB down" in PAGE


def test_the_topics_and_the_state_are_those_of_the_code() -> None:
    [state] = map(json.loads, blocks("json"))
    assert set(state) == {"v", "ts", *(field.name for field in fields(PlayerState))}
    topics = [
        player_state_topic("<room>"),
        player_event_topic("<room>"),
        player_request_topic("<room>", "play"),
        player_request_topic("<room>", "command"),
        player_request_topic("<room>", "volume"),
        player_request_topic("<room>", "shuffle"),
        announce_topic("<room>"),
        announcement_topic("<id>"),
    ]
    assert all(f"`{topic.removeprefix('roomwise/v1/')}`" in PAGE for topic in topics)


def test_every_entity_of_home_assistant_is_named() -> None:
    named = set(re.findall(r"(?<!\*)\*([A-Z][a-z]+(?: [a-z]+)*)\*(?!\*)", PAGE))
    components = player_components("attic", ["Jazz"]).values()
    assert named == {component["name"] for component in components if isinstance(component, dict)}
