"""From microphones to transcripts: levels of processing, each opened by the one before.

Energy gate, voice activity, wake word, verifier, recogniser. The last two seconds are kept, so that a level
that opens hears what opened it. What the hub itself plays is taken out before the first of them.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from sensing.audio_block import AudioBlock
from sensing.observations import (
    AttentionChanged,
    AttentionTier,
    HearingDegraded,
    HearingFault,
    Observation,
    TalkerLocated,
    TranscriptDone,
    TranscriptGrew,
    WakeWordHeard,
)
from sensing.processing_meter import ProcessingMeter
from sensing.speech.awaited_answer import AwaitedAnswer
from sensing.speech.command_direction import CommandDirection
from sensing.speech.energy_gate import EnergyGate
from sensing.speech.microphone_sound import CHUNK_SECONDS, MicrophoneSound, SoundChunk
from sensing.speech.recognizer import SpeechRecognizer
from sensing.speech.self_trigger_guard import SelfTriggerGuard
from sensing.speech.speech_stages import CHUNK_FRAMES, RATE_HZ
from sensing.speech.spoken_command import SpokenCommand, Transcript
from sensing.speech.verification import Verifier
from sensing.speech.voice_activity import VoiceActivity
from sensing.speech.wake_word import Wake, WakeWord

_ALWAYS_TOLD = ("gate", "vad", "wake", "asr")
"""Levels that a report has, even those that never opened."""

_KEPT_CHUNKS = 25
"""Two seconds, for levels that open late."""
_VAD_REPLAY_CHUNKS = 2
_MAYBE_SPEECH = 0.2
_LISTENING_CHUNKS = 19
"""The wake word is looked for until 1.5 s after the last window that may be speech."""


class Listener:
    """Hear commands that follow a wake word, and answers that the hub has asked for.

    Parameters
    ----------
    rate_hz : int
        Rate of the audio blocks.
    wake : WakeWord
        Opens the recogniser.
    recognizer : SpeechRecognizer
        Its grammar should allow the wake word before each sentence.
    verifier : Verifier or None
        Looks at each wake word once more before it counts.
    guard : SelfTriggerGuard or None
        Keeps the hub from answering itself; without one it may, where the echo is not wholly cancelled.
    delay_frames : float or None
        From the reference of a block to its capture, as calibration found it; None where it did not. Another
        one is found while something plays.
    direction : CommandDirection or None
        Tells from which side commands are said.
    is_always_open : bool
        Whether all levels work all the time: what gating is compared with.
    cpu_clock : callable
        Seconds of processor time of the calling thread.

    Attributes
    ----------
    meter : ProcessingMeter
        What each level costs that has worked: ``resampler``, ``echo``, ``gate``, ``vad``, ``wake``,
        ``guard``, ``verifier``, ``asr``, ``direction``.
    faults : tuple of str
        What is wrong with the sound now.
    """

    def __init__(
        self,
        *,
        rate_hz: int,
        wake: WakeWord,
        recognizer: SpeechRecognizer,
        verifier: Verifier | None = None,
        guard: SelfTriggerGuard | None = None,
        delay_frames: float | None = None,
        direction: CommandDirection | None = None,
        is_always_open: bool = False,
        cpu_clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self._rate_hz = rate_hz
        self._wake = wake
        self._recognizer = recognizer
        self._verifier = verifier
        self._guard = guard
        self._direction = direction
        self._is_always_open = is_always_open
        self.meter = ProcessingMeter(cpu_clock)
        self._sound = MicrophoneSound(rate_hz=rate_hz, meter=self.meter, delay_frames=delay_frames)
        self._gate = EnergyGate()
        self._voice = VoiceActivity()
        self._answer = AwaitedAnswer()
        self.faults: tuple[HearingFault, ...] = ()
        self.reset()

    @property
    def cpu_seconds(self) -> dict[str, float]:
        """Processor time that gate, voice activity, wake word and recogniser took so far."""
        spent = {level.name: level.busy_seconds for level in self.meter.figures()}
        return {name: spent.get(name, 0.0) for name in _ALWAYS_TOLD}

    def use(self, recognizer: SpeechRecognizer) -> None:
        """Recognise other sentences from the next command on; may be called from any thread."""
        self._recognizer = recognizer

    def expect_answer(self) -> None:
        """Hear what is said next without a wake word: the hub has just asked something.

        Whoever says nothing is waited for four seconds. For the thread that calls `process`.
        """
        self._answer.expect()

    def reset(self) -> None:
        """Forget what was heard, as after a gap in the audio."""
        self._sound.reset()
        self._gate.reset()
        self._voice.reset()
        self._wake.reset()
        self._answer.reset()
        if self._direction is not None:
            self._direction.reset()
        self._kept: deque[SoundChunk] = deque(maxlen=_KEPT_CHUNKS)
        self._first_frame: int | None = None
        self._chunks = 0
        self._was_open = False
        self._quiet_chunks = _LISTENING_CHUNKS
        self._command: SpokenCommand | None = None
        self._tier: AttentionTier = "asleep"

    def process(self, block: AudioBlock) -> list[Observation]:
        """Return what this block reveals, oldest first."""
        if self._first_frame is None:
            self._first_frame = block.first_frame
        if self._direction is not None:
            self._direction.keep(block)
        return self._take(self._sound.process(block))

    def finish(self) -> list[Observation]:
        """Return what the end of a recording reveals: it ends in half a second of silence."""
        seen = self._take(self._sound.finish())
        if self._command is None:
            return seen
        self._command.conclude()
        return [*seen, *self._close(self._command)]

    def _take(self, chunks: Sequence[SoundChunk]) -> list[Observation]:
        seen: list[Observation] = []
        for chunk in chunks:
            self._chunks += 1
            self.meter.hear(CHUNK_SECONDS)
            seen += self._health(chunk) + self._chunk(chunk)
        return seen

    def _health(self, chunk: SoundChunk) -> list[Observation]:
        if chunk.faults == self.faults:
            return []
        self.faults = chunk.faults
        return [HearingDegraded(at=self._seconds(), frame=self._frame(), faults=chunk.faults)]

    def _chunk(self, chunk: SoundChunk) -> list[Observation]:
        """Take 80 ms through the levels that are open."""
        self._kept.append(chunk)
        speech = self._speech(chunk.near)
        if self._command is not None:
            if self._command.is_answer:
                self._answer.keep(chunk)
            self._follow_talker(is_alone=chunk.played is None)
            return self._hear(self._command, chunk.near, speech)
        if self._answer.begins(chunk):
            self._command = self._spoken(self._wake.phrase, chunk.near, is_answer=True)
            return self._change("hearing")
        self._quiet_chunks = 0 if max(speech, default=0.0) >= _MAYBE_SPEECH else self._quiet_chunks + 1
        if self._quiet_chunks >= _LISTENING_CHUNKS and not self._is_always_open:
            return self._change("asleep")
        sound, opened = chunk.near, self._change("listening")
        if opened and not self._is_always_open:
            self._wake.reset()
            sound = self._past()
        with self.meter.level("wake", CHUNK_SECONDS):
            wakes = self._wake.process(sound)
        return opened + [seen for wake in wakes[-1:] for seen in self._woken(wake)]

    def _speech(self, chunk: NDArray[np.float32]) -> list[float]:
        """Return the probabilities of speech in a chunk; nothing while the gate is closed."""
        with self.meter.level("gate", CHUNK_SECONDS):
            is_open = self._gate.process(chunk) or self._command is not None or self._is_always_open
        opens, self._was_open = is_open and not self._was_open, is_open
        if not is_open:
            return []
        with self.meter.level("vad", CHUNK_SECONDS):
            if opens:
                self._voice.reset()
                for missed in list(self._kept)[-1 - _VAD_REPLAY_CHUNKS : -1]:
                    self._voice.process(missed.near)
            return self._voice.process(chunk)

    def _woken(self, wake: Wake) -> list[Observation]:
        """Open the recogniser, if the wake word stands up to a second look."""
        if self._is_own_voice(wake.phrase) or not self._is_confirmed(wake.phrase):
            return []
        heard = WakeWordHeard(
            at=self._seconds(),
            frame=self._frame(),
            phrase=wake.phrase,
            score=wake.score,
            speech_to_noise_db=self._gate.speech_to_noise_db,
        )
        self._answer.reset()
        self._command = self._spoken(wake.phrase, self._past())
        self._follow_talker(is_alone=all(chunk.played is None for chunk in self._kept))
        return [heard, *self._change("hearing")]

    def _spoken(self, phrase: str, kept: NDArray[np.float32], *, is_answer: bool = False) -> SpokenCommand:
        return SpokenCommand(
            phrase=phrase,
            recognizer=self._recognizer,
            meter=self.meter,
            kept=kept,
            at_seconds=self._seconds(),
            is_answer=is_answer,
        )

    def _is_own_voice(self, phrase: str) -> bool:
        if self._guard is None or all(chunk.played is None for chunk in self._kept):
            return False
        with self.meter.level("guard", CHUNK_SECONDS):
            return self._guard.explains(phrase, list(self._kept))

    def _is_confirmed(self, phrase: str) -> bool:
        if self._verifier is None:
            return True
        with self.meter.level("verifier", CHUNK_SECONDS):
            return self._verifier.verify(self._past(), phrase).is_confirmed

    def _hear(
        self, command: SpokenCommand, chunk: NDArray[np.float32], speech: Sequence[float]
    ) -> list[Observation]:
        """Go on with a command until the speaker pauses."""
        before = command.partial
        command.hear(chunk, speech, self._seconds())
        if command.is_over:
            return self._close(command)
        if command.partial == before:
            return []
        return [TranscriptGrew(at=self._seconds(), frame=self._frame(), text=command.partial)]

    def _follow_talker(self, *, is_alone: bool) -> None:
        if self._direction is not None:
            with self.meter.level("direction", CHUNK_SECONDS):
                self._direction.hear(is_alone=is_alone)

    def _located(self, said: Transcript | None) -> list[Observation]:
        """Tell where the talker is, once for each command that was understood."""
        talker = None if self._direction is None else self._direction.finish()
        if talker is None or said is None or not said.text:
            return []
        return [
            TalkerLocated(
                at=self._seconds(),
                frame=self._frame(),
                azimuth_degrees=talker.azimuth_degrees,
                confidence=talker.confidence,
            )
        ]

    def _understood(self, command: SpokenCommand) -> Transcript | None:
        """Return what was said; None where nobody said anything, or what was played answered."""
        said = command.transcript
        if not command.is_answer or said is None:
            return said
        with self.meter.level("guard", CHUNK_SECONDS):
            is_own = self._answer.is_own_voice(said.text, said.confidence, self._recognizer)
        return None if is_own else said

    def _close(self, command: SpokenCommand) -> list[Observation]:
        """Report what was said and go back to sleep."""
        said = self._understood(command)
        self._answer.reset()
        self._command = None
        self._quiet_chunks = _LISTENING_CHUNKS
        self._kept.clear()  # the wake word in it has been answered
        located = self._located(said)
        if self._is_always_open:
            self._wake.reset()
        if said is None:
            return self._change("asleep")
        done = TranscriptDone(
            at=self._seconds(),
            frame=self._frame(),
            text=said.text,
            confidence=said.confidence,
            start=said.start_seconds,
            end=said.end_seconds,
            is_answer=command.is_answer,
        )
        return [*located, done, *self._change("asleep")]

    def _past(self) -> NDArray[np.float32]:
        """Return the sound that is kept, up to now."""
        return np.concatenate([chunk.near for chunk in self._kept])

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
