"""What a hub's first microphone hears while two hubs chirp: a few seconds in memory, and only then."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from sensing.audio_block import AudioBlock
from sensing.observations import Observation

Recording = NDArray[np.float32]

_MICROPHONE = 0
_LONGEST_SECONDS = 6.0


class PairRecorder:
    """Keep the next frames of the first microphone when asked; the consumer of a lane.

    What has been recorded is handed over once and forgotten here. A recording in which frames are missing is
    worth nothing.
    """

    def __init__(self, *, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._lock = threading.Lock()
        self._kept: Recording | None = None
        self._frames = 0
        self._on_end: Callable[[Recording | None], None] | None = None

    def record(self, seconds: float, on_end: Callable[[Recording | None], None]) -> None:
        """Record from the next block on; another recording that goes on ends.

        Parameters
        ----------
        seconds : float
            At most 6.
        on_end : callable
            Given the recording, shape ``(frames,)``, or None where frames are missing; on the lane's thread.
        """
        frames = round(min(seconds, _LONGEST_SECONDS) * self._rate_hz)
        with self._lock:
            self._kept, self._frames, self._on_end = np.zeros(frames, np.float32), 0, on_end

    def stop(self) -> None:
        """Forget what has been recorded, and record no more."""
        with self._lock:
            self._kept = self._on_end = None

    @property
    def is_recording(self) -> bool:
        """Whether the next block will be kept."""
        return self._kept is not None

    def process(self, block: AudioBlock) -> Sequence[Observation]:
        """Keep a block if that is asked for; observe nothing."""
        with self._lock:
            if self._kept is None:
                return ()
            taken = min(block.frames, self._kept.size - self._frames)
            self._kept[self._frames : self._frames + taken] = block.capture[_MICROPHONE, :taken]
            self._frames += taken
            if self._frames < self._kept.size:
                return ()
        self._end(is_whole=True)
        return ()

    def reset(self) -> None:
        """End a recording in which there is a gap."""
        self._end(is_whole=False)

    def _end(self, *, is_whole: bool) -> None:
        with self._lock:
            kept, on_end = self._kept, self._on_end
            self._kept = self._on_end = None
        if on_end is not None:
            on_end(kept if is_whole else None)
