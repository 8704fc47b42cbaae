"""What falls due when: a heap from which keys can be taken out again."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime, timedelta

Key = tuple[str, ...]


class Deadlines:
    """One instant for each key; the earliest first, and of two at once the one that was set first."""

    def __init__(self) -> None:
        self._instants: dict[Key, tuple[datetime, int]] = {}
        self._heap: list[tuple[datetime, int, Key]] = []
        self._count = 0

    def set(self, key: Key, at: datetime) -> None:
        """Set or move the deadline of a key."""
        self._count += 1
        self._instants[key] = (at, self._count)
        heapq.heappush(self._heap, (at, self._count, key))

    def cancel(self, key: Key) -> None:
        """Forget the deadline of a key; there may be none."""
        self._instants.pop(key, None)

    def get(self, key: Key) -> datetime | None:
        """Return the deadline of a key."""
        found = self._instants.get(key)
        return None if found is None else found[0]

    def keys(self) -> list[Key]:
        """Return all keys that have a deadline."""
        return list(self._instants)

    def next(self) -> datetime | None:
        """Return the earliest deadline."""
        while self._heap and self._instants.get(self._heap[0][2]) != self._heap[0][:2]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def due(self, now: datetime) -> Iterator[tuple[Key, datetime]]:
        """Take out and yield what is due, as long as there is any; more may be set meanwhile."""
        while (at := self.next()) is not None and at <= now:
            key = heapq.heappop(self._heap)[2]
            del self._instants[key]
            yield key, at

    def shift(self, by: timedelta, kinds: frozenset[str]) -> None:
        """Move the deadlines whose key begins with one of ``kinds``."""
        for key, (at, _) in list(self._instants.items()):
            if key[0] in kinds:
                self.set(key, at + by)
