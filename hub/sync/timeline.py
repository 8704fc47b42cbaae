"""Sound that has arrived, by the time at which it belongs."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from sensing.audio_block import Block

_SAME_SECONDS = 2e-3
_LONGEST_HOLE_SECONDS = 5.0
_FOLLOWING = 0.02


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TimedBlock:
    """Sound and when it belongs.

    Attributes
    ----------
    start_seconds : float
        Server's time of the first frame.
    samples : Block
        Shape ``(channels, frames)``.
    """

    start_seconds: float
    samples: Block


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    first: int
    samples: Block

    @property
    def end(self) -> int:
        return self.first + int(self.samples.shape[1])


class Timeline:
    """A bounded buffer of timestamped sound, read by frame numbers of its own.

    Time stamps are rounded and a server's clock and its sound need not agree to the last digit. So a block
    that begins within 2 ms of the end of the one before continues it without a seam, and the relation of
    time and frames follows slowly. One that begins later leaves a hole of silence; one that begins earlier,
    or more than 5 s later, starts a new timeline.

    Parameters
    ----------
    capacity_seconds : float
        Blocks beyond are refused.

    Attributes
    ----------
    breaks : int
        New timelines, but for the first.
    refused_frames : int
        Frames for which there was no room.
    """

    def __init__(self, *, rate_hz: int, channels: int, capacity_seconds: float = 10.0) -> None:
        self.rate_hz = rate_hz
        self.channels = channels
        self._capacity_frames = round(capacity_seconds * rate_hz)
        self.breaks = 0
        self.refused_frames = 0
        self._pieces: deque[_Piece] = deque()
        self._end = 0
        self._origin: float | None = None

    @property
    def buffered_frames(self) -> int:
        """Frames held, holes included."""
        return self._end - self._pieces[0].first if self._pieces else 0

    def append(self, block: TimedBlock) -> None:
        """Put sound where it belongs.

        Raises
        ------
        ValueError
            It has not the timeline's number of channels.
        """
        channels, frames = block.samples.shape
        if channels != self.channels:
            message = f"the timeline has {self.channels} channels, the block {channels}"
            raise ValueError(message)
        if frames == 0:
            return
        if self.buffered_frames + frames > self._capacity_frames:
            self.refused_frames += frames
            return
        first = self._place(block.start_seconds)
        self._pieces.append(_Piece(first, block.samples))
        self._end = first + frames

    def frame_at(self, seconds: float) -> float:
        """Return the frame number of an instant of the server's time; only after a first block."""
        assert self._origin is not None
        return (seconds - self._origin) * self.rate_hz

    @property
    def is_empty(self) -> bool:
        """Nothing is held."""
        return not self._pieces

    def drop_before(self, frame: int) -> None:
        """Let go what ends before a frame."""
        while self._pieces and self._pieces[0].end <= frame:
            self._pieces.popleft()

    def read(self, first: int, frames: int) -> Block:
        """Return frames, zeros where there are none, shape ``(channels, frames)``."""
        out = np.zeros((self.channels, frames), np.float32)
        for piece in self._pieces:
            if piece.first >= first + frames:
                break
            start, end = max(first, piece.first), min(first + frames, piece.end)
            if start < end:
                out[:, start - first : end - first] = piece.samples[
                    :, start - piece.first : end - piece.first
                ]
        return out

    def sounding(self, first: int, frames: int) -> list[tuple[int, int]]:
        """Return the unbroken stretches ``(start, end)`` that touch some frames; the last may go on."""
        stretches: list[tuple[int, int]] = []
        for piece in self._pieces:
            if piece.first >= first + frames:
                break
            if stretches and stretches[-1][1] == piece.first:
                stretches[-1] = (stretches[-1][0], piece.end)
            else:
                stretches.append((piece.first, piece.end))
        return [(start, end) for start, end in stretches if end > first]

    def _place(self, start_seconds: float) -> int:
        """Return the frame number at which a block begins."""
        if self._origin is not None:
            late_seconds = start_seconds - (self._origin + self._end / self.rate_hz)
            if abs(late_seconds) < _SAME_SECONDS:
                self._origin += _FOLLOWING * late_seconds
                return self._end
            if 0 < late_seconds < _LONGEST_HOLE_SECONDS:
                return self._end + round(late_seconds * self.rate_hz)
            self.breaks += 1
            self._pieces.clear()
        self._origin = start_seconds - self._end / self.rate_hz
        return self._end
