"""Real recordings: people who walk and hands that move, on phones and tablets."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from hub.audio.sound_file import blocks_of, read_all
from script.journal import Row
from script.presence.watchers import DopplerJsWatcher, Heard, HubWatcher, Watched, Watcher
from sensing.audio_block import Block
from sensing.observations import MotionSeen, PresenceChanged
from sensing.share_interval import share_interval
from sensing.simulation.baseband.truth import MAJOR, NONE
from sensing.ultrasound.carrier import find_carrier
from sensing.ultrasound.demodulator import Baseband, Demodulator
from sensing.ultrasound.doppler_features import HOP_SECONDS, WINDOW_SECONDS
from sensing.ultrasound.energy_detector import EnergyDetector
from sensing.ultrasound.front_end import FrontEnd
from sensing.ultrasound.motion_network import MotionNetwork
from sensing.ultrasound.sensor import UltrasoundSensor

SETS = ("ultrasense", "ultragsattack")
EDGE_SECONDS = 0.13
"""Of a file's start and end is quiet in most; one window fits."""
LEAD_SECONDS = 10.0

_ROOT = Path(__file__).resolve().parents[2]
_FILTER_SECONDS = 0.03
_EDGE_HOPS = 1 + int((EDGE_SECONDS - WINDOW_SECONDS) / HOP_SECONDS)


def recordings_folder() -> Path | None:
    """Return the folder of the recordings, None where there is none."""
    folder = Path(os.environ.get("ROOMWISE_DATA", _ROOT.parent / "shared" / "data")) / "ultrasound"
    return folder if (folder / "labels.csv").is_file() else None


def measure(folder: Path, model: Path | None) -> Iterator[Row]:
    """Yield for each file and watcher what was seen; ``sensor`` is the whole sensor."""
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        labels = list(csv.DictReader(file))
    for label in labels:
        capture, rate_hz = read_all(folder / label["file"])
        carrier = find_carrier(capture, rate_hz)
        if carrier is None:
            continue
        about: Row = {"set": label["file"].split("/")[0], "walks": label["major"] == "1"}
        yield about | {"watcher": "sensor"} | _sensed(capture, rate_hz, carrier.hz, model)
        for name, watched in _watched(capture, rate_hz, carrier.hz, model):
            yield about | {"watcher": name} | _seen(watched)


def _sensed(capture: Block, rate_hz: int, carrier_hz: float, model: Path | None) -> Row:
    sensor = UltrasoundSensor(
        rate_hz=rate_hz, microphones=len(capture), carrier_hz=carrier_hz, classifier=MotionNetwork(model)
    )
    seen = [one for block in blocks_of(capture, rate_hz) for one in sensor.process(block)]
    motions = [one.kind for one in seen if isinstance(one, MotionSeen)]
    return {
        "major": "major" in motions,
        "any": bool(motions),
        "present": any(isinstance(one, PresenceChanged) and one.present is True for one in seen),
    }


def _watched(
    capture: Block, rate_hz: int, carrier_hz: float, model: Path | None
) -> Iterator[tuple[str, Watched]]:
    """Yield what each makes of a file that was quiet for ten seconds before."""
    demodulator = Demodulator(carrier_hz=carrier_hz, rate_hz=rate_hz, microphones=len(capture))
    baseband_hz = demodulator.baseband_hz
    baseband = demodulator.process(capture)[:, round(_FILTER_SECONDS * baseband_hz) :]
    whole = with_lead(baseband, baseband_hz)
    window_frames, hop_frames = (round(one * baseband_hz) for one in (WINDOW_SECONDS, HOP_SECONDS))
    hops = 1 + (whole.shape[1] - window_frames) // hop_frames
    watchers: dict[str, Watcher] = {
        "network": HubWatcher(MotionNetwork(model)),
        "energy": HubWatcher(EnergyDetector()),
        "doppler_js": DopplerJsWatcher(baseband_hz),
    }
    frames = FrontEnd(baseband_hz=baseband_hz, microphones=len(capture)).process(whole, None)
    for name, watcher in watchers.items():
        watcher.process(Heard(baseband=whole, frames=frames))
        yield name, watcher.watched(hops)


def with_lead(baseband: Baseband, baseband_hz: float) -> Baseband:
    """Return a recording after ten seconds in which nothing moves, so that floors have settled.

    The quiet is that of the recording's end, to and fro; the quiet start is judged by floors of other
    samples. Its carrier is turned and scaled to the start's.
    """
    frames = round(EDGE_SECONDS * baseband_hz)
    steps = np.conj(baseband[0, : frames - 1]) * baseband[0, 1:frames]
    steady = baseband * np.exp(-1j * np.angle(steps.sum()) * np.arange(baseband.shape[1]))
    start, end = steady[:, :frames], steady[:, -frames:]
    quiet = end * (start.mean(axis=1) / end.mean(axis=1))[:, None]
    both = np.concatenate([quiet, quiet[:, ::-1]], axis=1)
    hop_frames = round(HOP_SECONDS * baseband_hz)
    lead_frames = round(LEAD_SECONDS / HOP_SECONDS) * hop_frames
    lead = np.tile(both, (1, -(-lead_frames // both.shape[1])))[:, -lead_frames:]
    whole: Baseband = np.concatenate([lead, steady], axis=1).astype(np.complex64)
    return whole


def _seen(watched: Watched) -> Row:
    first = round(LEAD_SECONDS / HOP_SECONDS)
    start = watched.motion[first : first + _EDGE_HOPS]
    end = watched.motion[-_EDGE_HOPS:]
    return {
        "major": bool((watched.motion[first:] == MAJOR).any()),
        "any": bool((watched.motion[first:] != NONE).any()),
        "present": bool(watched.present[first:].any()),
        "start_frames": len(start),
        "start_false": int((start != NONE).sum()),
        "end_frames": len(end),
        "end_false": int((end != NONE).sum()),
        "lead_false": int((watched.motion[:first] != NONE).sum()),
    }


def summary(rows: Sequence[Row]) -> Row:
    """Return how many recordings were seen, and how many quiet hops were not silent."""
    walks = [row for row in rows if row["walks"]]
    found: Row = {
        "recordings": len(rows),
        "walks": len(walks),
        "walks_major": sum(row["major"] is True for row in walks),
        "walks_present": sum(row["present"] is True for row in walks),
        "any_motion": sum(row["any"] is True for row in rows),
    }
    for edge in ("start", "end"):
        # gestures of the other set begin and end at its files' edges, walks do not
        quiet = [row for row in rows if f"{edge}_frames" in row and (row["walks"] or row["set"] == SETS[1])]
        frames = sum(int(row[f"{edge}_frames"] or 0) for row in quiet)
        if frames:
            false = sum(int(row[f"{edge}_false"] or 0) for row in quiet)
            found |= {
                f"{edge}_false": false / frames,
                f"{edge}_false_at_most": share_interval(false, frames)[1],
            }
    return found
