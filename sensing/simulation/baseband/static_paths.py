"""What reaches the microphones from the speaker without touching anything that moves."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from sensing.simulation.baseband.port import Phasors, Port
from sensing.simulation.baseband.room_images import Acoustics, Array

_LONGEST_TAIL_SECONDS = 0.6


class StaticPaths:
    """Direct sound, reflections and diffuse tail as a filter at the baseband's rate.

    Delays of images are rounded to frames: what the loudspeaker's modulation does within one frame (1 ms)
    is little, and the carrier's own phase is exact. The tail is complex Gaussian and decays by 60 dB in the
    room's time.

    Parameters
    ----------
    places : sequence of Array
        Of the microphones, metres.
    gains : sequence of complex
        Of the microphones.
    mean_square : float
        Of the speaker's directivity: the diffuse field gets less from one that beams.

    Attributes
    ----------
    taps : NDArray
        Shape ``(microphones, taps)``, complex.
    phasors, delays_seconds : NDArray
        Shape ``(microphones, paths)``: every image and every tap of the tail; their sum is the carrier.
    walls : list of (place, phasors)
        Where the sound meets each wall, shape ``(2,)`` on the floor plan, and what comes back from there to
        each microphone, a part of the taps.
    """

    def __init__(
        self,
        speaker: Port,
        places: Sequence[Array],
        gains: Sequence[complex],
        *,
        mean_square: float,
        rate_hz: int,
        chance: np.random.Generator,
    ) -> None:
        room = speaker.room
        taps = 2 + math.ceil(min(max(room.decay_seconds, 0.1), _LONGEST_TAIL_SECONDS) * rate_hz)
        self.taps = np.zeros((len(places), taps), np.complex128)
        images = len(speaker.images.gains)
        self.phasors = np.zeros((len(places), images + taps), np.complex128)
        self.delays_seconds = np.zeros(self.phasors.shape)
        self.delays_seconds[:, images:] = np.arange(taps) / rate_hz
        for index, (place, gain) in enumerate(zip(places, gains, strict=True)):
            metres, amplitudes = (row[:, 0] for row in speaker.gains(place[None]))
            phasors = amplitudes * np.exp(-2j * math.pi / room.wavelength_m * metres)
            frames = np.minimum(np.round(metres / room.speed_mps * rate_hz).astype(int), taps - 1)
            tail = _tail(room, taps, rate_hz, mean_square, chance)
            self.phasors[index] = gain * np.concatenate([phasors, tail])
            self.delays_seconds[index, :images] = metres / room.speed_mps
            np.add.at(self.taps[index], frames, phasors)
            self.taps[index] += tail
            self.taps[index] *= gain
        self._state = np.zeros((len(places), taps - 1), np.complex128)
        self._state += np.cumsum(self.taps[:, ::-1], axis=1)[:, -2::-1]  # the carrier has always been on

        facing = _facing_walls(speaker)
        self.walls = [(place, self.phasors[:, image].astype(np.complex64)) for place, image in facing]

    @property
    def carrier(self) -> NDArray[np.complex128]:
        """The steady carrier at each microphone, shape ``(microphones,)``."""
        carrier: NDArray[np.complex128] = self.taps.sum(axis=1)
        return carrier

    def process(self, modulation: NDArray[np.complex128]) -> Phasors:
        """Return what arrives while the speaker plays the carrier times ``modulation``, shape ``(n,)``."""
        heard = np.empty((len(self.taps), len(modulation)), np.complex64)
        for index, taps in enumerate(self.taps):
            heard[index], self._state[index] = lfilter(taps, [1.0], modulation, zi=self._state[index])
        return heard


def _facing_walls(speaker: Port) -> list[tuple[Array, int]]:
    """Return where sound leaves and comes back by one wall, and the number of its image."""
    place = speaker.images.positions[0]
    size = speaker.room.size_m
    found = []
    for number, image in enumerate(speaker.images.positions):
        middle = (image + place) / 2
        is_one_wall = np.count_nonzero(image != place) == 1 and image[2] == place[2]
        if is_one_wall and (np.abs(middle - size / 2) <= size / 2 + 1e-6).all():
            found.append((middle[:2], number))
    return found


def _tail(
    room: Acoustics, taps: int, rate_hz: int, mean_square: float, chance: np.random.Generator
) -> NDArray[np.complex128]:
    parts = chance.normal(size=(2, taps))
    seconds = np.arange(taps) / rate_hz
    if room.decay_seconds <= 0:
        return np.zeros(taps, np.complex128)
    decay = np.exp(-6.908 * seconds / room.decay_seconds) * (seconds >= room.tail_starts_seconds)
    energy = 2 * float(np.sum(decay**2))
    tail: NDArray[np.complex128] = (parts[0] + 1j * parts[1]) * decay
    return tail * math.sqrt(room.tail_energy * mean_square / max(energy, 1e-12))
