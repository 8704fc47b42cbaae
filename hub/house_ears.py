"""The house's wake word and recogniser for the sound of others: what its Wyoming server offers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from integrations.wyoming.ears import HearsWakeWord
from integrations.wyoming.wire import SoundFormat
from sensing.audio_block import AudioBlock
from sensing.dsp.resampler import Resampler
from sensing.observations import WakeWordHeard
from sensing.speech.listener import Listener
from sensing.speech.recognizer import SURE_CONFIDENCE, Hypothesis, SpeechRecognizer
from sensing.speech.speech_stages import RATE_HZ
from sensing.speech.verification import Verifier
from sensing.speech.voice_activity import VoiceActivity
from sensing.speech.wake_word import WakeWord

_SPEECH = 0.5


class HouseEars:
    """Hear in other people's sound what the house hears in its own.

    Parameters
    ----------
    recognizer : SpeechRecognizer
        Belongs to this object alone; its grammar should allow the wake word before each sentence.
    wake_word : callable
        Makes a detector of some of the wake words, for one client.
    verifier : Verifier
        Looks at each wake word once more, as in the house; belongs to this object alone.
    wake_phrases, language
        What detectors can find and what the recogniser understands.
    """

    def __init__(
        self,
        *,
        recognizer: SpeechRecognizer,
        wake_word: Callable[[Sequence[str]], WakeWord],
        verifier: Verifier,
        wake_phrases: Sequence[str],
        language: str = "en",
    ) -> None:
        self._recognizer = recognizer
        self._wake_word = wake_word
        self._verifier = verifier
        self.wake_phrases = tuple(wake_phrases)
        self.language = language
        self._activity = VoiceActivity()

    def use(self, recognizer: SpeechRecognizer) -> None:
        """Recognise other sentences from the next utterance on; may be called from any thread."""
        self._recognizer = recognizer

    def transcribe(self, sound: bytes, form: SoundFormat) -> str:
        """Return what was said after the wake word, if any; empty for silence and for a guess."""
        samples = Resampler(form.rate_hz, RATE_HZ).process(mono_samples(sound, form), last=True)
        self._activity.reset()
        if max(self._activity.process(samples), default=0.0) < _SPEECH:
            return ""
        recognizer = self._recognizer
        recognizer.reset()
        recognizer.feed(samples)
        best = next(iter(recognizer.finish()), None)
        if best is None or best.confidence < SURE_CONFIDENCE:
            return ""
        return self._without_wake_word(best)

    def _without_wake_word(self, said: Hypothesis) -> str:
        for phrase in self.wake_phrases:
            if f"{said.text} ".startswith(f"{phrase} "):
                return said.text[len(phrase) :].strip()
        return said.text

    def wake_ear(self, phrases: Sequence[str], form: SoundFormat) -> HearsWakeWord:
        """Return an ear that opens level by level as the house's own does, for one client."""
        listener = Listener(
            rate_hz=form.rate_hz,
            wake=self._wake_word(phrases),
            recognizer=_NoRecognizer(),
            verifier=self._verifier,
        )
        frame = 0

        def hears(sound: bytes) -> str | None:
            nonlocal frame
            capture = mono_samples(sound, form)[None]
            block = AudioBlock(
                first_frame=frame, rate_hz=form.rate_hz, capture=capture, reference=capture[:0]
            )
            frame = block.end_frame
            heard = [one.phrase for one in listener.process(block) if isinstance(one, WakeWordHeard)]
            return next(iter(heard), None)

        return hears


class _NoRecognizer:
    """What follows the wake word is not asked for here: the client has its own pipeline."""

    def reset(self) -> None:
        return

    def feed(self, samples: NDArray[np.float32]) -> None:
        del samples

    def finish(self) -> list[Hypothesis]:
        return []


def mono_samples(sound: bytes, form: SoundFormat) -> NDArray[np.float32]:
    """Return the mean of all channels, full scale +-1.

    Parameters
    ----------
    sound : bytes
        Whole instants of interleaved little-endian integers; of one byte: unsigned around 128.
    """
    width = form.width_bytes
    if width == 1:
        values = np.frombuffer(sound, np.uint8).astype(np.float64) - 128.0
    elif width == 3:  # no such type in numpy: the upper three bytes of four
        parts = np.zeros((len(sound) // 3, 4), np.uint8)
        parts[:, 1:] = np.frombuffer(sound, np.uint8).reshape(-1, 3)
        values = parts.view("<i4")[:, 0] / 256.0
    else:
        values = np.frombuffer(sound, f"<i{width}").astype(np.float64)
    mono = values.reshape(-1, form.channels).mean(axis=1) / 2 ** (8 * width - 1)
    return np.asarray(mono, np.float32)
