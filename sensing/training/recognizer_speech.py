"""The recogniser's training speech as features: sentences of many voices and people, in many homes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sensing.speech.speech_stages import CHUNK_FRAMES, SpeechStages
from sensing.training.made_home import crowd, made_noises, made_rooms
from sensing.training.recognizer_texts import Text
from sensing.training.recordings import RATE_HZ, Recording, Sound, noises, spoken
from sensing.training.rooms_and_noise import Home, Readable
from sensing.training.synthetic_speech import Voice, spoken_by, voices
from sensing.training.whole_file import save_whole

_ENGINE_SHARES = {"espeak": 0.5, "flite": 0.43, "festival": 0.07}
"""Rules have more voices, people better ones; festival takes long."""
_HELD_BACK = ("rms", "ked_diphone", "+f4", "+m6", "+Reed", "+belinda", "+zac", "+linda")
"""Voices that nothing is trained on."""

_SPEED = (0.8, 1.3)
_PITCH = (0.75, 1.4)
_ROOM_SHARE, _NOISE_SHARE, _GATED_SHARE = 0.5, 0.6, 0.15
_NOISY_BEST_DB = 20.0
_MADE_NOISES, _CROWDS, _BUSY_SEED = 60, 30, 2_026
_GATE_DBFS = (-55.0, -40.0)
_LEAD_SECONDS, _TAIL_SECONDS = (0.1, 0.7), (0.4, 0.8)


Surroundings = Literal["calm", "noisy", "busy"]
"""Homes: some with noise, all with noise, and all with noises or talk in more rooms than were recorded."""


def is_held_back(voice: Voice) -> bool:
    """Return whether a voice is kept for measuring."""
    return voice.name.endswith(_HELD_BACK)


@dataclass(frozen=True, slots=True)
class Utterance:
    """A sentence to be made: spoken by a machine where there is no recording.

    Attributes
    ----------
    home : str
        Where it is said: ``none`` leaves it as it was spoken or recorded.
    """

    text: Text
    recording: Recording | None
    home: Literal["none"] | Surroundings
    seed: int


@dataclass(frozen=True, slots=True)
class Shard:
    """Utterances of one file."""

    path: Path
    utterances: Sequence[Utterance]
    data: Path


def make_shard(shard: Shard) -> Path:
    """Write the features of a shard's utterances, unless they are there; return its path.

    Arrays: ``features`` float16 ``(frames, 480)``, and ``ends`` of each utterance in it.
    """
    if shard.path.exists():
        return shard.path
    stages = _stages()
    features = [
        _features(_sound(one, _home(shard.data, is_busy=one.home == "busy")), stages)
        for one in shard.utterances
    ]
    ends = np.cumsum([len(one) for one in features])
    save_whole(shard.path, features=np.concatenate(features), ends=ends)
    return shard.path


def drawn_voice(random: np.random.Generator) -> Voice:
    """Return a voice that may be trained on."""
    usable = [voice for voice in voices() if not is_held_back(voice)]
    engines = {engine: [one for one in usable if one.engine == engine] for engine in _ENGINE_SHARES}
    there = [engine for engine in engines if engines[engine]]
    shares = np.array([_ENGINE_SHARES[engine] for engine in there])
    chosen = engines[there[int(random.choice(len(there), p=shares / shares.sum()))]]
    return chosen[int(random.integers(len(chosen)))]


def _sound(utterance: Utterance, home: Home) -> Sound:
    random = np.random.default_rng(utterance.seed)
    home.draw_from(random)
    if utterance.recording is not None:
        said = utterance.recording.read()
    else:
        speed, pitch = random.uniform(*_SPEED), random.uniform(*_PITCH)
        said = _trimmed(spoken_by(drawn_voice(random), utterance.text.words, speed=speed, pitch=pitch))
    if utterance.home == "none":
        return _padded(said, random)
    said = _padded(home.level(home.speed(said)), random)
    if random.random() < _ROOM_SHARE:
        said = home.room(said)
    if utterance.home != "calm":
        return home.noisy(said, best_db=_NOISY_BEST_DB)
    if random.random() < _GATED_SHARE:
        return _gated(said, random)
    return home.noisy(said) if random.random() < _NOISE_SHARE else said


def _trimmed(said: Sound) -> Sound:
    """Return speech without the silence that machines put around it."""
    loud = np.flatnonzero(np.abs(said) > 0.01 * np.abs(said).max())
    return said[loud[0] : loud[-1] + 1] if len(loud) else said


def _padded(said: Sound, random: np.random.Generator) -> Sound:
    lead, tail = (round(random.uniform(*span) * RATE_HZ) for span in (_LEAD_SECONDS, _TAIL_SECONDS))
    return np.concatenate([np.zeros(lead, np.float32), said, np.zeros(tail, np.float32)])


def _gated(said: Sound, random: np.random.Generator) -> Sound:
    """Return speech whose quiet pieces of 10 ms are digital silence, as some microphones deliver it."""
    piece = RATE_HZ // 100
    whole = np.pad(said, (0, -len(said) % piece)).reshape(-1, piece)
    limit = 10 ** (random.uniform(*_GATE_DBFS) / 20)
    is_loud = np.sqrt(np.square(whole).mean(axis=1)) > limit
    kept = np.convolve(is_loud, np.ones(9), "same") > 0
    return np.asarray((whole * kept[:, None]).reshape(-1)[: len(said)], np.float32)


def _features(sound: Sound, stages: SpeechStages) -> NDArray[np.float16]:
    stages.reset()
    heard = stages.process(np.pad(sound, (0, -len(sound) % CHUNK_FRAMES)).astype(np.float32))
    return np.concatenate([heard.fine, heard.coarse], axis=1).astype(np.float16)


@cache
def _stages() -> SpeechStages:
    return SpeechStages()


@cache
def _home(data: Path, *, is_busy: bool) -> Home:
    """Return the noises and rooms that may be trained on."""
    known: list[Readable] = [one for one in noises(data / "noise", ("noise", "music")) if one.part == "train"]
    rooms = [one for one in noises(data / "noise", ("rir",)) if one.part == "train"]
    if not is_busy:
        return Home(noises=known, rooms=rooms)
    random = np.random.default_rng(_BUSY_SEED)
    said = [one for one in spoken(data / "speech", "transcript") if one.part == "train"]
    words = sorted({word for one in said for word in one.label.lower().split()})
    usable = [voice for voice in voices() if not is_held_back(voice)]
    known += made_noises(random, _MADE_NOISES, voices=usable, words=words)
    crowds = [crowd(said, random) for _ in range(_CROWDS)]
    return Home(noises=[*known, *crowds], rooms=[*rooms, *made_rooms(random)])
