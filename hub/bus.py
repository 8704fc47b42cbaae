"""Typed events from producers to bounded queues: a slow reader harms only itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from types import TracebackType
from typing import Generic, Self, TypeVar

import structlog

from hub.clock import Clock

E = TypeVar("E")

_DROP_REPORT_SECONDS = 60.0
"""At most one log line a minute about a reader that loses events."""

log = structlog.get_logger("bus")


class Overflow(Enum):
    """What happens to a subscription whose queue is full."""

    KEEP_LATEST = auto()
    """A newer event replaces a waiting one of its class: meters, partial transcripts."""
    DROP_OLDEST = auto()
    """The oldest event goes; counted, and logged once a minute."""
    FAIL = auto()
    """Losing an event is a fault: the reader gets ``QueueOverflowed`` and the supervisor restarts it."""


class QueueOverflowed(Exception):
    """A reader that must not lose events was too slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionStatistics:
    """How full a queue is (``used``), has been (``peak``), and how many events it lost."""

    name: str
    used: int
    peak: int
    dropped: int


class Subscription(Generic[E]):
    """An asynchronous iterator over the events of some classes; close it, or use ``with``."""

    def __init__(
        self, bus: Bus, types: tuple[type[E], ...], *, room: int, overflow: Overflow, name: str
    ) -> None:
        if room < 1:
            raise ValueError(f"subscription {name!r}: room must be at least 1, not {room}")
        self.name = name
        self.types = types
        self._bus = bus
        self._room = room
        self._overflow = overflow
        self._queue: deque[E] = deque()
        self._arrived = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._closed = False
        self._failed = False
        self._peak = 0
        self._dropped = 0
        self._reported_at: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> E:
        while not self._queue:
            if self._failed:
                raise QueueOverflowed(f"{self.name} fell more than {self._room} events behind")
            if self._closed:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        event = self._queue.popleft()
        self._has_room.set()
        return event

    def close(self) -> None:
        """Stop receiving; a reader gets what is waiting, then the end."""
        self._closed = True
        self._bus.forget(self)
        self._arrived.set()
        self._has_room.set()

    @property
    def statistics(self) -> SubscriptionStatistics:
        """How full the queue is and has been."""
        return SubscriptionStatistics(
            name=self.name, used=len(self._queue), peak=self._peak, dropped=self._dropped
        )

    def put(self, event: E, now_seconds: float) -> None:
        """Take an event, making room by the subscription's rule (called by the bus)."""
        if self._closed or self._failed:
            return
        if self._overflow is Overflow.KEEP_LATEST:
            self._replace(event)
        if len(self._queue) >= self._room:
            self._dropped += 1
            if self._overflow is Overflow.FAIL:
                self._failed = True
                self._has_room.set()
                self._arrived.set()
                log.error("a reader must not lose events but did", reader=self.name, room=self._room)
                return
            self._queue.popleft()
            self._report_drops(now_seconds)
        self._queue.append(event)
        self._peak = max(self._peak, len(self._queue))
        if len(self._queue) >= self._room:
            self._has_room.clear()
        self._arrived.set()

    async def room_for_one(self) -> None:
        """Wait until an event fits, if this reader may not lose any."""
        while (
            self._overflow is Overflow.FAIL
            and len(self._queue) >= self._room
            and not (self._closed or self._failed)
        ):
            await self._has_room.wait()

    def _replace(self, event: E) -> None:
        """Take out a waiting event of the same class."""
        for waiting in self._queue:
            if type(waiting) is type(event):
                self._queue.remove(waiting)
                return

    def _report_drops(self, now_seconds: float) -> None:
        if self._overflow is not Overflow.DROP_OLDEST:
            return
        if self._reported_at is None or now_seconds - self._reported_at >= _DROP_REPORT_SECONDS:
            self._reported_at = now_seconds
            log.warning("a slow reader loses events", reader=self.name, dropped=self._dropped)


class Bus:
    """Hands each event to the subscriptions of exactly its class.

    Create it inside the event loop that its readers run in.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._by_type: dict[type, list[Subscription[object]]] = {}

    def publish(self, event: object) -> None:
        """Hand out an event without waiting; for the loop's thread."""
        now_seconds = self._clock.monotonic()
        for subscription in tuple(self._by_type.get(type(event), ())):
            subscription.put(event, now_seconds)

    def publish_from_thread(self, event: object) -> None:
        """Hand out an event from any other thread; events after the loop's end are lost."""
        # The loop can close between a question and the call, so the call itself is asked.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.publish, event)

    async def send(self, event: object) -> None:
        """Hand out an event, waiting for readers that may not lose any.

        For producers that can slow down. Readers that chose to lose events hold nobody up.
        """
        for subscription in tuple(self._by_type.get(type(event), ())):
            await subscription.room_for_one()
            if subscription in self._by_type.get(type(event), ()):
                subscription.put(event, self._clock.monotonic())

    def subscribe(self, *types: type[E], room: int, overflow: Overflow, name: str) -> Subscription[E]:
        """Return a subscription to events of exactly these classes."""
        subscription: Subscription[E] = Subscription(self, types, room=room, overflow=overflow, name=name)
        for event_type in types:
            # The dict's key guarantees the element type, which the type system cannot express.
            self._by_type.setdefault(event_type, []).append(subscription)  # type: ignore[arg-type]
        return subscription

    def forget(self, subscription: Subscription[E]) -> None:
        """Take a subscription off the bus (called by its ``close``)."""
        for event_type in subscription.types:
            readers = self._by_type.get(event_type, [])
            self._by_type[event_type] = [reader for reader in readers if reader is not subscription]

    def statistics(self) -> list[SubscriptionStatistics]:
        """Return the state of every queue, by name."""
        unique = {id(reader): reader for readers in self._by_type.values() for reader in readers}
        return sorted((reader.statistics for reader in unique.values()), key=lambda one: one.name)
