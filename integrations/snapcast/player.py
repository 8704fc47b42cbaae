"""Be a player of a Snapcast server."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

import structlog

from integrations.snapcast.wire import (
    Kind,
    Message,
    Misunderstood,
    PlayerSettings,
    chunk_of,
    codec_of,
    error_of,
    json_content,
    read_message,
    settings_of,
    time_content,
    time_of,
    written,
)
from routines.ports import LinkChanged, Outbox

log = structlog.get_logger("snapcast")

DEFAULT_PORT = 1704
CLIENT_NAME = "Roomwise"
"""By which a hub that serves knows that another hub listens."""
_CONNECT_SECONDS = 5.0
_SILENCE_SECONDS = 10.0
_MOST_ASKED = 64
_FIRST_RETRY_SECONDS, _LAST_RETRY_SECONDS = 1.0, 30.0


class StreamListener(Protocol):
    """Who plays what a server sends; called on the event loop's thread."""

    @property
    def exchange_interval_seconds(self) -> float:
        """When to ask for the time again."""

    def stream_begins(self, codec: str, header: bytes) -> None:
        """Take the codec of what follows; raises `Misunderstood` where it cannot be played."""

    def settings_changed(self, settings: PlayerSettings) -> None:
        """Take buffer, latency and volume."""

    def chunk_came(self, at_seconds: float, sound: bytes) -> None:
        """Take encoded sound and the server's time stamp of its first frame."""

    def time_told(self, *, asked: float, received: float, replied: float, answered: float) -> None:
        """Take the four stamps of an exchange, in seconds of our clock, the server's twice, and ours."""

    def stream_ended(self) -> None:
        """Forget the server and its clock: it is gone."""


class SnapcastPlayer:
    """Stay connected to one server and hand its stream to a listener.

    Parameters
    ----------
    player_id : str
        By which the server knows this player again.
    now : callable
        Our clock in seconds; the same by which the sound card reports.
    """

    name = "snapcast_player"
    needs: frozenset[str] = frozenset()

    def __init__(
        self,
        *,
        host: str,
        port: int,
        player_id: str,
        listener: StreamListener,
        outbox: Outbox,
        now: Callable[[], float],
    ) -> None:
        self._host, self._port = host, port
        self._player_id = player_id
        self._listener = listener
        self._outbox = outbox
        self._now = now
        self._told: LinkChanged | None = None
        self._retry_seconds = _FIRST_RETRY_SECONDS
        self._asked_us: dict[int, int] = {}

    async def run(self, ready: Callable[[], None]) -> None:
        """Play until cancelled; a missing server is told as `LinkChanged` and tried again."""
        ready()
        while True:
            hint = f"Start Snapcast on {self._host}:{self._port}, or correct its address"
            try:
                await self._play()
                why = "the server hung up"
            except TimeoutError:
                why = "the server does not answer"
            except OSError as error:
                why = error.strerror or str(error)
            except Misunderstood as fault:
                why = str(fault)
                hint = f"See that {self._host}:{self._port} is the Snapcast server that you mean"
            await self._tell(up=False, why=why, hint=hint)
            await asyncio.sleep(self._retry_seconds)
            self._retry_seconds = min(2 * self._retry_seconds, _LAST_RETRY_SECONDS)

    async def _play(self) -> None:
        async with asyncio.timeout(_CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(written(self._message(Kind.HELLO, json_content(self._hello()))))
            asking = asyncio.ensure_future(self._ask_for_time(writer))
            try:
                await self._read_all(reader)
            finally:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
        finally:
            writer.close()
            self._listener.stream_ended()

    async def _read_all(self, reader: asyncio.StreamReader) -> None:
        while True:
            async with asyncio.timeout(_SILENCE_SECONDS):  # at the least, time is told
                message = await read_message(reader)
            if message is None:
                return
            self._take(message, self._now())
            if self._told is None or not self._told.up:
                self._retry_seconds = _FIRST_RETRY_SECONDS
                await self._tell(up=True, why="", hint="")

    def _take(self, message: Message, now: float) -> None:
        match message.kind:
            case Kind.TIME:
                # the server tells how long our question took by the difference of the clocks
                asked_us = self._asked_us.pop(message.refers_to, None)
                if asked_us is not None:
                    self._listener.time_told(
                        asked=asked_us / 1e6,
                        received=(asked_us + time_of(message)) / 1e6,
                        replied=message.sent_us / 1e6,
                        answered=now,
                    )
            case Kind.WIRE_CHUNK:
                at_us, sound = chunk_of(message)
                self._listener.chunk_came(at_us / 1e6, sound)
            case Kind.CODEC_HEADER:
                self._listener.stream_begins(*codec_of(message))
            case Kind.SERVER_SETTINGS:
                self._listener.settings_changed(settings_of(message))
            case Kind.ERROR:
                raise Misunderstood(f"the server refused: {error_of(message)}")
            case _:
                log.debug("a message of an unknown kind", kind=message.kind)

    async def _ask_for_time(self, writer: asyncio.StreamWriter) -> None:
        self._asked_us.clear()
        number = 0
        while True:
            number = number % 65_535 + 1
            question = self._message(Kind.TIME, time_content(0), number)
            if len(self._asked_us) >= _MOST_ASKED:  # a server that does not answer
                self._asked_us.clear()
            self._asked_us[number] = question.sent_us
            writer.write(written(question))
            await writer.drain()
            await asyncio.sleep(self._listener.exchange_interval_seconds)

    def _message(self, kind: Kind, content: bytes, number: int = 0) -> Message:
        return Message(kind=kind, number=number, sent_us=round(self._now() * 1e6), content=content)

    def _hello(self) -> dict[str, str | int | bool]:
        return {
            "Arch": platform.machine(),
            "ClientName": CLIENT_NAME,
            "HostName": platform.node(),
            "ID": self._player_id,
            "Instance": 1,
            "MAC": "00:00:00:00:00:00",
            "OS": platform.system(),
            "SnapStreamProtocolVersion": 2,
            "Version": "0.26.0",
        }

    async def _tell(self, *, up: bool, why: str, hint: str) -> None:
        """Say whether the server is there, once for each change."""
        told = LinkChanged(link=self.name, up=up, why=why, hint=hint)
        if told != self._told:
            self._told = told
            await self._outbox.send(told)


def followed_server(address: str) -> tuple[str, int]:
    """Return host and port of ``kitchen-hub.local`` or ``kitchen-hub.local:1705``.

    Raises
    ------
    ValueError
        It is not of this form.
    """
    try:
        parts = urlsplit(f"//{address}")
        host, port = parts.hostname, DEFAULT_PORT if parts.port is None else parts.port
    except ValueError:  # a port that is none, half an IPv6 address
        host, port = None, 0
    if not host or not port or set(address) & set("@/?# "):
        raise ValueError(f"{address!r} is not an address; write kitchen-hub.local or music.local:1705")
    return host, port
