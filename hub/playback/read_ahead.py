"""Decode ahead of what is heard, on a thread of its own, into a ring that the audio never waits for."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.audio.ring import FrameRing
from hub.errors import BadInput
from hub.playback.play_queue import Entry
from hub.playback.playlist import shown_address
from hub.playback.sound_source import SoundSource, Tags, Track
from hub.playback.stereo_rate import StereoRate

AHEAD_SECONDS = 8.0
"""Of sound in the ring: 3 MB at 48 kHz. A radio may stall that long unheard."""
_READ_FRAMES = 8192
_WAKE_SECONDS = 1.0
"""A waiting thread looks around itself this often, should nobody have woken it."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """From a frame on, something else is heard: another track, or other words of a radio.

    Attributes
    ----------
    seconds : float or None
        Length of the track.
    place_seconds : float
        Where in the track a start is.
    """

    frame: int
    entry: Entry
    tags: Tags
    seconds: float | None
    is_start: bool
    can_seek: bool
    place_seconds: float = 0.0

    def check_place(self, seconds: float) -> None:
        """Refuse a place that the track does not have.

        Raises
        ------
        BadInput
            It is behind the end, or the track plays only as it comes.
        """
        shown = shown_address(self.entry.track.source)
        if not self.can_seek:
            raise BadInput(f"{shown}: plays only as it comes: it is a radio, or its server sends no parts")
        if self.seconds is not None and seconds >= self.seconds:
            raise BadInput(f"{shown}: is {self.seconds:.1f} s long, so nothing is at {seconds:.1f} s")


class ReadAhead:
    """Tracks one behind the other, without a gap, at one rate and in stereo.

    Tracks of one rate pass through one resampler, so that a sound that goes on from one to the next goes on
    in what is heard too.

    Parameters
    ----------
    name : str
        Of the ring and its thread.
    next_entry : callable
        Returns the next track or None; called from the thread.
    open_source : callable
        Opens a track, may wait, and raises `BadInput`; called from the thread.
    on_failure : callable
        Told of a track that cannot be played, or not to its end, from the thread.
    first_place_seconds : float
        Where in the first track to begin.
    """

    def __init__(
        self,
        *,
        name: str,
        rate_hz: int,
        next_entry: Callable[[], Entry | None],
        open_source: Callable[[Track], SoundSource],
        on_failure: Callable[[Entry, str], None],
        first_place_seconds: float = 0.0,
        ahead_seconds: float = AHEAD_SECONDS,
    ) -> None:
        self.name = name
        self.rate_hz = rate_hz
        self._next_entry = next_entry
        self._open_source = open_source
        self._on_failure = on_failure
        self._place_seconds = first_place_seconds
        self._ring = FrameRing(max(1, round(ahead_seconds * rate_hz)), 2)
        self._rate = StereoRate(rate_hz)
        self._marks: deque[Mark] = deque()
        self._source: SoundSource | None = None
        self._closed = threading.Event()
        self._has_room = threading.Event()
        self._has_news = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"decoding {name}", daemon=True)
        self.is_complete = False
        """Whether the last frame of the last track is in the ring."""

    def start(self) -> None:
        """Begin to decode."""
        self._thread.start()

    def close(self) -> None:
        """Stop decoding; returns at once, and is safe from any thread."""
        self._closed.set()
        self._has_room.set()
        self._has_news.set()
        source = self._source
        if source is not None:
            source.cancel()

    def join(self, timeout_seconds: float) -> bool:
        """Wait for the thread's end, and return whether it has come."""
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    @property
    def available(self) -> int:
        """Frames that can be read now."""
        return self._ring.available

    @property
    def capacity_frames(self) -> int:
        """Frames that the ring holds."""
        return self._ring.capacity_frames

    @property
    def consumed(self) -> int:
        """Frames that have been read."""
        return self._ring.consumed

    def read_into(self, out: NDArray[np.float32]) -> int:
        """Fill ``out``, shape ``(frames, 2)``, as far as there is something; never waits."""
        count = self._ring.pop_into(out)
        if count:
            self._has_room.set()
        return count

    def passed_marks(self) -> list[Mark]:
        """Return the marks whose first frame has been read, each once."""
        passed = []
        while self._marks and self._marks[0].frame < self._ring.consumed:
            passed.append(self._marks.popleft())
        return passed

    def wait_for(self, frames: int) -> None:
        """Wait until so many frames are there, or all: for who renders faster than it sounds."""
        wanted = min(frames, self._ring.capacity_frames)
        while not (self.is_complete or self._closed.is_set() or self._ring.available >= wanted):
            self._has_news.wait(_WAKE_SECONDS)
            self._has_news.clear()

    def _work(self) -> None:
        try:
            while not self._closed.is_set() and (entry := self._next_entry()) is not None:
                self._play(entry)
            self._push(self._rate.finish())
        except Exception:  # noqa: BLE001 - the thread is the boundary
            _LOG.exception("decoding failed and ends")
        finally:
            self.is_complete = True
            self._has_news.set()

    def _play(self, entry: Entry) -> None:
        """Decode one track; what it fails with is told, and what was decoded stays."""
        try:
            with closing(self._open_source(entry.track)) as source:
                self._source = source
                if self._place_seconds:
                    source.seek(self._place_seconds)
                self._decode(entry, source)
        except BadInput as error:
            if not self._closed.is_set():
                self._on_failure(entry, str(error))
        finally:
            self._source = None
            self._place_seconds = 0.0

    def _decode(self, entry: Entry, source: SoundSource) -> None:
        tags: Tags | None = None
        while not self._closed.is_set():
            samples = source.read(_READ_FRAMES)
            if len(samples) == 0:
                if tags is None:
                    raise BadInput(f"{shown_address(entry.track.source)}: holds no sound")
                return
            self._push(self._rate.turn_to(source.rate_hz))
            if source.tags != tags:
                is_start, tags = tags is None, source.tags
                mark = Mark(
                    frame=self._rate.position,
                    entry=entry,
                    tags=tags,
                    seconds=source.seconds,
                    is_start=is_start,
                    can_seek=source.can_seek,
                    place_seconds=self._place_seconds,
                )
                self._marks.append(mark)
            self._push(self._rate.process(samples))

    def _push(self, frames: NDArray[np.float32]) -> None:
        """Put frames into the ring, waiting for room."""
        at = 0
        while at < len(frames) and not self._closed.is_set():
            self._has_room.clear()
            fitted = self._ring.push(frames[at:])
            at += fitted
            if fitted:
                self._has_news.set()
            elif at < len(frames):
                self._has_room.wait(_WAKE_SECONDS)
