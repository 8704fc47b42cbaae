"""Chirps of two devices in a room, as their microphones hear them: music, noise, echoes, wrong clocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from hub.sync.acoustic_offset import Unsure, heard, two_way_offset
from hub.sync.chirp_plan import ChirpPlan
from hub.sync.chirp_search import plan_start
from script.journal import Row
from sensing.dsp.air import air_absorption_nepers, speed_of_sound_mps
from sensing.simulation.room_response import image_sources

Numbers = NDArray[np.float64]

RATE_HZ = 48_000
START_SECONDS = 0.1
_REFLECTION = 0.75
_PATHS = 60
_LEAST_HZ = 17_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """Two devices in a room; the microphone of each is 6 to 10 cm beside its loudspeaker, mirrored."""

    room_metres: Numbers
    speakers: Numbers
    microphones: Numbers
    table_seconds: float
    """What the devices stand on reflects this much later."""


def placed(random: np.random.Generator) -> Pair:
    """Return a pair 0.8 to 4.5 m apart; microphones are 3 mm (rms) from where they should be."""
    room = random.uniform([3, 3, 2.4], [7, 6, 3.0])
    while True:
        speakers = random.uniform([0.4, 0.4, 0.6], room - [0.4, 0.4, 1.0], (2, 3))
        apart = speakers[1] - speakers[0]
        if 0.8 < np.linalg.norm(apart) < 4.5:
            break
    towards = apart / np.linalg.norm(apart)
    aside = random.uniform([-0.05, -0.05, 0.02], [0.05, 0.05, 0.12])
    mirrored = aside - 2 * (aside @ towards) * towards
    microphones = speakers + np.stack([aside, mirrored]) + 0.003 * random.standard_normal((2, 3))
    return Pair(
        room_metres=room,
        speakers=speakers,
        microphones=microphones,
        table_seconds=random.uniform(5e-5, 4e-4),
    )


def paths(room: Numbers, source: Numbers, microphone: Numbers) -> Numbers:
    """Return delays and gains of the first paths in a shoebox."""
    images, bounces = image_sources(source, room, 3 * float(room.max()))
    metres = np.linalg.norm(images - microphone, axis=1)
    gains = _REFLECTION**bounces / metres * np.exp(-air_absorption_nepers(20_000) * metres)
    first = np.argsort(metres)[:_PATHS]
    return np.stack([metres[first] / speed_of_sound_mps(), gains[first]], axis=1)


def recorded(
    pair: Pair,
    microphone: int,
    plan: ChirpPlan,
    random: np.random.Generator,
    *,
    offset_seconds: float,
    music_rms: float = 0.15,
    noise_rms: float = 1e-3,
    chirp_peak: float = 0.05,
    near_echo: float = 0.0,
) -> NDArray[np.float32]:
    """Return what a microphone records while the second device is late by ``offset_seconds``.

    Its clock is wrong by up to 100 ppm. What the devices stand on echoes with the gain ``near_echo``, on
    the way back 20 us (rms) sooner or later than on the way there.
    """
    pace = 1 + random.uniform(-1e-4, 1e-4)
    instants = np.arange(round((plan.seconds + 0.4) * RATE_HZ)) / RATE_HZ * pace - START_SECONDS
    sound = np.zeros(instants.size)
    for device in (0, 1):
        delays, gains = paths(pair.room_metres, pair.speakers[device], pair.microphones[microphone]).T
        if near_echo and device != microphone:
            table = pair.table_seconds + 2e-5 * random.standard_normal()
            delays, gains = np.append(delays, delays + table), np.append(gains, near_echo * gains)
        chirps = plan.emission(device, instants - device * offset_seconds)
        sound += chirp_peak * _echoed(chirps, delays, gains, pace)
    music = signal.lfilter([1], [1, -0.95], random.standard_normal(instants.size))
    music = signal.sosfilt(signal.cheby2(10, 70, 18_000, fs=RATE_HZ, output="sos"), music)
    sound += music_rms / music.std() * music + noise_rms * random.standard_normal(instants.size)
    return sound.astype(np.float32)


def _echoed(chirps: Numbers, delays: Numbers, gains: Numbers, pace: float) -> Numbers:
    """Return the sum of delayed chirps; delays are exact, the band is that of the chirps."""
    spectrum = np.fft.rfft(chirps)
    hz = np.fft.rfftfreq(chirps.size, pace / RATE_HZ)
    band = hz > _LEAST_HZ
    response = np.zeros(np.count_nonzero(band), np.complex128)
    for delay, gain in zip(delays, gains, strict=True):
        response += gain * np.exp(-2j * np.pi * hz[band] * delay)
    spectrum[band] *= response
    spectrum[~band] = 0
    return np.fft.irfft(spectrum, chirps.size)


def measured(*, rooms: int, near_echo: float, seed: int) -> Iterator[Row]:
    """Yield a row for each room; the true offset is up to 3 ms."""
    plan = ChirpPlan()
    for room in range(rooms):
        random = np.random.default_rng((seed, room))
        pair = placed(random)
        offset = random.uniform(-3e-3, 3e-3)
        try:
            recordings = [
                recorded(pair, microphone, plan, random, offset_seconds=offset, near_echo=near_echo)
                for microphone in (0, 1)
            ]
            at_first, at_second = (
                heard(
                    recording,
                    rate_hz=RATE_HZ,
                    plan=plan,
                    start_seconds=plan_start(recording, rate_hz=RATE_HZ, plan=plan),
                )
                for recording in recordings
            )
            found = two_way_offset(at_first, at_second)
        except Unsure as reason:
            yield {"room": room, "refused": str(reason)}
            continue
        seen = np.mean([_place_error(pair, microphone) for microphone in (0, 1)])
        metres = float(np.linalg.norm(pair.speakers[1] - pair.speakers[0]))
        yield {
            "room": room,
            "metres": round(metres, 2),
            "error_us": round((found.offset_seconds - offset) * 1e6, 1),
            "hearing_error_us": round((found.offset_seconds - offset - float(seen)) * 1e6, 1),
            "sigma_us": round(found.sigma_seconds * 1e6, 1),
            "snr_db": round(min(one.snr_db for one in (at_first, at_second)), 0),
        }


def _place_error(pair: Pair, microphone: int) -> float:
    """Return how much later the second device's direct path is than the first's."""
    metres = np.linalg.norm(pair.speakers - pair.microphones[microphone], axis=1)
    return float(metres[1] - metres[0]) / speed_of_sound_mps()
