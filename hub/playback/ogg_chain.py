"""Ogg files that hold several sounds, one behind the other: recorded radios, and files put together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hub.playback.growing_file import GrowingFile
from hub.playback.sound_decoder import DecodedSound, file_chunks
from hub.playback.sound_source import Tags


class OggChain:
    """All sounds of a file as one; libsndfile alone ends with the first.

    Parameters
    ----------
    starts : sequence of int
        Bytes at which the sounds begin, see `ogg_pages.link_starts`.

    Attributes
    ----------
    seconds : float
        Of all together.

    Raises
    ------
    hub.errors.BadInput
        One of them is damaged.
    """

    can_seek = True

    def __init__(self, path: Path, starts: Sequence[int]) -> None:
        self._path = path
        self._links = list(pairwise([*starts, path.stat().st_size]))
        self._lengths_seconds = [self._length_seconds(number) for number in range(len(self._links))]
        self.seconds = sum(self._lengths_seconds)
        self._number = 0
        self._sound = self._open(0)

    @property
    def rate_hz(self) -> int:
        """Of the sound that is read now."""
        return self._sound.rate_hz

    @property
    def tags(self) -> Tags:
        """What the sound that is read now says about itself."""
        return self._sound.tags

    def read(self, frames: int) -> NDArray[np.float32]:
        """Return the next samples, shape ``(<= frames, channels)``; none at the end of the last sound.

        Raises
        ------
        hub.errors.BadInput
            It breaks off, or holds something that is no number.
        """
        samples = self._sound.read(frames)
        while len(samples) == 0 and self._number + 1 < len(self._links):
            self._turn_to(self._number + 1)
            samples = self._sound.read(frames)
        return samples

    def seek(self, seconds: float) -> None:
        """Go to a place in whichever sound has it.

        Raises
        ------
        hub.errors.BadInput
            It is behind the end of the last, or does not come.
        """
        number, last = 0, len(self._links) - 1
        while number < last and seconds >= self._lengths_seconds[number]:
            seconds -= self._lengths_seconds[number]
            number += 1
        self._turn_to(number)
        self._sound.seek(seconds)

    def cancel(self) -> None:
        """Do nothing: a file does not keep anybody waiting."""

    def close(self) -> None:
        """Close the file."""
        self._sound.close()

    def _turn_to(self, number: int) -> None:
        self._sound.close()
        self._sound, self._number = self._open(number), number

    def _open(self, number: int) -> DecodedSound:
        start, end = self._links[number]

        def chunks_from(first_byte: int) -> Iterator[bytes]:
            return file_chunks(self._path, start + first_byte, end)

        return DecodedSound(
            str(self._path), GrowingFile(chunks_from(0), end - start, chunks_from=chunks_from)
        )

    def _length_seconds(self, number: int) -> float:
        with closing(self._open(number)) as sound:
            return sound.seconds or 0.0
