"""The hub's SQLite file: opened, brought up to date, and replaced when it is broken."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import structlog

from hub.errors import Degraded

_BUSY_SECONDS = 5.0
"""How long to wait for another process, such as a backup, to let go of the file."""

log = structlog.get_logger("store")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDatabase:
    """An open database; ``moved_aside`` is where a broken older one lies now."""

    connection: sqlite3.Connection
    moved_aside: Path | None


def open_database(path: Path) -> OpenDatabase:
    """Open the database, creating, migrating or replacing the file as needed.

    Use the connection from one thread at a time.

    Raises
    ------
    hub.errors.Degraded
        The file cannot be written, or comes from a newer version.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return OpenDatabase(connection=_open(path), moved_aside=None)
        except sqlite3.OperationalError:
            raise  # locked, full or forbidden: the data may be sound, so it stays where it is
        except sqlite3.DatabaseError as error:
            aside = _move_aside(path)
            log.error("the database is broken; a new one was started", why=str(error), moved_to=str(aside))
            return OpenDatabase(connection=_open(path), moved_aside=aside)
    except (OSError, sqlite3.OperationalError) as error:
        hint = "Make the folder writable, or set store.path in hub.yaml."
        raise Degraded(f"the database {path} cannot be opened ({error})", hint=hint) from error


def migrations() -> list[tuple[int, str]]:
    """Return the numbered steps of the schema, in order."""
    folder = files("hub.store").joinpath("migrations")
    scripts = sorted(
        (item for item in folder.iterdir() if item.name.endswith(".sql")), key=lambda item: item.name
    )
    return [(int(script.name[:4]), script.read_text(encoding="utf-8")) for script in scripts]


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=False, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        (report,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if report != "ok":
            raise sqlite3.DatabaseError(report)
        _migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    steps = migrations()
    if _version(connection) > steps[-1][0]:
        hint = "Update Roomwise, or set another store.path in hub.yaml."
        raise Degraded(f"the database {path} comes from a newer version of Roomwise", hint=hint)
    for number, script in steps:
        # One transaction a step: power may fail between any two statements, and another connection may be
        # about to do the same step, so whether it has to be done is seen with the lock in hand.
        connection.execute("BEGIN IMMEDIATE")
        if number > _version(connection):
            for statement in _statements(script):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script, which `executescript` would take out of the transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _move_aside(path: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    aside = path.with_name(f"{path.name}.broken-{stamp}")
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return aside
