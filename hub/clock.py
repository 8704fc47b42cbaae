"""Where the hub gets its time from; tests and fast simulations bring their own."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading
import time
from datetime import datetime, tzinfo
from typing import Protocol


class Clock(Protocol):
    """Wall time for routines, monotonic time for waiting."""

    def now(self) -> datetime:
        """Return the wall clock, timezone-aware."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""

    async def sleep_until(self, monotonic: float) -> None:
        """Sleep until ``monotonic()`` has reached an instant; a past instant only yields."""


class SystemClock:
    """The machine's clocks."""

    def __init__(self, timezone: tzinfo) -> None:
        self._timezone = timezone

    def now(self) -> datetime:
        """Return the wall clock in the home's time zone."""
        return datetime.now(self._timezone)

    def monotonic(self) -> float:
        """Return seconds of the system's monotonic clock."""
        return time.monotonic()

    async def sleep_until(self, monotonic: float) -> None:
        """Sleep until an instant of ``monotonic()``."""
        await asyncio.sleep(max(0.0, monotonic - time.monotonic()))


class VirtualClock:
    """A clock that moves only when told to; may be advanced from any thread.

    Parameters
    ----------
    start : datetime
        Wall time at ``monotonic() == 0``; timezone-aware.
    """

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("the start of a virtual clock must have a time zone")
        self._start = start
        self._seconds = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the virtual wall clock."""
        # Through UTC: adding to a local time would ignore a change to or from summer time.
        utc = self._start.timestamp() + self.monotonic()
        return datetime.fromtimestamp(utc, self._start.tzinfo)

    def monotonic(self) -> float:
        """Return virtual seconds since the start."""
        with self._lock:
            return self._seconds

    async def sleep_until(self, monotonic: float) -> None:
        """Sleep until somebody has advanced the clock to an instant."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._lock:
            is_due = monotonic <= self._seconds
            if not is_due:
                heapq.heappush(self._sleepers, (monotonic, next(self._order), future))
        if is_due:
            await asyncio.sleep(0)
        else:
            await future

    def set(self, now: datetime) -> None:
        """Set the wall clock, as a person or a time server does; ``monotonic`` goes on as it was."""
        self._start += now - self.now()

    def advance(self, seconds: float) -> None:
        """Move time forward and wake whoever is due, the earliest first."""
        if seconds < 0:
            raise ValueError(f"time cannot go back by {-seconds} s")
        due: list[asyncio.Future[None]] = []
        with self._lock:
            self._seconds += seconds
            while self._sleepers and self._sleepers[0][0] <= self._seconds:
                due.append(heapq.heappop(self._sleepers)[2])
        for future in due:
            loop = future.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(_wake, future)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
