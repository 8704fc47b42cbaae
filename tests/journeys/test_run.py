"""The hub as a service: it starts with nothing, lives with a missing broker, and ends cleanly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def started(tmp_path: Path, hub_yaml: str) -> subprocess.Popen[str]:
    (tmp_path / "routines").mkdir(exist_ok=True)
    (tmp_path / "hub.yaml").write_text(hub_yaml, encoding="utf-8")
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}
    command = [sys.executable, "-m", "hub", "run", "--config", str(tmp_path), "--json"]
    return subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def services(tmp_path: Path, hub: subprocess.Popen[str], wanted: dict[str, str]) -> dict[str, Any]:
    """Return the services once they are in the wanted states, or as they are after 30 s."""
    snapshot = tmp_path / "state" / "roomwise" / "status.json"
    found: dict[str, Any] = {}
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and hub.poll() is None:
        if snapshot.exists():
            found = {one["name"]: one for one in json.loads(snapshot.read_text())["services"]}
            if all(found[name]["state"] == state for name, state in wanted.items()):
                break
        time.sleep(0.1)
    return found


def ended(hub: subprocess.Popen[str]) -> int:
    hub.send_signal(signal.SIGTERM)
    hub.communicate(timeout=30)
    return hub.returncode


def test_the_hub_comes_up_with_an_empty_configuration_and_ends_cleanly_at_sigterm(tmp_path: Path) -> None:
    hub = started(tmp_path, "version: 1\n")
    wanted = dict.fromkeys(("audio", "mqtt", "routines", "store"), "ready")
    found = services(tmp_path, hub, wanted)
    assert ended(hub) == 0
    assert {name: found[name]["state"] for name in wanted} == wanted
    assert (tmp_path / "state" / "roomwise" / "roomwise.sqlite3").exists()


def test_without_its_broker_the_hub_goes_on_and_its_audio_runs(tmp_path: Path) -> None:
    hub = started(tmp_path, "version: 1\nmqtt: {host: 127.0.0.1, port: 1}\n")
    found = services(tmp_path, hub, {"audio": "ready", "routines": "ready"})
    assert ended(hub) == 0
    assert found["audio"]["state"] == "ready"
    assert found["mqtt"]["state"] != "ready"


def test_a_wrong_configuration_ends_with_one_line_a_problem_and_status_2(tmp_path: Path) -> None:
    hub = started(tmp_path, "version: 1\naudoi: {}\nhome: {timezone: Mars/Olympus}\n")
    _, errors = hub.communicate(timeout=30)
    assert hub.returncode == 2
    assert len(errors.splitlines()) == 2
    assert "hub.yaml:2:1" in errors
    assert "did you mean 'audio'?" in errors
