"""What the page about other recognisers shows is valid, and the check prints what is shown."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from hub.cli.main import run_command
from hub.config.files import load_config
from hub.config.hub_config import RecognizerConfig

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "hearing-elsewhere.md").read_text(encoding="utf-8")
*EXAMPLES, WRONG = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_is_a_valid_configuration(tmp_path: Path, text: str) -> None:
    (tmp_path / "hub.yaml").write_text(text, encoding="utf-8")
    hub = load_config(tmp_path).hub
    assert hub.wyoming.enabled or hub.speech.recognizer.backend in ("onnx_asr", "wyoming")


def test_the_check_prints_what_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (shown,) = re.findall(r"^```console\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    command, expected = shown.split("\n", 1)
    folder = tmp_path / command.split()[-1]
    folder.mkdir()
    (folder / "hub.yaml").write_text(WRONG, encoding="utf-8")
    assert run_command(command.removeprefix("$ roomwise ").split()) == 2
    printed = capsys.readouterr()
    assert expected.strip() in (printed.out + printed.err)


def test_the_table_names_backends_and_extras_that_there_are() -> None:
    backends = get_args(RecognizerConfig.model_fields["backend"].annotation)
    told = re.findall(r"^\| `(\w+)`", PAGE, re.MULTILINE)
    assert set(told) | {"wyoming", "own"} == set(backends)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(re.findall(r"roomwise\[([\w-]+)\]", PAGE)) <= set(extras)


def test_the_server_is_closed_and_local_out_of_the_box(tmp_path: Path) -> None:
    (tmp_path / "hub.yaml").write_text("{}\n", encoding="utf-8")
    settings = load_config(tmp_path).hub.wyoming
    assert (settings.enabled, settings.host) == (False, "127.0.0.1")
    assert settings.port == 10_400
