"""The seam for what can be played: a track, and the open sound that is read from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Something to play.

    Attributes
    ----------
    source : str
        A path, or an address of HTTP.
    title : str or None
        As a playlist calls it; the sound's own tags come first.
    """

    source: str
    title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """What a sound says about itself."""

    title: str | None = None
    artist: str | None = None
    album: str | None = None


class SoundSource(Protocol):
    """A sound that has been opened; all but `cancel` is called from one thread, and may take its time."""

    @property
    def rate_hz(self) -> int:
        """Of what was read last; a radio may change it."""

    @property
    def seconds(self) -> float | None:
        """How long the whole is, None where nobody knows."""

    @property
    def tags(self) -> Tags:
        """What is known now; a radio tells what it plays in between."""

    @property
    def can_seek(self) -> bool:
        """Whether it can be played from anywhere; a radio cannot."""

    def read(self, frames: int) -> NDArray[np.float32]:
        """Return the next samples, shape ``(<= frames, channels)``; none at the end.

        Raises
        ------
        hub.errors.BadInput
            It breaks off, or does not come.
        """

    def seek(self, seconds: float) -> None:
        """Let the next sample that is read be the one at this place; only before the first is.

        Raises
        ------
        hub.errors.BadInput
            There is no such place, or it does not come.
        """

    def cancel(self) -> None:
        """Let a `read` that waits give up; safe from any thread."""

    def close(self) -> None:
        """Release what it holds."""
