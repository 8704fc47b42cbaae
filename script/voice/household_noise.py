"""Speech in a noise that trained nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sensing.dsp.loudness import loud_rms
from sensing.training.recordings import Recording, Sound

_STRIDE_FRAMES = 7_919


def kitchen(data: Path) -> Sound:
    """Return the kitchen of Picovoice's speech-to-intent benchmark, which is for evaluation alone."""
    path = data / "noise" / "home" / "kitchen_s2i.opus"
    return Recording(path=path, label="", speaker="", origin="", licence="").read()


def in_noise(sound: Sound, noise: Sound, ratio_db: float, number: int) -> Sound:
    """Return speech in a piece of the noise that is another one for each number."""
    return noisy(sound, noise, ratio_db, number * _STRIDE_FRAMES)


def noisy(sound: Sound, noise: Sound, ratio_db: float, first: int) -> Sound:
    """Return speech in noise from a sample of it on, the ratio taken over the loudest fifth of the speech."""
    piece = np.take(noise, np.arange(first, first + len(sound)), mode="wrap")
    level = max(float(np.sqrt(np.square(piece).mean())), 1e-6)  # some noises pause
    gain = loud_rms(sound) / level / 10 ** (ratio_db / 20)
    return np.asarray(sound + gain * piece, np.float32)
