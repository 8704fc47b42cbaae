"""All sounds of the hub become one stream for the speakers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hub.playback.band_guard import BandGuard
from hub.playback.ducking import Ducker
from hub.playback.limiter import Limiter
from hub.playback.ramp import Ramp
from hub.playback.volume import volume_factor
from hub.spatial.renderer import SpatialRenderer
from sensing.audio_block import Block

FADE_SECONDS = 0.01
_VOLUME_SECONDS = 0.1
"""For the volume to go from silence to full."""
_LONGEST_LISTENING_SECONDS = 20.0
"""A gap in the audio may swallow the end of a command; the music comes up again all the same."""


class CarrierEmitter(Protocol):
    """The ultrasound that is added after everything else."""

    carriers_hz: tuple[float, ...]
    peak: float
    """Highest absolute sample of all tones together."""

    def process(self, frames: int) -> NDArray[np.float32]:
        """Return the next samples, shape ``(frames,)``."""


class MusicSource(Protocol):
    """What plays beside the sounds, at the room's volume, and lower while the house listens or speaks."""

    def next_block(self, frames: int) -> Block:
        """Return the next samples at full level, shape ``(2, frames)``; never waits."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Source:
    samples: Block
    volume: float
    end: int
    on_end: Callable[[], None] | None
    at: int = 0

    def next(self, frames: int, fade: int) -> Block:
        """Return the next frames with fades, shape ``(2, <= frames)``."""
        stop = min(self.at + frames, self.end)
        place = np.arange(self.at, stop)
        gain = self.volume * np.clip(np.minimum((place + 1) / fade, (self.end - place) / fade), 0, 1)
        piece: Block = (self.samples[:, self.at : stop] * gain).astype(np.float32)
        self.at = stop
        return piece


class Mixer:
    """Mix, render, guard, limit, and add the carrier; the result never clips.

    The carrier goes to speaker 0 only: one source has no interference pattern, so no place in
    the room is deaf, and its level leaves the speaker untouched by the music.

    Parameters
    ----------
    rate_hz : int
        Rate of all sounds.
    speakers : int
        Channels of the result.
    renderer : SpatialRenderer or None
        Without one, stereo goes to the first two speakers and one speaker hears the mean.
    emitter : CarrierEmitter or None
        The tone; sounds get the room that its peak leaves below full scale.
    music : MusicSource or None
        What plays beside the sounds.
    ducker : Ducker or None
        Turns the music down while a sound plays, or `listen` says so; None for the usual depth.

    Attributes
    ----------
    speakers : int
        Channels of the result.
    music : MusicSource or None
        Another one may take its place at any time.
    """

    def __init__(
        self,
        *,
        rate_hz: int,
        speakers: int,
        renderer: SpatialRenderer | None = None,
        emitter: CarrierEmitter | None = None,
        music: MusicSource | None = None,
        ducker: Ducker | None = None,
    ) -> None:
        if renderer is not None and renderer.drivers != speakers:
            message = f"the layout has {renderer.drivers} drivers, the sound card {speakers} speakers"
            raise ValueError(message)
        self.speakers = speakers
        self._renderer = renderer
        self._emitter = emitter
        self._guard = (
            None
            if emitter is None
            else BandGuard(carrier_hz=min(emitter.carriers_hz), rate_hz=rate_hz, channels=speakers)
        )
        ceiling = 1.0 if emitter is None else 1.0 - emitter.peak
        self._limiter = Limiter(rate_hz=rate_hz, channels=speakers, ceiling=ceiling)
        self._fade = max(1, round(FADE_SECONDS * rate_hz))
        self.music = music
        self._ducker = ducker or Ducker(rate_hz=rate_hz)
        volume_frames = round(_VOLUME_SECONDS * rate_hz)
        self._volume = Ramp(1.0, rise_frames=volume_frames, fall_frames=volume_frames)
        self._longest_listening_frames = round(_LONGEST_LISTENING_SECONDS * rate_hz)
        self._listening_frames = 0
        self._lock = threading.Lock()
        self._sources: dict[int, _Source] = {}
        self._ids = count(1)

    @property
    def latency_frames(self) -> int:
        """Frames between a sound's start and its first sample in `next_block`."""
        rendering = 0 if self._renderer is None else self._renderer.latency_frames
        return rendering + self._limiter.latency_frames

    def play(self, samples: Block, *, volume: float = 1.0, on_end: Callable[[], None] | None = None) -> int:
        """Start a sound and return its number; safe from any thread.

        Parameters
        ----------
        samples : Block
            Shape ``(1 or 2, frames)`` at the mixer's rate.
        volume : float
            Factor from 0 to 1.
        on_end : callable
            Called once from `next_block`'s thread, when the sound has ended or was stopped.
        """
        if samples.ndim != 2 or samples.shape[0] not in (1, 2):
            message = f"a sound has shape (1 or 2, frames), not {samples.shape}"
            raise ValueError(message)
        stereo = np.broadcast_to(samples, (2, samples.shape[1]))
        source = _Source(
            samples=stereo, volume=float(np.clip(volume, 0, 1)), end=stereo.shape[1], on_end=on_end
        )
        with self._lock:
            number = next(self._ids)
            self._sources[number] = source
        return number

    def stop(self, number: int) -> None:
        """Fade a sound out within 10 ms; one that has ended is no error."""
        with self._lock:
            source = self._sources.get(number)
            if source is not None:
                source.end = min(source.end, source.at + self._fade)

    def set_volume(self, percent: float) -> None:
        """Turn the music to a volume of 0 to 100, within 0.1 s; sounds have a volume of their own."""
        self._volume.target = volume_factor(percent)

    def listen(self, is_listening: bool) -> None:
        """Keep the music down while somebody speaks to the house, for at most 20 s."""
        self._listening_frames = self._longest_listening_frames if is_listening else 0

    def next_block(self, frames: int) -> Block:
        """Return the next frames for the speakers, shape ``(speakers, frames)``, within +-1."""
        is_speaking = bool(self._sources)
        stereo, ended = self._mix(frames)
        self._add_music(stereo, is_ducked=is_speaking or self._listening_frames > 0)
        self._listening_frames = max(0, self._listening_frames - frames)
        block = self._spread(stereo) if self._renderer is None else self._renderer.process(stereo)
        if self._guard is not None:
            block = self._guard.process(block)
        block = self._limiter.process(block)
        if self._emitter is not None:
            block[0] += self._emitter.process(frames)
        for on_end in ended:
            on_end()
        return np.clip(block, -1, 1)

    def _mix(self, frames: int) -> tuple[Block, list[Callable[[], None]]]:
        """Return the sum of all sounds, shape ``(2, frames)``, and who waits for an end."""
        total = np.zeros((2, frames), np.float32)
        ended: list[Callable[[], None]] = []
        with self._lock:
            for number, source in list(self._sources.items()):
                piece = source.next(frames, self._fade)
                total[:, : piece.shape[1]] += piece
                if source.at >= source.end:
                    del self._sources[number]
                    if source.on_end is not None:
                        ended.append(source.on_end)
        return total, ended

    def _add_music(self, stereo: Block, *, is_ducked: bool) -> None:
        """Add the music at the room's volume, below what is said."""
        frames = stereo.shape[1]
        gain = self._volume.process(frames) * self._ducker.process(frames, is_wanted=is_ducked)
        if self.music is not None:
            stereo += (self.music.next_block(frames) * gain).astype(np.float32)

    def _spread(self, stereo: Block) -> Block:
        """Return plain stereo on the speakers there are."""
        if self.speakers == 1:
            mono: Block = stereo.mean(axis=0, keepdims=True, dtype=np.float32)
            return mono
        block = np.zeros((self.speakers, stereo.shape[1]), np.float32)
        block[:2] = stereo
        return block
