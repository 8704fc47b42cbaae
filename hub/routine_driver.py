"""Feed facts to the routine engine, perform what it asks for, and tell it how that went."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import assert_never

import structlog

from hub.bus import Bus, Overflow, Subscription
from hub.clock import Clock
from hub.events import Observed, RoutineOutput
from hub.interpreter import fact_from_device, facts_from_message, facts_from_observation
from hub.performer import Performer
from routines.engine import Engine
from routines.facts import Fact, TimePassed
from routines.outputs import Output, Perform
from routines.ports import DeviceChanged, MessageReceived

_FACTS_ROOM = 1024
"""Facts that may wait; losing one is a fault, so a full queue fails the service."""

Arrival = Observed | DeviceChanged | MessageReceived

log = structlog.get_logger("routines")


class RoutineDriver:
    """The service that owns the engine: one fact at a time, effects side by side.

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
    """

    name = "routines"
    needs: frozenset[str] = frozenset()

    def __init__(self, *, engine: Engine, performer: Performer, bus: Bus, clock: Clock) -> None:
        self._engine = engine
        self._performer = performer
        self._bus = bus
        self._clock = clock
        self._performing: set[str] = set()
        self.idle = asyncio.Event()
        self.idle.set()

    async def run(self, ready: Callable[[], None]) -> None:
        """Drive the engine until cancelled."""
        arrivals: Subscription[Arrival] = self._bus.subscribe(
            Observed,
            DeviceChanged,
            MessageReceived,
            room=_FACTS_ROOM,
            overflow=Overflow.FAIL,
            name="routine driver",
        )
        with arrivals:
            async with asyncio.TaskGroup() as tasks:
                ready()
                tasks.create_task(self._keep_time(tasks), name="routine deadlines")
                async for arrival in arrivals:
                    for fact in self._facts(arrival):
                        self._take(self._engine.handle(fact, now=self._clock.now()), tasks)

    def _facts(self, arrival: Arrival) -> Iterable[Fact]:
        match arrival:
            case Observed():
                return facts_from_observation(arrival)
            case DeviceChanged():
                return (fact_from_device(arrival, self._engine.home),)
            case MessageReceived():
                return facts_from_message(arrival)
            case _:
                assert_never(arrival)

    async def _keep_time(self, tasks: asyncio.TaskGroup) -> None:
        """Tell the engine whenever something falls due, and at least once a second.

        A second bounds how late a deadline is seen that a fact has just created.
        """
        while True:
            now = self._clock.now()
            due = self._engine.next_deadline(now)
            wait_seconds = 1.0 if due is None else min(1.0, max(0.0, (due - now).total_seconds()))
            await self._clock.sleep_until(self._clock.monotonic() + wait_seconds)
            now = self._clock.now()
            if due is not None and due <= now:
                self._take(self._engine.handle(TimePassed(), now=now), tasks)

    def _take(self, outputs: Iterable[Output], tasks: asyncio.TaskGroup) -> None:
        for output in outputs:
            self._bus.publish(RoutineOutput(output=output))
            if isinstance(output, Perform):
                self._performing.add(output.run_id)
                self.idle.clear()
                tasks.create_task(self._perform(output, tasks), name=f"effect of {output.routine}")

    async def _perform(self, perform: Perform, tasks: asyncio.TaskGroup) -> None:
        outcome = await self._performer.perform(perform.effect)
        if not outcome.ok:
            log.warning("an effect failed", routine=perform.routine, why=outcome.error)
        self._performing.discard(perform.run_id)
        self._take(self._engine.complete(perform.run_id, outcome, now=self._clock.now()), tasks)
        if not self._performing:
            self.idle.set()
