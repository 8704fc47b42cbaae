"""Kill the routine engine's process with SIGKILL at random moments, and count what is lost or done twice.

The parent gives jobs to a real driver on a real database in a child process, kills it, starts it again, and
in the end compares the log of performed effects with the jobs that were acknowledged (their verdict was told,
which the driver does only after it has been written).

    .venv/bin/python script/survive.py --kills 200 [--seed 1] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from hub.bus import Bus, Overflow
from hub.clock import SystemClock
from hub.events import RoutineOutput
from hub.routine_driver import RoutineDriver
from hub.store.engine_memory import EngineMemory
from routines.effects import CallService, Effect, Outcome, Publish
from routines.engine import Engine
from routines.load import load_routines
from routines.outputs import RunEnded, Verdict
from routines.ports import DeviceChanged, MessageReceived

ROUTINES = """
version: 1
routines:
  - id: job
    mode: parallel
    max: 100
    triggers: [{trigger: mqtt, topic: job/+}]
    variables: {number: "{{ trigger.payload }}"}
    actions:
      - {action: light.turn_on, target: {entity_id: "light.{{ number }}"}}
      - delay: 0.15
      - parallel:
          - {publish: {topic: "told/{{ number }}", payload: once}}
          - sequence:
              - {wait_for: "{{ false }}", timeout: 0.1}
              - {action: switch.turn_on, target: {entity_id: "switch.{{ number }}"}}
      - {action: light.turn_off, target: {entity_id: "light.{{ number }}"}}
  - id: line
    mode: queued
    max: 100
    triggers: [{trigger: mqtt, topic: line/+}]
    actions:
      - delay: 0.03
      - {action: fan.turn_on, target: {entity_id: "fan.{{ trigger.payload }}"}}
  - id: held
    mode: parallel
    max: 100
    triggers: [{trigger: state, entity_id: [sensor.a, sensor.b, sensor.c], to: "on", for: 0.2}]
    actions: [{action: lock.lock, target: {entity_id: "lock.{{ trigger.entity_id }}"}}]
