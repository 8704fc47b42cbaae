"""What ran lately, and how it went."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hub.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run of a routine; ``ended_at`` and ``result`` are None while it runs."""

    run_id: str
    routine: str
    started_at: datetime
    ended_at: datetime | None
    result: str | None
    trace_json: str


def recent_runs(path: Path, limit: int) -> list[RunRecord]:
    """Return the latest runs, newest first; a running hub may be writing meanwhile.

    Raises
    ------
    hub.errors.BadInput
        There is no database at ``path``, or it is not one of the hub's.
    """
    if not path.is_file():
        raise BadInput(f"{path} does not exist: nothing has run yet; start the hub with: roomwise run")
    query = (
        "SELECT run_id, routine, started_at, ended_at, result, trace_json "
        "FROM run ORDER BY started_at DESC, run_id DESC LIMIT ?"
    )
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute(query, (limit,)).fetchall()
    except sqlite3.DatabaseError as error:
        raise BadInput(f"{path} is not a Roomwise database ({error}); see: roomwise doctor") from error
    return [
        RunRecord(
            run_id=run_id,
            routine=routine,
            started_at=datetime.fromisoformat(started_at),
            ended_at=None if ended_at is None else datetime.fromisoformat(ended_at),
            result=result,
            trace_json=trace_json,
        )
        for run_id, routine, started_at, ended_at, result, trace_json in rows
    ]
