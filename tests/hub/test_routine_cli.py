"""``roomwise routine``: what it prints for people and for programs."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.bus import Bus
from hub.cli.main import run_command
from hub.clock import VirtualClock
from hub.config.hub_config import StoreConfig
from hub.events import FactTaken, RoutineOutput
from hub.store.database import open_database
from hub.store.engine_memory import EngineMemory
from hub.store.writer import StoreWriter
from routines.facts import PresenceFact
from routines.memory import Row
from routines.outputs import RunEnded, Step, Verdict

NOW = datetime.now(UTC).replace(microsecond=0)
HALL = """
version: 1
routines:
  - id: hall
    triggers: [{trigger: presence, room: hall}]
    conditions: [{condition: state, entity_id: light.hall, state: "off"}]
    actions: [{action: light.turn_on, target: {entity_id: light.hall}}]
    tests:
      - name: on
        given: {light.hall: "off"}
        when: [{presence: hall, to: detected}]
        expect: {calls_count: 1}
      - {name: wrong, when: [{presence: hall, to: detected}], expect: {calls_count: 1}}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A configuration whose hub has lived for a while."""
    (tmp_path / "routines").mkdir()
    (tmp_path / "routines" / "hall.yaml").write_text(HALL, encoding="utf-8")
    database = tmp_path / "hub.sqlite3"
    (tmp_path / "hub.yaml").write_text(f"version: 1\nstore: {{path: {database}}}\n", encoding="utf-8")
    step = Step(at=NOW - timedelta(hours=1), what="actions[0] light.turn_on {}", result="failed: no bulb")
    run = RunEnded(
        at=NOW - timedelta(hours=1),
        run_id="hall-1",
        routine="hall",
        result="failed",
        started_at=NOW - timedelta(hours=1),
        trigger=None,
        reason="somebody is in hall",
        why="actions[0]: no bulb",
        before={},
        trace=(step,),
    )
    verdict = Verdict(
        at=NOW - timedelta(minutes=30),
        routine="hall",
        trigger="presence[0]",
        verdict="cannot_decide",
        reason="somebody is in hall, but conditions[0]: light.hall is unavailable",
    )
    facts = [
        PresenceFact(room="hall", present=present, kind=kind)
        for present, kind in ((True, "minor"), (False, "major"), (True, "major"))
    ]
    events = [RoutineOutput(output=run), RoutineOutput(output=verdict)]
    told = [
        FactTaken(fact=fact, at=NOW - timedelta(hours=3) + timedelta(minutes=number))
        for number, fact in enumerate(facts)
    ]
    asyncio.run(record(database, [*events, *told]))
    return tmp_path


async def record(database: Path, events: list[RoutineOutput | FactTaken]) -> None:
    """Let the store write events as it does in a hub."""
    clock = VirtualClock(NOW)
    bus = Bus(clock)
    ready = asyncio.Event()
    writer = StoreWriter(path=database, bus=bus, clock=clock, config=StoreConfig())
    task = asyncio.create_task(writer.run(ready.set))
    await ready.wait()
    for event in events:
        bus.publish(event)
    for _ in range(10):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_explain_says_why_it_ran_and_why_it_did_not(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["routine", "explain", "hall", "--config", str(home)]) == 0
    text = capsys.readouterr().out
    assert "hall did not run: something that it needs to know is not known" in text
    assert "light.hall is unavailable" in text
    assert "hall ran because somebody is in hall" in text
    assert "it failed" in text
    assert "no bulb" in text


def test_explain_of_a_run_by_its_id_keeps_it_longer(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["routine", "explain", "hall-1", "--config", str(home), "--json"]) == 0
    [run] = lines(capsys)
    assert run["run_id"] == "hall-1"
    connection = open_database(home / "hub.sqlite3").connection
    assert connection.execute("SELECT interest FROM run").fetchall() == [(2,)]
    connection.close()


def test_explain_of_an_entity_says_who_acted_on_it_last(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    touch = {"at": NOW.isoformat(), "routine": "hall", "alias": "Hall light", "action": "light.turn_on"}
    memory = EngineMemory(home / "hub.sqlite3")
    memory.open()
    memory.write([Row(kind="touch", key="light.hall", content={**touch, "reason": "somebody is in hall"})])
    memory.close()
    assert run_command(["routine", "explain", "light.hall", "--config", str(home)]) == 0
    assert f"turned on at {NOW:%H:%M} by Hall light, because somebody is in hall" in capsys.readouterr().out
    assert run_command(["routine", "explain", "light.attic", "--config", str(home)]) == 2
    assert "no routine has acted on light.attic" in capsys.readouterr().err


def test_explain_of_a_name_that_nothing_has_names_those_that_there_are(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["routine", "explain", "hell", "--config", str(home)]) == 2
    assert "routines are: hall" in capsys.readouterr().err


def test_what_if_counts_new_and_gone_starts(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed = home / "changed.yaml"
    unconditional = HALL.replace(
        '    conditions: [{condition: state, entity_id: light.hall, state: "off"}]\n', ""
    )
    changed.write_text(unconditional.replace("room: hall}", "room: hall, level: major}"), encoding="utf-8")
    assert run_command(["routine", "what-if", str(changed), "--config", str(home)]) == 0
    assert capsys.readouterr().out.startswith("hall would have fired 1 time, 1 new, 0 gone")
    assert run_command(["routine", "what-if", str(changed), "--config", str(home), "--json"]) == 0
    [line] = lines(capsys)
    assert (line["would_have_fired"], len(line["new"]), line["gone"]) == (1, 1, [])  # type: ignore[arg-type]


def test_what_was_told_can_be_simulated_again(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["routine", "facts", "--config", str(home)]) == 0
    recorded = home / "recorded.jsonl"
    recorded.write_text(capsys.readouterr().out, encoding="utf-8")
    start, end = (NOW - timedelta(hours=4)).isoformat(), NOW.isoformat()
    arguments = ["routine", "simulate", str(home / "routines"), "--events", str(recorded), "--json"]
    assert run_command([*arguments, "--start", start, "--end", end]) == 0
    assert [line["verdict"] for line in lines(capsys)] == ["cannot_decide", "cannot_decide"]


def test_a_failing_test_inside_a_routine_ends_with_status_1_and_a_difference(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["routine", "test", str(home / "routines")]) == 1
    text = capsys.readouterr().out
    assert "passed  hall: on" in text
    assert "FAILED  hall: wrong" in text
    assert "calls_count: expected 1, seen 0" in text


def test_check_tells_what_is_odd_without_failing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "odd.yaml"
    file.write_text(
        "version: 1\nroutines:\n  - id: a\n    triggers: [{trigger: hub}]\n"
        "    actions:\n      - stop: enough\n      - say: never said\n",
        encoding="utf-8",
    )
    assert run_command(["routine", "check", str(file)]) == 0
    assert f"{file}:7:" in capsys.readouterr().out
    assert run_command(["routine", "check", str(file), "--json"]) == 0
    finding, end = lines(capsys)
    assert (finding["event"], finding["line"], end["problems"], end["findings"]) == ("finding", 7, 0, 1)


def test_a_routine_that_nobody_has_is_an_error_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "missing.yaml"
    file.write_text(
        "version: 1\nroutines:\n  - id: a\n    triggers: [{trigger: hub}]\n"
        "    actions:\n      - run_routine: b\n",
        encoding="utf-8",
    )
    assert run_command(["routine", "check", str(file)]) == 2
    assert f"{file}:6:" in capsys.readouterr().err


def test_import_writes_routines_and_tells_what_it_could_not_carry(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    automations = tmp_path / "automations.yaml"
    automations.write_text(
        "- alias: Hall light\n  trigger: [{platform: state, entity_id: binary_sensor.hall, to: 'on'}]\n"
        "  action: [{service: light.turn_on, target: {entity_id: light.hall}}]\n"
        "- alias: Calendar\n  trigger: [{platform: calendar, event: start, entity_id: calendar.a}]\n"
        "  action: [{service: light.turn_on, target: {entity_id: light.hall}}]\n",
        encoding="utf-8",
    )
    out = tmp_path / "routines.yaml"
    assert run_command(["routine", "import", str(automations), "--out", str(out)]) == 0
    assert "alendar" in capsys.readouterr().err
    assert run_command(["routine", "check", str(out)]) == 0
    assert run_command(["routine", "import", str(automations), "--out", str(out)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_the_schema_is_printed_for_editors(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["routine", "schema"]) == 0
    assert "routines" in json.loads(capsys.readouterr().out)["properties"]


def test_asking_for_a_routine_without_a_running_hub_says_what_to_do(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    assert run_command(["routine", "run", "hall", "--config", str(home)]) == 2
    assert "roomwise run" in capsys.readouterr().err
    assert run_command(["routine", "run", "hell", "--config", str(home)]) == 2
    assert "there are: hall" in capsys.readouterr().err
