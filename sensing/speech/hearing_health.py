"""Whether what the microphones deliver can be understood at all."""

from __future__ import annotations

import numpy as np

from sensing.audio_block import Block
from sensing.observations import HearingFault

NARROW_RATE_HZ = 8_000
"""Sound of this rate or less has no consonants: telephones."""

_PIECE_SECONDS = 0.5
_SILENT_PIECES = 4
"""Recordings that are gated fall silent for a second between words; a dead microphone stays silent."""
_LINGER_PIECES = 4
_SILENT_RANGE = 1e-7
_FULL_SCALE = 0.999
_CLIPPED_SHARE = 1e-3
"""More samples than this at full scale are no single bang."""


class HearingHealth:
    """Judge raw sound, half a second at a time.

    A fault is told for two seconds after it was last seen, silence as soon as two seconds were silent.

    Parameters
    ----------
    rate_hz : int
        Rate of the sound.

    Attributes
    ----------
    faults : tuple of str
        What is wrong now, empty when nothing is.
    """

    def __init__(self, rate_hz: int) -> None:
        self._piece_frames = round(_PIECE_SECONDS * rate_hz)
        self._always: tuple[HearingFault, ...] = ("narrow_band",) if rate_hz <= NARROW_RATE_HZ else ()
        self.reset()

    def reset(self) -> None:
        """Forget the sound."""
        self.faults = self._always
        self._pieces: list[Block] = []
        self._frames = 0
        self._silent = 0
        self._clipped = self._broken = _LINGER_PIECES

    def process(self, capture: Block) -> None:
        """Take the next sound, shape ``(microphones, frames)``."""
        self._pieces.append(capture)
        self._frames += capture.shape[1]
        if self._frames < self._piece_frames:
            return
        sound = np.concatenate(self._pieces, axis=1)
        self._pieces, self._frames = [], 0
        highest, lowest = sound.max(axis=1), sound.min(axis=1)
        self._silent = self._silent + 1 if (highest - lowest).max() <= _SILENT_RANGE else 0
        self._broken = 0 if not np.isfinite(highest - lowest).all() else self._broken + 1
        self._clipped = 0 if self._is_clipped(sound, max(highest.max(), -lowest.min())) else self._clipped + 1
        found: tuple[tuple[HearingFault, bool], ...] = (
            ("not_a_number", self._broken < _LINGER_PIECES),
            ("silence", self._silent >= _SILENT_PIECES),
            ("clipped", self._clipped < _LINGER_PIECES),
        )
        self.faults = self._always + tuple(fault for fault, is_there in found if is_there)

    @staticmethod
    def _is_clipped(sound: Block, peak: float) -> bool:
        return peak >= _FULL_SCALE and float((np.abs(sound) >= _FULL_SCALE).mean()) > _CLIPPED_SHARE
