"""Play from an address of HTTP: files that are fetched while they play, and radios that never end."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import structlog
from numpy.typing import NDArray

from hub.errors import BadInput
from hub.playback.growing_file import GrowingFile
from hub.playback.http_fetch import HttpFetch
from hub.playback.playlist import shown_address
from hub.playback.sound_decoder import DecodedSound, encoded_parts
from hub.playback.sound_source import Tags

_NOTHING = np.zeros((0, 2), np.float32)

log = structlog.get_logger("stream")


class HttpStream:
    """The sound at an address; one of a radio goes on through titles, formats and broken connections.

    Parameters
    ----------
    fetch : HttpFetch
        Of this address; it belongs to the stream then.
    """

    def __init__(self, address: str, fetch: HttpFetch) -> None:
        self._name = shown_address(address)
        self._fetch = fetch
        self._parts = self._all_parts()
        self._sound: DecodedSound | None = None
        self.rate_hz = 0
        self.seconds: float | None = None

    def open(self) -> HttpStream:
        """Connect, and return this stream with the beginning of its sound.

        Raises
        ------
        hub.errors.BadInput
            Nobody answers, or not with a sound; a playlist is a `PlaylistAnswered`.
        """
        self._fetch.open()
        self._go_on()
        if self._sound is None:
            raise BadInput(f"{self._name}: the server sends nothing")
        self.seconds = None if self._fetch.is_radio else self._sound.seconds
        return self

    @property
    def tags(self) -> Tags:
        """What the sound says about itself, or else the server."""
        own = Tags() if self._sound is None else self._sound.tags
        return own if own.title else self._fetch.tags

    @property
    def can_seek(self) -> bool:
        """Whether the server sends any part of a file that is asked for."""
        return not self._fetch.is_radio and self._fetch.can_seek

    def seek(self, seconds: float) -> None:
        """Open the file anew, now with access to any part of it, and go to a place.

        Raises
        ------
        hub.errors.BadInput
            It is behind the end, or the server does not send it.
        """
        if not self.can_seek:
            raise BadInput(f"{self._name}: can be played only as it comes")
        if self._sound is not None:
            self._sound.close()
        everything = self._fetch.chunks_from
        part = GrowingFile(everything(0), self._fetch.length, chunks_from=everything)
        self._sound = DecodedSound(self._name, part)
        self._sound.seek(seconds)
        self.rate_hz, self.seconds, self._parts = self._sound.rate_hz, self._sound.seconds, iter(())

    def read(self, frames: int) -> NDArray[np.float32]:
        """Return the next samples, shape ``(<= frames, channels)``; none at the end.

        Raises
        ------
        hub.errors.BadInput
            It broke off and did not come back, or is damaged.
        """
        while self._sound is not None:
            try:
                samples = self._sound.read(frames)
            except BadInput as damage:
                if not self._fetch.is_radio or self._fetch.is_cancelled:
                    raise
                log.info("a radio is joined anew", address=self._name, why=str(damage))
                samples = _NOTHING
            if len(samples):
                return samples
            self._go_on()
        return _NOTHING

    def cancel(self) -> None:
        """Let a `read` that waits give up; safe from any thread."""
        self._fetch.cancel()

    def close(self) -> None:
        """End the connection."""
        if self._sound is not None:
            self._sound.close()
            self._sound = None
        self._fetch.close()

    def _all_parts(self) -> Iterator[GrowingFile]:
        for stretch in self._fetch.stretches():
            yield from encoded_parts(stretch, self._fetch.length, is_endless=self._fetch.is_radio)

    def _go_on(self) -> None:
        """Take up what follows: the next title, or the next connection."""
        if self._sound is not None:
            self._sound.close()
        part = next(self._parts, None)
        self._sound = None if part is None else DecodedSound(self._name, part)
        if self._sound is not None:
            self.rate_hz = self._sound.rate_hz
