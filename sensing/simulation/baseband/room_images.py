"""The mirror images of a point in a shoebox room, and the energy of all that comes later."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Acoustics:
    """The room at the carrier's frequency.

    Attributes
    ----------
    size_m : Array
        Shape ``(3,)``; the room reaches from the origin to this corner.
    reflections : Array
        Shape ``(3, 2)``: amplitude that the low and high wall of each axis return in the mirror's direction.
    order : int
        Most reflections of an image.
    decay_seconds : float
        Time in which the diffuse sound decays by 60 dB.
    wavelength_m, loss_nepers, speed_mps : float
        Of the carrier in this air; the loss is a metre's, of the amplitude.
    """

    size_m: Array
    reflections: Array
    order: int
    decay_seconds: float
    wavelength_m: float
    loss_nepers: float
    speed_mps: float

    @property
    def tail_starts_seconds(self) -> float:
        """Time after which sound has been reflected more often than the images tell (mean free path 4V/S)."""
        x, y, z = self.size_m
        free_path = 4 * x * y * z / (2 * (x * y + y * z + z * x))
        return float((self.order + 0.5) * free_path / self.speed_mps)

    @property
    def tail_energy(self) -> float:
        """Energy of the diffuse tail of an omnidirectional source of amplitude one at one metre.

        The steady reverberant field of Sabine, ``16 pi / A`` with ``A = 0.161 V / RT60`` (Kuttruff, Room
        Acoustics, 5.5), less what decays before `tail_starts_seconds`.
        """
        if self.decay_seconds <= 0:
            return 0.0
        area = 0.161 * float(np.prod(self.size_m)) / self.decay_seconds
        return 16 * math.pi / area * math.exp(-13.8 * self.tail_starts_seconds / self.decay_seconds)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Images:
    """A point and its mirror images.

    Attributes
    ----------
    positions : Array
        Shape ``(images, 3)``, metres; the point itself is first.
    gains : Array
        Shape ``(images,)``: what the walls leave of the amplitude.
    mirrors : Array
        Shape ``(images, 3)``: -1 where the image looks the other way along an axis.
    """

    positions: Array
    gains: Array
    mirrors: Array

    def strongest(self, count: int, seen_from: Array) -> Images:
        """Return the images that are strongest at a point of the room, the point itself first."""
        metres = np.linalg.norm(self.positions - seen_from, axis=1)
        loudness = self.gains / np.maximum(metres, 0.1)
        loudness[0] = np.inf
        kept = np.argsort(-loudness, kind="stable")[:count]
        return Images(positions=self.positions[kept], gains=self.gains[kept], mirrors=self.mirrors[kept])


def room_images(point: Array, room: Acoustics) -> Images:
    """Return the images up to the room's order (Allen and Berkley, JASA 65, 1979).

    Image ``u`` of an axis stands at ``u L + x`` for even ``u`` and ``u L + L - x`` for odd; it has been
    reflected ``|u|`` times, by both walls in turn. Order 2 has 25 images, order 1 has 7.
    """
    reach = range(-room.order, room.order + 1)
    numbers = [u for u in itertools.product(reach, repeat=3) if sum(map(abs, u)) <= room.order]
    numbers.sort(key=lambda u: sum(map(abs, u)))
    turns = np.array(numbers)
    is_odd = turns % 2 == 1
    positions = turns * room.size_m + np.where(is_odd, room.size_m - point, point)
    often, seldom = (np.abs(turns) + 1) // 2, np.abs(turns) // 2
    low_hits = np.where(turns < 0, often, seldom)
    high_hits = np.where(turns < 0, seldom, often)
    gains = np.prod(room.reflections[:, 0] ** low_hits * room.reflections[:, 1] ** high_hits, axis=1)
    return Images(positions=positions, gains=gains, mirrors=np.where(is_odd, -1.0, 1.0))
