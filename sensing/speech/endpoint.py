"""When a command is over: the longer somebody may still want to go on, the longer a pause is waited for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sensing.speech.recognizer import KnowsEnding, SpeechRecognizer
from sensing.speech.speech_stages import CHUNK_FRAMES, RATE_HZ
from sensing.speech.voice_activity import WINDOW_FRAMES

EndingKind = Literal["over", "open", "inside"]

BREATH_SECONDS = 0.4
"""After such a pause behind the wake word the recogniser starts afresh: the command stands alone."""

_SPEECH = 0.5
_ENOUGH_SPEECH_SECONDS = 0.25
_PATIENCE_SECONDS = 4.0
_PAUSE_SECONDS: dict[EndingKind, float] = {"over": 0.3, "open": 0.7, "inside": 1.5}
_LONGEST_SECONDS = 8.0
_UNKNOWN_PAUSE_SECONDS = 0.8
"""Enough to think of the next word, where nobody knows whether there is one."""
_UNKNOWN_LONGEST_SECONDS = 10.0


class Endpoint:
    """Follow speech and pauses behind a wake word.

    Attributes
    ----------
    speech_seconds, pause_seconds : float
        Speech since the command began, and silence since the last of it.
    """

    def __init__(self) -> None:
        self._heard_seconds = 0.0
        self.speech_seconds = 0.0
        self.pause_seconds = 0.0

    def begin_again(self) -> None:
        """Wait for a command that stands alone; patience and the pause go on."""
        self.speech_seconds = 0.0

    def hear(self, speech: Sequence[float]) -> None:
        """Take the probabilities of speech in the windows of one more chunk."""
        self._heard_seconds += CHUNK_FRAMES / RATE_HZ
        for probability in speech:
            if probability >= _SPEECH:
                self.speech_seconds += WINDOW_FRAMES / RATE_HZ
                self.pause_seconds = 0.0
            else:
                self.pause_seconds += WINDOW_FRAMES / RATE_HZ

    @property
    def has_speech(self) -> bool:
        """Whether enough was said for a command."""
        return self.speech_seconds >= _ENOUGH_SPEECH_SECONDS

    @property
    def is_breath(self) -> bool:
        """Whether the wake word is followed by a pause and no command yet."""
        return not self.has_speech and self.pause_seconds >= BREATH_SECONDS

    @property
    def is_given_up(self) -> bool:
        """Whether nobody seems to want to say anything."""
        return not self.has_speech and self.pause_seconds >= _PATIENCE_SECONDS

    def is_over(self, recognizer: SpeechRecognizer) -> bool:
        """Return whether the command has ended; a recogniser that knows its sentence is asked."""
        knows = isinstance(recognizer, KnowsEnding)
        if self._heard_seconds >= (_LONGEST_SECONDS if knows else _UNKNOWN_LONGEST_SECONDS):
            return True
        shortest = _PAUSE_SECONDS["over"] if knows else _UNKNOWN_PAUSE_SECONDS
        if not self.has_speech or self.pause_seconds < shortest:
            return False
        if not isinstance(recognizer, KnowsEnding):
            return True
        return self.pause_seconds >= _PAUSE_SECONDS[recognizer.ending().kind]
