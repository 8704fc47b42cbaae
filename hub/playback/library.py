"""Where music is found: a folder of files and playlists, and addresses of HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from hub.errors import BadInput
from hub.playback.disk_sound import open_file
from hub.playback.http_body import PlaylistAnswered
from hub.playback.http_fetch import HttpFetch
from hub.playback.http_stream import HttpStream
from hub.playback.playlist import (
    ENDINGS,
    MOST_TRACKS,
    decoded_playlist,
    is_address,
    is_playlist,
    parse_playlist,
    shown_address,
)
from hub.playback.sound_source import SoundSource, Track

_SOUND_ENDINGS = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".w64", ".caf")


class Library:
    """Find and open what is asked for. Its methods wait for disks and servers.

    Parameters
    ----------
    folder : Path
        Where names start from.
    is_confined : bool
        Whether nothing outside the folder may be opened: so it must be where anybody in the house may ask.
    fetch : callable
        Makes the fetch of an address.
    """

    def __init__(
        self, folder: Path, *, is_confined: bool = True, fetch: Callable[[str], HttpFetch] = HttpFetch
    ) -> None:
        self._folder = folder
        self._is_confined = is_confined
        self._fetch = fetch

    def playlists(self) -> list[str]:
        """Return the names of the playlists and of the folders that music is in."""
        if not self._folder.is_dir():
            return []
        return sorted(
            one.name
            for one in self._folder.iterdir()
            if (one.suffix.lower() in ENDINGS and one.is_file()) or (one.is_dir() and any(_sounds_in(one)))
        )

    def tracks(self, source: str) -> list[Track]:
        """Return what a file, a folder, a playlist or an address stands for.

        Raises
        ------
        BadInput
            There is no such thing, or nothing in it.
        """
        if is_address(source):
            return self._fetched_playlist(source) if is_playlist(source) else [Track(source=source)]
        try:
            return self._found(source)
        except OSError as error:
            raise BadInput(f"{source}: cannot be read ({error.strerror})") from error

    def open(self, track: Track) -> SoundSource:
        """Return the open sound of a track.

        Raises
        ------
        BadInput
            It is missing, damaged, of a foreign format, or its server does not answer.
        """
        if not is_address(track.source):
            return open_file(self._path(track.source))
        try:
            return self._stream(track.source)
        except PlaylistAnswered as answer:  # an address that does not look like one: most radios' links
            first, *_ = parse_playlist(answer.text, track.source)
            if not is_address(first.source):
                shown = shown_address(track.source)
                raise BadInput(f"{shown}: names a file, not an address") from answer
            return self._stream(first.source)

    def _found(self, source: str) -> list[Track]:
        path = self._path(source)
        if path.is_dir():
            sounds = sorted(islice(_sounds_in(path), MOST_TRACKS))
            if not sounds:
                raise BadInput(f"{source}: no sound file is in this folder")
            return [Track(source=str(sound)) for sound in sounds]
        if not path.is_file():
            raise BadInput(f"{source}: no such file, folder or playlist in {self._folder.resolve()}")
        if not is_playlist(source):
            return [Track(source=str(path))]
        return parse_playlist(decoded_playlist(path.read_bytes()), str(path))

    def _stream(self, address: str) -> HttpStream:
        stream = HttpStream(address, self._fetch(address))
        try:
            return stream.open()
        except BaseException:
            stream.close()
            raise

    def _fetched_playlist(self, address: str) -> list[Track]:
        with closing(self._fetch(address)) as fetch:
            try:
                fetch.open()
            except PlaylistAnswered as answer:
                return parse_playlist(answer.text, address)
        return [Track(source=address)]

    def _path(self, source: str) -> Path:
        if "\0" in source:
            raise BadInput("a name with a null byte is no name of a file")
        path = (self._folder / source).resolve()
        if self._is_confined and not path.is_relative_to(self._folder.resolve()):
            raise BadInput(f"{source}: is outside the folder of the music ({self._folder}); put it in there")
        return path


def _sounds_in(folder: Path) -> Iterator[Path]:
    return (one for one in folder.rglob("*") if one.suffix.lower() in _SOUND_ENDINGS and one.is_file())
