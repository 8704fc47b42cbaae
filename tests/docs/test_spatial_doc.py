"""What the page about spatial sound shows is what the hub takes and prints."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hub.cli.main import run_command
from hub.config.files import load_config
from hub.spatial.layout import load_layout

PAGE = (Path(__file__).parents[2] / "docs" / "spatial-sound.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_design_prints_what_the_page_shows_and_writes_what_it_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    [console] = blocks("console")
    command, expected = console.split("\n", 1)
    assert run_command(command.removeprefix("$ roomwise ").split()) == 0
    assert capsys.readouterr().out == expected
    assert {"filters.npz", "report.json"} <= {path.name for path in Path("bar").iterdir()}


def test_the_song_is_rendered_as_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    soundfile.write("song.flac", 0.1 * np.random.default_rng(1).standard_normal((9_600, 2)), 48_000)
    [command] = re.findall(r"^ +roomwise (spatial render .*)$", PAGE, re.MULTILINE)
    assert run_command(command.split()) == 0
    assert soundfile.info("wide.wav").frames == 9_600


def test_the_settings_are_taken_and_each_of_the_table_exists(tmp_path: Path) -> None:
    house, own = blocks("yaml")
    (tmp_path / "hub.yaml").write_text(f"version: 1\n{house}", encoding="utf-8")
    layout = load_config(tmp_path).hub.playback.layout
    assert layout is not None
    assert len(load_layout(layout).drivers) == 2
    (tmp_path / "own.yaml").write_text(own, encoding="utf-8")
    speaker = load_layout(tmp_path / "own.yaml")
    for setting in re.findall(r"^\| `([a-z_.]+)` \|", PAGE, re.MULTILINE):
        found: object = speaker
        for name in setting.split("."):
            assert name in type(found).__dict__["__pydantic_fields__"], setting
            found = getattr(found, name)


def test_every_loudspeaker_that_is_named_is_known() -> None:
    [names] = re.findall(r"^Some loudspeakers are known by name: (.*)\.$", PAGE, re.MULTILINE)
    for name in re.findall(r"`([a-z0-9-]+)`", names):
        assert load_layout(Path(name)).drivers
