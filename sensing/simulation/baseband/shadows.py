"""What a body hides from the hub."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sensing.simulation.baseband.room_images import Array
from sensing.simulation.baseband.scatterers import Scatterers, presence_ramp

_KNOTS_HZ = 20
"""A body takes longer than a tenth of a second to cross a line of sight."""
_HALF_WIDTH_M = 0.22
"""Of a torso, and of the first Fresnel zone around it."""
_EDGE_M = 0.3
"""Nobody hides what is less than this behind."""


class Shadows:
    """The bodies of a scene and what they take from the paths that have to pass.

    Where the torso's axis is nearer to a straight way than its half width, the way loses up to ``depth_db``,
    there and back together: sound at 20 kHz does not pass a torso, and what goes round it by diffraction and
    by other walls is 10 to 15 dB less.

    Parameters
    ----------
    hub : Array
        Shape ``(3,)``, metres; only the floor plan counts.
    """

    def __init__(self, bodies: Sequence[Scatterers], *, hub: Array, depth_db: float) -> None:
        self._bodies = bodies if depth_db > 0 else ()
        self._hub = hub[:2]
        self._depth_db = depth_db

    def over(self, group: Scatterers, seconds: Array) -> Array | None:
        """Return the gain of a group's echo, shape ``(n,)``, or None where nobody can be in between."""
        others = [body for body in self._bodies if body is not group]
        if not others or not self._anybody(seconds):
            return None
        knots = knots_of(seconds)
        return np.interp(seconds, knots, self._gain(others, _middle(group, knots), knots))

    def over_place(self, place: Array, seconds: Array) -> Array | None:
        """Return the gain of the way to a point and back, shape ``(n,)``, or None.

        Parameters
        ----------
        place : Array
            Shape ``(2,)``, metres.
        """
        if not self._anybody(seconds):
            return None
        knots = knots_of(seconds)
        places = np.repeat(place[None], len(knots), axis=0)
        return np.interp(seconds, knots, self._gain(self._bodies, places, knots))

    def _anybody(self, seconds: Array) -> bool:
        return any(body.begins < seconds[-1] and body.ends > seconds[0] for body in self._bodies)

    def _gain(self, bodies: Sequence[Scatterers], targets: Array, seconds: Array) -> Array:
        """Return the gain towards places of shape ``(n, 2)``."""
        sight = targets - self._hub
        range_m = np.maximum(np.linalg.norm(sight, axis=1), 1e-6)
        ahead = sight / range_m[:, None]
        lost_db = np.zeros(len(seconds))
        for body in bodies:
            there = presence_ramp(seconds, body.begins, body.ends)
            if not there.any():
                continue
            offset = _middle(body, seconds) - self._hub
            along = np.sum(offset * ahead, axis=1)
            beside = offset[:, 0] * ahead[:, 1] - offset[:, 1] * ahead[:, 0]
            between = np.clip(np.minimum(along, range_m - along) / _EDGE_M, 0, 1)
            # two torsos in a row leave the same ways round
            here_db = self._depth_db * there * between * np.exp(-((beside / _HALF_WIDTH_M) ** 2))
            lost_db = np.maximum(lost_db, here_db)
        gain: Array = 10 ** (-lost_db / 20)
        return gain


def knots_of(seconds: Array) -> Array:
    """Return the instants, 20 a second, that enclose others: enough for what is as slow as a body."""
    first, last = np.floor(seconds[0] * _KNOTS_HZ), np.ceil(seconds[-1] * _KNOTS_HZ)
    knots: Array = np.arange(first, last + 1) / _KNOTS_HZ
    return knots


def _middle(group: Scatterers, seconds: Array) -> Array:
    """Return where a group is on the floor plan, shape ``(n, 2)``: the mean of its points."""
    points, _ = group.at(seconds)
    middle: Array = points[..., :2].mean(axis=0)
    return middle
