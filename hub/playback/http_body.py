"""One answer of an HTTP server, read by a thread that may wait: an event loop of its own inside."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import aiohttp

from hub.errors import BadInput
from hub.playback import icy
from hub.playback.playlist import decoded_playlist, is_playlist
from hub.playback.sound_source import Tags

T = TypeVar("T")

_CONNECT_SECONDS = 10.0
_MOST_REDIRECTS = 5
_BUFFER_BYTES = 1 << 16
"""Of what has come and was not read; beyond it the server has to wait."""
_MOST_PLAYLIST_BYTES = 1 << 20
_NO_SOUND = ("text/", "image/", "application/json", "application/xml")
_PLAYLISTS = ("mpegurl", "scpls", "pls+xml", "xspf")
_AAC = ("audio/aac", "audio/aacp", "audio/mp4", "video/")


class NotPlayable(BadInput):
    """The server answered with something that trying again will not make a sound."""


class PlaylistAnswered(NotPlayable):
    """The address is that of a playlist; ``text`` holds it."""

    def __init__(self, address: str, text: str) -> None:
        super().__init__(f"{address}: is a playlist, not a sound")
        self.text = text


class HttpBody:
    """The bytes of one answer; all but `cancel` is for one thread, which must have no event loop.

    Parameters
    ----------
    shown : str
        The address as people may see it.
    stall_seconds : float
        How long nothing may come.

    Attributes
    ----------
    length : int or None
        Bytes in all, from the first byte of the resource, where the server says so.
    is_radio : bool
        It never ends, and goes on with what is sent then after a cut.
    can_resume : bool
        The server can send the rest after a cut.
    tags : Tags
        What the server says that it plays.
    """

    def __init__(self, address: str, *, shown: str, stall_seconds: float) -> None:
        self._address = address
        self._shown = shown
        self._stall_seconds = stall_seconds
        self._runner = asyncio.Runner()
        self._loop = self._runner.get_loop()
        self._task: asyncio.Task[object] | None = None
        self._is_cancelled = False
        self._session: aiohttp.ClientSession | None = None
        self._response: aiohttp.ClientResponse | None = None
        self._icy: icy.IcySplitter | None = None
        self.length: int | None = None
        self.is_radio = False
        self.can_resume = False
        self._station: str | None = None

    @property
    def tags(self) -> Tags:
        """What plays, or else the name of the station."""
        said = Tags() if self._icy is None else self._icy.tags
        return said if said.title else Tags(title=self._station)

    def open(self, first_byte: int = 0, *, version: str | None = None) -> str | None:
        """Ask for the resource from a byte on, and return what tells this version of it from others.

        Raises
        ------
        NotPlayable
            The server says no, or has something else than sound there.
        BadInput
            Nobody answers.
        """
        return self._run(lambda: self._open(first_byte, version), "cannot be reached")

    def read(self) -> bytes:
        """Return what has come, at least a byte; nothing at the end.

        Raises
        ------
        BadInput
            The connection broke, or nothing came.
        """
        return self._run(self._read, "broke off")

    def cancel(self) -> None:
        """Let what waits give up; safe from any thread."""
        self._is_cancelled = True
        with suppress(RuntimeError):  # closed in the meantime
            self._loop.call_soon_threadsafe(self._cancel_task)

    def close(self) -> None:
        """End the connection."""
        if self._session is not None:
            session, self._session = self._session, None
            self._runner.run(session.close())
        self._runner.close()

    def _cancel_task(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _run(self, work: Callable[[], Awaitable[T]], fault: str) -> T:
        try:
            return self._runner.run(self._guarded(work))
        except asyncio.CancelledError:
            raise BadInput(f"{self._shown}: was ended") from None
        except TimeoutError:
            raise BadInput(f"{self._shown}: nothing came for {self._stall_seconds:g} s") from None
        except aiohttp.InvalidURL:
            raise NotPlayable(f"{self._shown}: is no address; write http://host/path") from None
        except aiohttp.TooManyRedirects:
            raise NotPlayable(f"{self._shown}: redirects again and again") from None
        except (aiohttp.ClientError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise BadInput(f"{self._shown}: {fault} ({reason})") from error

    async def _guarded(self, work: Callable[[], Awaitable[T]]) -> T:
        if self._is_cancelled:
            raise asyncio.CancelledError
        self._task = asyncio.current_task()
        try:
            return await work()
        finally:
            self._task = None

    async def _open(self, first_byte: int, version: str | None) -> str | None:
        limits = aiohttp.ClientTimeout(
            total=None, sock_connect=min(_CONNECT_SECONDS, self._stall_seconds), sock_read=self._stall_seconds
        )
        self._session = aiohttp.ClientSession(
            timeout=limits, read_bufsize=_BUFFER_BYTES, auto_decompress=False
        )
        headers = {
            "Accept": "audio/*, application/ogg, */*;q=0.1",
            "Accept-Encoding": "identity",
            **icy.REQUEST,
        }
        if first_byte:
            headers |= {"Range": f"bytes={first_byte}-", **({"If-Range": version} if version else {})}
        async with asyncio.timeout(self._stall_seconds):
            self._response = await self._session.get(
                self._address, headers=headers, max_redirects=_MOST_REDIRECTS
            )
        await self._judge(self._response, first_byte)
        told = self._response.headers
        self._station = told.get("icy-name") or None
        self.is_radio = any(name.lower().startswith("icy-") for name in told)
        interval = told.get("icy-metaint", "")
        self._icy = icy.IcySplitter(int(interval)) if interval.isdecimal() and int(interval) else None
        size = self._response.content_length
        self.length = None if size is None or self.is_radio else first_byte + size
        self.can_resume = told.get("Accept-Ranges") == "bytes" or bool(first_byte)
        return told.get("ETag") or told.get("Last-Modified")

    async def _judge(self, response: aiohttp.ClientResponse, first_byte: int) -> None:
        """Refuse what is no sound, or not the part that was asked for."""
        if response.status >= 400:
            kind = NotPlayable if response.status < 500 else BadInput
            said = f"{response.status} {response.reason or ''}".rstrip()
            raise kind(f"{self._shown}: the server answers {said}")
        if first_byte and response.status != 206:
            raise NotPlayable(f"{self._shown}: the server cannot send a part of it")
        content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if any(word in content_type for word in _PLAYLISTS) or is_playlist(self._address):
            raise PlaylistAnswered(self._shown, await self._text(response))
        if content_type.startswith(_AAC):
            hint = "which is not played; take its MP3 or Ogg stream"
            raise NotPlayable(f"{self._shown}: is {content_type}, {hint}")
        if content_type.startswith(_NO_SOUND):
            raise NotPlayable(f"{self._shown}: the server answers with {content_type}, not with sound")

    async def _text(self, response: aiohttp.ClientResponse) -> str:
        """Return what a playlist holds."""
        content = b""
        async with asyncio.timeout(self._stall_seconds):
            while chunk := await response.content.readany():
                content += chunk
                if len(content) > _MOST_PLAYLIST_BYTES:
                    raise NotPlayable(f"{self._shown}: is too long for a playlist")
        return decoded_playlist(content)

    async def _read(self) -> bytes:
        assert self._response is not None
        sound = b""
        while not sound:
            async with asyncio.timeout(self._stall_seconds):
                chunk = await self._response.content.readany()
            if not chunk:
                return b""
            sound = chunk if self._icy is None else self._icy.process(chunk)
        return sound
