from pathlib import Path

import pytest
from pydantic import BaseModel

from hub.config import hub_config
from hub.config.files import load_config
from hub.errors import ConfigError


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
    return folder


def problems_of(folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(folder)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def test_an_empty_mapping_is_a_whole_configuration(tmp_path: Path) -> None:
    loaded = load_config(write(tmp_path, {"hub.yaml": "{}\n"}))
    assert loaded.hub.audio.rate_hz == 48000
    assert loaded.hub.mqtt.host is None
    assert loaded.routines == []


def test_a_secret_is_filled_in_and_never_printed(tmp_path: Path) -> None:
    hub = "mqtt:\n  host: broker\n  password: !secret broker\n  lights: {light.lamp: lamp/set}\n"
    loaded = load_config(write(tmp_path, {"hub.yaml": hub, "secrets.yaml": "broker: hunter2\n"}))
    assert loaded.hub.mqtt.password is not None
    assert loaded.hub.mqtt.password.get_secret_value() == "hunter2"
    assert "hunter2" not in repr(loaded)


def test_all_problems_of_all_files_are_told_at_once_with_their_places(tmp_path: Path) -> None:
    hub = "home:\n  timezone: Berlin\nmqtt:\n  password: !secret broker\n  prot: 1\naudio:\n  rate_hz: 8000\n"
    write(tmp_path, {"hub.yaml": hub, "routines/a.yaml": "routines: [\n", "secrets.yaml": "{}\n"})
    told = problems_of(tmp_path)
    assert any(line.startswith("hub.yaml:2:3: 'Berlin' is not a time zone") for line in told)
    assert any(line.startswith("hub.yaml:4:3: there is no secret 'broker'") for line in told)
    assert any(line.startswith("hub.yaml:5:3: unknown key 'prot'") and "port" in line for line in told)
    assert any(line.startswith("hub.yaml:7:3:") for line in told)
    assert any(line.startswith("routines/a.yaml:") for line in told)
    assert len(told) == 5


def test_secrets_that_others_may_read_are_a_problem(tmp_path: Path) -> None:
    write(tmp_path, {"hub.yaml": "{}\n", "secrets.yaml": "a: b\n"})
    (tmp_path / "secrets.yaml").chmod(0o644)
    (told,) = problems_of(tmp_path)
    assert "other users" in told
    assert "chmod 600" in told


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    (told,) = problems_of(tmp_path)
    assert told.startswith("hub.yaml:1:1: there is no such file")


def test_every_setting_is_described() -> None:
    models = [
        one for one in vars(hub_config).values() if isinstance(one, type) and issubclass(one, BaseModel)
    ]
    silent = [
        f"{model.__name__}.{name}"
        for model in models
        for name, field in model.model_fields.items()
        if not field.description
    ]
    assert silent == []
