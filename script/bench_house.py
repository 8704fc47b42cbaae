"""What the house costs: CPU of each sensing stage, latency, start-up, imports, memory.

Ratios are to a yardstick of the same run (a float32 matrix product), because machines differ.
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from rich.console import Console
from rich.table import Table

from hub.audio.sound_file import blocks_of
from hub.bus import Bus
from hub.clock import SystemClock
from hub.events import Observed
from hub.hearing import BUILT_IN_SENTENCES, make_recognizer, read_phrases
from hub.playback.text_to_speech import speak
from hub.routine_driver import RoutineDriver
from hub.store.engine_memory import EngineMemory
from routines.effects import Effect, Outcome
from routines.engine import Engine
from routines.load import load_routines
from sensing.audio_block import AudioBlock
from sensing.observations import PresenceChanged
from sensing.simulation.renderer import RoomRenderer
from sensing.simulation.scene import Scene, Walk
from sensing.speech.energy_gate import EnergyGate
from sensing.speech.listener import Listener
from sensing.speech.voice_activity import VoiceActivity
from sensing.speech.wake_word import WakeWord
from sensing.ultrasound.demodulator import Demodulator
from sensing.ultrasound.doppler_features import DopplerFeatures
from sensing.ultrasound.emitter import CarrierEmitter
from sensing.ultrasound.sensor import UltrasoundSensor

RATE_HZ = 48_000
CARRIER_HZ = 20_500.0
SECONDS = 10
BLOCK = RATE_HZ // 100
ROUTINE = """
version: 1
routines:
  - id: a
    mode: parallel
    max: 100
    triggers: [{trigger: presence}]
    actions: [{say: x}]
"""


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of the fastest of three runs."""
    times = []
    for _ in range(3):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def sensing_milliseconds() -> dict[str, float]:
    """Return CPU milliseconds of each stage for one second of two microphones."""
    walk = Walk(start_seconds=1, path=((1.5, 4, 0), (0.3, 1.5, 0), (1.5, 4, 0)))
    scene = Scene(rate_hz=RATE_HZ, seconds=SECONDS, walks=(walk,))
    emitter = CarrierEmitter(carrier_hz=CARRIER_HZ, rate_hz=RATE_HZ, level=0.1)
    emitter.start()
    firsts = range(0, SECONDS * RATE_HZ, BLOCK)
    played = [emitter.process(BLOCK)[None] for _ in firsts]
    room = RoomRenderer(scene, CARRIER_HZ)
    capture = [room.render(first, block) for first, block in zip(firsts, played, strict=True)]

    def simulate() -> None:
        room.reset()
        for first, block in zip(firsts, played, strict=True):
            room.render(first, block)

    def demodulate() -> list[np.ndarray]:
        stage = Demodulator(carrier_hz=CARRIER_HZ, rate_hz=RATE_HZ, microphones=2)
        return [stage.process(block) for block in capture]

    baseband = demodulate()

    def features() -> None:
        stage = DopplerFeatures(baseband_hz=1_000, microphones=2)
        for block in baseband:
            stage.process(block)

    def sense() -> None:
        sensor = UltrasoundSensor(rate_hz=RATE_HZ, microphones=2, carrier_hz=CARRIER_HZ)
        for first, block in zip(firsts, capture, strict=True):
            sensor.process(AudioBlock(first_frame=first, rate_hz=RATE_HZ, capture=block, reference=block[:0]))

    stages = {
        "simulated room": simulate,
        "demodulator": demodulate,
        "doppler features": features,
        "ultrasound sensor": sense,
    }
    return {name: 1_000 * cpu_seconds(work) / SECONDS for name, work in stages.items()}


