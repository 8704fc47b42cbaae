import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.bus import Bus
from hub.clock import VirtualClock
from hub.config.hub_config import StoreConfig
from hub.errors import BadInput, Degraded
from hub.events import FactTaken, RoutineOutput
from hub.store.database import migrations, open_database
from hub.store.run_history import facts_since, recent_runs, recent_verdicts
from hub.store.writer import StoreWriter
from routines.facts import StateFact
from routines.outputs import RunEnded, Step, Verdict

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)


def ended(run_id: str, at: datetime) -> RoutineOutput:
    steps = (Step(at=at - timedelta(seconds=5), what="light.turn_on", result="ok"),)
    return RoutineOutput(
        output=RunEnded(
            at=at,
            run_id=run_id,
            routine="hall",
            result="finished",
            started_at=at - timedelta(seconds=5),
            trigger=None,
            reason="somebody came",
            why="",
            before={},
            trace=steps,
        )
    )


async def record(path: Path, *events: object) -> None:
    clock = VirtualClock(NOW)
    bus = Bus(clock)
    is_ready = asyncio.Event()
    writer = StoreWriter(path=path, bus=bus, clock=clock, config=StoreConfig())
    task = asyncio.create_task(writer.run(is_ready.set))
    await asyncio.wait_for(is_ready.wait(), 5.0)
    for event in events:
        bus.publish(event)
    for _ in range(10):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_happened_just_before_the_end_is_still_written(tmp_path: Path) -> None:
    path = tmp_path / "state" / "hub.sqlite3"
    verdict = Verdict(at=NOW, routine="hall", trigger="presence", verdict="fired", reason="came")
    lamp = FactTaken(fact=StateFact(entity_id="light.lamp", state="on"), at=NOW)
    await record(
        path, ended("r1", NOW), ended("r2", NOW + timedelta(seconds=1)), RoutineOutput(output=verdict), lamp
    )
    runs = recent_runs(path, 1)
    assert [(run.run_id, run.result) for run in runs] == [("r2", "finished")]
    assert runs[0].ended_at == NOW + timedelta(seconds=1)
    assert runs[0].started_at == NOW - timedelta(seconds=4)
    assert "light.turn_on" in runs[0].trace_json
    assert recent_verdicts(path, 10) == [verdict]
    assert facts_since(path, NOW) == [(NOW, lamp.fact)]


async def test_a_batch_is_written_while_the_hub_runs_on(tmp_path: Path) -> None:
    path = tmp_path / "hub.sqlite3"
    clock = VirtualClock(NOW)
    bus = Bus(clock)
    is_ready = asyncio.Event()
    writer = StoreWriter(path=path, bus=bus, clock=clock, config=StoreConfig())
    task = asyncio.create_task(writer.run(is_ready.set))
    await asyncio.wait_for(is_ready.wait(), 5.0)
    for number in range(100):
        bus.publish(ended(f"r{number}", NOW))
    async with asyncio.timeout(5.0):
        while len(recent_runs(path, 200)) < 100:
            await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.wait({task})


async def test_old_runs_are_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "hub.sqlite3"
    await record(path, ended("old", NOW - timedelta(days=31)), ended("new", NOW))
    await record(path)
    assert [run.run_id for run in recent_runs(path, 10)] == ["new"]


async def test_a_hub_that_runs_for_weeks_forgets_once_a_day_and_keeps_what_failed(tmp_path: Path) -> None:
    path = tmp_path / "hub.sqlite3"
    clock = VirtualClock(NOW)
    bus = Bus(clock)
    is_ready = asyncio.Event()
    writer = StoreWriter(path=path, bus=bus, clock=clock, config=StoreConfig(keep_days=2))
    task = asyncio.create_task(writer.run(is_ready.set))
    await asyncio.wait_for(is_ready.wait(), 5.0)
    failed = replace(ended("failed", NOW).output, result="failed")
    for event in (ended("dull", NOW), RoutineOutput(output=failed)):
        bus.publish(event)
    for _ in range(4):
        clock.advance(86_400)
        async with asyncio.timeout(5.0):
            await asyncio.sleep(0.05)
    assert [run.run_id for run in recent_runs(path, 10)] == ["failed"]
    task.cancel()
    await asyncio.wait({task})


def test_a_broken_file_is_moved_aside_and_said(tmp_path: Path) -> None:
    path = tmp_path / "hub.sqlite3"
    path.write_bytes(b"this is no database at all" * 100)
    opened = open_database(path)
    opened.connection.close()
    assert opened.moved_aside is not None
    assert opened.moved_aside.read_bytes().startswith(b"this is no database")
    assert recent_runs(path, 1) == []


def test_migrations_are_numbered_without_gaps_and_run_once(tmp_path: Path) -> None:
    assert [number for number, _ in migrations()] == list(range(1, len(migrations()) + 1))
    for _ in range(2):
        connection = open_database(tmp_path / "hub.sqlite3").connection
        assert connection.execute("PRAGMA user_version").fetchone() == (len(migrations()),)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.close()


def test_a_database_from_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "hub.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")
    with pytest.raises(Degraded, match="newer"):
        open_database(path)
    assert [one.name for one in tmp_path.glob("*broken*")] == []


def test_asking_for_runs_before_the_first_start_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="roomwise run"):
        recent_runs(tmp_path / "none.sqlite3", 5)
