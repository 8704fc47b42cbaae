"""Decode sounds as they come, from files and from streams: the door to soundfile for what is played."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from hub.audio.sound_file import OneWayFile
from hub.errors import BadInput
from hub.playback import ogg_pages
from hub.playback.growing_file import GrowingFile
from hub.playback.mpeg_frames import LENGTH_HEADERS, first_frame, frame_bytes
from hub.playback.sound_source import Tags

FORMATS = "WAV, FLAC, Ogg and MP3"
_MOST_SECONDS = 7 * 24 * 3600.0
"""A longer sound is a length that nobody knows."""
_CHUNK_BYTES = 1 << 16
_JOIN_BYTES = 1 << 13
"""The longest frame of MP3 is 1441 bytes: so many hold the beginnings of several."""
_KNOWN = (b"RIFF", b"RF64", b"FORM", b"fLaC", b"OggS", b"ID3", b".snd", b"caff")


class DecodedSound:
    """An open sound of one encoding.

    Parameters
    ----------
    name : str
        For errors.
    file : GrowingFile or str
        What libsndfile reads.

    Raises
    ------
    BadInput
        It is no sound, or of a format that is not known.
    """

    can_seek = True

    def __init__(self, name: str, file: GrowingFile | str) -> None:
        self._name = name
        self._file = file
        try:
            self._sound = OneWayFile(file)
        except soundfile.LibsndfileError as error:
            self._raise_failure()
            reason = str(error.error_string).rstrip(". ")
            raise BadInput(f"{name}: is no sound that can be played ({reason}); {FORMATS} can") from error
        if isinstance(file, GrowingFile):
            file.settle()
        self.rate_hz: int = self._sound.samplerate
        seconds = self._sound.frames / self.rate_hz
        self.seconds = seconds if 0 < seconds < _MOST_SECONDS else None
        self.tags = Tags(
            title=self._sound.title or None,
            artist=self._sound.artist or None,
            album=self._sound.album or None,
        )
        self._frames = 0

    def read(self, frames: int) -> NDArray[np.float32]:
        """Return the next samples, shape ``(<= frames, channels)``; none at the end.

        Raises
        ------
        BadInput
            It breaks off, or holds something that is no number.
        """
        try:
            samples: NDArray[np.float32] = self._sound.read(frames, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            self._raise_failure()
            if isinstance(self._file, GrowingFile) and self._file.has_ended:
                return np.zeros((0, 2), np.float32)  # half a frame is the end of most streams that are cut
            raise BadInput(f"{self._name}: is damaged after {self._seconds_read()}") from error
        if len(samples) == 0:
            self._raise_failure()
        if not np.isfinite(samples).all():
            raise BadInput(f"{self._name}: holds something that is no number after {self._seconds_read()}")
        self._frames += len(samples)
        return samples

    def seek(self, seconds: float) -> None:
        """Go to a place, to the sample.

        Raises
        ------
        BadInput
            It is behind the end, or does not come.
        """
        frame = round(seconds * self.rate_hz)
        try:
            self._sound.seek(frame)
        except soundfile.LibsndfileError as error:
            self._raise_failure()
            raise BadInput(f"{self._name}: has nothing to play at {seconds:.1f} s") from error
        self._frames = frame

    def cancel(self) -> None:
        """Do nothing: a file does not keep anybody waiting."""

    def close(self) -> None:
        """Close the file."""
        with suppress(soundfile.LibsndfileError):  # it complains about a stream that was cut
            self._sound.close()

    def _seconds_read(self) -> str:
        return f"{self._frames / self.rate_hz:.1f} s"

    def _raise_failure(self) -> None:
        if isinstance(self._file, GrowingFile) and self._file.failure is not None:
            raise self._file.failure


def encoded_parts(
    chunks: Iterable[bytes], length: int | None, *, is_endless: bool = False
) -> Iterator[GrowingFile]:
    """Yield the sounds of a stream that follow each other; take one up before asking for the next.

    Parameters
    ----------
    length : int or None
        Bytes in all, where that is known.
    is_endless : bool
        Whether it goes on whatever the header of a first file says.
    """
    pieces = iter(chunks)
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= _JOIN_BYTES or head.startswith(_KNOWN) or first_frame(head) is not None:
            break
    if not head:
        return
    stream = chain([head], pieces)
    if head.startswith(ogg_pages.MAGIC):
        yield from map(GrowingFile, ogg_pages.links(stream))
    elif head.startswith(_KNOWN):
        yield GrowingFile(stream, length)
    else:
        begin = _first_sound(head) if is_endless else first_frame(head) or 0
        yield GrowingFile(chain([head[begin:]], pieces), None if length is None else length - begin)


def _first_sound(head: bytes) -> int:
    """Return where an MP3 begins behind a frame that tells a length."""
    begin = first_frame(head) or 0
    length = frame_bytes(head[begin : begin + 4])
    return begin + length if any(one in head[begin : begin + length] for one in LENGTH_HEADERS) else begin


def file_chunks(path: Path, first: int = 0, end: int | None = None) -> Iterator[bytes]:
    """Yield the bytes of a file from one of them up to another.

    Raises
    ------
    BadInput
        They cannot be read.
    """
    try:
        with path.open("rb") as file:
            file.seek(first)
            while chunk := file.read(_CHUNK_BYTES if end is None else min(_CHUNK_BYTES, end - file.tell())):
                yield chunk
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})") from error
