"""Serve the house's wake word and recogniser to Home Assistant Assist and other Wyoming clients."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import structlog
from wyoming.error import Error
from wyoming.event import Event, async_write_event

from integrations.wyoming.conversation import Conversation
from integrations.wyoming.ears import Ears
from integrations.wyoming.wire import MOST_LINE_BYTES, Misunderstood, read_event
from routines.ports import LinkChanged, Outbox

log = structlog.get_logger("wyoming")

_MOST_CLIENTS = 16
_FAREWELL_SECONDS = 1.0
_RETRY_SECONDS = 10.0


class HearingServer:
    """A TCP server whose clients speak Wyoming.

    Each client waits until its last event is worked on before the next is read, so its queue is the socket:
    who sends faster than we hear is slowed down, and holds up nobody else on the event loop. The work is done
    by two threads, one for wake words and one for speech.

    Parameters
    ----------
    host : str
        Address to listen on; ``127.0.0.1`` for this machine only. There is no login in the protocol.
    port : int
        0 takes a free one, see `port`.
    ears : Ears
        Does the work.
    outbox : Outbox
        Receives `LinkChanged`.
    """

    name = "hearing_server"
    needs: frozenset[str] = frozenset()

    def __init__(self, *, host: str, port: int, ears: Ears, outbox: Outbox) -> None:
        self._host = host
        self.port = port
        """Where it listens."""
        self._ears = ears
        self._outbox = outbox
        self._clients: set[asyncio.Task[None]] = set()

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until cancelled; a port that is taken is told as `LinkChanged` and tried again."""
        while True:
            try:
                server = await asyncio.start_server(self._serve, self._host, self.port, limit=MOST_LINE_BYTES)
            except OSError as error:
                why = f"cannot listen on {self._host}:{self.port} ({error.strerror or error})"
                hint = "End what listens there, or set another wyoming.port in hub.yaml"
                await self._outbox.send(LinkChanged(link=self.name, up=False, why=why, hint=hint))
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                break
        self.port = server.sockets[0].getsockname()[1]
        self._wake_thread = ThreadPoolExecutor(1, thread_name_prefix="wyoming-wake")
        self._speech_thread = ThreadPoolExecutor(1, thread_name_prefix="wyoming-speech")
        try:
            ready()
            await self._outbox.send(LinkChanged(link=self.name, up=True, why="", hint=""))
            # Not serve_forever: from Python 3.12 on its end waits until every client has hung up.
            await asyncio.get_running_loop().create_future()
        finally:
            server.close()
            for task in self._clients:
                task.cancel()
            for thread in (self._wake_thread, self._speech_thread):
                thread.shutdown(wait=False, cancel_futures=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk to one client until it or we hang up; what goes wrong ends this conversation only."""
        task = asyncio.current_task()
        assert task is not None  # streams run this as a task
        self._clients.add(task)
        client = str(writer.get_extra_info("peername"))
        try:
            if len(self._clients) > _MOST_CLIENTS:
                raise Misunderstood(f"{_MOST_CLIENTS} clients are connected already")
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            await self._talk(reader, writer)
        except Misunderstood as fault:
            log.warning("hung up on a client", client=client, why=str(fault))
            await _farewell(writer, str(fault))
        except OSError as error:
            log.info("a client is gone", client=client, why=str(error))
        finally:
            self._clients.discard(task)
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = Conversation(
            self._ears, wake_thread=self._wake_thread, speech_thread=self._speech_thread
        )
        while (event := await read_event(reader)) is not None:
            answer: Event | None = await conversation.answer(event)
            if answer is not None:
                await async_write_event(answer, writer)


async def _farewell(writer: asyncio.StreamWriter, why: str) -> None:
    """Tell a client why, if it still listens."""
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(_FAREWELL_SECONDS):
            await async_write_event(Error(text=why).event(), writer)
