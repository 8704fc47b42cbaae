"""A ring of frames between one producer and one consumer, without locks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class FrameRing:
    """Preallocated ring; ``written`` and ``consumed`` only grow, each by one side."""

    def __init__(self, capacity_frames: int, channels: int) -> None:
        self._frames = np.zeros((capacity_frames, channels), np.float32)
        self.capacity_frames = capacity_frames
        self.written = 0
        self.consumed = 0

    @property
    def available(self) -> int:
        """Frames that can be read now."""
        return self.written - self.consumed

    @property
    def room(self) -> int:
        """Frames that can be written now."""
        return self.capacity_frames - self.available

    def push(self, *parts: NDArray[np.float32]) -> int:
        """Copy frames, shape ``(frames, channels)``, parts side by side; return how many fitted."""
        count = min(len(parts[0]), self.room)
        start = self.written % self.capacity_frames
        head = min(count, self.capacity_frames - start)
        column = 0
        for part in parts:
            columns = slice(column, column + part.shape[1])
            self._frames[start : start + head, columns] = part[:head]
            self._frames[: count - head, columns] = part[head:count]
            column = columns.stop
        self.written += count  # published last: the reader never sees half a copy
        return count

    def pop_into(self, out: NDArray[np.float32]) -> int:
        """Fill ``out``, shape ``(frames, channels)``, as far as frames are there; return how many."""
        count = min(len(out), self.available)
        start = self.consumed % self.capacity_frames
        head = min(count, self.capacity_frames - start)
        out[:head] = self._frames[start : start + head]
        out[head:count] = self._frames[: count - head]
        self.consumed += count
        return count
