"""Lists of what to play: M3U, M3U8 and PLS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

from hub.errors import BadInput
from hub.playback.sound_source import Track

ENDINGS = (".m3u", ".m3u8", ".pls")
MOST_TRACKS = 10_000
_PLS_LINE = re.compile(r"(File|Title)(\d+)=(.*)", re.IGNORECASE)
_LOGIN = re.compile(r"(https?://)[^/?#]*@", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)


def is_address(source: str) -> bool:
    """Return whether a source is an address of HTTP, and no path."""
    return _ADDRESS.match(source) is not None


def shown_address(source: str) -> str:
    """Return an address without the name and password in it, for people and logs; a path as it is."""
    return _LOGIN.sub(r"\1", source)


def is_playlist(source: str) -> bool:
    """Return whether a path or an address is that of a playlist, by its ending."""
    name = source.partition("?")[0] if is_address(source) else source
    return name.lower().endswith(ENDINGS)


def decoded_playlist(content: bytes) -> str:
    """Return the text of a playlist: UTF-8, or Latin-1 as the older ones are."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def parse_playlist(text: str, place: str) -> list[Track]:
    """Return the tracks of a playlist.

    Parameters
    ----------
    place : str
        Its own path or address; names in it start from there.

    Raises
    ------
    BadInput
        Nothing is in it, too much, or pieces of one stream (HLS).
    """
    name = shown_address(place)
    if "#EXT-X-" in text:
        raise BadInput(f"{name}: is an HLS stream, which is not played; take the radio's MP3 or Ogg stream")
    entries = _pls(text) if "[playlist]" in text[:200].lower() else _m3u(text)
    tracks = [Track(source=_from(place, source), title=title) for source, title in entries]
    if not tracks:
        raise BadInput(f"{name}: no track is in this playlist")
    if len(tracks) > MOST_TRACKS:
        raise BadInput(f"{name}: has {len(tracks)} tracks; at most {MOST_TRACKS} are played")
    return tracks


def _m3u(text: str) -> Iterator[tuple[str, str | None]]:
    title = None
    for line in map(str.strip, text.splitlines()):
        if line.startswith("#EXTINF:"):
            title = line.partition(",")[2].strip() or None
        elif line and not line.startswith("#"):
            yield line, title
            title = None


def _pls(text: str) -> Iterator[tuple[str, str | None]]:
    sources: dict[int, str] = {}
    titles: dict[int, str] = {}
    for line in text.splitlines():
        if found := _PLS_LINE.fullmatch(line.strip()):
            kept = sources if found[1].lower() == "file" else titles
            kept[int(found[2])] = found[3].strip()
    for number in sorted(sources):
        yield sources[number], titles.get(number) or None


def _from(place: str, source: str) -> str:
    if is_address(source):
        return source
    if is_address(place):
        return urljoin(place, source)
    return str(Path(place).parent / source.replace("\\", "/"))
