"""Music as a part of the house: it is remembered, and it is low while somebody speaks to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from hub.bus import Bus, Overflow, Subscription
from hub.clock import Clock
from hub.errors import BadInput
from hub.events import Observed, PlayerChanged, TrackFailed
from hub.music_memory import MusicMemory
from hub.playback.library import Library
from hub.playback.mixer import Mixer
from hub.playback.player import Player
from hub.playback.player_state import PlayerState
from hub.playback.volume import save_volume, saved_volume
from sensing.observations import AttentionChanged, TranscriptDone, WakeWordHeard

log = structlog.get_logger("music")


class Music:
    """The player of the room, on the event loop.

    Parameters
    ----------
    volume : float
        0 to 100, where none is remembered.
    path : Path
        Where the volume is remembered; beside it, in ``player.json``, what played.

    Attributes
    ----------
    player : Player
        What people ask for music; looking for sources is for `play` and `add` here.
    """

    name = "music"
    needs: frozenset[str] = frozenset()

    def __init__(
        self,
        *,
        mixer: Mixer,
        rate_hz: int,
        library: Library,
        bus: Bus,
        room: str,
        volume: float,
        path: Path,
        fade_seconds: float,
        clock: Clock,
    ) -> None:
        self._mixer = mixer
        self._library = library
        self._bus = bus
        self._room = room
        self._path = path
        self._first_volume = volume
        self._loop = asyncio.get_running_loop()
        self.player = Player(
            mixer=mixer,
            rate_hz=rate_hz,
            open_source=library.open,
            post=self._post,
            on_change=self._tell,
            on_failure=self._tell_failure,
            fade_seconds=fade_seconds,
        )
        self._memory = MusicMemory(path.with_name("player.json"), self.player, clock)

    @property
    def state(self) -> PlayerState:
        """What plays now."""
        return self.player.state

    async def run(self, ready: Callable[[], None]) -> None:
        """Put in force what is remembered, then listen for the wake word until cancelled."""
        volume = await asyncio.to_thread(saved_volume, self._path, otherwise=self._first_volume)
        self.player.set_volume(volume)
        await self._memory.recall()
        heard: Subscription[Observed] = self._bus.subscribe(
            Observed, room=256, overflow=Overflow.DROP_OLDEST, name="ducking"
        )
        try:
            with heard:
                ready()
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._memory.run())
                    tasks.create_task(self._duck(heard))
        finally:
            await self._memory.save()
            self.player.stop()
            await asyncio.to_thread(self.player.close)
            self._mixer.listen(False)

    async def play(self, source: str, *, is_added: bool = False) -> None:
        """Play a file, a folder, a playlist or an address, or add it behind what plays.

        Raises
        ------
        BadInput
            There is no such thing; what is found later is told as an event.
        """
        try:
            tracks = await asyncio.to_thread(self._library.tracks, source)
        except BadInput as error:
            self.player.tell_failure(source, str(error))
            raise
        (self.player.add if is_added else self.player.play)(source, tracks)

    def seek(self, seconds: float) -> None:
        """Go on from a place in the track that plays; what cannot be is told as an event, too.

        Raises
        ------
        BadInput
            There is no such place.
        """
        try:
            self.player.seek(seconds)
        except BadInput as error:
            self.player.tell_failure(self.state.source or "", str(error))
            raise

    async def set_volume(self, percent: float) -> None:
        """Turn the music to 0 to 100, and remember it."""
        self.player.set_volume(percent)
        try:
            await asyncio.to_thread(save_volume, self._path, percent)
        except OSError as error:
            log.error("the volume is not remembered", path=str(self._path), why=str(error))

    def playlists(self) -> list[str]:
        """Return the names of the playlists and folders there are."""
        return self._library.playlists()

    async def _duck(self, heard: Subscription[Observed]) -> None:
        async for event in heard:
            match event.observation:
                case WakeWordHeard() | AttentionChanged(tier="hearing"):
                    self._mixer.listen(True)
                case TranscriptDone() | AttentionChanged():
                    self._mixer.listen(False)
                case _:
                    pass

    def _post(self, act: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(act)

    def _tell_failure(self, source: str, why: str) -> None:
        log.warning("cannot be played", source=source, why=why)
        self._bus.publish(TrackFailed(room=self._room, source=source, why=why))

    def _tell(self) -> None:
        self._memory.note()
        self._bus.publish(PlayerChanged(room=self._room, state=self.player.state))
