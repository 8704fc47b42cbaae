"""Feed facts to the routine engine, perform what it asks for, and tell it how that went."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import assert_never

import structlog

from hub.bus import Bus, Overflow, Subscription
from hub.clock import Clock
from hub.errors import Degraded
from hub.events import AnswerAwaited, FactTaken, Observed, RoutineOutput, RoutinesChanged
from hub.interpreter import facts_from_device, facts_from_event, facts_from_message, facts_from_observation
from hub.performer import Performer
from hub.store.engine_memory import EngineMemory
from routines.effects import Say
from routines.engine import Engine
from routines.facts import Fact, StateFact, TimePassed
from routines.memory import Row
from routines.outputs import Output, Perform, Verdict
from routines.ports import DeviceChanged, EventReceived, HomeDescribed, LinkChanged, MessageReceived

_FACTS_ROOM = 1024
"""Facts that may wait; losing one is a fault, so a full queue fails the service."""
_SETTLE_SECONDS = 30.0
"""How long the links may take to tell the states of the home before the routines start without."""
_CLOCK_JUMP = timedelta(seconds=2)
"""A wall clock that moves by more against the monotonic one has been set."""

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

Arrival = (
    Observed | DeviceChanged | EventReceived | HomeDescribed | LinkChanged | MessageReceived | RoutinesChanged
)

log = structlog.get_logger("routines")


async def heeds_all(_observed: Observed) -> bool:
    """Act on everything: there is no other hub."""
    return True


class RoutineDriver:
    """The service that owns the engine: one fact at a time, effects side by side.

    What the engine must not forget is written before its effects are performed, so that after a crash it
    knows what was in hand. Without a database it goes on, and says what would be lost.

    Attributes
    ----------
    idle : asyncio.Event
        Set while no effect is being performed.

    Parameters
    ----------
    engine : Engine
        Pure logic; this class is the only one that calls it.
    performer : Performer
        Carries out effects.
    memory : EngineMemory
        Keeps the engine's rows.
    heeds : callable
        Whether this hub acts on what a sensor reports, or leaves it to another one.
    waits_for : frozenset of str
        Links that tell the states of the home; the routines start once each is up or known to be down.
    """

    name = "routines"
    needs: frozenset[str] = frozenset()

    def __init__(
        self,
        *,
        engine: Engine,
        performer: Performer,
        memory: EngineMemory,
        bus: Bus,
        clock: Clock,
        heeds: Callable[[Observed], Awaitable[bool]] = heeds_all,
        waits_for: frozenset[str] = frozenset(),
    ) -> None:
        self._engine = engine
        self._performer = performer
        self._memory = memory
        self._bus = bus
        self._clock = clock
        self._heeds = heeds
        self._waits_for = set(waits_for)
        self._is_started = False
        self._performing: set[tuple[str, str]] = set()
        self._unwritten: dict[tuple[str, str], Row] = {}
        self._remembers = True
        self._awaited: datetime | None = None
        self._sooner = asyncio.Event()
        self.idle = asyncio.Event()
        self.idle.set()

    async def run(self, ready: Callable[[], None]) -> None:
        """Drive the engine until cancelled."""
        arrivals: Subscription[Arrival] = self._bus.subscribe(
            Observed,
            DeviceChanged,
            EventReceived,
            HomeDescribed,
            LinkChanged,
            MessageReceived,
            RoutinesChanged,
            room=_FACTS_ROOM,
            overflow=Overflow.FAIL,
            name="routine driver",
        )
        # SQLite blocks, so one thread of its own does all of its work, in order.
        with arrivals, ThreadPoolExecutor(max_workers=1, thread_name_prefix="memory") as thread:
            self._thread = thread
            try:
                await self._recall()
                async with asyncio.TaskGroup() as tasks:
                    ready()
                    await self._settle(arrivals, tasks)
                    tasks.create_task(self._keep_time(tasks), name="routine deadlines")
                    async for arrival in arrivals:
                        await self._arrive(arrival, tasks)
            finally:
                rows = self._take_rows()
                thread.submit(_write_last, self._memory, rows)

    async def _recall(self) -> None:
        """Take in what was remembered, once."""
        loop = asyncio.get_running_loop()
        try:
            rows = await loop.run_in_executor(self._thread, self._memory.open)
        except Degraded as error:
            self._tell_memory(str(error), error.hint)
            return
        if not self._is_started:
            self._engine.recall(rows)

    async def _settle(self, arrivals: Subscription[Arrival], tasks: asyncio.TaskGroup) -> None:
        """Hear the states of the home before anything fires; what else arrives is seen to right after."""
        if self._is_started:
            return
        kept: list[Arrival] = []
        limit = self._clock.monotonic() + _SETTLE_SECONDS
        timer = asyncio.create_task(self._clock.sleep_until(limit))
        try:
            while self._waits_for and not timer.done():
                following = asyncio.ensure_future(anext(arrivals))
                await asyncio.wait({following, timer}, return_when=asyncio.FIRST_COMPLETED)
                if not following.done():
                    following.cancel()
                    break
                arrival = following.result()
                if isinstance(arrival, LinkChanged):
                    self._waits_for.discard(arrival.link)
                elif isinstance(arrival, DeviceChanged):
                    self._learn(arrival)
                else:
                    kept.append(arrival)
        finally:
            timer.cancel()
        self._is_started = True
        outputs = self._engine.start(now=self._clock.now())
        for what in self._engine.unreadable():
            log.warning("something remembered cannot be read any more and is dropped", what=what)
        await self._follow(outputs, tasks)
        for arrival in kept:
            await self._arrive(arrival, tasks)

    def _learn(self, arrival: DeviceChanged) -> None:
        for fact in facts_from_device(arrival, self._engine.home):
            if isinstance(fact, StateFact):
                self._engine.learn(fact, now=self._clock.now())

    async def _arrive(self, arrival: Arrival, tasks: asyncio.TaskGroup) -> None:
        match arrival:
            case HomeDescribed(directory=directory):
                self._engine.name_things(directory)
            case RoutinesChanged(routines=routines):
                self._engine.replace(routines, now=self._clock.now())
                await self._follow([], tasks)
            case LinkChanged():
                return
            case Observed() if not await self._heeds(arrival):
                return
            case _:
                for fact in self._facts(arrival):
                    await self._take(fact, tasks)

    def _facts(self, arrival: Observed | DeviceChanged | EventReceived | MessageReceived) -> Iterable[Fact]:
        match arrival:
            case Observed():
                return facts_from_observation(arrival)
            case DeviceChanged():
                return facts_from_device(arrival, self._engine.home)
            case EventReceived():
                return facts_from_event(arrival)
            case MessageReceived():
                is_listened_to = self._engine.listens_to(arrival.topic)
                return facts_from_message(arrival, is_listened_to=is_listened_to)
            case _:
                assert_never(arrival)

    async def _take(self, fact: Fact, tasks: asyncio.TaskGroup) -> None:
        now = self._clock.now()
        self._bus.publish(FactTaken(fact=fact, at=now))
        await self._follow(self._engine.handle(fact, now=now), tasks)

    async def _keep_time(self, tasks: asyncio.TaskGroup) -> None:
        """Tell the engine whenever something falls due, and look at the clock at least once a second."""
        offset = self._clock.now() - timedelta(seconds=self._clock.monotonic())
        while True:
            await self._until_due()
            now = self._clock.now()
            jump = now - timedelta(seconds=self._clock.monotonic()) - offset
            if abs(jump) > _CLOCK_JUMP:
                offset += jump
                log.warning("the clock was set", by_seconds=round(jump.total_seconds(), 1))
                self._engine.clock_was_set(jump, now=now)
            due = self._engine.next_deadline(now)
            if due is not None and due <= now:
                await self._follow(self._engine.handle(TimePassed(), now=now), tasks)
            elif self._unwritten or jump:
                await self._follow([], tasks)

    async def _until_due(self) -> None:
        """Sleep until the next deadline, a second at most, or until there is an earlier one."""
        now = self._clock.now()
        self._awaited = self._engine.next_deadline(now)
        wait_seconds = 1.0
        if self._awaited is not None:
            wait_seconds = min(1.0, max(0.0, (self._awaited - now).total_seconds()))
        self._sooner.clear()
        sleep = asyncio.ensure_future(self._clock.sleep_until(self._clock.monotonic() + wait_seconds))
        sooner = asyncio.ensure_future(self._sooner.wait())
        try:
            await asyncio.wait({sleep, sooner}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            sooner.cancel()

    async def _follow(self, outputs: Sequence[Output], tasks: asyncio.TaskGroup) -> None:
        """Write down what must not be forgotten, then tell and perform what the engine wants."""
        due = self._engine.next_deadline(self._clock.now())
        if due is not None and (self._awaited is None or due < self._awaited):
            self._sooner.set()
        effects = [output for output in outputs if isinstance(output, Perform)]
        self._performing.update((output.run_id, output.step) for output in effects)
        if effects:
            self.idle.clear()
        if effects or self._unwritten or self._engine.has_urgent_changes():
            await self._write()
        for output in outputs:
            self._bus.publish(RoutineOutput(output=output))
            if isinstance(output, Verdict) and output.verdict == "mode_dropped":
                self._log_dropped(output)
        for output in effects:
            tasks.create_task(self._perform(output, tasks), name=f"effect of {output.routine}")

    def _log_dropped(self, verdict: Verdict) -> None:
        """Log a run that was dropped as loudly as its routine says."""
        routine = self._engine.roster.own.get(verdict.routine)
        level = "warning" if routine is None else routine.max_exceeded
        if level != "silent":
            log.log(_LEVELS[level], "a run was dropped", routine=verdict.routine, why=verdict.reason)

    async def _perform(self, perform: Perform, tasks: asyncio.TaskGroup) -> None:
        outcome = await self._performer.perform(perform.effect)
        if not outcome.ok:
            log.warning("an effect failed", routine=perform.routine, why=outcome.error)
        self._performing.discard((perform.run_id, perform.step))
        outputs = self._engine.complete(perform.run_id, perform.step, outcome, now=self._clock.now())
        self._tell_question(perform)
        await self._follow(outputs, tasks)
        if not self._performing:
            self.idle.set()

    def _tell_question(self, perform: Perform) -> None:
        """Tell when what was just said is to be answered."""
        match perform.effect:
            case Say(text=text, room=room):
                if self._engine.hearing.awaits_answer(text, perform.run_id, self._clock.now()):
                    self._bus.publish(AnswerAwaited(room=room))

    def _take_rows(self) -> list[Row]:
        """Return what has to be written: what could not be written before, and what has changed since."""
        for row in self._engine.changes():
            self._unwritten[row.kind, row.key] = row
        return list(self._unwritten.values())

    async def _write(self) -> None:
        rows = self._take_rows()
        self._unwritten = {}
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._memory.write, rows)
        except sqlite3.Error as error:
            for row in rows:
                self._unwritten.setdefault((row.kind, row.key), row)
            self._tell_memory(f"the database cannot be written ({error})", "Free some space on its disk")
            return
        if not self._remembers:
            self._remembers = True
            why = "the database can be written again"
            self._bus.publish(LinkChanged(link=self.name, up=True, why=why, hint=""))

    def _tell_memory(self, why: str, hint: str) -> None:
        """Say once that a restart would forget what runs."""
        if self._remembers:
            self._remembers = False
            log.error("a restart would forget what runs now", why=why)
            why = f"{why}, so a restart would forget what runs now"
            self._bus.publish(LinkChanged(link=self.name, up=False, why=why, hint=hint))


def _write_last(memory: EngineMemory, rows: Sequence[Row]) -> None:
    """Write what is left and let go of the database, when the service ends."""
    try:
        memory.write(rows)
    except sqlite3.Error as error:
        log.error("the last changes could not be written", why=str(error))
    finally:
        memory.close()
