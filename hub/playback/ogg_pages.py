"""The little of Ogg that libsndfile leaves to others: chains of streams, and an end that has not come yet.

RFC 3533 describes the pages. A radio sends one logical stream for each title, one behind the other.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

MAGIC = b"OggS"
_HEADER = struct.Struct("<4sBBqIIIB")
"""Magic, version, flags, granule position, serial, sequence, checksum, segments."""
_FIRST, _LAST = 2, 4
_FAR_AWAY = 1 << 62
_BITS_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def links(chunks: Iterable[bytes]) -> Iterator[Iterator[bytes]]:
    """Yield each logical stream of a chain as its pages; take one up before asking for the next.

    What is no page is left out, so a stream that is joined in its middle begins with its next title.
    """
    for _, numbered in groupby(_numbered(chunks), key=itemgetter(0)):
        yield (page for _, _, page in numbered)


def link_starts(chunks: Iterable[bytes]) -> list[int]:
    """Return at which bytes the logical streams of a chain begin."""
    starts: dict[int, int] = {}
    for number, place, _ in _numbered(chunks):
        starts.setdefault(number, place)
    return list(starts.values())


def end_page(first_page: bytes) -> bytes:
    """Return a last page for the stream that ``first_page`` begins, an age away.

    libsndfile looks for the last page when it opens a file, to tell its length.
    """
    serial = struct.unpack_from("<I", first_page, 14)[0]
    page = _HEADER.pack(MAGIC, 0, _LAST, _FAR_AWAY, serial, 0, 0, 1) + b"\0"
    return page[:22] + struct.pack("<I", _checksum(page)) + page[26:]


def _numbered(chunks: Iterable[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Yield pages, each behind the number of its link and its place in bytes."""
    number, was_first = 0, True
    for place, page in _pages(chunks):
        is_first = bool(page[5] & _FIRST)
        if is_first and not was_first:  # several first pages in a row are one group of streams
            number += 1
        was_first = is_first
        yield number, place, page


def _pages(chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield pages, each behind its place in bytes."""
    waiting, place = bytearray(), 0
    for chunk in chunks:
        waiting += chunk
        while True:
            start = waiting.find(MAGIC)
            left_out = start if start >= 0 else max(0, len(waiting) - len(MAGIC) + 1)
            del waiting[:left_out]
            place += left_out
            length = _page_length(waiting)
            if length is None or length > len(waiting):
                break
            yield place, bytes(waiting[:length])
            del waiting[:length]
            place += length


def _page_length(page: bytearray) -> int | None:
    """Return the bytes of the page that begins here, None while they are not known."""
    if len(page) < _HEADER.size or len(page) < _HEADER.size + page[26]:
        return None
    return _HEADER.size + page[26] + sum(page[_HEADER.size : _HEADER.size + page[26]])


def _checksum(page: bytes) -> int:
    """Return Ogg's checksum: the polynomial of zlib, with the bits the other way round and no complement."""
    mirrored = zlib.crc32(page.translate(_BITS_REVERSED), 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return int(f"{mirrored:032b}"[::-1], 2)
