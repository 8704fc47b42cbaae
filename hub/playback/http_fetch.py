"""Fetch from an address for as long as it takes: what breaks off is asked for again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import structlog

from hub.errors import BadInput
from hub.playback.http_body import HttpBody, NotPlayable
from hub.playback.playlist import shown_address
from hub.playback.sound_source import Tags

STALL_SECONDS = 10.0
MOST_TRIES = 8
"""In a row without a byte: about a minute and a half."""
_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 30.0

log = structlog.get_logger("stream")


class HttpFetch:
    """The bytes at an address, over as many connections as it takes.

    A file goes on where it broke off, if the server can; a radio with what it sends then.

    Parameters
    ----------
    stall_seconds : float
        How long nothing may come.
    wait : callable or None
        Waits for so many seconds, and returns whether it was cancelled; None for the real clock.
    """

    def __init__(
        self,
        address: str,
        *,
        stall_seconds: float = STALL_SECONDS,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        self._address = address
        self._shown = shown_address(address)
        self._stall_seconds = stall_seconds
        self._cancelled = threading.Event()
        self._wait = wait or self._cancelled.wait
        self._body: HttpBody | None = None
        self._version: str | None = None
        self._bytes = 0
        self._tries = 0

    def open(self) -> None:
        """Connect; what fails now is not tried again.

        Raises
        ------
        BadInput
            Nobody answers, or not with a sound; a playlist is a `PlaylistAnswered`.
        """
        self._connect()

    @property
    def length(self) -> int | None:
        """Bytes in all, where the server says so."""
        return None if self._body is None else self._body.length

    @property
    def is_radio(self) -> bool:
        """Whether it never ends."""
        return self._body is not None and self._body.is_radio

    @property
    def is_cancelled(self) -> bool:
        """Whether nobody wants it any more."""
        return self._cancelled.is_set()

    @property
    def tags(self) -> Tags:
        """What the server says that it plays."""
        return Tags() if self._body is None else self._body.tags

    def stretches(self) -> Iterator[Iterator[bytes]]:
        """Yield what belongs together: a whole file, or what a radio sent over one connection.

        Raises
        ------
        BadInput
            It broke off and did not come back.
        """
        yield self._chunks()
        while self.is_radio:
            self._reconnect(BadInput(f"{self._shown}: the radio ended"))
            yield self._chunks()

    @property
    def can_seek(self) -> bool:
        """Whether the bytes from any place on can be had."""
        return self._body is not None and self._body.can_resume and self._body.length is not None

    def chunks_from(self, first_byte: int) -> Iterator[bytes]:
        """Yield the bytes of a file from one of them on; ends what was yielded before.

        Raises
        ------
        BadInput
            They do not come.
        """
        self._bytes = first_byte
        try:
            self._connect()
        except NotPlayable:
            raise
        except BadInput as failure:
            self._reconnect(failure)
        yield from self._chunks()

    def cancel(self) -> None:
        """Let what waits give up; safe from any thread."""
        self._cancelled.set()
        body = self._body
        if body is not None:
            body.cancel()

    def close(self) -> None:
        """End the connection."""
        body, self._body = self._body, None
        if body is not None:
            body.close()

    def _chunks(self) -> Iterator[bytes]:
        while True:
            try:
                chunk = self._read()
            except BadInput as failure:
                if self.is_radio and not self._cancelled.is_set():
                    log.info("a radio broke off", address=self._shown, why=str(failure))
                    return
                self._reconnect(failure)
                continue
            if not chunk:
                return
            self._tries = 0
            self._bytes += len(chunk)
            yield chunk

    def _read(self) -> bytes:
        assert self._body is not None
        chunk = self._body.read()
        length = self._body.length
        if not chunk and length is not None and self._bytes < length:
            raise BadInput(f"{self._shown}: broke off after {self._bytes} of {length} bytes")
        return chunk

    def _reconnect(self, why: BadInput) -> None:
        """Ask for the rest, or what a radio sends now, again and again.

        Raises
        ------
        BadInput
            The server cannot send the rest, says no, or is not there for too long.
        """
        if not self.is_radio and (self._body is None or not self._body.can_resume):
            raise why
        while True:
            if self._tries >= MOST_TRIES:
                raise BadInput(f"{why}; it did not come back in {MOST_TRIES} tries")
            waiting = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2**self._tries)
            self._tries += 1
            if self._wait(waiting) or self._cancelled.is_set():
                raise why
            try:
                self._connect()
            except NotPlayable:
                raise
            except BadInput as failure:
                why = failure
            else:
                return

    def _connect(self) -> None:
        """Connect for the rest of a file, or for a radio; the connection before stays if it fails."""
        resumes = self._body is not None and not self.is_radio
        body = HttpBody(self._address, shown=self._shown, stall_seconds=self._stall_seconds)
        before, self._body = self._body, body
        try:
            version = body.open(self._bytes if resumes else 0, version=self._version)
        except BaseException:
            self._body = before
            body.close()
            raise
        self._version = version
        if before is not None:
            before.close()
