"""The rows that the routine engine must not lose, written before anything is performed."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from hub.errors import Degraded
from hub.store.database import open_database
from routines.memory import Kind, Row

_PUT = "INSERT OR REPLACE INTO memory VALUES (?, ?, ?)"
_FORGET = "DELETE FROM memory WHERE kind = ? AND key = ?"


class EngineMemory:
    """One connection and the lock that says who owns the runs in it.

    All methods block; call them from one thread at a time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._lock: int | None = None

    def open(self) -> list[Row]:
        """Take the database for this process alone, and return what was remembered.

        Raises
        ------
        hub.errors.Degraded
            Another hub owns it, or it cannot be opened.
        """
        if self._connection is None:
            self._own()
            self._connection = open_database(self._path).connection
        rows = self._connection.execute("SELECT kind, key, content_json FROM memory").fetchall()
        return [
            Row(kind=cast("Kind", kind), key=key, content=json.loads(content)) for kind, key, content in rows
        ]

    def write(self, rows: Sequence[Row]) -> None:
        """Remember or forget rows, all of them or none.

        Raises
        ------
        sqlite3.Error
            Nothing was written.
        """
        if self._connection is None:
            raise sqlite3.OperationalError("the database is not open")
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for row in rows:
                if row.content is None:
                    self._connection.execute(_FORGET, (row.kind, row.key))
                else:
                    content = json.dumps(row.content, ensure_ascii=False)
                    self._connection.execute(_PUT, (row.kind, row.key, content))
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            self._connection.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Let go of the database."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _own(self) -> None:
        """Lock the database, as long as the process lives: two hubs must not go on with the same runs."""
        if self._lock is not None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._path.with_name(f"{self._path.name}.lock"), os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            hint = "Make the folder writable, or set store.path in hub.yaml."
            raise Degraded(f"the database {self._path} cannot be opened ({error})", hint=hint) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            hint = "Stop the other hub, or set another store.path in hub.yaml."
            raise Degraded(f"another hub runs on the database {self._path}", hint=hint) from error
        self._lock = lock
