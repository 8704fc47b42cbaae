"""Write runs, verdicts and states as they happen, many rows at a time."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from hub.bus import Bus, Overflow, Subscription
from hub.clock import Clock
from hub.events import RoutineOutput
from hub.store.database import open_database
from routines.outputs import RunEnded, Verdict
from routines.ports import DeviceChanged

_BATCH_SECONDS = 1.0
_BATCH_ROWS = 100
_ROOM = 10_000

_RUN = "INSERT OR REPLACE INTO run VALUES (?, ?, ?, ?, ?, ?)"
_STATE = "INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?)"
_VERDICT = 'INSERT INTO verdict (at, routine, "trigger", verdict, reason) VALUES (?, ?, ?, ?, ?)'

Row = tuple[str, tuple[str, ...]]
"""A statement and its values."""

Recorded = RoutineOutput | DeviceChanged


class StoreWriter:
    """The service that owns the database connection for writing.

    Rows are written each second, or when a hundred wait, in one transaction.

    Parameters
    ----------
    keep_days : int
        Runs and verdicts older than this are forgotten at the start.
    """

    name = "store"
    needs: frozenset[str] = frozenset()

    def __init__(self, *, path: Path, bus: Bus, clock: Clock, keep_days: int) -> None:
        self._path = path
        self._bus = bus
        self._clock = clock
        self._keep_days = keep_days

    async def run(self, ready: Callable[[], None]) -> None:
        """Write until cancelled; what is waiting then is still written."""
        loop = asyncio.get_running_loop()
        # SQLite blocks, so one thread of its own does all of its work, in order.
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="store") as thread:
            opened = await loop.run_in_executor(thread, open_database, self._path)
            connection = opened.connection
            rows: list[Row] = []
            try:
                await loop.run_in_executor(thread, self._forget_old, connection)
                await self._record(
                    rows, ready, lambda: loop.run_in_executor(thread, _write, connection, rows)
                )
            finally:
                thread.submit(_write, connection, rows)
                thread.submit(connection.close)

    async def _record(
        self, rows: list[Row], ready: Callable[[], None], write: Callable[[], asyncio.Future[None]]
    ) -> None:
        """Collect rows from events, and write them when it is time."""
        is_full = asyncio.Event()
        changes: Subscription[Recorded] = self._bus.subscribe(
            RoutineOutput, DeviceChanged, room=_ROOM, overflow=Overflow.DROP_OLDEST, name="store"
        )

        async def collect() -> None:
            async for change in changes:
                rows.extend(self._rows(change))
                if len(rows) >= _BATCH_ROWS:
                    is_full.set()

        async def tick() -> None:
            while True:
                await self._clock.sleep_until(self._clock.monotonic() + _BATCH_SECONDS)
                is_full.set()

        with changes:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(collect(), name="store: collect")
                tasks.create_task(tick(), name="store: tick")
                ready()
                while True:
                    await is_full.wait()
                    is_full.clear()
                    await write()

    def _rows(self, change: Recorded) -> list[Row]:
        match change:
            case DeviceChanged(entity_id=entity_id, state=state, attributes=attributes):
                at = self._clock.now().isoformat()
                return [(_STATE, (entity_id, state, json.dumps(dict(attributes)), at))]
            case RoutineOutput(output=RunEnded() as run):
                started_at = run.trace[0].at if run.trace else run.at
                trace = json.dumps([{**asdict(step), "at": step.at.isoformat()} for step in run.trace])
                times = (started_at.isoformat(), run.at.isoformat())
                return [(_RUN, (run.run_id, run.routine, *times, run.result, trace))]
            case RoutineOutput(output=Verdict() as one):
                values = (one.at.isoformat(), one.routine, one.trigger, one.verdict, one.reason)
                return [(_VERDICT, values)]
            case _:
                return []

    def _forget_old(self, connection: sqlite3.Connection) -> None:
        oldest = (self._clock.now() - timedelta(days=self._keep_days)).isoformat()
        # datetime() compares instants: texts with different offsets do not sort by time.
        connection.execute("DELETE FROM run WHERE datetime(started_at) < datetime(?)", (oldest,))
        connection.execute("DELETE FROM verdict WHERE datetime(at) < datetime(?)", (oldest,))


def _write(connection: sqlite3.Connection, rows: list[Row]) -> None:
    """Write rows in one transaction and take them off the list once they are safe.

    The loop only appends to the list, so the count taken here stays right.
    """
    count = len(rows)
    if not count:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement, values in rows[:count]:
            connection.execute(statement, values)
        connection.execute("COMMIT")
    except sqlite3.Error:
        connection.execute("ROLLBACK")
        raise
    del rows[:count]
