"""A wake word on trial: how often it is missed, and how often other sound is taken for it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hub.wake_recordings import Labelled, sound_of
from routines.facts import Json
from sensing.share_interval import share_interval
from sensing.speech.speech_stages import CHUNK_FRAMES, RATE_HZ
from sensing.speech.wake_errors import (
    CHUNKS_PER_HOUR,
    THRESHOLDS,
    false_accepts,
    rate_at_most,
)
from sensing.speech.wake_word import WakeWord

_TAIL_SECONDS = 0.6
"""Silence after a recording, in which the head may still answer."""


class WakeTrial:
    """Hear recordings one by one, each after a quiet room, and count at every threshold.

    Parameters
    ----------
    wake : WakeWord
        Of one phrase.
    threshold : float
        That the head is used with.
    """

    def __init__(self, wake: WakeWord, threshold: float) -> None:
        self.threshold = threshold
        self.thresholds = tuple(sorted({*THRESHOLDS, threshold}))
        self._wake = wake
        self._best: list[float] = []
        self._others: list[NDArray[np.float32]] = []

    def hear(self, recording: Labelled) -> None:
        """Take one recording."""
        tail = round(_TAIL_SECONDS * RATE_HZ)
        sound = sound_of(recording.path)
        self.hear_sound(np.pad(sound, (0, tail)), says_it=recording.says_it)

    def hear_sound(self, sound: NDArray[np.float32], *, says_it: bool) -> None:
        """Take samples at 16 kHz."""
        self._wake.reset()
        scores = self._wake.scores(np.pad(sound, (0, -len(sound) % CHUNK_FRAMES)))[:, 0]
        if says_it:
            self._best.append(float(scores.max()))
        else:
            self._others.append(scores)

    def figures(self, threshold: float) -> dict[str, Json]:
        """Return misses and false accepts at a threshold, with 95 % bounds."""
        missed = sum(best < threshold for best in self._best)
        false = sum(false_accepts(scores, threshold) for scores in self._others)
        hours = sum(map(len, self._others)) / CHUNKS_PER_HOUR
        low, high = share_interval(missed, len(self._best))
        return {
            "threshold": threshold,
            "said": len(self._best),
            "missed": missed,
            "missed_percent": 100 * missed / max(1, len(self._best)),
            "missed_percent_at_least": 100 * low,
            "missed_percent_at_most": 100 * high,
            "hours": hours,
            "false_accepts": false,
            "false_accepts_per_hour": false / hours if hours else None,
            "false_accepts_per_hour_at_most": rate_at_most(false, hours),
        }
