"""What plays next: tracks in order or shuffled, once or again and again."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hub.playback.sound_source import Track

Repeat = Literal["off", "all", "one"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A track and its place in the list, from 0."""

    number: int
    track: Track


class PlayQueue:
    """Hand out one track after another, to who decodes ahead of what is heard; safe from any thread.

    Parameters
    ----------
    lot : random.Random
        Shuffles.
    """

    def __init__(self, lot: random.Random) -> None:
        self._lot = lot
        self._lock = threading.Lock()
        self._shuffle = False
        self.repeat: Repeat = "off"
        self._tracks: list[Track] = []
        self._order: list[int] = []
        self._next = 0
        self._handed: int | None = None
        self._failed: set[int] = set()

    def __len__(self) -> int:
        return len(self._tracks)

    @property
    def shuffle(self) -> bool:
        """Whether the tracks come in a drawn order."""
        return self._shuffle

    @shuffle.setter
    def shuffle(self, is_on: bool) -> None:
        """Draw an order for what was not handed out yet, or go on in the order of the list."""
        with self._lock:
            self._shuffle = is_on
            if is_on:
                rest = self._order[self._next :]
                self._lot.shuffle(rest)
                self._order[self._next :] = rest
            else:
                self._order = list(range(len(self._tracks)))
                self._next = 0 if self._handed is None else self._handed + 1

    @property
    def tracks(self) -> tuple[Track, ...]:
        """All tracks, as the list names them."""
        return tuple(self._tracks)

    @property
    def order(self) -> tuple[int, ...]:
        """The numbers of the tracks as they come."""
        return tuple(self._order)

    @property
    def has_more(self) -> bool:
        """Whether something was added behind what was handed out last."""
        with self._lock:
            return any(number not in self._failed for number in self._order[self._next :])

    def restart(self) -> bool:
        """Begin with the first track again, and return whether there is any."""
        with self._lock:
            self._begin_again()
            self._handed = None
            self._failed.clear()
            return bool(self._order)

    def replace(self, tracks: Sequence[Track]) -> None:
        """Put other tracks in the place of all."""
        with self._lock:
            self._put(tracks)

    def recall(self, tracks: Sequence[Track], order: Sequence[int], *, shuffle: bool) -> None:
        """Put back what `tracks` and `order` were."""
        with self._lock:
            self._shuffle = shuffle
            self._put(tracks)
            self._order = list(order)

    def add(self, tracks: Sequence[Track]) -> None:
        """Put tracks behind the others."""
        with self._lock:
            new = list(range(len(self._tracks), len(self._tracks) + len(tracks)))
            if self._shuffle:
                self._lot.shuffle(new)
            self._tracks += tracks
            self._order += new

    def advance(self) -> Entry | None:
        """Return the next track, and None after the last; one that failed is left out."""
        with self._lock:
            if self.repeat == "one" and self._handed is not None and self._handed not in self._failed:
                return self._entry(self._handed)
            for _ in range(len(self._order) + 1):
                if self._next >= len(self._order):
                    if self.repeat != "all" or not self._order:
                        return None
                    self._begin_again()
                number = self._order[self._next]
                self._next += 1
                if number not in self._failed:
                    self._handed = number
                    return self._entry(number)
            return None

    def fail(self, number: int) -> None:
        """Leave a track out until the list is chosen anew."""
        with self._lock:
            self._failed.add(number)

    def step(self, playing: int, by: int) -> int | None:
        """Let the next one be ``by`` tracks after the one that plays, and return its number, or None.

        Before the first comes the first; behind the last comes the first where all repeats, else nothing.
        """
        with self._lock:
            place = max(0, self._order.index(playing) + by)
            if place >= len(self._order):
                if self.repeat != "all":
                    return None
                place = 0
            self._next, self._handed = place, None
            return self._order[place]

    def again(self, playing: int) -> None:
        """Let the next one be the one that plays, even if it failed further on."""
        with self._lock:
            self._failed.discard(playing)
            self._next, self._handed = self._order.index(playing), None

    def _put(self, tracks: Sequence[Track]) -> None:
        self._tracks = list(tracks)
        self._order = list(range(len(self._tracks)))
        self._next = 0
        self._handed = None
        self._failed = set()
        if self._shuffle:
            self._lot.shuffle(self._order)

    def _begin_again(self) -> None:
        self._next = 0
        if self._shuffle:
            self._lot.shuffle(self._order)

    def _entry(self, number: int) -> Entry:
        return Entry(number=number, track=self._tracks[number])
