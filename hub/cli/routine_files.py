"""Routine files, events and times as the command line takes them."""

from __future__ import annotations

import json as json_module
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.errors import BadInput, ConfigError
from routines.facts import Json

if TYPE_CHECKING:
    from routines.routine import Routine


def read_routines(path: Path) -> list[Routine]:
    """Return all routines of a file or folder.

    Raises
    ------
    BadInput
        There is no such file.
    ConfigError
        With every problem of every file.
    """
    from hub.config.files import load_routine_files

    if not path.exists():
        raise BadInput(f"{path}: no such file or folder; name a routine file or a folder of them")
    routines, problems = load_routine_files(path)
    if problems:
        raise ConfigError(problems)
    return routines


def read_timezone(name: str) -> ZoneInfo:
    """Return a time zone.

    Raises
    ------
    BadInput
        There is none of this name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadInput(f"--timezone: '{name}' is not a time zone; write e.g. Europe/Berlin") from error


def read_instant(text: str, what: str) -> datetime:
    """Return an instant of time.

    Raises
    ------
    BadInput
        It is no RFC 3339 time, or has no offset.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{what}: '{text}' is not a time; write e.g. 2026-11-20T21:00:00+01:00") from error
    if instant.tzinfo is None:
        raise BadInput(f"{what}: '{text}' has no offset from UTC; write e.g. {text}+01:00")
    return instant


def read_events(file: Path) -> Iterator[tuple[datetime, dict[str, Json]]]:
    """Yield the events of a JSON Lines file with their instants, in order.

    Raises
    ------
    BadInput
        A line is no event, or comes before the one before it.
    """
    if not file.is_file():
        raise BadInput(f"{file}: no such file; name a file of events, one JSON object a line")
    previous: datetime | None = None
    for number, line in enumerate(_text(file).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            event = json_module.loads(line)
        except (ValueError, RecursionError) as error:
            raise BadInput(f"{file}:{number}: not a JSON object ({error})") from error
        can_lack_time = isinstance(event, dict) and event.get("type") == "fail" and previous is not None
        if not (can_lack_time or (isinstance(event, dict) and event.keys() >= {"at", "type"})):
            raise BadInput(f"{file}:{number}: an event needs the keys at and type")
        at = read_instant(str(event["at"]), f"{file}:{number}") if "at" in event else previous
        if at is None or (previous is not None and at < previous):
            raise BadInput(f"{file}:{number}: events must be in order of time")
        previous = at
        yield at, event


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file}: cannot be read ({error})") from error
