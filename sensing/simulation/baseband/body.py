"""A human body as sixteen parts with a few random reflecting points each."""

from __future__ import annotations

import math

import numpy as np

from sensing.simulation.baseband.room_images import Array
from sensing.simulation.baseband.scatterers import strength

_LEG_SHARE = 0.5
"""Real walkers show weaker legs than pendulums of full cross-section (UltraSense recordings)."""
_POINTS_A_PART = 3

# name: share of the height, to the left (m), cross-section (m2), half the part's size (m)
_PARTS = {
    "chest": (0.75, 0.0, 0.13, 0.12),
    "belly": (0.64, 0.0, 0.11, 0.11),
    "hip": (0.54, 0.0, 0.10, 0.11),
    "head": (0.93, 0.0, 0.04, 0.07),
    "arm_left": (0.74, 0.20, 0.022, 0.06),
    "arm_right": (0.74, -0.20, 0.022, 0.06),
    "forearm_left": (0.60, 0.23, 0.018, 0.05),
    "forearm_right": (0.60, -0.23, 0.018, 0.05),
    "hand_left": (0.49, 0.24, 0.010, 0.03),
    "hand_right": (0.49, -0.24, 0.010, 0.03),
    "thigh_left": (0.42, 0.10, 0.050 * _LEG_SHARE, 0.07),
    "thigh_right": (0.42, -0.10, 0.050 * _LEG_SHARE, 0.07),
    "shank_left": (0.20, 0.10, 0.035 * _LEG_SHARE, 0.06),
    "shank_right": (0.20, -0.10, 0.035 * _LEG_SHARE, 0.06),
    "foot_left": (0.03, 0.10, 0.015 * _LEG_SHARE, 0.05),
    "foot_right": (0.03, -0.10, 0.015 * _LEG_SHARE, 0.05),
}
_TRUNK = ("chest", "belly", "hip", "head")
PARTS = tuple(_PARTS)
"""Names in the order of the rows that `Body` returns."""


class Body:
    """Parts and their points; three points a part give the speckle of a real body.

    Parameters
    ----------
    height_m : float
        From floor to crown; cross-sections grow with its square.
    chance : Generator
        Places the points within the parts.
    has_limbs : bool
        Whether arms and legs reflect.

    Attributes
    ----------
    rest : Array
        Shape ``(16, 3)``: where the parts of somebody who stands are: forward, left, up in metres.
    strengths : Array
        Shape ``(48,)``.
    """

    def __init__(self, height_m: float, chance: np.random.Generator, *, has_limbs: bool = True) -> None:
        table = np.array(list(_PARTS.values()))
        scale = height_m / 1.72
        nothing = np.zeros(len(table))
        self.rest = np.stack([nothing, table[:, 1] * scale, table[:, 0] * height_m], axis=1)
        self._offsets = chance.uniform(-1, 1, (len(table), _POINTS_A_PART, 3))
        self._offsets *= table[:, 3, None, None] * scale
        shares = chance.dirichlet(np.full(_POINTS_A_PART, 2.0), len(table))
        is_trunk = np.array([name in _TRUNK for name in PARTS])
        sections = np.where(is_trunk | has_limbs, table[:, 2], 0.0)
        self.strengths = strength(sections[:, None] * shares * scale**2).ravel()

    def points(self, parts: Array, feet: Array, facing: Array) -> Array:
        """Return the points in the room.

        Parameters
        ----------
        parts : Array
            Shape ``(16, n, 3)``: forward, left and up of each part, from the feet.
        feet : Array
            Shape ``(n, 2)``: where the body stands on the floor.
        facing : Array
            Shape ``(n,)``: direction in radians.

        Returns
        -------
        Array
            Shape ``(48, n, 3)``.
        """
        local = parts[:, None] + self._offsets[:, :, None, :]
        cosine, sine = np.cos(facing), np.sin(facing)
        placed = np.empty_like(local)
        placed[..., 0] = feet[:, 0] + local[..., 0] * cosine - local[..., 1] * sine
        placed[..., 1] = feet[:, 1] + local[..., 0] * sine + local[..., 1] * cosine
        placed[..., 2] = local[..., 2]
        return placed.reshape(-1, *local.shape[2:])


def gait(body: Body, cycle: Array, vigour: Array, height_m: float) -> Array:
    """Return where the parts of a walker are, shape ``(16, n, 3)``: forward, left, up in metres.

    Arms and legs are pendulums in antiphase after Boulic, Thalmann and Thalmann (The Visual Computer 6,
    1990), simplified: hips swing by 24 degrees, knees bend by up to 55 in the swing phase.

    Parameters
    ----------
    cycle : Array
        Shape ``(n,)``: phase of the gait in radians, one turn for both steps.
    vigour : Array
        Shape ``(n,)``: 0 standing, 1 walking at 1 m/s.
    """
    parts = np.repeat(body.rest[:, None], len(cycle), axis=1)
    thigh_m, shank_m, arm_m, forearm_m = 0.245 * height_m, 0.25 * height_m, 0.17 * height_m, 0.25 * height_m
    bob = 0.02 * vigour * np.cos(2 * cycle)
    parts[..., 2] += bob
    for side, phase in (("left", 0.0), ("right", math.pi)):
        hip = math.radians(24) * vigour * np.sin(cycle + phase)
        knee = math.radians(55) * vigour * (0.5 - 0.5 * np.cos(cycle + phase - math.pi / 2)) ** 2
        shank = hip - knee
        knee_at = thigh_m * np.sin(hip)
        _move(parts, f"thigh_{side}", 0.5 * knee_at, 0.5 * thigh_m * (1 - np.cos(hip)))
        lift = thigh_m * (1 - np.cos(hip)) + shank_m * (1 - np.cos(shank))
        _move(parts, f"shank_{side}", knee_at + 0.5 * shank_m * np.sin(shank), 0.7 * lift)
        _move(parts, f"foot_{side}", knee_at + shank_m * np.sin(shank), lift)
        arm = -math.radians(20) * vigour * np.sin(cycle + phase)
        elbow = arm + math.radians(12) * vigour
        _move(parts, f"arm_{side}", 0.5 * arm_m * np.sin(arm), 0.0 * arm)
        forearm = arm_m * np.sin(arm) + 0.5 * forearm_m * np.sin(elbow)
        _move(parts, f"forearm_{side}", forearm, forearm_m * (1 - np.cos(elbow)))
        hand = arm_m * np.sin(arm) + forearm_m * np.sin(elbow)
        _move(parts, f"hand_{side}", hand, forearm_m * (1 - np.cos(elbow)))
    return parts


def _move(parts: Array, name: str, forward: Array, up: Array) -> None:
    row = PARTS.index(name)
    parts[row, :, 0] += forward
    parts[row, :, 2] += up
