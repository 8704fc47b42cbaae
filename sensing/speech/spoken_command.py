"""What is said after a wake word or as an answer, until it is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensing.processing_meter import ProcessingMeter
from sensing.speech.endpoint import BREATH_SECONDS, Endpoint
from sensing.speech.recognizer import KnowsPart, SpeechRecognizer
from sensing.speech.speech_stages import CHUNK_FRAMES, RATE_HZ

_LEAD_SECONDS = 1.5
"""The recogniser starts this long before the wake word was noticed, and knows the word."""
_BREATHLESS_CONFIDENCE = 0.8
"""Of a command of less than a quarter of a second: the end of the wake word may sound like one."""
_CHUNK_SECONDS = CHUNK_FRAMES / RATE_HZ


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What was said, without the wake word; times are seconds since the sound began.

    ``text`` is empty where somebody spoke but no sentence fits.
    """

    text: str
    confidence: float
    start_seconds: float
    end_seconds: float


class SpokenCommand:
    """Feed a recogniser from the wake word on, and decide when the command is over.

    Parameters
    ----------
    phrase : str
        The wake word that opened it, or that may come before an answer.
    meter : ProcessingMeter
        Charged as ``asr``.
    kept : NDArray
        Sound up to now, mono at 16 kHz, at least 1.5 s of it where there is as much.
    at_seconds : float
        Time of its end.
    is_answer : bool
        Whether the hub has asked, so that no wake word need come before it.

    Attributes
    ----------
    is_over : bool
        Whether nothing more is to be heard.
    transcript : Transcript or None
        What was said, once it is over; None for the wake word alone or no answer.
    partial : str
        What has been said so far, where the recogniser can tell.
    """

    def __init__(
        self,
        *,
        phrase: str,
        recognizer: SpeechRecognizer,
        meter: ProcessingMeter,
        kept: NDArray[np.float32],
        at_seconds: float,
        is_answer: bool = False,
    ) -> None:
        self.is_answer = is_answer
        self._wake_words = phrase.split()
        self._recognizer = recognizer
        self._meter = meter
        self._endpoint = Endpoint()
        self._is_one_breath = not is_answer
        self._at_seconds = at_seconds
        self.is_over = False
        self.transcript: Transcript | None = None
        self.partial = ""
        self._begin(kept[-round(_LEAD_SECONDS * RATE_HZ) :])

    def _begin(self, lead: NDArray[np.float32]) -> None:
        """Start the recogniser with sound that is already past."""
        self._kept = lead
        self._start_seconds = self._at_seconds - len(lead) / RATE_HZ
        self._recognizer.reset()
        with self._meter.level("asr", 0.0):
            self._recognizer.feed(lead)

    def hear(self, chunk: NDArray[np.float32], speech: Sequence[float], at_seconds: float) -> None:
        """Take the next 80 ms.

        Parameters
        ----------
        chunk : NDArray
            Shape ``(1280,)``, mono at 16 kHz.
        speech : sequence of float
            Probabilities of speech in it.
        at_seconds : float
            Time of its end.
        """
        self._at_seconds = at_seconds
        self._kept = np.concatenate([self._kept, chunk])[-round(BREATH_SECONDS * RATE_HZ) :]
        self._endpoint.hear(speech)
        with self._meter.level("asr", _CHUNK_SECONDS):
            self._recognizer.feed(chunk)
            is_over = self._endpoint.is_over(self._recognizer)
        if is_over:
            self.conclude()
        elif self._endpoint.is_given_up:
            self.is_over = True
        elif self._endpoint.is_breath:
            self._breathe()
        else:
            self._listen_in()

    def _breathe(self) -> None:
        """Take a short command said in one breath with the wake word, or wait for one that comes alone."""
        said = self._recognised() if self._is_one_breath else None
        if said is not None and said.confidence >= _BREATHLESS_CONFIDENCE:
            self.transcript, self.is_over = said, True
            return
        self._is_one_breath = False
        self._endpoint.begin_again()
        self._begin(self._kept)

    def conclude(self) -> None:
        """End the command now, as when the sound ends."""
        self.is_over = True
        self.transcript = self._recognised()
        if self.transcript is None and self._endpoint.has_speech:
            self.transcript = Transcript(
                text="", confidence=0.0, start_seconds=self._start_seconds, end_seconds=self._at_seconds
            )

    def _recognised(self) -> Transcript | None:
        """Return what was said after the wake word; None for the wake word alone."""
        with self._meter.level("asr", 0.0):
            hypotheses = self._recognizer.finish()
        words = hypotheses[0].words if hypotheses else ()
        if [word.text for word in words[: len(self._wake_words)]] == self._wake_words:
            words = words[len(self._wake_words) :]
        if not words:
            return None
        return Transcript(
            text=" ".join(word.text for word in words),
            confidence=hypotheses[0].confidence,
            start_seconds=self._start_seconds + words[0].start_seconds,
            end_seconds=self._start_seconds + words[-1].end_seconds,
        )

    def _listen_in(self) -> None:
        if not isinstance(self._recognizer, KnowsPart):
            return
        with self._meter.level("asr", 0.0):
            part = self._recognizer.partial()
        words = [] if part is None else [word.text for word in part.words]
        if words[: len(self._wake_words)] == self._wake_words:
            words = words[len(self._wake_words) :]
        self.partial = " ".join(words)
