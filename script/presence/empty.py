"""How often an empty room is taken for occupied."""

from __future__ import annotations

import time
from collections.abc import Sequence

from script.presence.journal import Batch, Row
from script.presence.scenes import empty_hour
from script.presence.watchers import watch
from sensing.training.presence_alarms import FAMILIES, poisson_upper
from sensing.ultrasound.doppler_features import HOP_SECONDS

APART = ("pet", "door", "vacuum")
"""Large things that move through the room: told apart, not promised."""
KINDS = (*FAMILIES, *APART)

_HOURS_A_DAY = 24


def measure(batch: Batch) -> list[Row]:
    """Return for each hour and watcher the false presences, and for how long they lasted."""
    return [row for number in batch.numbers for row in _hour(number, batch)]


def _hour(number: int, batch: Batch) -> list[Row]:
    started = time.process_time()
    seen = watch(empty_hour(number, batch.kind), batch.names, model=batch.model)
    cpu_seconds = time.process_time() - started
    return [
        {
            "watcher": name,
            "kind": batch.kind,
            "number": number,
            "days": 1 / _HOURS_A_DAY,
            "false_presences": len(watched.begins),
            "false_minutes": float(watched.present.sum()) * HOP_SECONDS / 60,
            "highest_score": float(watched.score.max()),
            "cpu_seconds": cpu_seconds,
        }
        for name, watched in seen.items()
    ]


def summary(rows: Sequence[Row]) -> Row:
    """Return false presences a day with their upper bound, and false minutes a day."""
    days = sum(float(row["days"] or 0) for row in rows)
    events = sum(int(row["false_presences"] or 0) for row in rows)
    return {
        "days": days,
        "false_presences": events,
        "a_day": events / days,
        "a_day_at_most": poisson_upper(events, days),
        "false_minutes_a_day": sum(float(row["false_minutes"] or 0) for row in rows) / days,
        "cpu_seconds_an_hour": sum(float(row["cpu_seconds"] or 0) for row in rows) / len(rows),
    }
