"""The hub as a service: it starts with nothing, lives with a missing broker, and ends cleanly."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from hub import status
from hub.calibration import calibration_file, hardware_of, write_calibration
from hub.calibration_notes import CalibrationNotes, KeptReason, PlayedTone, notes_file, write_notes
from hub.cli.main import run_command
from hub.config.hub_config import AudioConfig
from hub.playback.text_to_speech import speak
from hub.store.run_history import RunRecord, recent_runs
from tests.sensing.calibration.made_up_card import MadeUpCard


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


def test_all_that_a_hub_keeps_is_in_one_folder_but_a_database_that_hub_yaml_moves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state" / "roomwise"
    kept = MadeUpCard(speakers=2).calibrate()
    kept = kept.model_copy(update={"hardware": hardware_of(AudioConfig()), "at": datetime.now(UTC)})
    write_calibration(calibration_file(state), kept)
    tone = PlayedTone(calibrated_at=kept.at, carriers_hz=(kept.carrier_hz,), peak=kept.level)
    told = KeptReason(trigger="moved", reason="it was moved")
    write_notes(notes_file(state), CalibrationNotes(tone=tone, told=(told,)))
    hub = started(
        tmp_path, f"version: 1\nspeech: {{enabled: false}}\nstore: {{path: {tmp_path}/other/hub.sqlite3}}\n"
    )
    monkeypatch.setattr(status, "default_state_directory", lambda: state)
    shown = ""
    deadline = time.monotonic() + 60
    while "front end" not in shown and time.monotonic() < deadline:
        time.sleep(0.2)
        run_command(["status"])
        shown = capsys.readouterr().out
    assert ended(hub) == 0
    assert "living_room: calibrate again: it was moved; run: roomwise calibrate\n" in shown
    assert (tmp_path / "other" / "hub.sqlite3").exists()
    assert not (state / "roomwise.sqlite3").exists()


def test_without_its_broker_the_hub_goes_on_and_its_audio_runs(tmp_path: Path) -> None:
    hub = started(tmp_path, "version: 1\nmqtt: {host: 127.0.0.1, port: 1}\n")
    found = services(tmp_path, hub, {"audio": "ready", "routines": "ready", "mqtt": "degraded"})
    assert ended(hub) == 0
    assert found["audio"]["state"] == "ready"
    assert found["mqtt"]["state"] == "degraded"
    assert "mqtt.host" in found["mqtt"]["hint"]


PARTY = """
version: 1
routines:
  - id: party
    triggers: [{trigger: voice, phrases: ["(run|start) party time"]}]
    actions: [{publish: {topic: lights/all, payload: party}}]
"""


def recording(tmp_path: Path, rate_hz: int) -> None:
    """Somebody asks for party time, in a recording of two microphones."""
    pause = np.zeros(rate_hz, np.float32)
    said = [0.3 * speak(text, rate_hz)[0] for text in ("computer", "start party time")]
    mono = np.concatenate([pause, said[0], pause[: rate_hz // 2], said[1], pause, pause])
    soundfile.write(tmp_path / "said.flac", np.stack([mono, mono], axis=1), rate_hz)


def test_on_a_recording_the_hub_hears_a_command_runs_its_routine_and_ends(tmp_path: Path) -> None:
    recording(tmp_path, 16_000)
    (tmp_path / "routines").mkdir()
    (tmp_path / "routines" / "party.yaml").write_text(PARTY, encoding="utf-8")
    settings = "audio: {device: file, recording: said.flac}\nultrasound: {enabled: false}\n"
    hub = started(tmp_path, f"version: 1\n{settings}")
    _, errors = hub.communicate(timeout=60)
    assert hub.returncode == 0, errors
    [run] = recent_runs(tmp_path / "state" / "roomwise" / "roomwise.sqlite3", limit=10)
    assert (run.routine, run.result) == ("party", "finished")


def test_a_recording_too_slow_for_the_carrier_is_refused_in_one_line(tmp_path: Path) -> None:
    recording(tmp_path, 16_000)
    hub = started(tmp_path, "version: 1\naudio: {device: file, recording: said.flac}\n")
    _, errors = hub.communicate(timeout=30)
    assert hub.returncode == 2
    [line] = errors.splitlines()
    assert "16000 Hz" in line
    assert "ultrasound.enabled" in line


def test_a_wrong_configuration_ends_with_one_line_a_problem_and_status_2(tmp_path: Path) -> None:
    hub = started(tmp_path, "version: 1\naudoi: {}\nhome: {timezone: Mars/Olympus}\n")
    _, errors = hub.communicate(timeout=30)
    assert hub.returncode == 2
    assert len(errors.splitlines()) == 2
    assert "hub.yaml:2:1" in errors
    assert "did you mean 'audio'?" in errors


WAITING = """
version: 1
routines:
  - id: waiting
    triggers: [{trigger: hub, event: start}]
    actions: [{publish: {topic: test/waiting, payload: begun}}, {delay: 4}, {publish: {topic: test/done}}]
"""


def test_a_run_goes_on_after_the_hub_was_killed(tmp_path: Path) -> None:
    routines = tmp_path / "routines"
    routines.mkdir()
    (routines / "waiting.yaml").write_text(WAITING, encoding="utf-8")
    quiet = "version: 1\nspeech: {enabled: false}\nultrasound: {enabled: false}\n"
    database = tmp_path / "state" / "roomwise" / "roomwise.sqlite3"
    hub = started(tmp_path, quiet)
    deadline = time.monotonic() + 30
    while "actions[0] publish" not in str(remembered_runs(database)) and time.monotonic() < deadline:
        time.sleep(0.05)
    hub.kill()
    hub.communicate()
    hub = started(tmp_path, quiet)
    while not database_runs(database) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert ended(hub) == 0
    [run] = database_runs(database)
    assert run.result == "finished"
    assert "was restarted; on_restart is resume" in run.trace_json
    assert run.trace_json.count("publish test/waiting") == 1


def remembered_runs(database: Path) -> list[str]:
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            return [
                row[0] for row in connection.execute("SELECT content_json FROM memory WHERE kind = 'run'")
            ]
    except sqlite3.OperationalError:
        return []


def database_runs(database: Path) -> list[RunRecord]:
    return recent_runs(database, limit=10)


def asked_for(tmp_path: Path, routine: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}
    command = [sys.executable, "-m", "hub", "routine", "run", routine, "--config", str(tmp_path)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_an_edited_routine_is_taken_over_and_can_be_asked_for_while_the_hub_runs(tmp_path: Path) -> None:
    hub = started(tmp_path, "version: 1\nspeech: {enabled: false}\nultrasound: {enabled: false}\n")
    services(tmp_path, hub, {"mqtt": "ready", "routines": "ready", "routine files": "ready"})
    database = tmp_path / "state" / "roomwise" / "roomwise.sqlite3"
    routine = "version: 1\nroutines:\n  - id: new\n    actions: [{publish: {topic: test/new}}]\n"
    (tmp_path / "routines" / "new.yaml").write_text(routine, encoding="utf-8")
    deadline = time.monotonic() + 30
    while not database_runs(database) and time.monotonic() < deadline:
        answer = asked_for(tmp_path, "new")
        assert answer.returncode == 0, answer.stderr
        time.sleep(1.0)
    assert ended(hub) == 0
    assert {(run.routine, run.result, run.reason) for run in database_runs(database)} == {
        ("new", "finished", "asked by mqtt")
    }
