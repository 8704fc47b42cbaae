"""How much of the music's distortion is taken out of the sensing band, and how little of the person.

    script/bench distortion [--rooms 12]

Twelve random rooms (tests/sensing/distortion_model.py), an echo 9 to 10 dB under the distortion between 15
and 300 Hz, 4 s to learn, the next 4 s scored with what was learnt: by how much echo over distortion gains.
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.signal import resample_poly

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hub.audio.sound_file import blocks_of
from sensing.ultrasound.distortion_canceller import DistortionCanceller
from sensing.ultrasound.sensor import UltrasoundSensor
from tests.sensing.distortion_model import (
    BASEBAND_HZ,
    INNER_HZ,
    Distorted,
    Signal,
    as_recording,
    band_db,
    distorted,
)

ROOMS = 12
RATE_HZ = 48_000
LEARN_FRAMES = 4 * BASEBAND_HZ
LEVEL = 0.1
CARRIERS_HZ = (20_000.0, 21_500.0, 23_500.0)
"""Rooms take turns."""

STEP_FRAMES = 50


def cleaned(
    canceller: DistortionCanceller, baseband: Signal, playback: NDArray[np.float64]
) -> NDArray[np.complex64]:
    """Return what a canceller makes of a stretch, fed in pieces of 50 ms."""
    heard = (LEVEL * baseband).astype(np.complex64)
    played = playback.astype(np.float32)
    pieces = [
        canceller.process(heard[:, first : first + STEP_FRAMES], played[first : first + STEP_FRAMES]).baseband
        for first in range(0, heard.shape[1], STEP_FRAMES)
    ]
    return np.concatenate(pieces, axis=1)


def net_gain_db(
    room: Distorted, *, microphones: int, playback: NDArray[np.float64], is_walking: bool
) -> float:
    """Return the gain of echo over distortion, learning on the first 4 s, scored on the rest."""
    tone, person, noise = (part[:microphones] for part in (room.tone, room.person, room.noise))
    canceller = DistortionCanceller(microphones=microphones, baseband_hz=BASEBAND_HZ)
    heard = tone + noise + (person if is_walking else 0)
    cleaned(canceller, heard[:, :LEARN_FRAMES], playback[:LEARN_FRAMES])
    canceller.freeze()
    later = playback[LEARN_FRAMES:]
    distortion = cleaned(copy.deepcopy(canceller), tone[:, LEARN_FRAMES:], later)
    both = cleaned(canceller, (tone + person)[:, LEARN_FRAMES:], later)
    before_db = band_db(person[:, LEARN_FRAMES:]) - band_db(tone[:, LEARN_FRAMES:])
    return band_db(both - distortion) - band_db(distortion) - before_db


def person_removed_db(room: Distorted, *, microphones: int) -> float:
    """Return how much of a person who walks all the time is learnt away; the canceller learns all the time.

    The echo that two microphones do not share is what can be kept: the output without a reference is
    the measure, and the removed part is what is missing of it in the output with one.
    """
    tone, person, noise = (part[:microphones] for part in (room.tone, room.person, room.noise))
    frozen = DistortionCanceller(microphones=microphones, baseband_hz=BASEBAND_HZ)
    frozen.freeze()
    learning = DistortionCanceller(microphones=microphones, baseband_hz=BASEBAND_HZ)
    heard = tone + person + noise
    without = cleaned(frozen, heard, room.playback) - cleaned(
        _frozen(microphones), tone + noise, room.playback
    )
    echo = without[:, LEARN_FRAMES:]
    echo = echo - echo.mean(axis=1, keepdims=True)
    output = cleaned(learning, heard, room.playback)[:, LEARN_FRAMES:]
    output = output - output.mean(axis=1, keepdims=True)
    kept = abs(np.vdot(echo, output)) / np.vdot(echo, echo).real
    return float(-20 * np.log10(kept))


def _frozen(microphones: int) -> DistortionCanceller:
    canceller = DistortionCanceller(microphones=microphones, baseband_hz=BASEBAND_HZ)
    canceller.freeze()
    return canceller


def carrier_null_db(room: Distorted) -> float:
    """Return the gain of the first step alone: no reference, nothing learnt but the carrier."""
    silent = DistortionCanceller(microphones=2, baseband_hz=BASEBAND_HZ)
    silent.freeze()
    tone, person = room.tone[:2], room.person[:2]
    distortion = cleaned(copy.deepcopy(silent), tone, room.playback)[:, LEARN_FRAMES:]
    both = cleaned(silent, tone + person, room.playback)[:, LEARN_FRAMES:]
    before_db = band_db(person[:, LEARN_FRAMES:]) - band_db(tone[:, LEARN_FRAMES:])
    return band_db(both - distortion) - band_db(distortion) - before_db


def measured(seeds: Iterable[int], *, reverberates: bool = False) -> dict[str, float]:
    """Return the means over the rooms, and the worst of the case that counts."""
    rows: list[dict[str, float]] = []
    for seed in seeds:
        room = distorted(
            seed, microphones=4, reverberates=reverberates, carrier_hz=CARRIERS_HZ[seed % len(CARRIERS_HZ)]
        )
        raw = room.playback
        rows.append(
            {
                "carrier_null_only_db": carrier_null_db(room),
                "two_mics_nobody_db": net_gain_db(room, microphones=2, playback=raw, is_walking=False),
                "two_mics_walking_db": net_gain_db(room, microphones=2, playback=raw, is_walking=True),
                "one_mic_nobody_db": net_gain_db(room, microphones=1, playback=raw, is_walking=False),
                "one_mic_walking_db": net_gain_db(room, microphones=1, playback=raw, is_walking=True),
                "four_mics_nobody_db": net_gain_db(room, microphones=4, playback=raw, is_walking=False),
                "four_mics_walking_db": net_gain_db(room, microphones=4, playback=raw, is_walking=True),
                "person_removed_db": person_removed_db(room, microphones=2),
                "person_removed_one_mic_db": person_removed_db(room, microphones=1),
            }
        )
    result = {name: statistics.fmean(row[name] for row in rows) for name in rows[0]}
    result["two_mics_walking_worst_db"] = min(row["two_mics_walking_db"] for row in rows)
    result["person_removed_most_db"] = max(row["person_removed_db"] for row in rows)
    return result


def cpu_percent(seconds: float = 60.0) -> float:
    """Return the share of one core that cancelling takes with two microphones, in 50 ms pieces."""
    room = distorted(1, seconds=seconds)
    heard = room.tone + room.person + room.noise
    canceller = DistortionCanceller(microphones=2, baseband_hz=BASEBAND_HZ)
    started = time.process_time()
    cleaned(canceller, heard, room.playback)
    return 100 * (time.process_time() - started) / seconds


def sensor_cpu_percent(seconds: float = 20.0) -> tuple[float, float]:
    """Return what the whole sensor takes for two microphones at 48 kHz, without and with a reference."""
    room = distorted(1, seconds=seconds)
    capture = as_recording(room.tone + room.person + room.noise, RATE_HZ, CARRIERS_HZ[0], LEVEL)
    played = resample_poly(room.playback_4khz, RATE_HZ // INNER_HZ, 1).astype(np.float32)[None]
    shares = []
    for speakers in (0, 1):
        sensor = UltrasoundSensor(rate_hz=RATE_HZ, microphones=2, carrier_hz=CARRIERS_HZ[0])
        started = time.process_time()
        for block in blocks_of(capture, RATE_HZ):
            reference = played[:speakers, block.first_frame : block.end_frame]
            sensor.process(replace(block, reference=reference))
        shares.append(100 * (time.process_time() - started) / seconds)
    return shares[0], shares[1]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rooms", type=int, default=ROOMS)
    wanted = parser.parse_args()
    result = measured(range(wanted.rooms))
    tail = measured(range(wanted.rooms), reverberates=True)
    result |= {f"reverberant.{name}": value for name, value in tail.items()}
    result["cpu_percent"] = cpu_percent()
    result["sensor_cpu_percent"], result["sensor_with_music_cpu_percent"] = sensor_cpu_percent()
    table = Table("measured", "value")
    for name, value in result.items():
        table.add_row(name, f"{value:.2f}")
    Console(stderr=True).print(table)
    print(json.dumps({name: round(value, 3) for name, value in result.items()}))


if __name__ == "__main__":
    main()
