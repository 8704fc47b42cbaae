"""What ran lately, why, how it went, and what the routines were told."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

from hub.errors import BadInput
from routines.event_lines import fact_from_line
from routines.explain import Touch
from routines.facts import Fact
from routines.outputs import RunEnded, RunResult, Verdict, VerdictKind
from routines.run import trace_from_json
from routines.touches import touch_from_json

_RUN_COLUMNS = "run_id, routine, started_at, ended_at, result, trace_json, reason, why"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run of a routine that has ended."""

    run_id: str
    routine: str
    started_at: datetime
    ended_at: datetime
    result: str
    trace_json: str
    reason: str
    why: str

    def as_ended(self) -> RunEnded:
        """Return the run as the engine reported it, without what only undo needs."""
        return RunEnded(
            at=self.ended_at,
            run_id=self.run_id,
            routine=self.routine,
            result=cast("RunResult", self.result),
            started_at=self.started_at,
            trigger=None,
            reason=self.reason,
            why=self.why,
            before={},
            trace=tuple(trace_from_json(json.loads(self.trace_json))),
        )


def recent_runs(path: Path, limit: int, *, routine: str | None = None) -> list[RunRecord]:
    """Return the latest runs, newest first; a running hub may be writing meanwhile.

    Raises
    ------
    hub.errors.BadInput
        There is no database at ``path``, or it is not one of the hub's.
    """
    query = (
        f"SELECT {_RUN_COLUMNS} FROM run WHERE ? IS NULL OR routine = ? "
        "ORDER BY datetime(started_at) DESC, run_id DESC LIMIT ?"
    )
    with _reading(path) as connection:
        rows = connection.execute(query, (routine, routine, limit)).fetchall()
    return [_record(row) for row in rows]


def asked_for_run(path: Path, run_id: str) -> RunRecord | None:
    """Return one run, and keep it longer because somebody asked for it; None if there is no such run.

    Raises
    ------
    hub.errors.BadInput
        See `recent_runs`.
    """
    with _reading(path) as connection:
        row = connection.execute(f"SELECT {_RUN_COLUMNS} FROM run WHERE run_id = ?", (run_id,)).fetchone()
    if row is None:
        return None
    try:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE run SET interest = 2 WHERE run_id = ?", (run_id,))
    except sqlite3.OperationalError:
        pass  # the database may only be read: then it is kept as long as the others
    return _record(row)


def recent_verdicts(path: Path, limit: int, *, routine: str | None = None) -> list[Verdict]:
    """Return the latest verdicts, newest first.

    Raises
    ------
    hub.errors.BadInput
        See `recent_runs`.
    """
    query = (
        'SELECT at, routine, "trigger", verdict, reason FROM verdict WHERE ? IS NULL OR routine = ? '
        "ORDER BY verdict_id DESC LIMIT ?"
    )
    with _reading(path) as connection:
        rows = connection.execute(query, (routine, routine, limit)).fetchall()
    return [
        Verdict(
            at=datetime.fromisoformat(at),
            routine=name,
            trigger=trigger,
            verdict=cast("VerdictKind", verdict),
            reason=reason,
        )
        for at, name, trigger, verdict, reason in rows
    ]


def last_touch(path: Path, entity_id: str) -> Touch | None:
    """Return the last time that a routine acted on an entity, None if none has.

    Raises
    ------
    hub.errors.BadInput
        See `recent_runs`.
    """
    query = "SELECT content_json FROM memory WHERE kind = 'touch' AND key = ?"
    with _reading(path) as connection:
        row = connection.execute(query, (entity_id,)).fetchone()
    return None if row is None else touch_from_json(json.loads(row[0]))


def facts_since(path: Path, since: datetime) -> list[tuple[datetime, Fact]]:
    """Return all that the routines were told since an instant, in order.

    Raises
    ------
    hub.errors.BadInput
        See `recent_runs`.
    """
    query = "SELECT at, line_json FROM fact WHERE datetime(at) >= datetime(?) ORDER BY fact_id"
    with _reading(path) as connection:
        rows = connection.execute(query, (since.isoformat(),)).fetchall()
    return [(datetime.fromisoformat(at), fact_from_line(json.loads(line))) for at, line in rows]


def known_entities(path: Path) -> list[str] | None:
    """Return every entity that the hub has heard of, None if it has not heard of any."""
    if not path.is_file():
        return None
    try:
        with _reading(path) as connection:
            rows = connection.execute("SELECT key FROM memory WHERE kind = 'state' ORDER BY key").fetchall()
    except BadInput:
        return None  # it is for doctor to say that the database is broken
    return [key for (key,) in rows] or None


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.is_file():
        raise BadInput(f"{path} does not exist: nothing has run yet; start the hub with: roomwise run")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            yield connection
    except sqlite3.DatabaseError as error:
        raise BadInput(f"{path} is not a Roomwise database ({error}); see: roomwise doctor") from error


def _record(row: tuple[str, ...]) -> RunRecord:
    run_id, routine, started_at, ended_at, result, trace_json, reason, why = row
    return RunRecord(
        run_id=run_id,
        routine=routine,
        started_at=datetime.fromisoformat(started_at),
        ended_at=datetime.fromisoformat(ended_at),
        result=result,
        trace_json=trace_json,
        reason=reason,
        why=why,
    )
