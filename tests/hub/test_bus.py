import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from hub.bus import Bus, Overflow, QueueOverflowed
from hub.clock import VirtualClock


@dataclass(frozen=True)
class Tick:
    number: int


@dataclass(frozen=True)
class Tock(Tick):
    pass


def new_bus() -> Bus:
    return Bus(VirtualClock(datetime(2026, 1, 1, tzinfo=UTC)))


async def test_only_events_of_exactly_the_class_arrive_in_order() -> None:
    bus = new_bus()
    with bus.subscribe(Tick, room=10, overflow=Overflow.FAIL, name="reader") as ticks:
        for event in (Tick(1), Tock(2), Tick(3)):
            bus.publish(event)
        ticks.close()
        assert [event async for event in ticks] == [Tick(1), Tick(3)]


async def test_events_from_a_thread_all_arrive() -> None:
    bus = new_bus()
    with bus.subscribe(Tick, room=1000, overflow=Overflow.FAIL, name="reader") as ticks:

        def produce() -> None:
            for number in range(500):
                bus.publish_from_thread(Tick(number))

        await asyncio.to_thread(produce)
        assert [(await anext(ticks)).number for _ in range(500)] == list(range(500))


async def test_dropping_the_oldest_keeps_the_newest_and_counts() -> None:
    bus = new_bus()
    with bus.subscribe(Tick, room=2, overflow=Overflow.DROP_OLDEST, name="feed") as ticks:
        for number in range(5):
            bus.publish(Tick(number))
        (seen,) = bus.statistics()
        assert (seen.name, seen.used, seen.peak, seen.dropped) == ("feed", 2, 2, 3)
        assert [await anext(ticks), await anext(ticks)] == [Tick(3), Tick(4)]
    assert bus.statistics() == []


async def test_keeping_the_latest_replaces_only_events_of_the_same_class() -> None:
    bus = new_bus()
    with bus.subscribe(Tick, Tock, room=5, overflow=Overflow.KEEP_LATEST, name="meter") as ticks:
        for event in (Tick(1), Tock(2), Tick(3)):
            bus.publish(event)
        assert [await anext(ticks), await anext(ticks)] == [Tock(2), Tick(3)]


async def test_a_reader_that_may_not_lose_events_fails_and_its_sibling_does_not() -> None:
    bus = new_bus()
    strict = bus.subscribe(Tick, room=1, overflow=Overflow.FAIL, name="strict")
    sibling = bus.subscribe(Tick, room=5, overflow=Overflow.FAIL, name="sibling")
    bus.publish(Tick(1))
    bus.publish(Tick(2))
    assert await anext(strict) == Tick(1)
    with pytest.raises(QueueOverflowed, match="strict"):
        await anext(strict)
    assert [await anext(sibling), await anext(sibling)] == [Tick(1), Tick(2)]


async def test_sending_waits_until_there_is_room() -> None:
    bus = new_bus()
    with bus.subscribe(Tick, room=1, overflow=Overflow.FAIL, name="reader") as ticks:
        await bus.send(Tick(1))
        second = asyncio.create_task(bus.send(Tick(2)))
        await asyncio.sleep(0)
        assert not second.done()
        assert await anext(ticks) == Tick(1)
        await asyncio.wait_for(second, 1.0)
        assert await anext(ticks) == Tick(2)