def hearing_milliseconds() -> dict[str, float]:
    """Return CPU milliseconds of each level of hearing for a second of sound.

    "open" is the cost while speech goes through the level; the minute has one command in a quiet room.
    """
    rate_hz = 16_000
    speech = np.concatenate([speak("what is the weather in the kitchen today", rate_hz)[0]] * 4) * 0.3
    speech = speech[: len(speech) // 1_280 * 1_280]
    seconds = len(speech) / rate_hz
    wake, voice, gate = WakeWord(), VoiceActivity(), EnergyGate()
    recognizer = make_recognizer(read_phrases(BUILT_IN_SENTENCES, []), after="computer")

    def recognise() -> None:
        recognizer.feed(speech)
        recognizer.finish()

    open_levels = {
        "gate": lambda: gate.process(speech),
        "vad": lambda: voice.process(speech),
        "wake": lambda: [wake.process(chunk) for chunk in speech.reshape(-1, 1_280)],
        "asr": recognise,
    }
    result = {f"{name}, open": 1_000 * cpu_seconds(work) / seconds for name, work in open_levels.items()}
    quiet = 0.001 * np.random.default_rng(1).standard_normal(60 * RATE_HZ)
    command = np.concatenate([speak(text, RATE_HZ)[0] for text in ("computer", "turn on the lamp")])
    minute = quiet.astype(np.float32)
    minute[30 * RATE_HZ : 30 * RATE_HZ + len(command)] += 0.3 * command
    listener = Listener(rate_hz=RATE_HZ, wake=wake, recognizer=recognizer)
    started = time.process_time()
    for block in blocks_of(minute[None], RATE_HZ):
        listener.process(block)
    total = time.process_time() - started
    result |= {
        f"{name}, in a quiet minute": 1_000 * spent / 60 for name, spent in listener.cpu_seconds.items()
    }
    return {**result, "listener, in a quiet minute": 1_000 * total / 60}


class Ear:
    """Takes effects and notes when they arrive."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[float] = asyncio.Queue()

    async def perform(self, _effect: Effect) -> Outcome:
        """Note the time."""
        self.heard.put_nowait(time.perf_counter())
        return Outcome()


async def latency_milliseconds(folder: Path, count: int = 500) -> dict[str, float]:
    """Return how long an observation takes to become an effect, in process, its rows written before it."""
    clock = SystemClock(UTC)
    bus = Bus(clock)
    ear = Ear()
    engine = Engine(load_routines(ROUTINE, "bench")[0], timezone=ZoneInfo("UTC"))
    memory = EngineMemory(folder / "bench.sqlite3")
    driver = RoutineDriver(engine=engine, performer=ear, memory=memory, bus=bus, clock=clock)
    up = asyncio.Event()
    task = asyncio.create_task(driver.run(up.set))
    await up.wait()
    times = []
    for _ in range(count):
        for present in (True, False):
            seen = PresenceChanged(at=0, frame=0, present=present, reason="major_motion", confidence=1)
            sent = time.perf_counter()
            bus.publish(Observed(room="a", observation=seen, at=datetime.now(UTC)))
            if present:
                times.append(1_000 * (await ear.heard.get() - sent))
            await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    return {"p50": statistics.median(times), "p95": statistics.quantiles(times, n=20)[-1]}


def child_seconds(*arguments: str) -> float:
    """Return the wall time of a Python child process."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - started


def first_line_seconds() -> float:
    """Return how long the demo takes to its first line."""
    started = time.perf_counter()
    with subprocess.Popen([sys.executable, "-m", "hub", "demo", "--json"], stdout=subprocess.PIPE) as demo:
        assert demo.stdout is not None
        demo.stdout.readline()
        taken = time.perf_counter() - started
        demo.terminate()
    return taken


def main() -> None:
    """Measure everything and print it."""
    matrix = np.random.default_rng(1).normal(size=(512, 512)).astype(np.float32)
    yardstick = 1_000 * cpu_seconds(lambda: [matrix @ matrix for _ in range(20)]) / 20
    with tempfile.TemporaryDirectory(prefix="roomwise-bench-") as folder:
        latency = asyncio.run(latency_milliseconds(Path(folder)))
    stages = sensing_milliseconds() | hearing_milliseconds()
    result = {
        "yardstick_matrix_product_ms": yardstick,
        **{f"cpu_ms_per_second.{name}": value for name, value in stages.items()},
        **{f"event_to_effect_ms.{name}": value for name, value in latency.items()},
        "import_hub_cli_seconds": child_seconds("-c", "import hub.cli.main"),
        "demo_first_line_seconds": first_line_seconds(),
        "demo_fast_seconds": child_seconds("-m", "hub", "demo", "--fast", "--json"),
        "demo_peak_memory_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }
    table = Table("measured", "value", "times the yardstick")
    for name, value in result.items():
        ratio = f"{value / yardstick:.2f}" if "_ms" in name else ""
        table.add_row(name, f"{value:.3f}", ratio)
    Console(stderr=True).print(table)
    print(json.dumps({name: round(value, 4) for name, value in result.items()}))


main()
