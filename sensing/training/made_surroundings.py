"""Surroundings that were not recorded: people who talk in the background, and rooms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sensing.training.recordings import RATE_HZ, Recording, Sound

_BABBLE_SECONDS = 20
_TALKERS = (2, 8)
_REVERBERATION_SECONDS = (0.15, 0.7)
"""Until the sound of a room has fallen by 60 dB."""
_DIRECT_DB = (-3.0, 12.0)
"""Direct sound over all that comes later."""
_FIRST_REFLECTION_SECONDS = 0.003


@dataclass(frozen=True, slots=True, eq=False)
class MadeSound:
    """A sound that is read like a recording."""

    samples: Sound

    def read(self) -> Sound:
        """Return the sound at 16 kHz."""
        return self.samples


def babble(said: Sequence[Recording], random: np.random.Generator) -> MadeSound:
    """Return 20 s of two to eight people who talk at once, each without a pause."""
    mixed = np.zeros(_BABBLE_SECONDS * RATE_HZ, np.float32)
    for _ in range(random.integers(_TALKERS[0], _TALKERS[1] + 1)):
        spoken = np.zeros(0, np.float32)
        while len(spoken) < len(mixed):
            spoken = np.concatenate([spoken, said[int(random.integers(len(said)))].read()])
        spoken = np.roll(spoken[: len(mixed)], random.integers(len(mixed)))
        mixed += spoken / max(float(np.sqrt(np.square(spoken).mean())), 1e-6)
    return MadeSound(mixed)


def room_response(random: np.random.Generator) -> MadeSound:
    """Return the impulse response of a room: direct sound, then noise that dies away (Polack, 1988)."""
    decay_seconds = random.uniform(*_REVERBERATION_SECONDS)
    seconds = np.arange(round(decay_seconds * RATE_HZ)) / RATE_HZ
    late = random.standard_normal(len(seconds)) * 10 ** (-3 * seconds / decay_seconds)
    late[seconds < _FIRST_REFLECTION_SECONDS] = 0
    response = late / np.sqrt(np.square(late).sum()) * 10 ** (-random.uniform(*_DIRECT_DB) / 20)
    response[0] = 1
    return MadeSound(response.astype(np.float32))
