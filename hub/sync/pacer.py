"""Which instant of the stream each frame of the sound card plays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hub.sync.dac_clock import DacClock
from hub.sync.steering import Steering

_JUMP_SECONDS = 4e-3


class ServerClock(Protocol):
    """What the server's clock shows; `hub.sync.clock_filter.ClockFilter` is one."""

    @property
    def drift(self) -> float:
        """How much faster it runs than ours."""

    def is_ready(self, at_seconds: float, /) -> bool:
        """Return whether it is known well enough to play by."""

    def server_seconds(self, at_seconds: float, /) -> float:
        """Return what it shows when ours shows ``at_seconds``."""


class OwnClock:
    """The clock of the server itself: a hub that plays what it serves."""

    drift = 0.0

    def is_ready(self, _at_seconds: float) -> bool:
        """Return that it is known."""
        return True

    def server_seconds(self, at_seconds: float) -> float:
        """Return the same."""
        return at_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The instants of the stream that the next frames play, in the server's time.

    Attributes
    ----------
    start_seconds : float
        Instant of the first frame.
    seconds_per_frame : float
        From one frame to the next.
    has_jumped : bool
        The span does not continue the last one.
    """

    start_seconds: float
    seconds_per_frame: float
    has_jumped: bool


class Pacer:
    """Keep the stream in step with the server's clock.

    An error below 4 ms is played away by at most 500 ppm; a larger one (a clock or the card has jumped) is
    jumped over. While the server's clock is not known any more, the last ratio is held.

    Attributes
    ----------
    trim_seconds : float
        Play this much earlier: what the acoustic calibration found of the card's and the path's delay.
    error_seconds : float
        How far the stream is behind, as far as we know.
    jumps : int
        Spans that did not continue the one before, but for the first.
    """

    def __init__(self, *, clock: ServerClock, dac: DacClock, steering: Steering, rate_hz: int) -> None:
        self._clock = clock
        self._dac = dac
        self._steering = steering
        self._rate_hz = rate_hz
        self.trim_seconds = 0.0
        self.error_seconds = 0.0
        self.jumps = 0
        self._position: float | None = None

    def reset(self) -> None:
        """Begin anew where the server's clock says, as at the start."""
        self._position = None

    def next_span(self, first_frame: int, frames: int) -> Span | None:
        """Return what the frames from ``first_frame`` on play; None before the clocks are known.

        Parameters
        ----------
        first_frame : int
            As the sound card counts, and as `DacClock.observe` was told.
        """
        due = self.due(first_frame)
        if due is None and self._position is None:
            return None
        drift = self._dac.seconds_per_second * (1 + self._clock.drift) - 1
        has_jumped = False
        if due is not None:
            if self._position is None or abs(due - self._position) > _JUMP_SECONDS:
                has_jumped = True
                self.jumps += self._position is not None
                self._position = due
                self._steering.reset(drift)
            self.error_seconds = due - self._position
        assert self._position is not None
        ratio = 1 + self._steering.correction
        if due is not None:
            ratio = self._steering.step(
                error_seconds=self.error_seconds, drift=drift, elapsed_seconds=frames / self._rate_hz
            )
        span = Span(
            start_seconds=self._position, seconds_per_frame=ratio / self._rate_hz, has_jumped=has_jumped
        )
        self._position += frames * span.seconds_per_frame
        return span

    def due(self, frame: float) -> float | None:
        """Return the server's time at which a frame is heard, trimmed; None before the clocks are known.

        Chirps for `hub.sync.acoustic_offset` are placed by it, as music is.
        """
        if not self._dac.readings:
            return None
        heard_at = self._dac.heard_at(frame)
        if not self._clock.is_ready(heard_at):
            return None
        return self._clock.server_seconds(heard_at) + self.trim_seconds
