"""Clips of 45 s with somebody who walks against clips with nobody, nuisance by nuisance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from script.journal import Batch, Row
from script.presence.scenes import clip
from script.presence.watching import watch
from sensing.training.presence_alarms import FAMILIES

KINDS = ("quiet", *FAMILIES, "pet")
NAMES = ("network", "energy", "doppler_js")
SMOOTH_HOPS = 6
"""A clip's score is the highest mean over 0.3 s, about what an entry takes."""
_CLASSES = {"walks_in": True, "nobody": False}


def measure(batch: Batch) -> list[Row]:
    """Return the score of each clip, two of each number: with somebody, and with nobody."""
    names = tuple(name for name in batch.names if name in NAMES)
    return [
        {
            "watcher": name,
            "kind": batch.kind,
            "walks": walks,
            "score": float(np.convolve(watched.score, np.full(SMOOTH_HOPS, 1 / SMOOTH_HOPS), "valid").max()),
        }
        for number in batch.numbers
        for people, walks in _CLASSES.items()
        for name, watched in watch(clip(number, people, batch.kind), names, model=batch.model).items()
    ]


def curve(rows: Sequence[Row]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the shares of false and true alarms at each threshold, highest first, from (0, 0) to (1, 1)."""
    scores = np.array([row["score"] for row in rows], float)
    walks = np.array([row["walks"] for row in rows], bool)
    thresholds = np.unique(scores)[::-1]
    reached = scores[None] >= thresholds[:, None]
    false = (reached & ~walks).sum(axis=1) / max(1, int((~walks).sum()))
    true = (reached & walks).sum(axis=1) / max(1, int(walks.sum()))
    return np.concatenate([[0.0], false]), np.concatenate([[0.0], true])


def summary(rows: Sequence[Row]) -> Row:
    """Return the area under the curve; equal scores count half."""
    false, true = curve(rows)
    return {"clips": len(rows), "auc": float(np.trapezoid(true, false))}
