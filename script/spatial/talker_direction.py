"""How well the microphones find a talker, in simulated rooms."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from script.journal import Row
from script.spatial.mixes import mixes
from sensing.audio_block import AudioBlock
from sensing.simulation.room_response import room_responses
from sensing.speech.command_direction import CommandDirection
from sensing.speech.talker_direction import TalkerAzimuth, TalkerDirection

Array = NDArray[np.float64]

RATE_HZ = 16_000
SEED = 2_026
SPEECH_SECONDS = 3
DATA = Path(os.environ.get("ROOMWISE_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
ARRAYS = {
    "2 microphones, 10 cm": np.array([[-0.05, 0, 0], [0.05, 0, 0]]),
    "4 microphones, 7 cm square": 0.035 * np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]),
}
CASES = ((10.0, 0.0), (10.0, 0.5), (20.0, 0.5), (5.0, 0.5))
"""Speech over noise in dB, and how much higher than the microphones the mouth may be."""
ECHOES_DB = (None, 0.0, 10.0, 20.0)
"""Music of the device itself over speech, at the microphones and before it is ducked; None for none."""
MUSIC_SECONDS, DUCKED_SECONDS, DUCKING_DB = 9.0, 0.9, 24.0
MICROPHONE_DB = -10.0
"""Music at the microphones over what is played, in samples: their gain keeps them from being overloaded."""
CHUNK_FRAMES = 1280


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Talk:
    """One sentence at the microphones, and where it came from."""

    heard: NDArray[np.float32]
    azimuth_degrees: float


def talk(random: np.random.Generator, microphones_m: Array, snr_db: float, rise_m: float) -> Talk:
    """Draw a room of 0.3 to 0.5 s, a talker 1 to 3 m away within 60 degrees, a noise source elsewhere.

    The mouth is up to ``rise_m`` higher than the microphones.
    """
    size_m = random.uniform([3.5, 3.0, 2.3], [7.0, 5.0, 2.8])
    decay_seconds = random.uniform(0.3, 0.5)
    azimuth, distance_m = random.uniform(-60, 60), random.uniform(1, 3)
    device, turned, talker, noise = _places(random, size_m, np.radians(azimuth), distance_m)
    talker = talker + np.array([0, 0, random.uniform(0, rise_m)])
    microphones = device + microphones_m @ turned.T

    def at_microphones(place: Array, sound: Array) -> Array:
        responses = room_responses(
            place, microphones, size_m=size_m, decay_seconds=decay_seconds, rate_hz=RATE_HZ
        )
        return fftconvolve(sound[None], responses, axes=1)[:, : len(sound)]

    speech = at_microphones(talker, _recording(random, "speech/librispeech_251spk"))
    noises = at_microphones(noise, _recording(random, "noise/esc50"))
    hiss = 0.5 * random.standard_normal(speech.shape) * np.sqrt((noises**2).mean())
    both = noises + hiss
    level = np.sqrt((speech**2).mean() / max((both**2).mean(), 1e-20)) * 10 ** (-snr_db / 20)
    return Talk(heard=(speech + level * both).astype(np.float32), azimuth_degrees=azimuth)


def _places(
    random: np.random.Generator, size_m: Array, azimuth: float, distance_m: float
) -> tuple[Array, Array, Array, Array]:
    """Return device, its rotation, talker and noise, all at least 30 cm from every wall."""
    while True:
        device = random.uniform([0.4, 0.4, 0.7], [*(size_m[:2] - 0.4), 1.2])
        turn = random.uniform(0, 2 * np.pi)
        rotation = np.array(
            [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]], float
        )
        ahead = distance_m * np.array([np.sin(azimuth), -np.cos(azimuth), 0])
        talker = device + rotation @ ahead
        noise = random.uniform(0.3, size_m - 0.3)
        inside = (talker > 0.3).all() and (talker < size_m - 0.3).all()
        if inside and np.linalg.norm(noise - device) > 1:
            return device, rotation, talker, noise


def _recording(random: np.random.Generator, folder: str) -> Array:
    """Return the first seconds of a random recording, repeated where it is shorter."""
    paths = sorted((DATA / folder).rglob("*.opus"))
    sound, rate_hz = soundfile.read(paths[random.integers(len(paths))], always_2d=True)
    mono: Array = soxr.resample(sound[:, 0], rate_hz, RATE_HZ)
    return np.resize(mono, SPEECH_SECONDS * RATE_HZ)


def errors(microphones_m: Array, *, snr_db: float, rise_m: float, rooms: int, seed: int) -> dict[str, float]:
    """Return median and tail of the error over rooms, and how often there was no answer."""
    random = np.random.default_rng(seed)
    off: list[float] = []
    for _ in range(rooms):
        said = talk(random, microphones_m, snr_db, rise_m)
        found = TalkerDirection(microphones_m, RATE_HZ).process(said.heard)
        if found is not None:
            off.append(abs((found.azimuth_degrees - said.azimuth_degrees + 180) % 360 - 180))
    return _summary(off, rooms)


def music_errors(microphones_m: Array, *, echo_db: float | None, rooms: int, seed: int) -> dict[str, float]:
    """Return as `errors` does for commands that are said while the device plays music.

    Six seconds of it play before; from 0.9 s after the first word on, it is ducked by 24 dB. The mouth is up
    to 0.5 m higher, speech over noise 10 dB; of the noise nothing is heard before the first word.

    Parameters
    ----------
    echo_db : float or None
        Music that is not ducked over speech, at the microphones; None for no music.
    """
    random, draw = np.random.default_rng(seed), np.random.default_rng(seed + 1)
    songs = [mix.stereo for mix in mixes(seed, seconds=MUSIC_SECONDS)]
    off: list[float] = []
    for _ in range(rooms):
        said = talk(random, microphones_m, 10.0, 0.5)
        music = soxr.resample(songs[draw.integers(len(songs))].T.astype(float), 48_000, RATE_HZ).T
        found = _found_beside(said, microphones_m, music, echo_db, draw)
        if found is not None:
            off.append(abs((found.azimuth_degrees - said.azimuth_degrees + 180) % 360 - 180))
    return _summary(off, rooms)


def _found_beside(
    said: Talk, microphones_m: Array, music: Array, echo_db: float | None, random: np.random.Generator
) -> TalkerAzimuth | None:
    """Return where `CommandDirection` finds a talker beside music from two loudspeakers 20 to 80 cm apart."""
    frames, before = music.shape[1], music.shape[1] - said.heard.shape[1]
    ducked = before + round(DUCKED_SECONDS * RATE_HZ)
    gain = np.ones(frames)
    gain[ducked:] = 10 ** (
        np.maximum(-DUCKING_DB, -DUCKING_DB * np.arange(frames - ducked) / (0.15 * RATE_HZ)) / 20
    )
    size_m, decay_seconds = random.uniform([3.5, 3.0, 2.3], [7.0, 5.0, 2.8]), random.uniform(0.3, 0.5)
    centre, apart_m = random.uniform([1.2, 1.2, 0.7], [*(size_m[:2] - 1.2), 1.2]), random.uniform(0.1, 0.4)
    echo, full = np.zeros((2, len(microphones_m), frames))
    for side, sound in zip((-apart_m, apart_m), music, strict=True):
        responses = room_responses(
            centre + np.array([side, 0.05, -0.03]),
            centre + microphones_m,
            size_m=size_m,
            decay_seconds=decay_seconds,
            rate_hz=RATE_HZ,
        )
        full += fftconvolve(sound[None], responses, axes=1)[:, :frames]
        echo += fftconvolve((sound * gain)[None], responses, axes=1)[:, :frames]
    heard = np.pad(said.heard, ((0, 0), (before, 0)))
    level, quiet = 0.0, 1.0
    if echo_db is not None:
        speech_rms = np.sqrt((said.heard**2).mean())
        level = speech_rms / np.sqrt((full[:, before:] ** 2).mean()) * 10 ** (echo_db / 20)
        loud = np.sqrt((full**2).mean() / (music**2).mean())
        quiet = 10 ** (MICROPHONE_DB / 20) / loud
    direction = CommandDirection(microphones_m, RATE_HZ)
    played = (music * gain * level).astype(np.float32)
    for first in range(0, frames, CHUNK_FRAMES):
        piece = slice(first, first + CHUNK_FRAMES)
        direction.keep(
            AudioBlock(
                first_frame=first,
                rate_hz=RATE_HZ,
                capture=(quiet * (heard + level * echo))[:, piece].astype(np.float32),
                reference=played[:, piece],
            )
        )
        if first >= ducked:
            direction.hear(is_alone=echo_db is None)
    return direction.finish()


def _summary(off: list[float], rooms: int) -> dict[str, float]:
    return {
        "answered": len(off) / rooms,
        "median_degrees": float(np.median(off)),
        "p75_degrees": float(np.percentile(off, 75)),
        "p90_degrees": float(np.percentile(off, 90)),
        "share_beyond_10_degrees": float(np.mean(np.array(off) > 10)),
    }


def measure(*, rooms: int, seed: int = SEED) -> Iterator[Row]:
    """Yield a row for each array and case."""
    for name, microphones_m in ARRAYS.items():
        for snr_db, rise_m in CASES:
            row = errors(microphones_m, snr_db=snr_db, rise_m=rise_m, rooms=rooms, seed=seed)
            yield {"microphones": name, "snr_db": snr_db, "rise_m": rise_m, "rooms": rooms, **row}
        for echo_db in ECHOES_DB:
            row = music_errors(microphones_m, echo_db=echo_db, rooms=rooms, seed=seed)
            yield {"microphones": name, "music_over_speech_db": echo_db, "rooms": rooms, **row}
