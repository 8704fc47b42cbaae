"""A speaker or microphone as seen from the points of the room: ``F(p)``, the sum over its images."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensing.simulation.baseband.directivity import Directivity
from sensing.simulation.baseband.room_images import Acoustics, Array, Images, room_images

SUBSTEPS = 4
"""Frames from one knot to the next."""
NEAREST_M = 0.1
"""Nothing comes nearer: 1/r would grow without bound."""

Phasors = NDArray[np.complex64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DiffuseField:
    """The tail beyond the images as plane waves of random direction and phase.

    A sum of plane waves from everywhere is the diffuse field of Schroeder: Gaussian amplitude, coherence
    ``sin(kr)/kr`` between points, and Doppler shifts up to that of the direct path.

    Attributes
    ----------
    directions : Array
        Shape ``(waves, 3)``, unit vectors in which each arrives at the room's points.
    coefficients : NDArray
        Shape ``(waves,)`` complex; their energy is the field's.
    """

    directions: Array
    coefficients: NDArray[np.complex128]

    @classmethod
    def random(cls, waves: int, energy: float, chance: np.random.Generator) -> DiffuseField:
        """Return a field of a mean energy relative to amplitude one at one metre."""
        directions = _unit(chance.normal(size=(waves, 3)))
        parts = chance.normal(size=(2, waves)) * math.sqrt(energy / (2 * max(waves, 1)))
        return cls(directions=directions, coefficients=parts[0] + 1j * parts[1])

    def leaving_directions(self, chance: np.random.Generator) -> Array:
        """Return where each wave comes from at the microphones, shape ``(waves, 3)``, unit vectors."""
        return _unit(chance.normal(size=(len(self.coefficients), 3)))

    def moved(self, offset: Array, wavelength_m: float, leaving: Array) -> DiffuseField:
        """Return the field of a microphone that stands ``offset`` beside, with the waves of one array."""
        turn = np.exp(2j * math.pi / wavelength_m * (leaving @ offset))
        return DiffuseField(directions=self.directions, coefficients=self.coefficients * turn)


class Port:
    """The transfer between one speaker or microphone and moving points, images and diffuse tail together.

    ``F(p) = sum over images g D exp(-alpha r - j k r) / r + sum over waves c exp(j k u p)``

    Parameters
    ----------
    position, axis : Array
        Shape ``(3,)``; metres and the unit vector of the front.
    directivity : Directivity or None
        None for a microphone that hears all directions alike.
    diffuse : DiffuseField, optional
        What comes later than the images.
    most_images : int
        Only the strongest in the middle of the room are kept.
    """

    def __init__(
        self,
        position: Array,
        axis: Array,
        room: Acoustics,
        *,
        directivity: Directivity | None = None,
        diffuse: DiffuseField | None = None,
        most_images: int = 25,
    ) -> None:
        images = room_images(position, room)
        self.images: Images = images.strongest(most_images, room.size_m / 2)
        self.room = room
        self.directivity = directivity
        self._axes = axis * self.images.mirrors
        self._along = (self._axes * self.images.positions).sum(axis=1)
        self._squares = (self.images.positions**2).sum(axis=1)
        self._diffuse = diffuse
        self._waves = (
            np.zeros(0, np.complex64) if diffuse is None else diffuse.coefficients.astype(np.complex64)
        )

    def gains(self, points: Array) -> tuple[Array, Array]:
        """Return ways in metres and real gains of the images, each of shape ``(images, points)``.

        Parameters
        ----------
        points : Array
            Shape ``(points, 3)``.
        """
        squared = self._squares[:, None] + (points**2).sum(axis=1) - 2 * (self.images.positions @ points.T)
        metres = np.sqrt(np.maximum(squared, NEAREST_M**2))
        gains = (np.exp((-self.room.loss_nepers * metres).astype(np.float32)) / metres).astype(np.float64)
        gains *= self.images.gains[:, None]
        if self.directivity is not None:
            gains *= self.directivity.gain((self._axes @ points.T - self._along[:, None]) / metres)
        return metres, gains

    def field(self, points: Array) -> Phasors:
        """Return F of single points, shape ``(points,)`` for ``(points, 3)``: exact, and slow."""
        ways, gains = self._ways(points)
        phasors = _phasors(ways / self.room.wavelength_m)
        images: Phasors = np.einsum("kn,kn->n", phasors[: len(gains)], gains.astype(np.float32))
        waves: Phasors = np.einsum("k,kn->n", self._waves, phasors[len(gains) :])
        return images + waves

    def response(self, points: Array) -> Phasors:
        """Return F for each frame, by a phasor recursion between the knots.

        At knot n the phasor of a quarter of the way is ``Q_n``; then ``Q_n^4`` is the knot's own phasor and
        ``Q_(n+1) conj(Q_n)`` the turn of one frame, so that a knot costs one exponential. The phase is
        linear between the knots: the error is ``k a dt^2 / 8`` for an acceleration a.

        Parameters
        ----------
        points : Array
            Shape ``(scatterers, knots + 1, 3)``.

        Returns
        -------
        Phasors
            Shape ``(scatterers, knots, SUBSTEPS)``.
        """
        scatterers, knots = points.shape[:2]
        flat = points.reshape(-1, 3)
        ways, gains = self._ways(flat)
        quarter = _phasors(ways * (1 / (self.room.wavelength_m * SUBSTEPS)))
        quarter = quarter.reshape(len(ways), scatterers, knots)
        step = quarter[..., 1:] * quarter[..., :-1].conj()
        term = quarter[..., :-1] ** 2
        term *= term
        images = len(gains)
        term[:images] *= gains.astype(np.float32).reshape(-1, scatterers, knots)[..., :-1]
        term[images:] *= self._waves[:, None, None]
        out = np.empty((scatterers, knots - 1, SUBSTEPS), np.complex64)
        for index in range(SUBSTEPS):
            out[..., index] = term.sum(axis=0)
            if index < SUBSTEPS - 1:
                term *= step
        return out

    def _ways(self, points: Array) -> tuple[Array, Array]:
        """Return the ways of images and waves in metres, and the gains of the images."""
        metres, gains = self.gains(points)
        if self._diffuse is not None:
            metres = np.concatenate([metres, -(self._diffuse.directions @ points.T)])
        return metres, gains


def _phasors(turns: Array) -> Phasors:
    """Return ``exp(-2j pi turns)``; what is left of a whole turn fits single precision."""
    angles = (-2 * math.pi * (turns - np.floor(turns))).astype(np.float32)
    phasors = np.empty(angles.shape, np.complex64)
    phasors.real, phasors.imag = np.cos(angles), np.sin(angles)
    return phasors


def _unit(vectors: Array) -> Array:
    unit: Array = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit
