"""Let Snapcast players hear what this hub plays."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from integrations.snapcast.player import CLIENT_NAME
from integrations.snapcast.wire import (
    Kind,
    Message,
    Misunderstood,
    PcmFormat,
    chunk_content,
    codec_content,
    json_content,
    player_of,
    read_message,
    time_content,
    wave_header,
    written,
)
from routines.ports import LinkChanged, Outbox

log = structlog.get_logger("snapcast")

_MOST_PLAYERS = 16
_CHUNKS_WAITING = 100
_RETRY_SECONDS = 10.0
_HELLO_SECONDS = 5.0
_END_SECONDS = 1.0
_HUB = re.compile(r"[a-z0-9_-]{1,100}")


@dataclass(eq=False, slots=True)
class _Player:
    writer: asyncio.StreamWriter
    hub: str | None = None
    waiting: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(_CHUNKS_WAITING))
    dropped: int = 0


class SnapcastServer:
    """A server for Snapcast players, snapclient among them: one stream of PCM, time stamps, the time.

    A player that is slower than its music loses the oldest chunks that wait for it; the others hear nothing
    of it. Volumes, groups and other streams are left to a Snapcast server of one's own.

    Parameters
    ----------
    host : str
        Address to listen on; ``127.0.0.1`` for this machine only. There is no login.
    port : int
        0 takes a free one, see `port`.
    buffer_seconds : float
        From a chunk's time stamp until players let it be heard.
    now : callable
        The clock of the time stamps, in seconds.
    """

    name = "snapcast_server"
    needs: frozenset[str] = frozenset()

    def __init__(
        self,
        *,
        host: str,
        port: int,
        form: PcmFormat,
        buffer_seconds: float,
        outbox: Outbox,
        now: Callable[[], float],
    ) -> None:
        self._host = host
        self.port = port
        """Where it listens."""
        self._form = form
        self._buffer_ms = round(buffer_seconds * 1000)
        self._outbox = outbox
        self._now = now
        self._players: set[_Player] = set()
        self._talks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until cancelled; a port that is taken is told as `LinkChanged` and tried again."""
        while True:
            try:
                server = await asyncio.start_server(self._serve, self._host, self.port)
            except OSError as error:
                why = f"cannot listen on {self._host}:{self.port} ({error.strerror or error})"
                hint = "End what listens there, or set another port"
                await self._outbox.send(LinkChanged(link=self.name, up=False, why=why, hint=hint))
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                break
        self.port = server.sockets[0].getsockname()[1]
        self._loop = asyncio.get_running_loop()
        try:
            ready()
            await self._outbox.send(LinkChanged(link=self.name, up=True, why="", hint=""))
            # Not serve_forever: from Python 3.12 on its end waits until every client has hung up.
            await asyncio.get_running_loop().create_future()
        finally:
            self._loop = None
            server.close()
            # Not cancelled: Python 3.11's streams log a talk that is as an error.
            for writer in self._talks.values():
                writer.transport.abort()
            if self._talks:
                await asyncio.wait(self._talks, timeout=_END_SECONDS)

    @property
    def players(self) -> int:
        """How many listen."""
        return len(self._players)

    @property
    def hubs(self) -> tuple[str, ...]:
        """The names of the hubs among those who listen."""
        return tuple(sorted({one.hub for one in self._players if one.hub is not None}))

    def offer(self, at_seconds: float, sound: bytes) -> None:
        """Send sound to all players; for the event loop's thread.

        Parameters
        ----------
        at_seconds : float
            Time stamp of the first frame by ``now``; it is heard ``buffer_seconds`` later.
        sound : bytes
            In the server's format.
        """
        message = Message(
            kind=Kind.WIRE_CHUNK,
            sent_us=self._now_us(),
            content=chunk_content(round(at_seconds * 1e6), sound),
        )
        content = written(message)
        for player in self._players:
            if player.waiting.full():
                player.waiting.get_nowait()
                player.dropped += 1
                if player.dropped == 1:
                    log.warning("a player is slower than its music", player=_name(player.writer))
            player.waiting.put_nowait(content)

    def offer_from_thread(self, at_seconds: float, sound: bytes) -> None:
        """Send sound to all players, from any other thread; nothing while the server does not run."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has closed since
                self._loop.call_soon_threadsafe(self.offer, at_seconds, sound)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk to one player until it or we hang up; what goes wrong ends this talk only."""
        task = asyncio.current_task()
        assert task is not None  # streams run this as a task
        self._talks[task] = writer
        player = _Player(writer)
        try:
            if len(self._talks) > _MOST_PLAYERS:
                raise Misunderstood(f"{_MOST_PLAYERS} players are connected already")
            player.hub = await self._greet(reader, writer)
            self._players.add(player)
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(_send_all(player))
                await self._answer_all(reader, writer)
                sending.cancel()
        except* Misunderstood as faults:
            log.warning("hung up on a player", player=_name(writer), why=str(faults.exceptions[0]))
        except* (OSError, TimeoutError) as errors:
            log.info("a player is gone", player=_name(writer), why=str(errors.exceptions[0]))
        finally:
            self._players.discard(player)
            del self._talks[task]
            writer.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str | None:
        """Tell a player what it needs, and return its name if it is a hub."""
        async with asyncio.timeout(_HELLO_SECONDS):
            hello = await read_message(reader)
        if hello is None or hello.kind != Kind.HELLO:
            raise Misunderstood("a player that does not say hello")
        settings = json_content({"bufferMs": self._buffer_ms, "latency": 0, "muted": False, "volume": 100})
        header = codec_content("pcm", wave_header(self._form))
        for kind, content in ((Kind.SERVER_SETTINGS, settings), (Kind.CODEC_HEADER, header)):
            answer = Message(kind=kind, refers_to=hello.number, sent_us=self._now_us(), content=content)
            writer.write(written(answer))
        await writer.drain()
        program, player = player_of(hello)
        return player if program == CLIENT_NAME and _HUB.fullmatch(player) else None

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (message := await read_message(reader)) is not None:
            if message.kind == Kind.TIME:
                now_us = self._now_us()
                answer = Message(
                    kind=Kind.TIME,
                    refers_to=message.number,
                    sent_us=now_us,
                    content=time_content(now_us - message.sent_us),
                )
                writer.write(written(answer))

    def _now_us(self) -> int:
        return round(self._now() * 1e6)


async def _send_all(player: _Player) -> None:
    while True:
        player.writer.write(await player.waiting.get())
        await player.writer.drain()


def _name(writer: asyncio.StreamWriter) -> str:
    return str(writer.get_extra_info("peername"))
