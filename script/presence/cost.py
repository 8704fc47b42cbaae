"""What sensing costs with two microphones at 48 kHz, whole and stage by stage."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from hub.audio.sound_file import blocks_of
from script.journal import Row
from script.presence.scenes import entry
from sensing.audio_block import Block
from sensing.simulation.baseband.passband import to_passband
from sensing.simulation.baseband.renderer import render
from sensing.ultrasound.demodulator import Demodulator
from sensing.ultrasound.doppler_features import HOP_SECONDS
from sensing.ultrasound.emitter import LEAST_APART_HZ
from sensing.ultrasound.front_end import FrontEnd
from sensing.ultrasound.motion_classifier import MotionScore
from sensing.ultrasound.motion_network import MotionNetwork
from sensing.ultrasound.playback_reference import PlaybackReference
from sensing.ultrasound.presence import PresenceFilter
from sensing.ultrasound.sensor import UltrasoundSensor

BLOCK_SECONDS = 0.01
Piece = TypeVar("Piece")
Made = TypeVar("Made")
_BLOCKS_A_HOP = round(HOP_SECONDS / BLOCK_SECONDS)


def measure(model: Path | None) -> Row:
    """Return percent of a core, and milliseconds from the last sample to the decision, p95."""
    scene = entry(0, "music").scene
    recording = render(scene)
    capture = to_passband(recording)
    played = recording.reference
    if played is None:
        raise ValueError("the scene of the cost plays no music")
    carrier_hz, rate_hz = scene.carrier_hz, scene.rate_hz
    found: Row = {"seconds": scene.seconds}
    for words, reference in (("silent", played[:0]), ("music", played)):
        for tones, second_hz in (("", None), ("_two_tones", carrier_hz - LEAST_APART_HZ)):
            costs = _sensor_costs(capture, reference, rate_hz, (carrier_hz, second_hz), model)
            found |= {f"sensor_{words}{tones}_{name}": value for name, value in costs.items()}
    return found | _stages(capture, played, rate_hz, carrier_hz, model)


def _sensor_costs(
    capture: Block,
    played: Block,
    rate_hz: int,
    carriers_hz: tuple[float, float | None],
    model: Path | None,
) -> Row:
    """Return percent of a core, and of decisions the milliseconds of the clock and of the processor, p95."""
    sensor = UltrasoundSensor(
        rate_hz=rate_hz,
        microphones=len(capture),
        carrier_hz=carriers_hz[0],
        second_carrier_hz=carriers_hz[1],
        classifier=MotionNetwork(model),
    )
    spent: list[tuple[float, float]] = []
    for heard in blocks_of(capture, rate_hz):
        block = replace(heard, reference=played[:, heard.first_frame : heard.end_frame])
        began = time.perf_counter(), time.process_time()
        sensor.process(block)
        spent.append((time.perf_counter() - began[0], time.process_time() - began[1]))
    # of the blocks between two decisions the one that completes the hop takes longest
    whole = np.array(spent[: len(spent) // _BLOCKS_A_HOP * _BLOCKS_A_HOP]).reshape(-1, _BLOCKS_A_HOP, 2)
    clock_ms, processor_ms = 1_000 * np.quantile(whole.max(axis=1), 0.95, axis=0)
    return {
        "percent": 100 * float(np.sum(spent, axis=0)[1]) / (capture.shape[1] / rate_hz),
        "decision_p95_ms": float(clock_ms),
        "decision_p95_cpu_ms": float(processor_ms),
    }


def _stages(capture: Block, played: Block, rate_hz: int, carrier_hz: float, model: Path | None) -> Row:
    """Return percent of a core of each stage by itself, fed as the sensor feeds it."""
    microphones, seconds = len(capture), capture.shape[1] / rate_hz
    demodulator = Demodulator(carrier_hz=carrier_hz, rate_hz=rate_hz, microphones=microphones)
    playback = PlaybackReference(
        rate_hz=rate_hz, factor=demodulator.factor, latency_frames=demodulator.latency_frames
    )
    heard_percent, heard = _timed(demodulator.process, _cut(capture, rate_hz), seconds)
    played_percent, slow = _timed(playback.process, _cut(played, rate_hz), seconds)
    silent = FrontEnd(baseband_hz=demodulator.baseband_hz, microphones=microphones)
    cancelling = FrontEnd(baseband_hz=demodulator.baseband_hz, microphones=microphones)
    features_percent, frames = _timed(lambda piece: silent.process(piece, None), heard, seconds)
    pieces = list(zip(heard, slow, strict=True))
    cancelled_percent, _ = _timed(lambda both: cancelling.process(*both), pieces, seconds)
    network = MotionNetwork(model)
    hops = [[frame] for some in frames for frame in some]
    network_percent, _ = _timed(network.score, hops, seconds)
    presence = PresenceFilter(hold_seconds=180.0, hop_seconds=HOP_SECONDS)
    quiet = [MotionScore(minor=0.0, major=0.0)] * len(hops)
    filter_percent, _ = _timed(presence.process, quiet, seconds)
    return {
        "demodulator_percent": heard_percent,
        "playback_low_pass_percent": played_percent,
        "features_percent": features_percent,
        "features_and_cancelling_percent": cancelled_percent,
        "network_percent": network_percent,
        "filter_percent": filter_percent,
    }


def _cut(signal: Block, rate_hz: int) -> list[Block]:
    step = round(BLOCK_SECONDS * rate_hz)
    return [signal[:, first : first + step] for first in range(0, signal.shape[1], step)]


def _timed(
    work: Callable[[Piece], Made], pieces: Sequence[Piece], seconds: float
) -> tuple[float, list[Made]]:
    """Return percent of a core that pieces of a signal of some seconds take, and what was made of them."""
    started = time.process_time()
    made = [work(piece) for piece in pieces]
    return 100 * (time.process_time() - started) / seconds, made
