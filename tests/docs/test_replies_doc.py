"""What the page about replies shows is what the hub takes, prints and publishes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from hub.cli.main import run_command
from hub.config.hub_config import HubConfig
from hub.settlement import WAIT_SECONDS
from hub.wake_claim import WakeClaim
from integrations.mqtt.topics import hub_availability_topic, wake_topic
from routines.certainty import Certainty

PAGE = (Path(__file__).parents[2] / "docs" / "replies.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_settings_are_understood() -> None:
    *settings, _ = blocks("yaml")
    voices = [HubConfig.model_validate(YAML(typ="safe").load(text)).speech.voice for text in settings]
    assert voices == ["piper", "home_assistant"]
    assert f"`{HubConfig().speech.voice}` (default)" in PAGE


def test_the_evening_prints_what_the_page_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("evening.yaml").write_text(blocks("yaml")[-1], encoding="utf-8")
    Path("evening.jsonl").write_text(blocks("jsonl")[0], encoding="utf-8")
    (command,) = re.findall(r"^    roomwise (routine simulate .*?)\n\n", PAGE, re.DOTALL | re.MULTILINE)
    assert run_command(command.replace("\\\n", " ").split()) == 0
    assert capsys.readouterr().out == blocks("text")[0]


def test_the_steps_of_confidence_are_those_of_the_code() -> None:
    steps = [int(percent) for percent in re.findall(r"^\| (?:below|from) (\d+) %", PAGE, re.MULTILINE)]
    known = Certainty()
    assert steps == [round(100 * step) for step in (known.ask, known.ask, known.sure, known.secure)]


def test_the_claim_and_its_topics_are_those_of_the_code() -> None:
    claim = WakeClaim.model_validate_json(blocks("json")[0])
    assert set(WakeClaim.model_fields) == set(re.findall(r'"(\w+)":', blocks("json")[0]))
    assert wake_topic(claim.hub).replace(claim.hub, "<hub>") in PAGE
    assert hub_availability_topic(claim.hub).replace(claim.hub, "<hub>") in PAGE
    assert f"for {WAIT_SECONDS:g} s from the wake word" in PAGE
