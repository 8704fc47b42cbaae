"""Whether somebody who walks in is told of within a second."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from script.journal import Batch, Row
from script.presence.scenes import AFTER_ENTRY_SECONDS, BANDS_M, entry
from script.presence.watchers import told_at
from script.presence.watching import watch
from sensing.share_interval import share_interval

KINDS = ("quiet", "fan", "oscillating_fan", "curtain", "music")
WITHIN_SECONDS = 1.0


def measure(batch: Batch) -> list[Row]:
    """Return for each scene and watcher when the entry was told, seconds after the first step."""
    rows: list[Row] = []
    for number in batch.numbers:
        one = entry(number, batch.kind)
        for name, watched in watch(one.scene, batch.names, model=batch.model).items():
            begins = [told_at(int(hop)) - one.at for hop in watched.begins]
            after = [late for late in begins if 0 < late <= AFTER_ENTRY_SECONDS]
            rows.append(
                {
                    "watcher": name,
                    "kind": batch.kind,
                    "distance_m": one.distance_m,
                    "late_seconds": min(after, default=None),
                    "began_before": any(late <= 0 for late in begins),
                }
            )
    return rows


def summary(rows: Sequence[Row]) -> Row:
    """Return share and interval of those told within a second, by distance, and how late they were told.

    Who was taken for present before the first step counts as missed, if the entry is not told anew.
    """
    late = np.array([math.inf if row["late_seconds"] is None else row["late_seconds"] for row in rows], float)
    distance_m = np.array([row["distance_m"] for row in rows], float)
    in_time = late <= WITHIN_SECONDS
    low, high = share_interval(int(in_time.sum()), len(rows))
    by_distance: Row = {}
    for near, far in BANDS_M:
        inside = (distance_m >= near) & (distance_m < far)
        by_distance[f"{near:.0f}-{far:.0f}_m"] = float(in_time[inside].mean()) if inside.any() else None
    return {
        "entries": len(rows),
        "within_1_s": float(in_time.mean()),
        "low": low,
        "high": high,
        **by_distance,
        "p50_seconds": _finite(late, 0.5),
        "p95_seconds": _finite(late, 0.95),
        "missed": int(np.isinf(late).sum()),
        "began_before": sum(row["began_before"] is True for row in rows),
    }


def _finite(late: np.ndarray, share: float) -> float | None:
    """Return a quantile of all entries; None where it is a missed one."""
    value = float(np.quantile(late, share, method="higher"))
    return value if math.isfinite(value) else None
