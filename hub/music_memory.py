"""The room's music is remembered: written when it changes, and now and then while it plays."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from hub.clock import Clock
from hub.playback.player import Player
from hub.playback.player_memory import save_player, saved_player

_LOOK_SECONDS = 10.0
"""Many changes within this time are written once."""
_PROGRESS_SECONDS = 60.0
"""So much of a track is heard again, at most, after a power cut."""

log = structlog.get_logger("music")


class MusicMemory:
    """Keep a player's list and place in a file.

    Parameters
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path, player: Player, clock: Clock) -> None:
        self._path = path
        self._player = player
        self._clock = clock
        self._has_news = False
        self._written_seconds = clock.monotonic()

    def note(self) -> None:
        """Take note that something has changed."""
        self._has_news = True

    async def recall(self) -> None:
        """Give the player what it had; it stays silent until somebody asks for music."""
        self._player.recall(await asyncio.to_thread(saved_player, self._path))
        self._has_news = False

    async def run(self) -> None:
        """Write what has changed until cancelled."""
        while True:
            await self._clock.sleep_until(self._clock.monotonic() + _LOOK_SECONDS)
            is_old = self._clock.monotonic() - self._written_seconds >= _PROGRESS_SECONDS
            if self._has_news or (is_old and self._player.state.state == "playing"):
                await self.save()

    async def save(self) -> None:
        """Write it now."""
        self._has_news = False
        self._written_seconds = self._clock.monotonic()
        try:
            await asyncio.to_thread(save_player, self._path, self._player.memory())
        except OSError as error:
            log.error("the music is not remembered", path=str(self._path), why=str(error))
