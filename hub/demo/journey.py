"""Run the demo's house from the first frame to the last, and tell what happens."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from hub.assemble import House, assemble
from hub.audio.simulated_device import SimulatedDevice
from hub.bus import Overflow, Subscription
from hub.clock import Clock, SystemClock, VirtualClock
from hub.config.files import LoadedConfig, load_config
from hub.demo.lamp import Lamp
from hub.demo.scene import RATE_HZ, SECONDS, living_room
from hub.demo.voice import SpokenCommand, spoken_command
from hub.events import Observed, PlaybackEnded, PlaybackStarted, RoutineOutput
from hub.observation_line import observation_line
from integrations.mqtt.embedded_broker import EmbeddedBroker
from routines.facts import Json
from routines.outputs import RunEnded, Verdict

DIRECTORY = Path(__file__).parent
_IDLE_LIMIT_SECONDS = 10.0

Tell = Callable[[dict[str, Json]], None]
Watched = Observed | RoutineOutput | PlaybackStarted | PlaybackEnded


async def travel(tell: Tell, *, fast: bool) -> None:
    """Live through the demo's scene with the real hub, a real broker and a lamp on it.

    Parameters
    ----------
    tell : callable
        Receives each event as a flat mapping with ``at`` (seconds since the start) and ``event``.
    fast : bool
        As fast as the machine can instead of in real time.
    """
    broker = EmbeddedBroker()
    ports = await asyncio.to_thread(broker.start)
    tell({"at": 0.0, "event": "broker", "port": ports.mqtt_5, "port_3_1_1": ports.mqtt_3})
    loaded = load_config(DIRECTORY)
    spoken = spoken_command(RATE_HZ)
    tell({"at": 0.0, "event": "voice", "speaker": spoken.speaker})
    started = datetime.now(UTC)
    clock: VirtualClock | SystemClock = VirtualClock(started) if fast else SystemClock(UTC)
    try:
        with tempfile.TemporaryDirectory(prefix="roomwise-demo-") as folder:
            house = _house(loaded, clock, Path(folder), ports.mqtt_5, spoken, fast=fast)
            watch = _Watch(house, clock, started, tell)
            topic = loaded.hub.mqtt.lights["light.living_room"]
            lamp = Lamp(port=ports.mqtt_5, topic=topic, on_command=watch.lamp_heard)
            async with _running(lamp.run), _running(watch.run), _running(lambda _: house.supervisor.run()):
                await house.audio.finished.wait()
                async with asyncio.timeout(_IDLE_LIMIT_SECONDS):
                    await house.driver.idle.wait()
            tell({"at": watch.at, "event": "end", "seconds": SECONDS})
    finally:
        broker.stop()


def _house(
    loaded: LoadedConfig,
    clock: VirtualClock | SystemClock,
    folder: Path,
    port: int,
    spoken: SpokenCommand,
    *,
    fast: bool,
) -> House:
    loop = asyncio.get_running_loop()

    def keep_step(frames: int) -> None:
        """Let the house catch up with the audio clock, so that virtual time is the same every time."""
        if isinstance(clock, VirtualClock):
            clock.advance(frames / RATE_HZ)
            with contextlib.suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(timeout=1.0)

    device = SimulatedDevice(
        living_room(spoken), loaded.hub.ultrasound.carrier_hz, paced=not fast, clock=time.monotonic
    )
    return assemble(
        loaded,
        directory=DIRECTORY,
        clock=clock,
        device=device,
        state=folder,
        broker_port=port,
        lossless=True,
        on_tick=keep_step,
    )


@asynccontextmanager
async def _running(
    run: Callable[[Callable[[], None]], Coroutine[object, object, None]],
) -> AsyncIterator[None]:
    """Keep a coroutine running for the length of the block."""
    task = asyncio.create_task(run(lambda: None))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


class _Watch:
    """Turn the bus's events into lines."""

    def __init__(self, house: House, clock: Clock, started: datetime, tell: Tell) -> None:
        self._bus = house.bus
        self._clock = clock
        self._started = started
        self._tell = tell

    @property
    def at(self) -> float:
        """Seconds since the start."""
        return (self._clock.now() - self._started).total_seconds()

    def lamp_heard(self, topic: str, payload: str) -> None:
        """Tell a command that reached the lamp."""
        self._tell({"at": self.at, "event": "mqtt", "topic": topic, "payload": payload})

    async def run(self, ready: Callable[[], None]) -> None:
        """Watch until cancelled."""
        events: Subscription[Watched] = self._bus.subscribe(
            Observed,
            RoutineOutput,
            PlaybackStarted,
            PlaybackEnded,
            room=1_000,
            overflow=Overflow.DROP_OLDEST,
            name="demo",
        )
        with events:
            ready()
            async for event in events:
                line = _line(event)
                if line is not None:
                    self._tell({"at": self.at, **line})


def _line(event: Watched) -> dict[str, Json] | None:
    match event:
        case Observed(observation=seen):
            return observation_line(seen)
        case RoutineOutput(output=Verdict(routine=routine, verdict=verdict, reason=reason)):
            return {"event": "verdict", "routine": routine, "verdict": verdict, "reason": reason}
        case RoutineOutput(output=RunEnded(routine=routine, run_id=run_id, result=result)):
            return {"event": "run", "routine": routine, "run_id": run_id, "result": result}
        case PlaybackStarted(source=source):
            return {"event": "playback", "phase": "started", "source": source}
        case PlaybackEnded(source=source):
            return {"event": "playback", "phase": "ended", "source": source}
        case _:
            return None
