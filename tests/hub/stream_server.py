"""A server of sounds on loopback, which misbehaves as tests wish."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class StreamServer:
    """Serve on a thread of its own while entered; each path has its answer."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self._answers = answers
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.requests: list[web.BaseRequest] = []
        self.address = ""

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(20)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)
        self._loop.close()

    async def _start(self) -> None:
        application = web.Application()
        for path, answer in self._answers.items():
            application.router.add_get(path, self._noting(answer))
        self._runner = web.AppRunner(application, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.address = f"http://127.0.0.1:{port}"

    async def _end(self) -> None:
        await self._runner.cleanup()
        stalled = asyncio.all_tasks() - {asyncio.current_task()}
        for task in stalled:
            task.cancel()
        await asyncio.gather(*stalled, return_exceptions=True)

    def _noting(self, answer: Answer) -> Answer:
        async def noted(request: web.Request) -> web.StreamResponse:
            self.requests.append(request)
            return await answer(request)

        return noted


def whole(content: bytes, content_type: str = "audio/mpeg") -> Answer:
    """Return an answer with everything at once."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=content, content_type=content_type)

    return answer


def told(status: int, text: str = "", content_type: str = "text/html", **headers: str) -> Answer:
    """Return an answer of words."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=text, content_type=content_type, headers=headers)

    return answer


def cut(content: bytes, *, after: int, content_type: str = "audio/flac", can_resume: bool = True) -> Answer:
    """Return answers that break off after so many bytes each, with or without the rest on request."""

    async def answer(request: web.Request) -> web.StreamResponse:
        first = int(request.headers.get("Range", "bytes=0-")[6:-1]) if can_resume else 0
        headers = {"ETag": '"1"', **({"Accept-Ranges": "bytes"} if can_resume else {})}
        response = web.StreamResponse(status=206 if first else 200, headers=headers)
        response.content_type = content_type
        response.content_length = len(content) - first
        await response.prepare(request)
        await response.write(content[first : first + after])
        if first + after < len(content) and request.transport is not None:
            await asyncio.sleep(0.2)  # what comes together with the cut is lost to the client
            request.transport.close()
        return response

    return answer


def slow(content: bytes, *, step: int, content_type: str = "audio/mpeg") -> Answer:
    """Return an answer in small pieces, each sent by itself."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_type = content_type
        await response.prepare(request)
        for at in range(0, len(content), step):
            await response.write(content[at : at + step])
            await asyncio.sleep(0)
        return response

    return answer


def stalled(content: bytes, content_type: str = "audio/mpeg", **headers: str) -> Answer:
    """Return an answer that begins and then waits for ever."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers)
        response.content_type = content_type
        await response.prepare(request)
        await response.write(content)
        await asyncio.Event().wait()
        return response

    return answer


def radio(pieces: list[tuple[str, bytes]], *, interval: int, content_type: str = "audio/mpeg") -> Answer:
    """Return an answer of SHOUTcast: titles between the bytes, and an end that only a broken radio has."""

    async def answer(request: web.Request) -> web.StreamResponse:
        asks = request.headers.get("Icy-MetaData") == "1"
        headers = {"icy-name": "Test FM", **({"icy-metaint": str(interval)} if asks else {})}
        response = web.StreamResponse(headers=headers)
        response.content_type = content_type
        await response.prepare(request)
        body, said = bytearray(), ""
        for title, content in pieces:
            for at in range(0, len(content) - interval + 1, interval):
                body += content[at : at + interval]
                words = f"StreamTitle='{title}';".encode() if title != said else b""
                said = title
                units = -(-len(words) // 16)
                body += bytes([units]) + words.ljust(16 * units, b"\0")
        await response.write(bytes(body))
        return response

    return answer
