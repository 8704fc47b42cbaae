"""Rooms in which a loudspeaker and people are heard, and what is played and said there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from sensing.dsp.loudness import loud_rms
from sensing.training.recordings import RATE_HZ, Recording, Sound, noises, spoken

DATA = Path(os.environ.get("ROOMWISE_DATA", "../shared/data"))
_DECAYS_SECONDS = (0.2, 0.6)
_DIRECT_TO_REVERBERANT_DB = (0.0, 8.0)
_DELAYS_SECONDS = (0.0, 0.15)
"""What sound cards add between the reference and the capture."""
_NOISE_DBFS = -65.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Room:
    """Two ways of sound to the microphone, each of unit energy, and how late the reference is heard."""

    from_speaker: Sound
    from_person: Sound
    delay_frames: int


def room(number: int) -> Room:
    """Return a room: every third is the measured one, the others are direct sound and a decaying tail."""
    chance = np.random.default_rng([17, number])
    delay_frames = round(chance.uniform(*_DELAYS_SECONDS) * RATE_HZ)
    measured = _measured()
    if number % 3 == 0 and measured:
        ways = [measured[int(index)] for index in chance.permutation(len(measured))[:2]]
    else:
        seconds = chance.uniform(*_DECAYS_SECONDS)
        ways = [_simulated(chance, seconds), _simulated(chance, seconds)]
    return Room(from_speaker=ways[0], from_person=ways[1], delay_frames=delay_frames)


def heard(sound: Sound, way: Sound) -> Sound:
    """Return a sound as it arrives, as long as it was."""
    return np.asarray(fftconvolve(sound, way)[: len(sound)], np.float32)


def at_microphone(
    place: Room, played: Sound, said: Sound, *, ratio_db: float, level_dbfs: float, seed: int
) -> Sound:
    """Return what the microphone hears: echo, somebody, and a little noise.

    Parameters
    ----------
    played, said : NDArray
        Of one length; ``said`` is silent where nobody speaks.
    ratio_db : float
        Loud parts of the voice over the loud parts of the echo.
    level_dbfs : float
        Loudness of the loud parts of the echo.
    """
    late = np.concatenate([np.zeros(place.delay_frames, np.float32), played])[: len(played)]
    echo = _at_level(heard(late, place.from_speaker), level_dbfs)
    voice = _at_level(heard(said, place.from_person), level_dbfs + ratio_db)
    noise = np.random.default_rng(seed).standard_normal(len(played)) * 10 ** (_NOISE_DBFS / 20)
    return np.asarray(np.clip(echo + voice + noise, -1, 1), np.float32)


def wake_clips(part: str | None) -> list[Recording]:
    """Return recordings of "computer", of one part of the speakers or of all."""
    clips = [one for one in spoken(DATA / "wakeword", "keyword") if one.label == "computer"]
    return [one for one in clips if part is None or one.part == part]


def talk(seconds: float, seed: int) -> Sound:
    """Return read speech of several people, none of whom says the wake word."""
    return _long(_talks(), seconds, seed)


def music(seconds: float, seed: int) -> Sound:
    """Return music, with and without a voice."""
    return _long(_music(), seconds, seed)


def noise(name: str) -> Sound:
    """Return one of the noises by its file's name in the folder."""
    path = DATA / "noise" / name
    return Recording(path=path, label="", speaker="", origin="", licence="").read()


def _long(pieces: Sequence[Recording], seconds: float, seed: int) -> Sound:
    chance = np.random.default_rng([29, seed])
    sounds: list[Sound] = []
    while sum(map(len, sounds)) < seconds * RATE_HZ:
        sound = pieces[int(chance.integers(len(pieces)))].read()
        first = int(chance.integers(max(1, len(sound) - round(seconds * RATE_HZ))))
        sounds.append(_at_level(sound[first:], -20.0))
    return np.concatenate(sounds)[: round(seconds * RATE_HZ)]


def _at_level(sound: Sound, level_dbfs: float) -> Sound:
    loudness = loud_rms(sound)
    gain = 10 ** (level_dbfs / 20) / loudness if loudness > 0 else 0.0
    return np.asarray(gain * sound, np.float32)


@cache
def _measured() -> tuple[Sound, ...]:
    ways = [one.read() for one in noises(DATA / "noise", ("rir",)) if "Room_A" in one.path.name]
    return tuple(np.asarray(way / np.sqrt(np.square(way).sum()), np.float32) for way in ways)


@cache
def _talks() -> tuple[Recording, ...]:
    pieces = spoken(DATA / "speech", "transcript")
    return tuple(one for one in pieces if "computer" not in one.label.lower())


@cache
def _music() -> tuple[Recording, ...]:
    return tuple(noises(DATA / "noise", ("music",)))


def _simulated(chance: np.random.Generator, decay_seconds: float) -> NDArray[np.float32]:
    """Return direct sound and a tail of noise that falls by 60 dB in the time given."""
    frames = round(decay_seconds * RATE_HZ)
    tail = chance.standard_normal(frames) * 10 ** (-3 * np.arange(frames) / frames)
    tail[: RATE_HZ // 500] = 0  # the first wall is 2 ms later
    tail *= 10 ** (-chance.uniform(*_DIRECT_TO_REVERBERANT_DB) / 20) / np.sqrt(np.square(tail).sum())
    tail[0] = 1.0
    return np.asarray(tail / np.sqrt(np.square(tail).sum()), np.float32)