"""


@dataclass
class Report:
    """What was seen.

    Attributes
    ----------
    lost : int
        Acknowledged jobs without an effect that must be done at least once.
    repeated : int
        Effects that were done twice though they must not be.
    in_doubt : int
        Effects that may be done at most once and were not done at all; at most one a kill and strand.
    """

    kills: int
    acknowledged: int
    lost: int
    repeated: int
    out_of_order: int
    in_doubt: int
    unended: int


def child(folder: Path) -> None:
    """Live as a hub does: facts from stdin, effects into a log, verdicts to stdout."""
    log = os.open(folder / "effects.log", os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    class Performer:
        async def perform(self, effect: Effect) -> Outcome:
            await asyncio.sleep(random.uniform(0, 0.01))
            if isinstance(effect, CallService):
                os.write(log, f"{effect.action} {effect.target['entity_id']}\n".encode())
            elif isinstance(effect, Publish):
                os.write(log, f"publish {effect.topic}\n".encode())
            await asyncio.sleep(random.uniform(0, 0.01))
            return Outcome()

    async def live() -> None:
        clock = SystemClock(ZoneInfo("UTC"))
        bus = Bus(clock)
        routines, problems = load_routines(ROUTINES, "jobs.yaml")
        assert problems == []
        driver = RoutineDriver(
            engine=Engine(routines, timezone=ZoneInfo("UTC")),
            performer=Performer(),  # type: ignore[arg-type]
            memory=EngineMemory(folder / "hub.sqlite3"),
            bus=bus,
            clock=clock,
        )
        told = bus.subscribe(RoutineOutput, room=10_000, overflow=Overflow.FAIL, name="told")
        is_ready = asyncio.Event()
        tasks = [asyncio.create_task(driver.run(is_ready.set))]

        async def tell() -> None:
            async for event in told:
                output = event.output
                if isinstance(output, Verdict):
                    os.write(1, f"{output.verdict} {output.reason}\n".encode())
                elif isinstance(output, RunEnded):
                    os.write(1, f"ended {output.routine} {output.result}\n".encode())

        tasks.append(asyncio.create_task(tell()))
        await is_ready.wait()
        os.write(1, b"ready\n")
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(0, "rb")
        )
        while line := (await reader.readline()).decode().split():
            if line[0] == "state":
                bus.publish(DeviceChanged(entity_id=line[1], state=line[2], attributes={}))
            else:
                bus.publish(MessageReceived(topic=f"{line[0]}/{line[1]}", payload=line[1], retained=False))
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    asyncio.run(live())


class Hub:
    """The child process, as the parent sees it; forked, so that it need not import everything again."""

    def __init__(self, folder: Path) -> None:
        facts_out, self._facts = os.pipe()
        self._words, words_in = os.pipe()
        self._process_id = os.fork()
        if self._process_id == 0:
            os.dup2(facts_out, 0)
            os.dup2(words_in, 1)
            try:
                child(folder)
            finally:
                os._exit(0)
        os.close(facts_out)
        os.close(words_in)
        os.set_blocking(self._words, False)
        self.said: list[str] = []
        self._rest = b""
        deadline = time.monotonic() + 60
        while "ready" not in self.said:
            self.listen(0.005)
            if time.monotonic() > deadline:
                raise RuntimeError("the child did not start")

    def give(self, line: str) -> None:
        """Hand over a fact."""
        os.write(self._facts, f"{line}\n".encode())

    def listen(self, seconds: float) -> None:
        """Collect what it says for a while."""
        time.sleep(seconds)
        try:
            while part := os.read(self._words, 65_536):
                self._rest += part
        except BlockingIOError:
            pass
        *lines, self._rest = self._rest.split(b"\n")
        self.said += [line.decode() for line in lines]

    def kill(self) -> None:
        """End it as a power cut does; what it said before counts."""
        os.kill(self._process_id, signal.SIGKILL)
        os.waitpid(self._process_id, 0)
        self.listen(0)
        os.close(self._facts)
        os.close(self._words)


def survive(kills: int, seed: int) -> Report:
    """Give jobs, kill, start again, and count."""
    chance = random.Random(seed)
    number = 0
    said: list[str] = []
    with tempfile.TemporaryDirectory(prefix="roomwise-survive-") as name:
        folder = Path(name)
        for _ in range(kills):
            hub = Hub(folder)
            until = time.monotonic() + chance.uniform(0.02, 0.5)
            while time.monotonic() < until:
                number += 1
                hub.give(f"job {number}" if chance.random() < 0.5 else f"line {number}")
                if chance.random() < 0.2:
                    hub.give(f"state sensor.{chance.choice('abc')} {chance.choice(['on', 'off'])}")
                hub.listen(chance.uniform(0, 0.03))
            hub.kill()
            said += hub.said
        last = Hub(folder)
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < 2.0:
            count = len(last.said)
            last.listen(0.05)
            quiet_since = time.monotonic() if len(last.said) > count else quiet_since
        said += last.said
        remembered = _runs_left(folder)
        last.kill()
        log = (folder / "effects.log").read_text(encoding="utf-8").split("\n")[:-1]
    return _report(kills, said, log, remembered)


def _runs_left(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "hub.sqlite3")) as connection:
        (count,) = connection.execute("SELECT count(*) FROM memory WHERE kind IN ('run', 'held')").fetchone()
    return int(count)


def _report(kills: int, said: list[str], log: list[str], unended: int) -> Report:
    done = Counter(log)
    jobs = [line.split("/")[1] for line in said if line.startswith("fired message on job/")]
    lines = [line.split("/")[1] for line in said if line.startswith("fired message on line/")]
    must = [
        *(f"{action} {kind}.{n}" for n in jobs for action, kind in _JOB),
        *(f"fan.turn_on fan.{n}" for n in lines),
    ]
    first: dict[str, int] = {}
    for position, effect in enumerate(log):
        first.setdefault(effect, position)
    turns = [first[f"fan.turn_on fan.{n}"] for n in lines if f"fan.turn_on fan.{n}" in first]
    switched = [
        (first.get(f"light.turn_on light.{n}", -1), first.get(f"light.turn_off light.{n}", 1 << 60))
        for n in jobs
    ]
    return Report(
        kills=kills,
        acknowledged=len(jobs) + len(lines),
        lost=sum(not done[effect] for effect in must),
        repeated=sum(
            count - 1 for effect, count in done.items() if effect.startswith("publish") and count > 1
        ),
        out_of_order=sum(a > b for a, b in itertools.pairwise(turns)) + sum(on > off for on, off in switched),
        in_doubt=sum(not done[f"publish told/{n}"] for n in jobs),
        unended=unended,
    )


_JOB = (("light.turn_on", "light"), ("switch.turn_on", "switch"), ("light.turn_off", "light"))


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    report = survive(arguments.kills, arguments.seed)
    print(json.dumps(asdict(report)) if arguments.json else report)
    sys.exit(bool(report.lost or report.repeated or report.out_of_order or report.unended))


if __name__ == "__main__":
    main()
