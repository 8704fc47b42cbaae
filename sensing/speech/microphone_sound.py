"""What the microphones hear without what the loudspeakers play: chunks of 80 ms at 16 kHz."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensing.audio_block import AudioBlock, Block
from sensing.dsp.resampler import Resampler
from sensing.observations import HearingFault
from sensing.processing_meter import ProcessingMeter
from sensing.speech.hearing_health import HearingHealth
from sensing.speech.playback_echo import PlaybackEcho
from sensing.speech.speech_stages import CHUNK_FRAMES, RATE_HZ

CHUNK_SECONDS = CHUNK_FRAMES / RATE_HZ
_STEP_SECONDS = 0.02
"""Blocks are gathered this long: resampling 10 ms at a time costs nearly twice as much."""

Mono = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SoundChunk:
    """80 ms at 16 kHz, sounds of shape ``(1280,)``.

    Attributes
    ----------
    near : NDArray
        What the room said.
    faults : tuple of str
        What is wrong with the sound.
    played, echo : NDArray or None
        What was played, and how it sounded in the room as far as that is known; None while nothing plays.
    """

    near: Mono
    faults: tuple[HearingFault, ...] = ()
    played: Mono | None = None
    echo: Mono | None = None


class MicrophoneSound:
    """Mix, resample, and take out the hub's own voice and music.

    The chunks do not depend on how the stream is cut into blocks.

    Parameters
    ----------
    rate_hz : int
        Rate of the blocks.
    meter : ProcessingMeter
        Charged for ``resampler`` and ``echo``.
    delay_frames : float or None
        Frames of the blocks from the reference to the capture, where they are known.
    """

    def __init__(self, *, rate_hz: int, meter: ProcessingMeter, delay_frames: float | None = None) -> None:
        self._rate_hz = rate_hz
        self._meter = meter
        self._step = math.ceil(_STEP_SECONDS * rate_hz)
        self._delay = None if delay_frames is None else round(delay_frames * RATE_HZ / rate_hz)
        self._echo: PlaybackEcho | None = None
        self._microphones, self._speakers = 1, 0
        self._health = HearingHealth(rate_hz)
        self.reset()

    def reset(self) -> None:
        """Forget the sound, as after a gap in it; the room is still the same."""
        self._mix = _mix(self._microphones, self._speakers)
        self._waiting: list[Block] = []
        self._waiting_frames = 0
        self._resamplers = [Resampler(self._rate_hz, RATE_HZ) for _ in self._mix]
        self._rest = np.zeros((len(self._mix), 0), np.float32)
        self._health.reset()
        if self._echo is not None:
            self._echo.interrupt()

    def process(self, block: AudioBlock) -> list[SoundChunk]:
        """Return the chunks that this block completes."""
        if (len(block.capture), len(block.reference)) != (self._microphones, self._speakers):
            self._follow_device(len(block.capture), len(block.reference))
        self._waiting.append(np.concatenate([block.capture, block.reference]))
        self._waiting_frames += block.frames
        if self._waiting_frames < self._step:
            return []
        sound = np.concatenate(self._waiting, axis=1)
        whole = sound.shape[1] // self._step * self._step
        self._waiting, self._waiting_frames = [sound[:, whole:]], sound.shape[1] - whole
        return [
            chunk
            for first in range(0, whole, self._step)
            for chunk in self._take(sound[:, first : first + self._step], last=False)
        ]

    def _follow_device(self, microphones: int, speakers: int) -> None:
        """Begin anew: only the first block tells how many channels there are."""
        self._microphones, self._speakers = microphones, speakers
        channels = min(speakers, 2)
        self._echo = PlaybackEcho(channels, delay_frames=self._delay) if channels else None
        self.reset()

    def finish(self) -> list[SoundChunk]:
        """Return what the end of a recording completes: it ends in half a second of silence."""
        silence = np.zeros((self._microphones + self._speakers, self._rate_hz // 2), np.float32)
        return self._take(np.concatenate([*self._waiting, silence], axis=1), last=True)

    def _take(self, sound: Block, *, last: bool) -> list[SoundChunk]:
        """Resample a step of microphones and loudspeakers, and cut it into chunks."""
        with self._meter.level("resampler", sound.shape[1] / self._rate_hz):
            if not last:
                self._health.process(sound[: self._microphones])
            rows = self._mix @ sound
            if not np.isfinite(rows.sum()):  # the health tells of it; no filter must keep it
                rows = self._mix @ np.nan_to_num(sound, nan=0.0, posinf=0.0, neginf=0.0)
            resampled = [one.process(row, last=last) for one, row in zip(self._resamplers, rows, strict=True)]
            self._rest = np.concatenate([self._rest, np.stack(resampled)], axis=1)
        chunks = []
        while self._rest.shape[1] >= CHUNK_FRAMES:
            chunks.append(self._chunk(self._rest[:, :CHUNK_FRAMES]))
            self._rest = self._rest[:, CHUNK_FRAMES:]
        return chunks

    def _chunk(self, rows: Block) -> SoundChunk:
        if self._echo is None or not self._echo.hears(rows[1:]):
            return SoundChunk(near=rows[0], faults=self._health.faults)
        with self._meter.level("echo", CHUNK_SECONDS):
            apart, played = self._echo.process(rows[0])
        return SoundChunk(near=apart.near, faults=self._health.faults, played=played, echo=apart.echo)


def _mix(microphones: int, speakers: int) -> Block:
    """Return the matrix that makes three rows: mean of the microphones, middle and sides of what is played.

    Middle and sides have little in common, and most sounds have no sides: then the canceller needs one
    channel only.
    """
    middle = np.full(speakers, 1 / max(1, speakers))
    sides = middle * (-1.0) ** np.arange(speakers)
    mix = np.zeros((1 + min(speakers, 2), microphones + speakers), np.float32)
    mix[0, :microphones] = 1 / microphones
    for row, played in zip(mix[1:], (middle, sides), strict=False):
        row[microphones:] = played
    return mix
