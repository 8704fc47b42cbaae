"""Embedding streams with labels for a wake word: words said in homes, and everything that is not the word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pocketsphinx import Decoder

from sensing.speech.speech_embedding import SpeechEmbedding
from sensing.speech.speech_stages import CHUNK_FRAMES
from sensing.training.recordings import RATE_HZ, Part, Recording, Sound, part_of
from sensing.training.rooms_and_noise import Home
from sensing.training.synthetic_speech import Voice, spoken_by

LEAD_SECONDS = 2.0
"""Sound before the word: a full window of the head."""
TAIL_SECONDS = 0.7
HEARD_SECONDS = (-0.04, 0.45)
"""The head shall fire when its window ends this long after the word."""

POSITIVE, NEGATIVE, IGNORED = 1, 0, -1

_SPEEDS, _PITCHES = (0.75, 1.3), (0.75, 1.35)
_SILENT = 0.02
"""Of the loudest sample: what a synthetic voice stays under before and after its words."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stream:
    """Embeddings of a stretch of sound, shape ``(chunks, 96)``, and a label for each chunk.

    ``text`` is what is said in it, empty where nobody knows.
    """

    embeddings: NDArray[np.float32]
    labels: NDArray[np.int8]
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Word:
    """A sound in which the word is said from sample ``first`` to ``end``, and by whom."""

    sound: Sound
    first: int
    end: int
    speaker: str

    @property
    def part(self) -> Part:
        """The part of the data that this speaker belongs to."""
        return part_of(self.speaker)


def find_words(recordings: Iterable[Recording], phrase: str) -> list[Word]:
    """Return where each recording says the phrase, by forced alignment; those where it fails are left out.

    Recordings that are gated to digital silence get a little noise first, or the aligner loses its way.
    """
    aligner = Decoder(lm=None, loglevel="FATAL")
    aligner.set_align_text(phrase)
    hiss = np.random.default_rng(1)
    words = []
    for recording in recordings:
        sound = recording.read()
        noisy = np.clip(sound + 1e-3 * hiss.standard_normal(len(sound)), -1, 1)
        aligner.start_utt()
        aligner.process_raw((noisy * 32_767).astype("<i2").tobytes(), full_utt=True)
        aligner.end_utt()
        said = [one for one in aligner.seg() or () if one.word.split("(")[0] in phrase.split()]
        if said:
            frames = RATE_HZ // 100
            first, end = said[0].start_frame * frames, (said[-1].end_frame + 1) * frames
            words.append(Word(sound=sound, first=first, end=min(end, len(sound)), speaker=recording.speaker))
    return words


def person(voice: Voice) -> str:
    """Return whose voice it is: espeak-ng's timbre whatever the accent, the speaker of a recorded voice."""
    name = voice.name.partition("+")[2] if voice.engine == "espeak" else voice.name.split("_")[0]
    name = {"cmu": "slt", "kal16": "kal"}.get(name, name)
    return f"synthetic {name}"


def synthetic_word(text: str, voice: Voice, random: np.random.Generator) -> Word:
    """Return a text as a voice says it at some speed and pitch, without the silence around it."""
    sound = spoken_by(voice, text, speed=random.uniform(*_SPEEDS), pitch=random.uniform(*_PITCHES))
    loud = np.flatnonzero(np.abs(sound) > _SILENT * np.abs(sound).max())
    return Word(sound=sound, first=int(loud[0]), end=int(loud[-1]) + 1, speaker=person(voice))


class Renderings:
    """Sounds as the hub would hear them in a home, as embeddings with labels.

    Parameters
    ----------
    home : Home
        Draws rooms, noises, speeds and levels.
    random : numpy.random.Generator
        All chance comes from it.
    """

    def __init__(self, home: Home, random: np.random.Generator) -> None:
        self._home = home
        self._random = random
        self._embedding = SpeechEmbedding()
        home.draw_from(random)

    def word(self, word: Word, before: Sound | None = None) -> Stream:
        """Return a word after two seconds of a home's background, or directly after other speech."""
        margin = RATE_HZ // 20
        said = word.sound[max(0, word.first - margin) : word.end + margin]
        spoken = self._home.speed(said)
        lead = round((LEAD_SECONDS + self._random.uniform(0, 0.08)) * RATE_HZ)
        sound = np.zeros(lead + len(spoken) + round(TAIL_SECONDS * RATE_HZ), np.float32)
        if before is not None:
            talk = self._home.level(before)[-lead:] * np.float32(self._random.uniform(0.3, 1.0))
            sound[lead - len(talk) : lead] = talk
        sound[lead : lead + len(spoken)] += self._home.level(spoken, quietest_dbfs=-24, loudest_dbfs=-16)
        stream = self._embedded(self._changed(sound))
        stretch = len(spoken) / len(said)
        first = (lead + margin * stretch) / RATE_HZ
        end = (lead + len(spoken) - margin * stretch) / RATE_HZ
        ends = (1 + np.arange(len(stream.labels))) * CHUNK_FRAMES / RATE_HZ
        labels = stream.labels.copy()
        labels[ends > first + 0.6 * (end - first)] = IGNORED
        labels[(ends >= end + HEARD_SECONDS[0]) & (ends <= end + HEARD_SECONDS[1])] = POSITIVE
        return replace(stream, labels=labels)

    def plain(self, sound: Sound, text: str = "") -> Stream:
        """Return other sound just as it is."""
        return self._embedded(sound, text)

    def other(self, sound: Sound, text: str = "") -> Stream:
        """Return other sound at another speed and as heard in a home."""
        return self._embedded(self._changed(self._home.speed(sound)), text)

    def spaced(self, words: Sequence[Word], *, longest_pause_seconds: float = 1.6) -> Stream:
        """Return words that are not the phrase, one after another with pauses, as heard in a home."""
        pieces = []
        for word in words:
            pause = round(self._random.uniform(0.05, longest_pause_seconds) * RATE_HZ)
            pieces += [np.zeros(pause, np.float32), self._home.level(word.sound[word.first : word.end])]
        return self.other(np.concatenate([*pieces, np.zeros(RATE_HZ // 2, np.float32)]))

    def _changed(self, sound: Sound) -> Sound:
        """Return the sound in a home: half of the time in a room, mostly with noise, at any level."""
        if self._random.random() < 0.5:
            sound = self._home.room(sound)
        if self._random.random() < 0.8:
            sound = self._home.noisy(sound)
        return self._home.level(sound)

    def _embedded(self, sound: Sound, text: str = "") -> Stream:
        """Return the embeddings of a sound after a quiet room, all labelled as not the word."""
        chunks = -(-len(sound) // CHUNK_FRAMES)
        padded = np.zeros(chunks * CHUNK_FRAMES, np.float32)
        padded[: len(sound)] = sound
        self._embedding.reset()
        return Stream(
            embeddings=self._embedding.process(padded),
            labels=np.full(chunks, NEGATIVE, np.int8),
            text=text,
        )
