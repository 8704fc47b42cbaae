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
from sensing.simulation.room_response import room_responses
from sensing.speech.talker_direction import TalkerDirection

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
