"""A sound card in a room whose response is known exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from sensing.audio_block import AudioBlock, Block
from sensing.calibration.calibration import Calibration, Hardware, Wishes
from sensing.calibration.procedure import calibrate

Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]
AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def flat(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.ones_like(hz)


def roll_off(above_hz: float, db_per_khz: float = 40.0) -> Curve:
    return lambda hz: 10 ** (-db_per_khz / 20 * np.maximum(hz - above_hz, 0) / 1_000)


def null_at(centre_hz: float, width_hz: float = 300.0, depth_db: float = 30.0) -> Curve:
    return lambda hz: 10 ** (-depth_db / 20 * np.exp(-(((hz - centre_hz) / width_hz) ** 2)))


@dataclass(kw_only=True)
class MadeUpCard:
    """Direct sound at ``delay_frames``, then a tail of echoes, noise, and tones of others.

    ``highest`` keeps the highest sample that was ever asked for, by loudspeaker.
    """

    rate_hz: int = 48_000
    microphones: int = 2
    speakers: int = 1
    delay_frames: float = 480.25
    direct: float = 0.3
    tail_db: float = -20.0
    curve: Curve = flat
    noise_dbfs: float = -80.0
    lines: dict[float, float] = field(default_factory=dict)
    dead: frozenset[int] = frozenset()
    clips_at: float = np.inf
    limits_at: float = np.inf
    speaker_gains: tuple[float, ...] = ()
    seed: int = 3
    highest: float = 0.0
    sounds: list[Block] = field(default_factory=list)

    def play(self, sound: Block) -> AudioBlock:
        self.highest = max(self.highest, float(np.abs(sound).max()))
        self.sounds.append(sound)
        chance = np.random.default_rng([self.seed, len(self.sounds)])
        frames = sound.shape[1]
        gains = self.speaker_gains or (1.0,) * self.speakers
        driven = np.array(gains) @ np.clip(sound.astype(float), -self.clips_at, self.clips_at)
        loudest = np.abs(driven).max()
        driven *= min(1.0, self.limits_at / loudest) if loudest else 1.0
        size = next_fast_len(frames + round(0.2 * self.rate_hz), real=True)
        hz = np.fft.rfftfreq(size, 1 / self.rate_hz)
        spectrum = rfft(driven, size) * self.curve(hz)
        heard = chance.normal(0, 10 ** (self.noise_dbfs / 20), (self.microphones, frames))
        seconds = np.arange(frames) / self.rate_hz
        for microphone in range(self.microphones):
            for line_hz, level_db in self.lines.items():
                heard[microphone] += 10 ** (level_db / 20) * np.sin(2 * np.pi * line_hz * seconds)
            if microphone not in self.dead:
                answer = spectrum * self._path(hz, size, microphone)
                heard[microphone] += irfft(answer, size)[:frames]
        return AudioBlock(
            first_frame=0, rate_hz=self.rate_hz, capture=heard.astype(np.float32), reference=sound.copy()
        )

    def _path(self, hz: NDArray[np.float64], size: int, microphone: int) -> NDArray[np.complex128]:
        """Return direct sound and an exponential tail of 10 to 200 ms whose energy is ``tail_db``."""
        delay = np.exp(-2j * np.pi * hz * self.delay_frames / self.rate_hz)
        first, last = round(0.01 * self.rate_hz), round(0.2 * self.rate_hz)
        tail = np.random.default_rng([self.seed, microphone]).normal(size=last - first)
        tail *= np.exp(-np.arange(len(tail)) / (0.05 * self.rate_hz))
        tail *= 10 ** (self.tail_db / 20) / np.linalg.norm(tail)
        impulse = np.zeros(size)
        impulse[first : first + min(len(tail), size - first)] = tail[: size - first]
        return delay * (self.direct + rfft(impulse))

    @property
    def hardware(self) -> Hardware:
        return Hardware(
            device="made up", rate_hz=self.rate_hz, microphones=self.microphones, speakers=self.speakers
        )

    def calibrate(self, wishes: Wishes | None = None) -> Calibration:
        return calibrate(self.play, self.hardware, wishes or Wishes(), at=AT)
