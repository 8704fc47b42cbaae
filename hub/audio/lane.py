"""A bounded queue and a thread for one consumer of audio."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sensing.audio_block import AudioBlock
from sensing.observations import Observation

_LOG = logging.getLogger(__name__)

_MOST_MESSAGES = 16
"""Names of messages that may wait at once: they are fixed words of the program, so more are a mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioGap:
    """Frames that a lane never saw: it was too slow, or the sound card lost or never played them."""

    lane: str
    first_frame: int
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneStatistics:
    """How full a lane is and was, in blocks, the processor time it took, and what it was told."""

    used: int
    peak: int
    dropped: int
    busy_seconds: float
    told: int
    """Messages that were handed over."""
    waiting: tuple[str, ...]
    """Names of the messages that wait for the next block."""


def _log_fault(fault: Exception) -> None:
    _LOG.error("a lane failed and starts afresh", exc_info=fault)


class Lane:
    """Runs ``process`` on its own thread over a bounded queue of blocks.

    In real time a full lane drops its oldest block; the jump in frame numbers is then reported
    once, as `AudioGap`, after ``reset``. With ``wait=True`` `offer` waits for room instead.
    """

    def __init__(
        self,
        *,
        name: str,
        process: Callable[[AudioBlock], Sequence[Observation]],
        deliver: Callable[[Observation], None],
        capacity_blocks: int,
        on_gap: Callable[[AudioGap], None],
        reset: Callable[[], None],
        on_fault: Callable[[Exception], None] = _log_fault,
    ) -> None:
        if capacity_blocks < 1:
            raise ValueError(f"lane {name}: capacity_blocks must be at least 1, not {capacity_blocks}")
        self.name = name
        self._process = process
        self._deliver = deliver
        self._capacity = capacity_blocks
        self._on_gap = on_gap
        self._reset = reset
        self._on_fault = on_fault
        self._blocks: deque[AudioBlock] = deque()
        self._messages: dict[str, Callable[[], None]] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._working = False
        self._expected: int | None = None
        self._peak = 0
        self._dropped = 0
        self._busy_seconds = 0.0
        self._told = 0

    def start(self) -> None:
        """Start the thread."""
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name=f"lane-{self.name}", daemon=True)
        self._thread.start()

    def stop(self, timeout_seconds: float = 1.0) -> None:
        """End the thread; blocks still queued are dropped."""
        with self._changed:
            self._stopping = True
            self._blocks.clear()
            self._changed.notify_all()
        thread, self._thread = self._thread, None
        if thread is not None and thread.is_alive():  # another thread may be just about to start it
            thread.join(timeout_seconds)

    def offer(self, block: AudioBlock, *, wait: bool = False) -> None:
        """Queue a block; when full, drop the oldest, or with ``wait`` block until there is room."""
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: len(self._blocks) < self._capacity or self._stopping)
            if self._stopping:
                return
            if self._expected is None:
                self._expected = block.first_frame
            if len(self._blocks) >= self._capacity:
                self._blocks.popleft()
                self._dropped += 1
            self._blocks.append(block)
            self._peak = max(self._peak, len(self._blocks))
            self._changed.notify_all()

    def tell(self, name: str, act: Callable[[], None]) -> None:
        """Let ``act`` run on the lane's thread before the next block.

        A newer message takes the place of one of the same name that still waits, so what was said last
        holds, and nothing that was said is lost.

        Raises
        ------
        ValueError
            Messages of too many names wait already.
        """
        with self._changed:
            if name not in self._messages and len(self._messages) >= _MOST_MESSAGES:
                waiting = ", ".join(self._messages)
                raise ValueError(f"lane {self.name}: no room for the message {name!r} beside {waiting}")
            self._messages.pop(name, None)
            self._messages[name] = act

    def drain(self) -> None:
        """Wait until every queued block is processed."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or not (self._blocks or self._working))

    def statistics(self) -> LaneStatistics:
        """Return how full the lane is and what it cost."""
        with self._changed:
            return LaneStatistics(
                used=len(self._blocks),
                peak=self._peak,
                dropped=self._dropped,
                busy_seconds=self._busy_seconds,
                told=self._told,
                waiting=tuple(self._messages),
            )

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._blocks) or self._stopping)
                if self._stopping:
                    return
                block = self._blocks.popleft()
                messages = list(self._messages.values())
                self._messages.clear()
                self._told += len(messages)
                self._working = True
                self._changed.notify_all()
            began = time.thread_time()
            try:
                for act in messages:
                    self._hear(act)
                self._handle(block)
            finally:
                with self._changed:
                    self._busy_seconds += time.thread_time() - began
                    self._working = False
                    self._changed.notify_all()

    def _hear(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as fault:  # noqa: BLE001 - the lane is the boundary: one message must not end the audio
            self._recover(fault)

    def _handle(self, block: AudioBlock) -> None:
        expected, self._expected = self._expected, block.end_frame
        try:
            if expected is not None and block.first_frame != expected:
                self._reset()
                missing = block.first_frame - expected
                self._on_gap(AudioGap(lane=self.name, first_frame=expected, frames=missing))
            for observation in self._process(block):
                self._deliver(observation)
        except Exception as fault:  # noqa: BLE001 - the lane is the boundary: one consumer must not end the audio
            self._recover(fault)

    def _recover(self, fault: Exception) -> None:
        self._on_fault(fault)
        try:
            self._reset()
        except Exception as second:  # noqa: BLE001 - as above
            self._on_fault(second)
