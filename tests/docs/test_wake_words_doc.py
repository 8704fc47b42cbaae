"""The page about wake words shows commands that exist and settings that are read."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hub import status
from hub.cli.main import run_command
from hub.config.hub_config import HubConfig
from routines.positions import parse_yaml
from sensing.speech.wake_heads import wake_phrases
from sensing.training.synthetic_speech import spoken_by
from sensing.training.synthetic_words import voices_of

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "wake-words.md").read_text(encoding="utf-8")


def test_the_setting_of_the_page_is_one_of_the_hub() -> None:
    [text] = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    document = parse_yaml(text, "hub.yaml")
    config = HubConfig.model_validate(document.data)  # type: ignore[union-attr]
    assert config.speech.wake_word == "hey orbit"


def test_the_phrases_of_the_page_are_those_that_ship() -> None:
    [named] = re.findall(r"Ready to use: (.*?)\.", PAGE)
    assert tuple(sorted(re.findall(r"`(\w+)`", named))) == wake_phrases()


def test_the_folder_of_the_page_is_measured_by_its_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "default_state_directory", lambda: tmp_path / "state")
    monkeypatch.chdir(tmp_path)
    for path in re.findall(r"^(labelled/\S+)", PAGE, re.MULTILINE):
        file = tmp_path / path.replace("hey_orbit", "computer")
        file.parent.mkdir(parents=True)
        text = "computer" if "hey_orbit" in path else "good evening"
        soundfile.write(file, np.pad(0.3 * spoken_by(voices_of("test")[0], text), 8_000), 16_000)
    [command] = re.findall(r"^roomwise (wake eval .*)$", PAGE, re.MULTILINE)
    arguments = [one.replace("hey orbit", "computer") for one in shlex.split(command)]
    assert run_command(arguments) == 0
    shown = capsys.readouterr().out
    assert "'computer': 0 of 1 missed" in shown
    assert re.search(r"^\* ", shown, re.MULTILINE)


def test_every_command_of_the_page_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    for command in re.findall(r"^roomwise (.*)$", PAGE, re.MULTILINE):
        verb, action, *options = shlex.split(command)
        assert run_command([verb, action, "--help"]) == 0
        help_text = capsys.readouterr().out
        assert all(one in help_text for one in options if one.startswith("--"))
