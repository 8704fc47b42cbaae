"""A wake word on trial: how often it is missed, and how often other sound is taken for it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hub.wake_recordings import Labelled, sound_of
from routines.facts import Json
from sensing.share_interval import share_interval
from sensing.speech.speech_stages import CHUNK_FRAMES, RATE_HZ
from sensing.speech.verification import Verdict, Verifier
from sensing.speech.wake_errors import CHUNKS_PER_HOUR, THRESHOLDS, accepts, rate_at_most
from sensing.speech.wake_word import WakeWord

_TAIL_SECONDS = 0.6
"""Silence after a recording, in which the head may still answer."""
_VERIFIED_FRAMES = 2 * RATE_HZ


class WakeTrial:
    """Hear recordings one by one, each after a quiet room, and count at every threshold.

    Parameters
    ----------
    wake : WakeWord
        Of one phrase.
    threshold : float
        That the head is used with.
    verifier : Verifier or None
        Has the last word, as in a house; None for the head alone.
    """

    def __init__(self, wake: WakeWord, threshold: float, verifier: Verifier | None = None) -> None:
        self.threshold = threshold
        self.thresholds = tuple(sorted({*THRESHOLDS, threshold}))
        self._wake = wake
        self._verifier = verifier
        self._said = 0
        self._other_chunks = 0
        self._heard = dict.fromkeys(self.thresholds, 0)
        self._false = dict.fromkeys(self.thresholds, 0)

    def hear(self, recording: Labelled) -> None:
        """Take one recording."""
        tail = round(_TAIL_SECONDS * RATE_HZ)
        sound = sound_of(recording.path)
        self.hear_sound(np.pad(sound, (0, tail)), says_it=recording.says_it)

    def hear_sound(self, sound: NDArray[np.float32], *, says_it: bool) -> None:
        """Take samples at 16 kHz."""
        self._wake.reset()
        sound = np.pad(sound, (0, -len(sound) % CHUNK_FRAMES))
        scores = self._wake.scores(sound)[:, 0]
        places = {threshold: accepts(scores, threshold) for threshold in self.thresholds}
        chunks = {chunk for some in places.values() for chunk in some}
        phrase, verifier = self._wake.phrase, self._verifier
        confirmed = {
            one for one in chunks if verifier is None or verdict(verifier, sound, one, phrase).is_confirmed
        }
        for threshold, some in places.items():
            count = sum(chunk in confirmed for chunk in some)
            if says_it:
                self._heard[threshold] += count > 0
            else:
                self._false[threshold] += count
        if says_it:
            self._said += 1
        else:
            self._other_chunks += len(scores)

    def figures(self, threshold: float) -> dict[str, Json]:
        """Return misses and false accepts at one of the thresholds, with 95 % bounds."""
        missed, false = self._said - self._heard[threshold], self._false[threshold]
        hours = self._other_chunks / CHUNKS_PER_HOUR
        low, high = share_interval(missed, self._said)
        return {
            "threshold": threshold,
            "said": self._said,
            "missed": missed,
            "missed_percent": 100 * missed / max(1, self._said),
            "missed_percent_at_least": 100 * low,
            "missed_percent_at_most": 100 * high,
            "hours": hours,
            "false_accepts": false,
            "false_accepts_per_hour": false / hours if hours else None,
            "false_accepts_per_hour_at_most": rate_at_most(false, hours),
        }


def verdict(verifier: Verifier, sound: NDArray[np.float32], chunk: int, phrase: str) -> Verdict:
    """Return what the verifier says of a phrase that was found in a chunk of a sound, as in a house."""
    end = (chunk + 1) * CHUNK_FRAMES
    past = np.pad(sound[max(0, end - _VERIFIED_FRAMES) : end], (max(0, _VERIFIED_FRAMES - end), 0))
    return verifier.verify(past, phrase)
