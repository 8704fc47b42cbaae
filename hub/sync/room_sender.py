"""What this hub plays, for other rooms too: stamped, sent, and played here in step with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from hub.sync.dac_clock import DacClock
from hub.sync.limits import SETTLED_READINGS
from hub.sync.pacer import OwnClock, Pacer
from hub.sync.playout import Playout, StepFigures
from hub.sync.steering import Steering
from hub.sync.timeline import TimedBlock, Timeline
from sensing.audio_block import Block

_CHUNK_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.5
_CHANNELS = 2


class BlockSource(Protocol):
    """Something that plays: the hub's player, a mixer."""

    def next_block(self, frames: int) -> Block:
        """Return the next frames, shape ``(2, frames)``, at the source's rate."""


class RoomSender:
    """Take sound from a source at the pace of this hub's clock, send it, and play it after the same wait.

    The hub is the server: its clock is the one that all follow, its own card included. So the music neither
    runs away from the clock nor depends on which card the serving hub has. All calls are made by one thread,
    that of the audio.

    Parameters
    ----------
    send : callable
        Takes the time stamp of the first frame in seconds and samples as 16-bit little-endian integers,
        channels interleaved; as `integrations.snapcast.server.SnapcastServer.offer_from_thread`.
    wait_seconds : float
        From a time stamp until the frame is heard, here and elsewhere.
    """

    def __init__(
        self, source: BlockSource, *, rate_hz: int, send: Callable[[float, bytes], None], wait_seconds: float
    ) -> None:
        self._source = source
        self._rate_hz = rate_hz
        self._send = send
        self._dac = DacClock(rate_hz=rate_hz)
        self._pacer = Pacer(clock=OwnClock(), dac=self._dac, steering=Steering(), rate_hz=rate_hz)
        self._playout = Playout(
            timeline=Timeline(rate_hz=rate_hz, channels=_CHANNELS),
            pacer=self._pacer,
            rate_hz=rate_hz,
            latency_seconds=wait_seconds,
        )
        self._chunk_frames = round(_CHUNK_SECONDS * rate_hz)
        self._start_seconds: float | None = None
        self._sent_frames = 0

    def send_until(self, now_seconds: float) -> None:
        """Send what is due by now. After a pause of half a second, as in a suspended machine, begin anew."""
        if self._start_seconds is None or now_seconds - self._next_seconds > _LONGEST_PAUSE_SECONDS:
            self._start_seconds, self._sent_frames = now_seconds, 0
        while self._next_seconds <= now_seconds:
            block = self._source.next_block(self._chunk_frames)
            self._send(self._next_seconds, _integers(block))
            self._playout.append(TimedBlock(start_seconds=self._next_seconds, samples=block))
            self._sent_frames += self._chunk_frames

    def card_reported(self, frame: int, heard_at_seconds: float) -> None:
        """Take the sound card's word that ``frame`` is heard when our clock shows ``heard_at_seconds``."""
        self._dac.observe(frame, heard_at_seconds)

    def next_block(self, first_frame: int, frames: int) -> Block:
        """Return what the card's frames from ``first_frame`` on play, shape ``(2, frames)``."""
        return self._playout.next_block(first_frame, frames)

    def heard_seconds(self, frame: float) -> float | None:
        """Return our clock's time at which a frame is heard; None before the card has reported."""
        return self._pacer.due(frame)

    @property
    def is_settled(self) -> bool:
        """Whether the card's clock is known so well that what chirps find will last."""
        return self._dac.readings >= SETTLED_READINGS

    @property
    def figures(self) -> StepFigures | None:
        """How well this room plays in step; None before the card has reported."""
        return self._playout.figures() if self._dac.readings else None

    @property
    def _next_seconds(self) -> float:
        assert self._start_seconds is not None  # set by the only caller
        return self._start_seconds + self._sent_frames / self._rate_hz


def _integers(block: Block) -> bytes:
    return (np.clip(block, -1, 1).T * 32_767).round().astype("<i2").tobytes()
