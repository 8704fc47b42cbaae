"""Somebody who sits is held, gestures are seen, and an exit is noticed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from script.journal import Batch, Row
from script.presence.scenes import SEATS_M, Stay, stay, visit
from script.presence.watchers import Watched, hop_at, told_at
from script.presence.watching import watch
from sensing.share_interval import share_interval
from sensing.simulation.baseband.cast import cast_of
from sensing.simulation.baseband.room_images import Array
from sensing.simulation.baseband.scene_geometry import acoustics_of
from sensing.simulation.baseband.truth import MINOR, truth_of
from sensing.ultrasound.doppler_features import HOP_SECONDS

KINDS = ("stay", "visit")
WINDOW_SECONDS = 120.0
MINUTE_SECONDS = 60.0
EVENT_SECONDS = 2.0
"""Motion seen again within that time is the same event."""


def measure(batch: Batch) -> list[Row]:
    """Return for each scene and watcher the windows, minutes and seconds that the claims are about."""
    rows: list[Row] = []
    for number in batch.numbers:
        one = stay(number) if batch.kind == "stay" else visit(number)
        gestures = _gestures(one)
        for name, watched in watch(one.scene, batch.names, model=batch.model).items():
            about: Row = {"watcher": name, "kind": batch.kind, "distance_m": one.distance_m}
            rows.append(about | _seated(one, watched, gestures) | _left(one, watched))
    return rows


def _gestures(one: Stay) -> Array:
    """Return the seconds in which the person gestures."""
    truth = truth_of(cast_of(one.scene, acoustics_of(one.scene)), [], one.scene.seconds)
    return (np.flatnonzero(truth.motion == MINOR).astype(np.float64) + 0.5) * HOP_SECONDS


def _seated(one: Stay, watched: Watched, gestures: Array) -> Row:
    """Return how many windows with a gesture show motion, and how many minutes are held without a gap."""
    begin, end = one.seated
    with_gesture = seen = 0
    for at in np.arange(begin, end - WINDOW_SECONDS + 1, WINDOW_SECONDS):
        if ((gestures >= at) & (gestures < at + WINDOW_SECONDS)).any():
            with_gesture += 1
            seen += bool(watched.motion[hop_at(at) : hop_at(at + WINDOW_SECONDS)].any())
    minutes = [
        watched.present[hop_at(at) : hop_at(at + MINUTE_SECONDS)].all()
        for at in np.arange(begin, end - MINUTE_SECONDS + 1, MINUTE_SECONDS)
    ]
    return {
        "windows": with_gesture,
        "windows_seen": seen,
        "minutes": len(minutes),
        "minutes_held": int(sum(minutes)),
    }


def _left(one: Stay, watched: Watched) -> Row:
    """Return when the empty room was reported, and what moved in it while it was still held."""
    after = watched.present[hop_at(one.exit_at) :]
    if not after[0]:
        return {"was_present": False, "vacant_seconds": None, "armed_hours": 0.0, "false_motions": 0}
    vacant = np.flatnonzero(~after)
    armed = int(vacant[0]) if len(vacant) else len(after)
    settled = hop_at(one.exit_at + EVENT_SECONDS)
    moved = np.flatnonzero(watched.motion[settled : hop_at(one.exit_at) + armed])
    events = 0 if len(moved) == 0 else 1 + int((np.diff(moved) * HOP_SECONDS > EVENT_SECONDS).sum())
    return {
        "was_present": True,
        "vacant_seconds": told_at(hop_at(one.exit_at) + armed) - one.exit_at if len(vacant) else None,
        "armed_hours": max(0.0, armed * HOP_SECONDS - EVENT_SECONDS) / 3_600,
        "false_motions": events,
    }


def minor_summary(rows: Sequence[Row]) -> Row:
    """Return the share of two-minute windows with a gesture in which motion was seen, and false motions."""
    seated = [row for row in rows if row["kind"] == "stay"]
    tries, hits = _sum(seated, "windows"), _sum(seated, "windows_seen")
    low, high = share_interval(round(hits), round(tries)) if tries else (0.0, 1.0)
    hours = _sum(rows, "armed_hours")
    by_distance: Row = {}
    for near, far in SEATS_M:
        some = [row for row in seated if near <= float(row["distance_m"] or 0) < far]
        windows = _sum(some, "windows")
        by_distance[f"{near:g}-{far:g}_m"] = _sum(some, "windows_seen") / windows if windows else None
    return {
        "windows": tries,
        "seen": hits / tries if tries else None,
        "low": low,
        "high": high,
        **by_distance,
        "armed_hours": hours,
        "false_motions_an_hour": _sum(rows, "false_motions") / hours if hours else None,
    }


def held_summary(rows: Sequence[Row]) -> Row:
    """Return the share of seated minutes in which the room was reported occupied throughout."""
    seated = [row for row in rows if row["kind"] == "stay"]
    minutes = _sum(seated, "minutes")
    return {
        "half_hours": len(seated),
        "minutes_held": _sum(seated, "minutes_held") / minutes if minutes else None,
        "half_hours_whole": sum(row["minutes_held"] == row["minutes"] for row in seated),
    }


def exit_summary(rows: Sequence[Row]) -> Row:
    """Return how long after the last step the room was reported empty."""
    there = [row for row in rows if row["was_present"]]
    seconds = np.array(
        [math.inf if row["vacant_seconds"] is None else row["vacant_seconds"] for row in there], float
    )
    if len(seconds) == 0:
        return {"exits": 0, "not_present": len(rows)}
    p50, p95, most = np.quantile(seconds, [0.5, 0.95, 1.0], method="higher")
    return {
        "exits": len(there),
        "not_present": len(rows) - len(there),
        "p50_seconds": _finite(p50),
        "p95_seconds": _finite(p95),
        "most_seconds": _finite(most),
    }


def _finite(seconds: float) -> float | None:
    """Return a number for JSON; None for rooms that were never given up."""
    return float(seconds) if math.isfinite(seconds) else None


def _sum(rows: Sequence[Row], name: str) -> float:
    return sum(float(row[name] or 0) for row in rows)
