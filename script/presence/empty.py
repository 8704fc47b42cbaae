"""How often an empty room is taken for occupied."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence

from script.journal import Batch, Row
from script.presence.scenes import empty_hour
from script.presence.watching import watch_room
from sensing.training.presence_alarms import FAMILIES, poisson_upper
from sensing.ultrasound.doppler_features import HOP_SECONDS

APART = ("pet", "door", "vacuum")
"""Large things that move through the room: told apart, not promised."""
KINDS = (*FAMILIES, *APART)

_HOURS_A_DAY = 24
_ROOM_HOURS = {"neighbour": _HOURS_A_DAY}
"""A room keeps its door, which is learnt; all else is drawn anew every hour, with another room around it."""


def rooms(kind: str, days: float) -> int:
    """Return how many rooms are watched for so many days."""
    return math.ceil(days * _HOURS_A_DAY / _ROOM_HOURS.get(kind, 1))


def measure(batch: Batch) -> list[Row]:
    """Return for each hour and watcher the false presences, and for how long they lasted."""
    return [row for number in batch.numbers for row in _room(number, batch)]


def _room(number: int, batch: Batch) -> Iterator[Row]:
    hours = range(_ROOM_HOURS.get(batch.kind, 1))
    scenes = (empty_hour(number, batch.kind, hour) for hour in hours)
    was_present = dict.fromkeys(batch.names, False)
    started = time.process_time()
    for seen in watch_room(scenes, batch.names, model=batch.model):
        cpu_seconds = time.process_time() - started
        started += cpu_seconds
        for name, watched in seen.items():
            yield {
                "watcher": name,
                "kind": batch.kind,
                "number": number,
                "days": 1 / _HOURS_A_DAY,
                # who is still there when an hour begins did not come in it
                "false_presences": len(watched.begins) - int(was_present[name] and len(watched.begins) > 0),
                "false_minutes": float(watched.present.sum()) * HOP_SECONDS / 60,
                "highest_score": float(watched.score.max()),
                "cpu_seconds": cpu_seconds,
            }
            was_present[name] = bool(watched.present[-1])


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
