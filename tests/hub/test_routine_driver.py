"""The service that owns the engine: start, memory, clock, edits."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hub.bus import Bus, Overflow
from hub.clock import VirtualClock
from hub.errors import Degraded
from hub.events import FactTaken, Observed, RoutineOutput, RoutinesChanged
from hub.routine_driver import RoutineDriver
from hub.store.engine_memory import EngineMemory
from routines.effects import Effect, Outcome, Say
from routines.engine import Engine
from routines.facts import HeardFact
from routines.load import load_routines
from routines.memory import Row
from routines.outputs import Verdict
from routines.ports import DeviceChanged, LinkChanged, MessageReceived
from routines.routine import Routine
from sensing.observations import TranscriptDone

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
DELAYED = """
version: 1
routines:
  - id: a
    triggers: [{trigger: mqtt, topic: go}]
    actions: [{say: first}, {delay: 600}, {say: second}]
"""
LAMP = """
version: 1
routines:
  - id: lamp
    triggers: [{trigger: state, entity_id: light.a, to: "on"}]
    actions: [{say: it is on}]
"""


def routines(text: str) -> list[Routine]:
    found, problems = load_routines(text, "test.yaml")
    assert problems == []
    return found


class Hub:
    """A driver on a real database, in virtual time."""

    def __init__(self, path: Path, text: str, clock: VirtualClock, waits_for: frozenset[str]) -> None:
        self.clock = clock
        self.bus = Bus(clock)
        self.said: list[str] = []
        self.driver = RoutineDriver(
            engine=Engine(routines(text), timezone=ZoneInfo("UTC")),
            performer=self,  # type: ignore[arg-type]
            memory=EngineMemory(path),
            bus=self.bus,
            clock=clock,
            waits_for=waits_for,
        )
        self.outputs = self.bus.subscribe(
            RoutineOutput, room=1_000, overflow=Overflow.FAIL, name="outputs of the test"
        )
        self.links = self.bus.subscribe(
            LinkChanged, room=100, overflow=Overflow.FAIL, name="links of the test"
        )

    async def perform(self, effect: Effect) -> Outcome:
        assert isinstance(effect, Say)
        self.said.append(effect.text)
        return Outcome()

    async def settle(self) -> None:
        """Let everything that is due happen, the database's thread too."""
        for _ in range(20):
            await asyncio.sleep(0.002)

    async def advance(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            self.clock.advance(1)
            await asyncio.sleep(0)
        await self.settle()

    async def message(self, topic: str) -> None:
        await self.bus.send(MessageReceived(topic=topic, payload="", retained=False))
        await self.settle()


@asynccontextmanager
async def running(
    path: Path, text: str, *, at: datetime = NOON, waits_for: frozenset[str] = frozenset()
) -> AsyncIterator[Hub]:
    hub = Hub(path, text, VirtualClock(at), waits_for)
    ready = asyncio.Event()
    task = asyncio.create_task(hub.driver.run(ready.set))
    await asyncio.wait_for(ready.wait(), 5)
    await hub.settle()
    try:
        yield hub
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_a_delay_goes_on_in_the_next_life_with_what_is_left_of_it(tmp_path: Path) -> None:
    path = tmp_path / "hub.sqlite3"
    async with running(path, DELAYED) as hub:
        await hub.message("go")
        await hub.advance(240)
        assert hub.said == ["first"]
    async with running(path, DELAYED, at=NOON + timedelta(seconds=300)) as hub:
        await hub.advance(295)
        assert hub.said == []
        await hub.advance(10)
        assert hub.said == ["second"]


async def test_what_fires_waits_until_the_links_have_told_the_states_of_the_home(tmp_path: Path) -> None:
    links = frozenset({"home_assistant"})
    async with running(tmp_path / "hub.sqlite3", LAMP, waits_for=links) as hub:
        for state in ("off", "on"):
            await hub.bus.send(DeviceChanged(entity_id="light.a", state=state, attributes={}))
        await hub.settle()
        assert hub.said == []
        await hub.bus.send(LinkChanged(link="home_assistant", up=True, why="", hint=""))
        for state in ("off", "on"):
            await hub.bus.send(DeviceChanged(entity_id="light.a", state=state, attributes={}))
        await hub.settle()
        assert hub.said == ["it is on"]


async def test_a_link_that_never_comes_holds_the_routines_up_for_half_a_minute_only(tmp_path: Path) -> None:
    links = frozenset({"home_assistant"})
    async with running(tmp_path / "hub.sqlite3", DELAYED, waits_for=links) as hub:
        await hub.message("go")
        assert hub.said == []
        await hub.advance(31)
        assert hub.said == ["first"]


async def test_a_second_hub_on_the_same_database_goes_on_without_it_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "hub.sqlite3"
    async with running(path, DELAYED), running(path, DELAYED) as second:
        told = await anext(second.links)
        assert (told.link, told.up) == ("routines", False)
        assert "another hub" in told.why
        await second.message("go")
        assert second.said == ["first"]


async def test_a_full_disk_stops_nothing_and_what_was_not_written_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "hub.sqlite3"
    async with running(path, DELAYED) as hub:
        write = EngineMemory.write

        def fail(_memory: EngineMemory, _rows: list[Row]) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(EngineMemory, "write", fail)
        await hub.message("go")
        assert hub.said == ["first"]
        assert not (await anext(hub.links)).up
        monkeypatch.setattr(EngineMemory, "write", write)
        await hub.advance(3)
        assert (await anext(hub.links)).up
    async with running(path, DELAYED, at=NOON + timedelta(seconds=700)) as hub:
        assert hub.said == ["second"]


async def test_a_clock_that_is_set_does_not_change_how_long_a_delay_lasts(tmp_path: Path) -> None:
    async with running(tmp_path / "hub.sqlite3", DELAYED) as hub:
        await hub.message("go")
        await hub.advance(100)
        hub.clock.set(hub.clock.now() + timedelta(hours=3))
        await hub.advance(490)
        assert hub.said == ["first"]
        await hub.advance(20)
        assert hub.said == ["first", "second"]


async def test_editing_one_routine_leaves_the_run_of_another_alone(tmp_path: Path) -> None:
    async with running(tmp_path / "hub.sqlite3", DELAYED) as hub:
        await hub.message("go")
        hub.bus.publish(RoutinesChanged(routines=(*routines(DELAYED), *routines(LAMP))))
        await hub.advance(605)
        assert hub.said == ["first", "second"]


async def test_every_verdict_reaches_the_bus(tmp_path: Path) -> None:
    async with running(tmp_path / "hub.sqlite3", DELAYED) as hub:
        await hub.message("go")
        await hub.message("go")
        seen = []
        while len(seen) < 2:
            output = (await anext(hub.outputs)).output
            seen += [output.verdict] if isinstance(output, Verdict) else []
        assert seen == ["fired", "mode_dropped"]


def test_the_memory_is_one_owners_and_free_when_it_closes(tmp_path: Path) -> None:
    first, second = EngineMemory(tmp_path / "hub.sqlite3"), EngineMemory(tmp_path / "hub.sqlite3")
    row = Row(kind="enabled", key="a", content={"enabled": False})
    assert first.open() == []
    with pytest.raises(Degraded, match="another hub"):
        second.open()
    first.write([row])
    first.close()
    assert second.open() == [row]
    second.write([Row(kind="enabled", key="a", content=None)])
    assert second.open() == []
    second.close()


async def test_what_another_hub_answers_reaches_no_routine(tmp_path: Path) -> None:
    async def heeds(observed: Observed) -> bool:
        return observed.room != "elsewhere"

    clock = VirtualClock(NOON)
    bus = Bus(clock)
    driver = RoutineDriver(
        engine=Engine([], timezone=ZoneInfo("UTC")),
        performer=None,  # type: ignore[arg-type]
        memory=EngineMemory(tmp_path / "m.sqlite3"),
        bus=bus,
        clock=clock,
        heeds=heeds,
    )
    taken = bus.subscribe(FactTaken, room=10, overflow=Overflow.FAIL, name="facts of the test")
    up = asyncio.Event()
    task = asyncio.create_task(driver.run(up.set))
    try:
        await asyncio.wait_for(up.wait(), 10)
        for room in ("elsewhere", "here"):
            said = TranscriptDone(at=1.0, frame=0, text="hello", confidence=0.9, start=0.0, end=1.0)
            await bus.send(Observed(room=room, observation=said, at=NOON))
        first = await asyncio.wait_for(anext(taken), 10)
        assert first.fact == HeardFact(room="here", text="hello", confidence=0.9)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
