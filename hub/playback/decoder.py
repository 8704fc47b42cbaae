"""Sound files for playback, at the speakers' rate."""

from __future__ import annotations

from math import gcd
from pathlib import Path

import numpy as np
from scipy import signal

from hub.audio.sound_file import read_all
from sensing.audio_block import Block


def load_sound(path: Path, rate_hz: int) -> Block:
    """Return a file as stereo, shape ``(2, frames)``, at ``rate_hz``; further channels are left out.

    Raises
    ------
    hub.errors.BadInput
        The file cannot be read.
    """
    samples, file_rate_hz = read_all(path)
    return to_rate(np.broadcast_to(samples[:2], (2, samples.shape[1])), file_rate_hz, rate_hz)


def to_rate(samples: Block, from_hz: int, to_hz: int) -> Block:
    """Return whole sounds at another rate, by a polyphase filter."""
    if from_hz == to_hz:
        return np.array(samples, np.float32)
    common = gcd(from_hz, to_hz)
    return signal.resample_poly(samples, to_hz // common, from_hz // common, axis=1).astype(np.float32)
