"""An answer that the hub waits for after it has asked: no wake word comes before it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sensing.dsp.loudness import loud_rms
from sensing.speech.microphone_sound import SoundChunk
from sensing.speech.recognizer import SpeechRecognizer
from sensing.speech.self_trigger_guard import LEAST_RMS, USUAL_RMS
from sensing.speech.speech_stages import CHUNK_FRAMES

_FADING_CHUNKS = 5
"""The question is over after 0.4 s at the latest; what plays then is something else."""
_SUSPICION = 0.25
"""Confidence from which what was played counts as the answer: lower than for people, or a word might be
understood in the room that was missed in the reference."""


class AwaitedAnswer:
    """When to listen for an answer, and whether what was understood is the hub's own voice or music.

    What is played is known, so the same recogniser is asked what it says. That costs something only when an
    answer was understood while something played. What is unclear then may be what plays: it is taken for
    silence.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Wait for nothing."""
        self._waited_chunks: int | None = None
        self._played: list[NDArray[np.float32] | None] = []

    def expect(self) -> None:
        """Wait for an answer as soon as the question has died away."""
        self._waited_chunks = 0

    def begins(self, chunk: SoundChunk) -> bool:
        """Return whether to listen from this chunk on; once for each time that an answer is expected."""
        if self._waited_chunks is None:
            return False
        self._waited_chunks += 1
        if chunk.played is not None and self._waited_chunks <= _FADING_CHUNKS:
            return False
        self.reset()
        return True

    def keep(self, chunk: SoundChunk) -> None:
        """Remember what was played while somebody may have answered."""
        self._played.append(chunk.played)

    def is_own_voice(self, text: str, confidence: float, recognizer: SpeechRecognizer) -> bool:
        """Return whether what was played since the beginning explains what was understood.

        Parameters
        ----------
        text, confidence : str, float
            What was understood, and how surely.
        recognizer : SpeechRecognizer
            Begins anew.
        """
        silence = np.zeros(CHUNK_FRAMES, np.float32)
        played = [silence if one is None else one for one in self._played]
        sound = np.concatenate([silence, *played])
        loudness = loud_rms(sound)
        if loudness < LEAST_RMS:
            return False
        if confidence < _SUSPICION:
            return True
        recognizer.reset()
        recognizer.feed(np.asarray(sound * (USUAL_RMS / loudness), np.float32))
        best = next(iter(recognizer.finish()), None)
        return best is not None and best.text == text and best.confidence >= _SUSPICION
