"""Play timestamped sound when it is due, at the pace of this device's sound card."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.sync.pacer import Pacer
from hub.sync.rate_converter import RateConverter
from hub.sync.timeline import TimedBlock, Timeline
from sensing.audio_block import Block

FADE_SECONDS = 0.005
_CONTINUES_FRAMES = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFigures:
    """How well a room plays in step.

    Attributes
    ----------
    error_seconds : float
        How far what it plays is behind its time, as far as it knows.
    sigma_seconds : float
        How unsure it is of the server's clock, one standard deviation.
    buffered_seconds : float
        How much sound waits to be played.
    late_frames, silent_frames, jumps : int
        As `Playout` and `hub.sync.pacer.Pacer` count them.
    """

    error_seconds: float
    sigma_seconds: float
    buffered_seconds: float
    late_frames: int
    silent_frames: int
    jumps: int


class Playout:
    """A timestamped buffer that becomes blocks for the sound card.

    Every frame is heard at its time stamp plus ``latency_seconds``, by the server's clock. What comes after
    its time is dropped, what is missing is silence; both are faded and counted. Where the stream or a clock
    jumps, the step in the signal is taken out over 5 ms.

    Not safe for use from two threads.

    Parameters
    ----------
    timeline : Timeline
        Its rate may be another than the card's.
    pacer : Pacer
        Says what is due.
    rate_hz : int
        Of the card.

    Attributes
    ----------
    late_frames, silent_frames : int
        Frames that came after their time, and frames played while there was no sound to play.
    """

    def __init__(self, *, timeline: Timeline, pacer: Pacer, rate_hz: int, latency_seconds: float) -> None:
        self.latency_seconds = latency_seconds
        self.late_frames = 0
        self.silent_frames = 0
        self._timeline = timeline
        self._pacer = pacer
        self._converter = RateConverter(timeline.rate_hz / rate_hz)
        self._fade_frames = FADE_SECONDS * timeline.rate_hz
        self._declick = np.hanning(2 * round(FADE_SECONDS * rate_hz) + 1)[-round(FADE_SECONDS * rate_hz) :]
        self._position: float | None = None
        self._gain = 0.0
        self._last = np.zeros(timeline.channels, np.float32)
        self._residue = np.zeros((timeline.channels, 0), np.float32)

    @property
    def buffered_seconds(self) -> float:
        """How much sound is held."""
        return self._timeline.buffered_frames / self._timeline.rate_hz

    def figures(self, *, sigma_seconds: float = 0.0) -> StepFigures:
        """Return how well it plays in step, where the server's clock is known to ``sigma_seconds``."""
        return StepFigures(
            error_seconds=self._pacer.error_seconds,
            sigma_seconds=sigma_seconds,
            buffered_seconds=self.buffered_seconds,
            late_frames=self.late_frames,
            silent_frames=self.silent_frames,
            jumps=self._pacer.jumps,
        )

    def append(self, block: TimedBlock) -> None:
        """Take sound that has arrived."""
        breaks = self._timeline.breaks
        if self._position is not None:
            end = self._timeline.frame_at(block.start_seconds) + block.samples.shape[1]
            if end <= self._position and self._position - end < self._timeline.rate_hz:
                self.late_frames += block.samples.shape[1]
                return
        self._timeline.append(block)
        if self._timeline.breaks != breaks:
            self._position = None

    def next_block(self, first_frame: int, frames: int) -> Block:
        """Return what the card's frames from ``first_frame`` on play, shape ``(channels, frames)``."""
        if frames == 0:
            return np.zeros((self._timeline.channels, 0), np.float32)
        span = self._pacer.next_span(first_frame, frames)
        if span is None or (self._timeline.is_empty and self._position is None):
            return self._without_step(np.zeros((self._timeline.channels, frames), np.float32), jumped=False)
        stream_seconds = span.start_seconds - self.latency_seconds
        start = self._timeline.frame_at(stream_seconds)
        end = self._timeline.frame_at(stream_seconds + frames * span.seconds_per_frame)
        jumped = self._position is None or abs(start - self._position) > _CONTINUES_FRAMES
        if self._position is not None and not jumped:
            start = self._position  # what the timeline's slow correction moved is spread over the block
        instants = np.linspace(start, end, frames, endpoint=False)
        self._position = end
        block = self._converted(instants) * self._gains(instants)
        self._timeline.drop_before(int(end) - self._converter.before_frames)
        return self._without_step(block.astype(np.float32), jumped=jumped)

    def _converted(self, instants: NDArray[np.float64]) -> Block:
        first = int(np.floor(instants[0])) - self._converter.before_frames
        last = int(np.floor(instants[-1])) + self._converter.after_frames
        return self._converter.process(self._timeline.read(first, last - first + 1), instants - first)

    def _gains(self, instants: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the fades in and out around what is there."""
        wanted = np.zeros(instants.size)
        first, fade = int(instants[0]), self._fade_frames
        for start, end in self._timeline.sounding(first, int(instants[-1] + fade) - first + 2):
            shape = (end - instants) / fade
            if start > first:  # one that began earlier has been faded in, as far as `rise` below allowed
                shape = np.minimum(shape, (instants - start) / fade)
            wanted = np.maximum(wanted, np.minimum(shape, 1))
        self.silent_frames += int(np.count_nonzero(wanted <= 0))
        rise = self._gain + (1 + np.arange(instants.size)) / fade
        gains: NDArray[np.float64] = np.minimum(wanted, rise)
        self._gain = float(gains[-1])
        return gains

    def _without_step(self, block: Block, *, jumped: bool) -> Block:
        """Spread the step at a jump over the frames behind it."""
        if jumped:
            step = self._last - block[:, 0]
            self._residue = (step[:, np.newaxis] * self._declick).astype(np.float32)
        used = min(block.shape[1], self._residue.shape[1])
        block[:, :used] += self._residue[:, :used]
        self._residue = self._residue[:, used:]
        self._last = block[:, -1].copy()
        return block
