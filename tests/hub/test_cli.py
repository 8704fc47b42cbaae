import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub import status
from hub.cli.main import VERBS, run_command
from hub.events import ServiceChanged
from hub.service import ServiceState
from hub.status import write_snapshot


def test_the_help_lists_every_verb_and_loads_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {verb} " in shown for verb in VERBS)
    code = "import sys, hub.cli.main as m; m.run_command(['--help']); print([n for n in sys.modules if n in "
    code += "('numpy', 'scipy', 'pydantic', 'onnxruntime', 'aiohttp', 'structlog')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("arguments", [["bogus"], ["check", "--nope"], ["check", "does/not/exist"]])
def test_wrong_input_is_one_line_and_exit_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1


def test_a_missing_argument_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["presence"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.lower().startswith("missing argument")


def test_check_tells_each_problem_as_a_line_or_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hub.yaml").write_text("hom: {}\naudio: {speakers: 0}\n")
    assert run_command(["check", str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert run_command(["check", str(tmp_path), "--json"]) == 2
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["line"], line["event"]) for line in lines] == [(1, "problem"), (2, "problem")]


def test_check_is_content_with_a_good_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hub.yaml").write_text("{}\n")
    assert run_command(["check", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"event": "end", "problems": 0, "routines": 0}


def test_status_shows_what_a_running_hub_wrote(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "default_state_directory", lambda: tmp_path)
    assert run_command(["status"]) == 2
    assert "no hub is running" in capsys.readouterr().err
    audio = ServiceChanged(
        name="audio", state=ServiceState.DEGRADED, why="no microphone", hint="Plug one in."
    )
    write_snapshot(tmp_path / "status.json", [audio], [], {"occupied": True})
    assert run_command(["status", "--json"]) == 0
    first, end = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["name"], first["state"], first["hint"]) == ("audio", "degraded", "Plug one in.")
    assert end["occupied"] is True
    assert (datetime.now(UTC) - datetime.fromisoformat(end["at"])).total_seconds() < 60


def test_doctor_reports_faults_and_no_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "hub.yaml").write_text(
        "mqtt: {host: 127.0.0.1, port: 1, password: !secret broker}\n"
        f"store: {{path: {tmp_path / 'none.sqlite3'}}}\n"
    )
    (tmp_path / "secrets.yaml").write_text("broker: hunter2\n")
    (tmp_path / "secrets.yaml").chmod(0o600)
    assert run_command(["doctor", "--config", str(tmp_path), "--json"]) == 0
    shown = capsys.readouterr().out
    findings = {line["part"]: line for line in map(json.loads, shown.splitlines())}
    assert findings["import hub"]["ok"]
    assert findings["config"]["ok"]
    assert not findings["mqtt"]["ok"]
    assert "hunter2" not in shown
