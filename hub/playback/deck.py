"""What plays of the music: one stretch of tracks, faded where it starts, pauses, dries up or is replaced."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.playback.ramp import Ramp
from hub.playback.read_ahead import Mark, ReadAhead
from sensing.audio_block import Block

FADE_SECONDS = 0.3
_EDGE_SECONDS = 0.01
"""Where sound comes from nothing, or runs out."""
_START_SECONDS = 0.25
"""So much must be decoded before a stretch begins, or goes on after it ran dry."""

_END_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """The first frame of a mark has been handed out."""

    reel: ReadAhead
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowChanged:
    """Decoding cannot keep up (``is_flowing`` False), or can again."""

    reel: ReadAhead
    is_flowing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The last frame of a stretch has been handed out."""

    reel: ReadAhead


DeckEvent = Heard | FlowChanged | Ended


class Deck:
    """Give out music block by block at full level; it is never waited for in real time.

    Parameters
    ----------
    rate_hz : int
        Rate of the sound.
    on_event : callable
        Told from the thread that calls `next_block`, without a lock.
    fade_seconds : float
        Of a pause, a stop and a change.
    is_lossless : bool
        Whether decoding is waited for: for who renders faster than it sounds.
    """

    def __init__(
        self,
        *,
        rate_hz: int,
        on_event: Callable[[DeckEvent], None],
        fade_seconds: float = FADE_SECONDS,
        is_lossless: bool = False,
    ) -> None:
        fade = max(1, round(fade_seconds * rate_hz))
        self._edge = max(1, round(_EDGE_SECONDS * rate_hz))
        self._start_frames = round(_START_SECONDS * rate_hz)
        self._fade = Ramp(1.0, rise_frames=fade, fall_frames=fade)
        self._flow = Ramp(0.0, rise_frames=self._edge, fall_frames=self._edge)
        self._on_event = on_event
        self._is_lossless = is_lossless
        self._lock = threading.Lock()
        self._reel: ReadAhead | None = None
        self._next: ReadAhead | None = None
        self._is_wanted = True
        self._is_stopping = False
        self._is_dry = True
        self._events: list[DeckEvent] = []

    def play(self, reel: ReadAhead, *, is_paused: bool = False) -> None:
        """Play a stretch, when the one that plays has faded; safe from any thread, as all of these.

        Parameters
        ----------
        is_paused : bool
            Whether it waits for `resume`.
        """
        with self._lock:
            if self._next is not None:
                self._next.close()
            self._next = reel
            self._is_wanted, self._is_stopping = not is_paused, False

    def pause(self) -> None:
        """Fade out, and keep the place."""
        with self._lock:
            self._is_wanted = False

    def resume(self) -> None:
        """Fade in where it was paused."""
        with self._lock:
            self._is_wanted = True

    def stop(self) -> None:
        """Fade out, and let go of the stretch."""
        with self._lock:
            if self._next is not None:
                self._next.close()
                self._next = None
            self._is_stopping = True

    def close(self) -> None:
        """Stop, and end decoding without a fade; waits for that, but not for long."""
        self.stop()
        reel = self._reel
        if reel is not None:
            reel.close()
            reel.join(_END_SECONDS)

    def next_block(self, frames: int) -> Block:
        """Return the next frames, shape ``(2, frames)``, silent where nothing plays."""
        block = np.zeros((frames, 2), np.float32)
        with self._lock:
            at = 0
            while at < frames:
                filled = self._fill(block[at:])
                if filled == 0 and not self._change():
                    break
                at += filled
            events, self._events = self._events, []
        for event in events:
            self._on_event(event)
        return block.T

    def _fill(self, out: NDArray[np.float32]) -> int:
        """Put the next frames into ``out`` as far as the gains go one way; return how many."""
        reel = self._reel
        if reel is None:
            return 0
        self._fade.target = float(self._is_wanted and not self._is_stopping and self._next is None)
        if self._flow.value == 0:  # nobody hears it, so there is nothing to fade
            self._fade.value = self._fade.target
        if self._fade.target == self._fade.value == 0:
            return 0
        count = self._flowing(reel, len(out))
        if self._fade.target != self._fade.value:
            count = min(count, self._fade.frames_left)
        if self._flow.target != self._flow.value:
            count = min(count, self._flow.frames_left)
        piece = out[:count]
        reel.read_into(piece)
        piece *= (_smooth(self._fade.process(count)) * _smooth(self._flow.process(count)))[:, None]
        self._events += (Heard(reel=reel, mark=mark) for mark in reel.passed_marks())
        return count

    def _flowing(self, reel: ReadAhead, wanted: int) -> int:
        """Return how many frames may be taken, and let the flow fade in time before they run out."""
        if self._is_lossless:
            reel.wait_for(max(self._start_frames, wanted + self._edge))
        is_complete = reel.is_complete  # asked first: what is there after that is all
        there = reel.available
        beyond_the_edge = there - self._edge
        if self._is_dry and (is_complete or there >= min(self._start_frames, reel.capacity_frames)):
            self._is_dry = False
            self._events.append(FlowChanged(reel=reel, is_flowing=True))
        elif not self._is_dry and beyond_the_edge <= 0 and not is_complete:
            self._is_dry = True
            self._events.append(FlowChanged(reel=reel, is_flowing=False))
        if not self._is_dry and beyond_the_edge > 0:
            self._flow.target = 1.0
            return min(wanted, beyond_the_edge)
        self._flow.target = 0.0
        return min(wanted, there) if self._flow.value > 0 else 0

    def _change(self) -> bool:
        """Let go of a stretch that has ended or faded, take up the next, and return whether there is one."""
        reel = self._reel
        if reel is not None:
            has_faded = self._fade.value == self._fade.target == 0
            has_ended = reel.is_complete and self._flow.value == 0 and reel.available <= self._edge
            if not has_ended and not (has_faded and (self._is_stopping or self._next is not None)):
                return False
            if has_ended:
                self._events.append(Ended(reel=reel))
            reel.close()
            self._reel = None
        if self._next is None:
            return False
        self._reel, self._next = self._next, None
        self._fade.value, self._flow.value, self._is_dry = 1.0, 0.0, True
        return True


def _smooth(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a raised cosine of 0..1: its slope has no corner where a fade begins and ends."""
    smooth: NDArray[np.float64] = 0.5 - 0.5 * np.cos(np.pi * share)
    return smooth
