"""A walking person as a handful of points that reflect the tone."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sensing.simulation.scene import Walk

_PARTS = (
    # lag behind the body's middle (m), height (m), swing along the path (m), phase of the gait, reflection
    (0.00, 0.15, 0.00, 0.0, 0.36),
    (0.02, 0.45, 0.01, 0.0, 0.25),
    (0.00, -0.10, 0.18, 0.0, 0.12),
    (0.00, -0.10, 0.18, math.pi, 0.12),
    (0.00, -0.55, 0.28, math.pi, 0.14),
    (0.00, -0.55, 0.28, 0.0, 0.14),
)
"""Torso, head, arms and legs; reflections are square roots of cross-sections in metres."""

_STRIDE_METRES = 1.4
"""Length of a full cycle of both legs."""


def positions(walk: Walk, seconds: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where each part of the person is, and how strongly it reflects.

    Parameters
    ----------
    seconds : NDArray
        Instants of the scene, shape ``(n,)``.

    Returns
    -------
    points : NDArray
        Shape ``(parts, n, 3)``, metres.
    reflections : NDArray
        Shape ``(parts, n)``; zero while the person is not in the room, faded over 0.1 s.
    """
    path = np.asarray(walk.path, float)
    legs = np.linalg.norm(np.diff(path, axis=0), axis=1)
    marks = np.concatenate([[0.0], np.cumsum(legs)])
    walked = np.clip((seconds - walk.start_seconds) * walk.speed_mps, 0.0, marks[-1])
    is_there = np.clip((seconds - walk.start_seconds) / 0.1, 0.0, 1.0)
    if walk.leaves:
        gone = walk.start_seconds + marks[-1] / walk.speed_mps
        is_there = is_there * np.clip((gone - seconds) / 0.1, 0.0, 1.0)
    parts = _PARTS if walk.swings else ((0.0, 0.0, 0.0, 0.0, 0.5),)
    is_moving = (walked > 0) & (walked < marks[-1])
    points = np.empty((len(parts), len(seconds), 3))
    for index, (lag, height, swing, phase, _) in enumerate(parts):
        gait = np.sin(2 * math.pi * walked / _STRIDE_METRES + phase) * is_moving
        along = np.clip(walked - lag + swing * gait, 0.0, marks[-1])
        for axis in range(3):
            points[index, :, axis] = np.interp(along, marks, path[:, axis])
        points[index, :, 2] += height if walk.swings else 0.0
    reflections = np.array([part[4] for part in parts])[:, None] * is_there
    return points, reflections
