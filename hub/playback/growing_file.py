"""A stream of bytes with the face of a file, for libsndfile, which wants to seek."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from hub.errors import BadInput
from hub.playback import ogg_pages
from hub.playback.mpeg_frames import LENGTH_HEADERS, tag_bytes

_FAR_AWAY_BYTES = 1 << 40
"""Where the end is told to be that has not come yet: a terabyte is two years of music."""
_TAIL_BYTES = 1 << 16
"""Looked for at the end by some formats: a tag, or the last page."""
_KEPT_BYTES = 1 << 17
"""Formats go back by a frame or a page while they play."""
_MOST_JUMP_BYTES = 1 << 20
"""Over a part of a header."""
_MOST_HEADER_BYTES = 1 << 25
"""Pictures in tags may be large; more than 32 MiB before the first sound is no music."""


class GrowingFile:
    """What has come so far, read forward, with a short memory; its end is a promise.

    Parameters
    ----------
    chunks : iterator of bytes
        May wait, and may raise `BadInput`.
    length : int or None
        Bytes in all, where that is known.
    chunks_from : callable or None
        Returns the chunks from any byte on; with it any place is read, and the end of all but MP3 is the
        true one.

    Attributes
    ----------
    failure : BadInput or None
        What the stream broke off with: nothing may be raised through libsndfile.
    has_ended : bool
        Whether all bytes have come.
    """

    def __init__(
        self,
        chunks: Iterator[bytes],
        length: int | None = None,
        *,
        chunks_from: Callable[[int], Iterator[bytes]] | None = None,
    ) -> None:
        self._chunks = chunks
        self._chunks_from = chunks_from
        self._window = bytearray()
        self._start = 0
        self._at = 0
        self._keeps_all = True
        self.failure: BadInput | None = None
        self.has_ended = False
        self._end = self._promise(length)

    def peek(self, count: int) -> bytes:
        """Return the first bytes, which are still there before `settle`."""
        self._fetch(count)
        return bytes(self._window[:count])

    def settle(self) -> None:
        """Forget what has been read, now that the sound is open and goes forward."""
        self._keeps_all = False

    def tell(self) -> int:
        """Return the place in bytes."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, which is looked at with the next read."""
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._end}[whence]
        return self._at

    def readinto(self, buffer: memoryview) -> int:
        """Fill a buffer as far as there are bytes; 0 at the end and after a failure."""
        content = self._tail(len(buffer)) if self._is_in_tail else self._read(len(buffer))
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)

    @property
    def _is_in_tail(self) -> bool:
        if self._chunks_from is not None and self._end < _FAR_AWAY_BYTES:
            return False
        return self._at >= self._end - _TAIL_BYTES and self._at > self._start + len(self._window)

    def _tail(self, count: int) -> bytes:
        """Return what stands at the promised end: nothing that means anything, or the last page."""
        head = bytes(self._window[:64])
        page = ogg_pages.end_page(head) if head.startswith(ogg_pages.MAGIC) else b""
        tail = page.rjust(_TAIL_BYTES, b"\0")
        place = self._at - (self._end - _TAIL_BYTES)
        return tail[place : place + count]

    def _read(self, count: int) -> bytes:
        jump = self._at - self._start - len(self._window)
        if self._at >= self._end:
            return b""
        if self._chunks_from is not None and (self._at < self._start or jump > _MOST_JUMP_BYTES):
            self._chunks, self._window, self._start = self._chunks_from(self._at), bytearray(), self._at
            self.has_ended = False
        elif jump > _MOST_JUMP_BYTES and self._window[:3] != b"ID3":  # WAV looks for more behind its samples
            return b""
        self._fetch(self._at + count)
        begin = self._at - self._start
        content = bytes(self._window[begin : begin + count]) if begin >= 0 else b""
        if not self._keeps_all:
            spent = begin + len(content) - _KEPT_BYTES
            if spent > 0:
                del self._window[:spent]
                self._start += spent
        return content

    def _fetch(self, until: int) -> None:
        """Wait for the bytes before a place, as far as they come."""
        while self.failure is None and self._start + len(self._window) < until:
            if self._keeps_all and len(self._window) > _MOST_HEADER_BYTES:
                return
            try:
                chunk = next(self._chunks, None)
            except BadInput as failure:
                self.failure = failure
                return
            if chunk is None:
                self.has_ended = True
                return
            self._window += chunk

    def _promise(self, length: int | None) -> int:
        """Return the length to tell.

        libsndfile stops an MP3 after what it guesses from the length, and guesses wrong where the speed
        varies, unless a header tells the frames. So the true length is told with such a header only.
        """
        if length is None:
            return _FAR_AWAY_BYTES
        head = self.peek(16)
        if head.startswith(ogg_pages.MAGIC):
            return _FAR_AWAY_BYTES if self._chunks_from is None else length
        if head[:3] != b"ID3" and head[:1] != b"\xff":
            return length
        before = tag_bytes(head)
        first = self.peek(before + 2048)[before:]
        return length if any(header in first for header in LENGTH_HEADERS) else _FAR_AWAY_BYTES
