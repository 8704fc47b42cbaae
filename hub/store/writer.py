"""Write runs, verdicts and facts as they happen, many rows at a time."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from hub.bus import Bus, Overflow, Subscription
from hub.clock import Clock
from hub.config.hub_config import StoreConfig
from hub.events import FactTaken, RoutineOutput
from hub.store.database import open_database
from routines.event_lines import line_from_fact
from routines.outputs import RunEnded, Verdict
from routines.run import trace_to_json

_BATCH_SECONDS = 1.0
_BATCH_ROWS = 100
_ROOM = 10_000

_RUN = (
    "INSERT OR REPLACE INTO run "
    "(run_id, routine, started_at, ended_at, result, trace_json, reason, why, interest) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_FACT = "INSERT INTO fact (at, line_json) VALUES (?, ?)"
_VERDICT = 'INSERT INTO verdict (at, routine, "trigger", verdict, reason) VALUES (?, ?, ?, ?, ?)'

_INTERESTING = 6
"""How many times longer runs are kept that failed or that somebody asked for."""
_DAY_SECONDS = 86_400.0
_MOST_FACTS = 200_000
"""Facts that are kept at most, some 60 MB: a chatty home must not fill the disk."""
_DULL_RUNS = 500
"""Runs of one routine that are kept when nothing went wrong: a chatty one must not fill the disk."""
_FORGET_DULL = (
    "DELETE FROM run WHERE run_id IN (SELECT run_id FROM (SELECT run_id, interest, row_number() OVER "
    "(PARTITION BY routine ORDER BY started_at DESC) AS place FROM run WHERE interest = 0) WHERE place > ?)"
)

Row = tuple[str, tuple[str, ...]]
"""A statement and its values."""

Recorded = RoutineOutput | FactTaken


class StoreWriter:
    """The service that owns the database connection for writing.

    Rows are written each second, or when a hundred wait, in one transaction.

    Parameters
    ----------
    config : StoreConfig
        For how long what is kept.
    """

    name = "store"
    needs: frozenset[str] = frozenset()

    def __init__(self, *, path: Path, bus: Bus, clock: Clock, config: StoreConfig) -> None:
        self._path = path
        self._bus = bus
        self._clock = clock
        self._config = config
        self._forget_at = 0.0

    async def run(self, ready: Callable[[], None]) -> None:
        """Write until cancelled; what is waiting then is still written."""
        loop = asyncio.get_running_loop()
        # SQLite blocks, so one thread of its own does all of its work, in order.
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="store") as thread:
            opened = await loop.run_in_executor(thread, open_database, self._path)
            connection = opened.connection
            rows: list[Row] = []
            try:
                await loop.run_in_executor(thread, self._keep_house, connection, rows)
                await self._record(
                    rows, ready, lambda: loop.run_in_executor(thread, self._keep_house, connection, rows)
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
            RoutineOutput, FactTaken, room=_ROOM, overflow=Overflow.DROP_OLDEST, name="store"
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
            case FactTaken(fact=fact, at=at):
                line = line_from_fact(fact) if self._config.keep_fact_days else None
                return [] if line is None else [(_FACT, (at.isoformat(), json.dumps(line)))]
            case RoutineOutput(output=RunEnded() as run):
                trace = json.dumps(trace_to_json(run.trace), ensure_ascii=False)
                times = (run.started_at.isoformat(), run.at.isoformat())
                interest = "0" if run.result == "finished" else "1"
                values = (run.run_id, run.routine, *times, run.result, trace, run.reason, run.why, interest)
                return [(_RUN, values)]
            case RoutineOutput(output=Verdict() as one):
                seen = (one.at.isoformat(), one.routine, one.trigger, one.verdict, one.reason)
                return [(_VERDICT, seen)]
            case _:
                return []

    def _keep_house(self, connection: sqlite3.Connection, rows: list[Row]) -> None:
        """Write what waits; first, once a day, forget what is old."""
        now = self._clock.monotonic()
        if now >= self._forget_at:
            self._forget_at = now + _DAY_SECONDS
            self._forget_old(connection)
        _write(connection, rows)

    def _forget_old(self, connection: sqlite3.Connection) -> None:
        """Forget what is old: dull runs first, those that failed or were asked for much later."""
        now = self._clock.now()
        oldest = (now - timedelta(days=self._config.keep_days)).isoformat()
        oldest_of_interest = (now - _INTERESTING * timedelta(days=self._config.keep_days)).isoformat()
        oldest_fact = (now - timedelta(days=self._config.keep_fact_days)).isoformat()
        # datetime() compares instants: texts with different offsets do not sort by time.
        connection.execute(
            "DELETE FROM run WHERE datetime(started_at) < datetime(CASE interest WHEN 0 THEN ? ELSE ? END)",
            (oldest, oldest_of_interest),
        )
        connection.execute(_FORGET_DULL, (_DULL_RUNS,))
        connection.execute("DELETE FROM verdict WHERE datetime(at) < datetime(?)", (oldest,))
        connection.execute("DELETE FROM fact WHERE datetime(at) < datetime(?)", (oldest_fact,))
        connection.execute(
            "DELETE FROM fact WHERE fact_id <= (SELECT max(fact_id) FROM fact) - ?", (_MOST_FACTS,)
        )


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
