"""How loud speech is where it is loud."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_PIECE_FRAMES = 320
"""20 ms at 16 kHz."""


def loud_rms(sound: NDArray[np.float32]) -> float:
    """Return the RMS of the loudest fifth of 20 ms pieces at 16 kHz: speech without its pauses.

    0 for no sound at all; a sound shorter than a piece counts whole.
    """
    if len(sound) < _PIECE_FRAMES:
        return float(np.sqrt(np.mean(np.square(sound)))) if len(sound) else 0.0
    pieces = sound[: len(sound) // _PIECE_FRAMES * _PIECE_FRAMES].reshape(-1, _PIECE_FRAMES)
    powers = np.sort(np.square(pieces).mean(axis=1))
    return float(np.sqrt(powers[-max(1, len(powers) // 5) :].mean()))
