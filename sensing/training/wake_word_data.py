"""Embedding streams with labels for a wake word: words said in homes, and everything that is not the word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pocketsphinx import Decoder

from sensing.speech.speech_embedding import SpeechEmbedding
from sensing.speech.speech_stages import CHUNK_FRAMES
from sensing.training.recordings import RATE_HZ, Recording, Sound, noises
from sensing.training.rooms_and_noise import Home

LEAD_SECONDS = 2.0
"""Sound before the word: a full window of the head."""
TAIL_SECONDS = 0.7
HEARD_SECONDS = (-0.04, 0.45)
"""The head shall fire when its window ends this long after the word."""

POSITIVE, NEGATIVE, IGNORED = 1, 0, -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stream:
    """Embeddings of a stretch of sound, shape ``(chunks, 96)``, and a label for each chunk."""

    embeddings: NDArray[np.float32]
    labels: NDArray[np.int8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """Where the word is in a recording, in samples."""

    recording: Recording
    first: int
    end: int


def find_words(recordings: Sequence[Recording], phrase: str) -> list[Word]:
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
            words.append(Word(recording=recording, first=first, end=min(end, len(sound))))
    return words


@dataclass(frozen=True, slots=True)
class _Task:
    """One stream to make; the seed makes it the same in every process."""

    source: Word | Recording
    before: Recording | None
    seed: int
    changed: bool


def word_streams(
    words: Sequence[Word], others: Sequence[Recording], data: Path, *, variants: int, seed: int
) -> list[Stream]:
    """Return ``variants`` renderings of each word; one in five follows other speech without a pause."""
    random = np.random.default_rng(seed)
    tasks: list[_Task] = []
    for word in words:
        for variant in range(variants):
            before = others[int(random.integers(len(others)))] if random.random() < 0.2 else None
            tasks.append(_Task(word, before, seed + 1_000 * len(tasks) + variant, True))
    return list(_work(tasks, data))


def other_streams(recordings: Sequence[Recording], data: Path, *, changed: bool, seed: int) -> list[Stream]:
    """Return streams of speech and noise without the word, as recorded or changed by a home."""
    tasks = [_Task(one, None, seed + index, changed) for index, one in enumerate(recordings)]
    return list(_work(tasks, data))


_home: Home
_embedding: SpeechEmbedding


def _enter_process(data: Path) -> None:
    global _home, _embedding
    known = [one for one in noises(data / "noise", ("noise", "music")) if one.part == "train"]
    rooms = [one for one in noises(data / "noise", ("rir",)) if one.part == "train"]
    _home = Home(noises=known, rooms=rooms)
    _embedding = SpeechEmbedding()


def _work(tasks: Sequence[_Task], data: Path) -> Iterator[Stream]:
    with ProcessPoolExecutor(2, initializer=_enter_process, initargs=(data,)) as pool:
        yield from pool.map(_stream, tasks, chunksize=16)


def _stream(task: _Task) -> Stream:
    random = np.random.default_rng(task.seed)
    _home.draw_from(random)
    if isinstance(task.source, Word):
        return _word_stream(task.source, task.before, random)
    sound = task.source.read()
    if task.changed:
        sound = _changed(_home.speed(sound), random)
    return _embed(sound, NEGATIVE)


def _word_stream(word: Word, before: Recording | None, random: np.random.Generator) -> Stream:
    """Return a word after two seconds of a home's background, or directly after other speech."""
    margin = RATE_HZ // 20
    said = word.recording.read()[max(0, word.first - margin) : word.end + margin]
    spoken = _home.speed(said)
    lead = round((LEAD_SECONDS + random.uniform(0, 0.08)) * RATE_HZ)
    sound = np.zeros(lead + len(spoken) + round(TAIL_SECONDS * RATE_HZ), np.float32)
    if before is not None:
        talk = _home.level(before.read())[-lead:] * np.float32(random.uniform(0.3, 1.0))
        sound[lead - len(talk) : lead] = talk
    sound[lead : lead + len(spoken)] += _home.level(spoken, quietest_dbfs=-24, loudest_dbfs=-16)
    stream = _embed(_changed(sound, random), NEGATIVE)
    stretch = len(spoken) / len(said)
    first = (lead + margin * stretch) / RATE_HZ
    end = (lead + len(spoken) - margin * stretch) / RATE_HZ
    ends = (1 + np.arange(len(stream.labels))) * CHUNK_FRAMES / RATE_HZ
    labels = stream.labels.copy()
    labels[ends > first + 0.6 * (end - first)] = IGNORED
    labels[(ends >= end + HEARD_SECONDS[0]) & (ends <= end + HEARD_SECONDS[1])] = POSITIVE
    return Stream(embeddings=stream.embeddings, labels=labels)


def _changed(sound: Sound, random: np.random.Generator) -> Sound:
    """Return the sound in a home: half of the time in a room, mostly with noise, at any level."""
    if random.random() < 0.5:
        sound = _home.room(sound)
    if random.random() < 0.8:
        sound = _home.noisy(sound)
    return _home.level(sound)


def _embed(sound: Sound, label: int) -> Stream:
    chunks = -(-len(sound) // CHUNK_FRAMES)
    padded = np.zeros(chunks * CHUNK_FRAMES, np.float32)
    padded[: len(sound)] = sound
    _embedding.reset()
    return Stream(embeddings=_embedding.process(padded), labels=np.full(chunks, label, np.int8))
