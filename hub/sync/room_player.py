"""A room's player of a stream that several rooms hear in step."""

from __future__ import annotations

import threading

import numpy as np
import structlog

from hub.sync.clock_filter import ClockFilter, Exchange
from hub.sync.dac_clock import DacClock
from hub.sync.limits import SETTLED_READINGS, SETTLED_SIGMA_SECONDS
from hub.sync.pacer import Pacer
from hub.sync.playout import Playout, StepFigures
from hub.sync.steering import Steering
from hub.sync.stream_decoder import StreamDecoder
from hub.sync.timeline import TimedBlock, Timeline
from integrations.snapcast.wire import Misunderstood, PlayerSettings
from sensing.audio_block import Block

log = structlog.get_logger("sync")

_CHANNELS = 2


class RoomPlayer:
    """Between a Snapcast link and the mixer: what arrives on one thread is played by another.

    The link calls it as its listener; the audio thread asks for blocks. Both are short; a lock keeps them
    apart.

    Parameters
    ----------
    rate_hz : int
        Of the sound card.
    """

    def __init__(self, *, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._lock = threading.Lock()
        self._clock = ClockFilter()
        self._dac = DacClock(rate_hz=rate_hz)
        self._settings = PlayerSettings(buffer_seconds=1.0, latency_seconds=0.0, volume=1.0, is_muted=False)
        self._decoder: StreamDecoder | None = None
        self._pacer = Pacer(clock=self._clock, dac=self._dac, steering=Steering(), rate_hz=rate_hz)
        self._stream_hz = 0
        self._gain = 0.0
        self._playout: Playout | None = None

    @property
    def trim_seconds(self) -> float:
        """Play this much earlier, as the acoustic calibration found."""
        return self._pacer.trim_seconds

    @trim_seconds.setter
    def trim_seconds(self, seconds: float) -> None:
        with self._lock:
            self._pacer.trim_seconds = seconds

    def is_in_step(self, at_seconds: float) -> bool:
        """Return whether the server's clock is known well enough to play by."""
        return self._clock.is_ready(at_seconds)

    def is_settled(self, at_seconds: float) -> bool:
        """Return whether both clocks are known so well that what chirps find will last."""
        with self._lock:
            is_known = self._clock.sigma_seconds(at_seconds) < SETTLED_SIGMA_SECONDS
            return is_known and self._dac.readings >= SETTLED_READINGS

    def server_seconds(self, at_seconds: float) -> float | None:
        """Return what the server's clock shows when ours shows ``at_seconds``; None while nobody knows."""
        with self._lock:
            is_ready = self._clock.is_ready(at_seconds)
            return self._clock.server_seconds(at_seconds) if is_ready else None

    def figures(self, at_seconds: float) -> StepFigures | None:
        """Return how well it plays in step; None without a stream, or before the clocks are known."""
        with self._lock:
            if self._playout is None or not self._dac.readings or not self._clock.is_ready(at_seconds):
                return None
            return self._playout.figures(sigma_seconds=self._clock.sigma_seconds(at_seconds))

    @property
    def buffered_seconds(self) -> float:
        """How much sound waits to be played."""
        with self._lock:
            return 0.0 if self._playout is None else self._playout.buffered_seconds

    @property
    def exchange_interval_seconds(self) -> float:
        """When to ask for the time again."""
        return self._clock.interval_seconds

    def stream_begins(self, codec: str, header: bytes) -> None:
        """Take the codec of what follows; raises `Misunderstood` where it cannot be played."""
        decoder = StreamDecoder(codec, header)
        with self._lock:
            self._decoder = decoder
            if self._playout is None or decoder.rate_hz != self._stream_hz:
                # one of the same rate goes on: it takes new stamps without a click
                self._stream_hz = decoder.rate_hz
                self._playout = Playout(
                    timeline=Timeline(rate_hz=decoder.rate_hz, channels=_CHANNELS),
                    pacer=self._pacer,
                    rate_hz=self._rate_hz,
                    latency_seconds=self._latency(),
                )
        log.info("stream begins", codec=codec, rate_hz=decoder.rate_hz, channels=decoder.channels)

    def settings_changed(self, settings: PlayerSettings) -> None:
        """Take buffer, latency and volume."""
        with self._lock:
            self._settings = settings
            if self._playout is not None:
                self._playout.latency_seconds = self._latency()

    def chunk_came(self, at_seconds: float, sound: bytes) -> None:
        """Take encoded sound and the server's time stamp of its first frame."""
        decoder = self._decoder
        if decoder is None or self._playout is None:
            raise Misunderstood("sound before its codec was told")
        samples = _stereo(decoder.decode(sound))
        with self._lock:
            self._playout.append(TimedBlock(start_seconds=at_seconds, samples=samples))

    def time_told(self, *, asked: float, received: float, replied: float, answered: float) -> None:
        """Take the four stamps of an exchange."""
        with self._lock:
            self._clock.observe(Exchange(asked=asked, received=received, replied=replied, answered=answered))

    def stream_ended(self) -> None:
        """Forget the server's clock, for it is gone; what has arrived is played to its end."""
        with self._lock:
            self._clock.reset()
            self._decoder = None

    def card_reported(self, frame: int, heard_at_seconds: float) -> None:
        """Take the sound card's word that ``frame`` is heard when our clock shows ``heard_at_seconds``."""
        with self._lock:
            self._dac.observe(frame, heard_at_seconds)

    def next_block(self, first_frame: int, frames: int) -> Block:
        """Return what the card's frames from ``first_frame`` on play, shape ``(2, frames)``."""
        with self._lock:
            if self._playout is None:
                return np.zeros((_CHANNELS, frames), np.float32)
            block = self._playout.next_block(first_frame, frames)
            before, self._gain = self._gain, 0.0 if self._settings.is_muted else self._settings.volume
            return block * np.linspace(before, self._gain, frames, dtype=np.float32)

    def heard_seconds(self, frame: float) -> float | None:
        """Return the server's time at which a frame is heard; None before the clocks are known."""
        with self._lock:
            return self._pacer.due(frame)

    def _latency(self) -> float:
        return self._settings.buffer_seconds - self._settings.latency_seconds


def _stereo(samples: Block) -> Block:
    """Return the first two channels, or one twice."""
    return samples[:_CHANNELS] if len(samples) >= _CHANNELS else np.repeat(samples, _CHANNELS, axis=0)
