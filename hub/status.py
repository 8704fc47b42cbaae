"""A running hub's health in a small file, so that ``roomwise status`` needs no network."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from hub.bus import SubscriptionStatistics
from hub.errors import BadInput
from hub.events import ServiceChanged
from hub.whole_file import write_whole
from routines.facts import Json

DATABASE = "roomwise.sqlite3"
"""Name of the database in the state directory, unless hub.yaml says otherwise."""
_STALE_SECONDS = 30.0
"""A snapshot older than this is from a hub that is stuck or was killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The health of a hub at an instant."""

    at: datetime
    process_id: int
    services: Sequence[Mapping[str, Json]]
    queues: Sequence[Mapping[str, Json]]
    extra: Mapping[str, Json] = field(default_factory=dict)


def default_state_directory() -> Path:
    """Return where the hub keeps what is its own: calibration, switches, status, and the database.

    All but the database stay there when hub.yaml puts that elsewhere.
    """
    import platformdirs

    return Path(platformdirs.user_state_dir("roomwise"))


def default_database() -> Path:
    """Return where the database lies unless hub.yaml says otherwise."""
    return default_state_directory() / DATABASE


def write_snapshot(
    path: Path,
    services: Sequence[ServiceChanged],
    queues: Sequence[SubscriptionStatistics],
    extra: Mapping[str, Json],
) -> None:
    """Replace the snapshot at once, so that a reader never sees half of one."""
    content = {
        "at": datetime.now(UTC).isoformat(),
        "process_id": os.getpid(),
        "services": [asdict(service) for service in services],
        "queues": [asdict(queue) for queue in queues],
        "extra": dict(extra),
    }
    write_whole(path, json.dumps(content, ensure_ascii=False))


def read_snapshot(path: Path) -> Snapshot:
    """Return the running hub's snapshot.

    Raises
    ------
    hub.errors.BadInput
        No hub is running here, or what it wrote cannot be read.
    """
    hint = "start one with: roomwise run"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        snapshot = Snapshot(
            at=datetime.fromisoformat(content["at"]),
            process_id=content["process_id"],
            services=content["services"],
            queues=content["queues"],
            extra=content["extra"],
        )
    except FileNotFoundError:
        raise BadInput(f"no hub is running ({path} does not exist); {hint}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"the hub's status at {path} cannot be read ({error}); {hint}") from None
    age_seconds = (datetime.now(UTC) - snapshot.at).total_seconds()
    if age_seconds > _STALE_SECONDS:
        raise BadInput(f"no hub is running (its last sign of life is {age_seconds:.0f} s old); {hint}")
    return snapshot
