"""From microphones to transcripts: levels of processing, each opened by the one before.

Energy gate, voice activity, wake word, recogniser. The last two seconds are kept, so that a level
that opens hears what opened it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from sensing.audio_block import AudioBlock
from sensing.dsp.resampler import Resampler
from sensing.observations import (
    AttentionChanged,
    AttentionTier,
    Observation,
    TranscriptDone,
    WakeWordHeard,
)
from sensing.speech.energy_gate import EnergyGate
from sensing.speech.recognizer import SURE_CONFIDENCE, SpeechRecognizer
from sensing.speech.speech_stages import CHUNK_FRAMES, RATE_HZ
from sensing.speech.voice_activity import WINDOW_FRAMES, VoiceActivity
from sensing.speech.wake_word import Wake, WakeWord

_KEPT_CHUNKS = 25
"""Two seconds, for levels that open late."""
_VAD_REPLAY_CHUNKS = 2
_MAYBE_SPEECH, _SPEECH = 0.2, 0.5
_LISTENING_CHUNKS = 19
"""The wake word is looked for until 1.5 s after the last window that may be speech."""
_COMMAND_LEAD_SECONDS = 1.5
"""The recogniser starts this long before the wake word was noticed, and knows the word."""

_BREATH_SECONDS = 0.4
"""After such a pause behind the wake word the recogniser starts afresh: the command stands alone."""
_ENOUGH_SPEECH_SECONDS = 0.25
_PAUSE_SECONDS = 0.8
_PATIENCE_SECONDS = 4.0
_LONGEST_SECONDS = 10.0


class Listener:
    """Hear commands that follow a wake word.

    Parameters
    ----------
    rate_hz : int
        Rate of the audio blocks.
    wake : WakeWord
        Opens the recogniser.
    recognizer : SpeechRecognizer
        Its grammar should allow the wake word before each sentence.
    cpu_clock : callable
        Seconds of processor time of the calling thread.

    Attributes
    ----------
    cpu_seconds : dict
        Processor time that each level took: ``gate``, ``vad``, ``wake``, ``asr``.
    """

    def __init__(
        self,
        *,
        rate_hz: int,
        wake: WakeWord,
        recognizer: SpeechRecognizer,
        cpu_clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self._rate_hz = rate_hz
        self._wake = wake
        self._recognizer = recognizer
        self._following = recognizer
        self._cpu_clock = cpu_clock
        self._resampler = Resampler(rate_hz, RATE_HZ)
        self._gate = EnergyGate()
        self._voice = VoiceActivity()
        self.cpu_seconds = {"gate": 0.0, "vad": 0.0, "wake": 0.0, "asr": 0.0}
        self.reset()

    def use(self, recognizer: SpeechRecognizer) -> None:
        """Recognise other sentences from the next command on; may be called from any thread."""
        self._following = recognizer

    def reset(self) -> None:
        """Forget what was heard, as after a gap in the audio."""
        self._resampler.reset()
        self._gate.reset()
        self._voice.reset()
        self._rest = np.zeros(0, np.float32)
        self._kept: deque[NDArray[np.float32]] = deque(maxlen=_KEPT_CHUNKS)
        self._first_frame: int | None = None
        self._chunks = 0
        self._was_open = False
        self._quiet_chunks = _LISTENING_CHUNKS
        self._tier: AttentionTier = "asleep"

    def process(self, block: AudioBlock) -> list[Observation]:
        """Return what this block reveals, oldest first."""
        if self._first_frame is None:
            self._first_frame = block.first_frame
        return self._take(self._resampler.process(block.capture.mean(axis=0)))

    def finish(self) -> list[Observation]:
        """Return what the end of a recording reveals: it ends in half a second of silence."""
        end = self._resampler.process(np.zeros(self._rate_hz // 2, np.float32), last=True)
        seen = self._take(end)
        return seen + (self._conclude() if self._tier == "hearing" else [])

    def _take(self, samples: NDArray[np.float32]) -> list[Observation]:
        sound = np.concatenate([self._rest, samples])
        whole = len(sound) // CHUNK_FRAMES * CHUNK_FRAMES
        self._rest = sound[whole:]
        return [seen for chunk in sound[:whole].reshape(-1, CHUNK_FRAMES) for seen in self._chunk(chunk)]

    def _chunk(self, chunk: NDArray[np.float32]) -> list[Observation]:
        """Take 80 ms through the levels that are open."""
        self._chunks += 1
        self._kept.append(chunk)
        speech = self._speech(chunk)
        if self._tier == "hearing":
            return self._hear(chunk, speech)
        self._recognizer = self._following
        self._quiet_chunks = 0 if max(speech, default=0.0) >= _MAYBE_SPEECH else self._quiet_chunks + 1
        if self._quiet_chunks >= _LISTENING_CHUNKS:
            return self._change("asleep")
        if self._tier == "asleep":
            self._wake.reset()
            opened = self._change("listening")
            with self._metered("wake"):
                wakes = self._wake.process(np.concatenate(self._kept))
            return opened + [seen for wake in wakes[-1:] for seen in self._woken(wake)]
        with self._metered("wake"):
            wakes = self._wake.process(chunk)
        return [seen for wake in wakes for seen in self._woken(wake)]

    def _speech(self, chunk: NDArray[np.float32]) -> list[float]:
        """Return the probabilities of speech in a chunk; nothing while the gate is closed."""
        with self._metered("gate"):
            is_open = self._gate.process(chunk) or self._tier == "hearing"
        opens, self._was_open = is_open and not self._was_open, is_open
        if not is_open:
            return []
        with self._metered("vad"):
            if opens:
                self._voice.reset()
                for missed in list(self._kept)[-1 - _VAD_REPLAY_CHUNKS : -1]:
                    self._voice.process(missed)
            return self._voice.process(chunk)

    def _woken(self, wake: Wake) -> list[Observation]:
        """Open the recogniser; it hears the wake word and everything since."""
        heard = WakeWordHeard(
            at=self._seconds(), frame=self._frame(), phrase=self._wake.phrase, score=wake.score
        )
        self._begin_command(_COMMAND_LEAD_SECONDS)
        self._is_one_breath = True
        self._heard_seconds = self._pause_seconds = 0.0
        return [heard, *self._change("hearing")]

    def _begin_command(self, lead_seconds: float) -> None:
        """Start the recogniser with sound that is already past."""
        lead = np.concatenate(self._kept)[-round(lead_seconds * RATE_HZ) :]
        self._recognizer.reset()
        with self._metered("asr"):
            self._recognizer.feed(lead)
        self._command_start_seconds = self._seconds() - len(lead) / RATE_HZ
        self._speech_seconds = 0.0

    def _hear(self, chunk: NDArray[np.float32], speech: list[float]) -> list[Observation]:
        """Feed the recogniser until the speaker pauses."""
        with self._metered("asr"):
            self._recognizer.feed(chunk)
        self._heard_seconds += CHUNK_FRAMES / RATE_HZ
        for probability in speech:
            if probability >= _SPEECH:
                self._speech_seconds += WINDOW_FRAMES / RATE_HZ
                self._pause_seconds = 0.0
            else:
                self._pause_seconds += WINDOW_FRAMES / RATE_HZ
        if self._heard_seconds >= _LONGEST_SECONDS:
            return self._conclude()
        if self._speech_seconds >= _ENOUGH_SPEECH_SECONDS:
            return self._conclude() if self._pause_seconds >= _PAUSE_SECONDS else []
        if self._pause_seconds >= _PATIENCE_SECONDS:
            return self._sleep()
        return self._breathe() if self._pause_seconds >= _BREATH_SECONDS else []

    def _breathe(self) -> list[Observation]:
        """Take a short command said in one breath with the wake word, or wait for one that comes alone."""
        said = self._recognised() if self._is_one_breath else []
        if said and said[0].confidence >= SURE_CONFIDENCE:
            return [*said, *self._sleep()]
        self._is_one_breath = False
        self._begin_command(_BREATH_SECONDS)
        return []

    def _conclude(self) -> list[Observation]:
        """Return the transcript of what was said, empty where no sentence fits, and go back to sleep."""
        said = self._recognised()
        if not said and self._speech_seconds >= _ENOUGH_SPEECH_SECONDS:
            said = [
                TranscriptDone(
                    at=self._seconds(),
                    frame=self._frame(),
                    text="",
                    confidence=0.0,
                    start=self._command_start_seconds,
                    end=self._seconds(),
                )
            ]
        return [*said, *self._sleep()]

    def _sleep(self) -> list[Observation]:
        self._quiet_chunks = _LISTENING_CHUNKS
        self._kept.clear()  # the wake word in it has been answered
        return self._change("asleep")

    def _recognised(self) -> list[TranscriptDone]:
        """Return what was said after the wake word; nothing for the wake word alone."""
        with self._metered("asr"):
            hypotheses = self._recognizer.finish()
        words = hypotheses[0].words if hypotheses else ()
        wake = self._wake.phrase.split()
        if [word.text for word in words[: len(wake)]] == wake:
            words = words[len(wake) :]
        if not words:
            return []
        return [
            TranscriptDone(
                at=self._seconds(),
                frame=self._frame(),
                text=" ".join(word.text for word in words),
                confidence=hypotheses[0].confidence,
                start=self._command_start_seconds + words[0].start_seconds,
                end=self._command_start_seconds + words[-1].end_seconds,
            )
        ]

    def _change(self, tier: AttentionTier) -> list[Observation]:
        if tier == self._tier:
            return []
        self._tier = tier
        return [AttentionChanged(at=self._seconds(), frame=self._frame(), tier=tier)]

    def _seconds(self) -> float:
        return self._frame() / self._rate_hz

    def _frame(self) -> int:
        """Return the sound card's frame number at the end of the chunk."""
        return (self._first_frame or 0) + self._chunks * CHUNK_FRAMES * self._rate_hz // RATE_HZ

    @contextmanager
    def _metered(self, level: str) -> Iterator[None]:
        began = self._cpu_clock()
        try:
            yield
        finally:
            self.cpu_seconds[level] += self._cpu_clock() - began
