"""What the music of a room does at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hub.playback.play_queue import Repeat


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerState:
    """What plays, and how far it is.

    Attributes
    ----------
    playlist : str or None
        What was asked for: a file, a folder, a playlist or an address.
    source : str or None
        The track in it.
    seconds : float or None
        Length of the track, None where nobody knows, as of a radio.
    can_seek : bool
        Whether another place in the track can be played; not of a radio.
    number : int or None
        Place of the track in the list, from 1.
    tracks : int
        How many there are.
    volume : float
        0 to 100.
    error : str or None
        What could not be played since something was asked for.
    """

    state: Literal["idle", "playing", "paused", "buffering"] = "idle"
    playlist: str | None = None
    source: str | None = None
    title: str | None = None
    artist: str | None = None
    album: str | None = None
    seconds: float | None = None
    position_seconds: float = 0.0
    can_seek: bool = False
    number: int | None = None
    tracks: int = 0
    volume: float = 100.0
    shuffle: bool = False
    repeat: Repeat = "off"
    error: str | None = None
