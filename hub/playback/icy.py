"""What a radio says between its bytes: the metadata of SHOUTcast and Icecast."""

from __future__ import annotations

import re

from hub.playback.sound_source import Tags

REQUEST = {"Icy-MetaData": "1"}
_TITLE = re.compile(r"StreamTitle='(.*?)';(?:Stream|\s*\0|\s*$)", re.DOTALL)
_UNIT_BYTES = 16


class IcySplitter:
    """Take metadata out of a stream, however it is cut.

    Parameters
    ----------
    interval_bytes : int
        Sound between two pieces of metadata, as ``icy-metaint`` says.

    Attributes
    ----------
    tags : Tags
        What plays, as was said last.
    """

    def __init__(self, interval_bytes: int) -> None:
        self._interval = interval_bytes
        self._sound_left = interval_bytes
        self._words = bytearray()
        self._words_left = 0
        self.tags = Tags()

    def process(self, chunk: bytes) -> bytes:
        """Return the sound of a chunk."""
        sound = bytearray()
        while chunk:
            if self._words_left:
                part, chunk = chunk[: self._words_left], chunk[self._words_left :]
                self._words += part
                self._words_left -= len(part)
                if not self._words_left:
                    self._hear()
            elif self._sound_left:
                part, chunk = chunk[: self._sound_left], chunk[self._sound_left :]
                sound += part
                self._sound_left -= len(part)
            else:  # one byte tells the length of what is said
                self._words_left, chunk = chunk[0] * _UNIT_BYTES, chunk[1:]
                self._sound_left = self._interval
        return bytes(sound)

    def _hear(self) -> None:
        said, self._words = bytes(self._words), bytearray()
        try:
            text = said.decode("utf-8")
        except UnicodeDecodeError:
            text = said.decode("latin-1")
        if found := _TITLE.search(text):
            artist, dash, title = found.group(1).strip().partition(" - ")
            self.tags = Tags(title=title, artist=artist) if dash else Tags(title=artist or None)
