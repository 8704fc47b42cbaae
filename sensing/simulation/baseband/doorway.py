"""What is seen of somebody who walks behind an open door."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sensing.simulation.baseband.room_images import Array
from sensing.simulation.baseband.shadows import knots_of
from sensing.simulation.baseband.walking import WalkingBody

_WALL_DB = 40.0
"""What a light wall takes at 20 kHz, there and back: nothing behind it is heard."""
_KNIFE_EDGE_FROM = -0.78
"""Of the diffraction parameter: further in the light than this an edge takes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doorway:
    """An opening in a wall, seen from the hub; only the floor plan counts.

    Attributes
    ----------
    from_m, to_m, hub_m : Array
        The two jambs and the hub, shape ``(2,)``, metres.
    wavelength_m : float
        Of the carrier.
    """

    from_m: Array
    to_m: Array
    hub_m: Array
    wavelength_m: float

    def gain(self, places: Array) -> Array:
        """Return what passes there and back, shape ``(n,)``, for places behind the wall of shape ``(n, 2)``.

        Each jamb is a knife edge, whose loss is that of ITU-R P.526-15, equation 31.
        """
        wide_m = float(np.linalg.norm(self.to_m - self.from_m))
        along = (self.to_m - self.from_m) / wide_m
        across = np.array([-along[1], along[0]])
        far, near = (places - self.from_m) @ across, float((self.hub_m - self.from_m) @ across)
        share = near / np.where(np.abs(near - far) > 1e-6, near - far, 1e-6)
        crossing = self.hub_m + share[:, None] * (places - self.hub_m)
        beside_m = (crossing - self.from_m) @ along
        to_hub_m = np.maximum(np.linalg.norm(crossing - self.hub_m, axis=1), 0.05)
        to_body_m = np.maximum(np.linalg.norm(crossing - places, axis=1), 0.05)
        sharpness = np.sqrt(2 / self.wavelength_m * (1 / to_hub_m + 1 / to_body_m))
        one_way_db = _knife_edge_db(-beside_m * sharpness) + _knife_edge_db((beside_m - wide_m) * sharpness)
        gain: Array = 10 ** (-np.minimum(2 * one_way_db, _WALL_DB) / 20)
        return gain


def _knife_edge_db(parameter: Array) -> Array:
    shifted = np.maximum(parameter, _KNIFE_EDGE_FROM) - 0.1
    loss_db: Array = 6.9 + 20 * np.log10(np.sqrt(shifted**2 + 1) + shifted)
    return np.where(parameter > _KNIFE_EDGE_FROM, loss_db, 0.0)


class SeenThrough:
    """A body behind a doorway; see `Scatterers`."""

    def __init__(self, body: WalkingBody, doorway: Doorway) -> None:
        self._body = body
        self._doorway = doorway
        self.highest_hz = body.highest_hz
        self.begins, self.ends = body.begins, body.ends

    def at(self, seconds: Array) -> tuple[Array, Array]:
        """Return positions and strengths; the doorway hides all parts of a body as it hides its middle."""
        points, strengths = self._body.at(seconds)
        knots = knots_of(seconds)
        gains = self._doorway.gain(self._body.route.place(knots))
        return points, strengths * np.interp(seconds, knots, gains)
