"""What the README shows is true."""

from __future__ import annotations

import re
from pathlib import Path

from hub.cli.main import VERBS
from hub.config.files import load_config

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_first_routine_and_the_first_configuration_are_valid(tmp_path: Path) -> None:
    routine, hub = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "routines").mkdir()
    (tmp_path / "routines" / "hall.yaml").write_text(routine, encoding="utf-8")
    (tmp_path / "hub.yaml").write_text(hub, encoding="utf-8")
    loaded = load_config(tmp_path)
    assert [one.id for one in loaded.routines] == ["hall_light"]
    assert loaded.hub.mqtt.lights == {"light.hall": "zigbee2mqtt/hall/set"}


def test_every_verb_is_in_the_readme_and_no_other() -> None:
    table = README.split("## Verbs")[1].split("##")[0]
    assert set(re.findall(r"`roomwise (\w+)", table)) == set(VERBS)
