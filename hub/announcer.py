"""Say to a room what somebody asks for: one announcement after the other, a chime before each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hub.bus import Bus
from hub.events import AnnouncementChanged, AnnouncementPhase
from hub.playback.chime import chime
from hub.playback.mixer import Mixer
from routines.effects import Effect, Outcome, Say

_MOST_WAITING = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What is to be said; ``volume`` is 0 to 100, None for as speech is."""

    id: str
    text: str
    volume: float | None = None
    has_chime: bool = True


class Announcer:
    """Announce what was asked for, in its order; music goes down meanwhile.

    Parameters
    ----------
    perform : callable
        Says something, and returns when it has been said.
    """

    name = "announcements"
    needs: frozenset[str] = frozenset()

    def __init__(
        self,
        *,
        perform: Callable[[Effect], Awaitable[Outcome]],
        mixer: Mixer,
        rate_hz: int,
        bus: Bus,
        room: str,
    ) -> None:
        self._perform = perform
        self._mixer = mixer
        self._bus = bus
        self._room = room
        self._chime = chime(rate_hz)
        self._waiting: asyncio.Queue[Announcement] = asyncio.Queue(_MOST_WAITING)

    async def run(self, ready: Callable[[], None]) -> None:
        """Announce until cancelled."""
        ready()
        while True:
            announcement = await self._waiting.get()
            self._tell(announcement, "playing")
            if announcement.has_chime:
                await self._ring(announcement.volume)
            outcome = await self._perform(
                Say(text=announcement.text, room=self._room, volume=announcement.volume)
            )
            if outcome.ok:
                self._tell(announcement, "done")
            else:
                self._tell(announcement, "failed", outcome.error or "it could not be said")

    def announce(self, announcement: Announcement) -> None:
        """Let something be said when what waits already has been."""
        if self._waiting.full():
            self._tell(announcement, "failed", f"{_MOST_WAITING} announcements wait already; ask again later")
        else:
            self._waiting.put_nowait(announcement)
            self._tell(announcement, "queued")

    async def _ring(self, volume: float | None) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def on_end() -> None:
            loop.call_soon_threadsafe(ended.set)

        self._mixer.play(self._chime, volume=1.0 if volume is None else volume / 100, on_end=on_end)
        await ended.wait()

    def _tell(self, announcement: Announcement, phase: AnnouncementPhase, why: str = "") -> None:
        self._bus.publish(AnnouncementChanged(room=self._room, id=announcement.id, phase=phase, why=why))
