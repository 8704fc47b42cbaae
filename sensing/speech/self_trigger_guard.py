"""Tell the hub's own voice from somebody who calls it: a wake word that was played is not answered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sensing.dsp.loudness import loud_rms
from sensing.speech.microphone_sound import SoundChunk
from sensing.speech.speech_stages import CHUNK_FRAMES, RATE_HZ
from sensing.speech.wake_word import WakeWord

SUSPICION = 0.3
"""Threshold for the wake word in what was played: lower than for people, or a word might be found in the
room that was missed in the reference."""

_LATEST_SECONDS = 0.8
"""So long after it was found in the reference the wake word is heard in the room, at most."""
USUAL_RMS = 0.05
"""Of the loud parts of speech, to which what was played is brought before it is searched."""
LEAST_RMS = 1e-4
"""What is softer was not heard in the room."""


class SelfTriggerGuard:
    """Look for the wake word in what was played, whenever it was heard while something played.

    It looks at the sound as it was played and as it must have sounded in the room. So it costs nothing but
    at a wake, and blocks nobody who calls while other things are played.

    Parameters
    ----------
    wake : WakeWord
        For the same phrases with the threshold `SUSPICION`, and of its own, because it is reset.
    """

    def __init__(self, wake: WakeWord) -> None:
        self._wake = wake

    def explains(self, phrase: str, kept: Sequence[SoundChunk]) -> bool:
        """Return whether what was played contains the phrase that was heard at the end of these chunks."""
        if all(chunk.played is None for chunk in kept):
            return False
        silence = np.zeros(CHUNK_FRAMES, np.float32)
        played = [silence if chunk.played is None else chunk.played for chunk in kept]
        echo = [silence if chunk.echo is None else chunk.echo for chunk in kept]
        return any(self._contains(phrase, np.concatenate(sound)) for sound in (played, echo))

    def _contains(self, phrase: str, sound: NDArray[np.float32]) -> bool:
        loudness = loud_rms(sound)
        if loudness < LEAST_RMS:
            return False
        self._wake.reset()
        wakes = self._wake.process(np.asarray(sound * (USUAL_RMS / loudness), np.float32))
        since = [len(sound) - one.end_frame for one in wakes if one.phrase == phrase]
        return min(since, default=len(sound)) <= _LATEST_SECONDS * RATE_HZ
