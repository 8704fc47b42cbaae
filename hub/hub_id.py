"""The name of this hub among others at the same broker."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import structlog

from hub.whole_file import write_whole

_TAIL = re.compile(r"[0-9a-f]{8}")

log = structlog.get_logger("hub id")


def hub_id(state: Path, room: str) -> str:
    """Return the room and a number that was drawn at the first start: two hubs may stand in one room.

    Parameters
    ----------
    state : Path
        The folder where the number is kept; one that cannot be kept is drawn anew at each start.
    """
    path = state / "hub_id"
    try:
        tail = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        tail = ""
    if not _TAIL.fullmatch(tail):
        tail = secrets.token_hex(4)
        try:
            write_whole(path, tail)
        except OSError as error:
            log.warning("this hub's number is not kept", path=str(path), why=str(error))
    return f"{re.sub(r'[^a-z0-9_]+', '-', room.lower()).strip('-') or 'hub'}-{tail}"
