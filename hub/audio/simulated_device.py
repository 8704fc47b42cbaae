"""A simulated room as a sound device."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from hub.audio.device import AudioFormat, Captured, CardReport
from sensing.audio_block import Block
from sensing.dsp.convolver import PartitionedConvolver
from sensing.simulation.renderer import RoomRenderer
from sensing.simulation.room_response import room_responses
from sensing.simulation.scene import Scene

_BLOCKS_PER_SECOND = 100


class _SimulatedStream:
    def __init__(
        self, scene: Scene, carrier_hz: float, speakers: int, clock: Callable[[], float] | None
    ) -> None:
        self.format = AudioFormat(
            rate_hz=scene.rate_hz,
            microphones=scene.microphones,
            speakers=speakers,
            block_frames=scene.rate_hz // _BLOCKS_PER_SECOND,
        )
        self._room = RoomRenderer(scene, carrier_hz)
        self._end_frame = round(scene.seconds * scene.rate_hz)
        self._clock = clock
        self._began_seconds = clock() if clock else 0.0
        self._frame = 0
        self._queued = np.zeros((speakers, self.format.block_frames), np.float32)

    def read(self) -> Captured | None:
        """Return what the microphones hear of the block queued one tick ago."""
        frames = min(self.format.block_frames, self._end_frame - self._frame)
        if frames <= 0:
            return None
        if self._clock is not None:
            due = self._began_seconds + (self._frame + frames) / self.format.rate_hz
            time.sleep(max(0.0, due - self._clock()))
        played = self._queued[:, :frames]
        self._queued = np.zeros_like(self._queued)
        capture = self._room.render(self._frame, played)
        captured = Captured(
            first_frame=self._frame, capture=capture, reference=played, report=self._report(frames)
        )
        self._frame += frames
        return captured

    def _report(self, frames: int) -> CardReport | None:
        """Say when the block that is written next begins to be heard, where there is a clock to say it by."""
        if self._clock is None:
            return None
        begins = self._began_seconds + (self._frame + frames) / self.format.rate_hz
        return CardReport(frame=self._frame, heard_at_seconds=begins)

    def write(self, block: Block) -> None:
        """Queue the block for the next tick."""
        self._queued[:, : block.shape[1]] = block

    def close(self) -> None:
        """Nothing is held."""


class SimulatedDevice:
    """Hears a scene, together with whatever is played into it; one tick of delay, as a real ring has.

    ``paced`` runs in real time by ``clock`` (seconds, monotonic); otherwise as fast as possible.
    """

    def __init__(
        self,
        scene: Scene,
        carrier_hz: float,
        *,
        paced: bool,
        clock: Callable[[], float] = time.monotonic,
        speakers: int = 2,
    ) -> None:
        self.name = "simulated room"
        self._scene = scene
        self._carrier_hz = carrier_hz
        self._clock = clock if paced else None
        self._speakers = speakers

    def open(self) -> _SimulatedStream:
        """Enter the room at its first frame."""
        return _SimulatedStream(self._scene, self._carrier_hz, self._speakers, self._clock)


def empty_room(
    carrier_hz: float, *, rate_hz: int, microphones: int, speakers: int, paced: bool = True
) -> SimulatedDevice:
    """Return a quiet room, where nobody comes for ten years."""
    scene = Scene(rate_hz=rate_hz, microphones=microphones, seconds=10 * 365 * 86_400.0)
    return SimulatedDevice(scene, carrier_hz, paced=paced, speakers=speakers)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedDriver:
    """How a simulated driver differs from a perfect one.

    Attributes
    ----------
    delay_seconds, level_db : float
        Of all it plays.
    peak_db, peak_hz : float
        A resonance, or a dip, an octave wide; its delay is the least that it can have.
    """

    delay_seconds: float = 0.0
    level_db: float = 0.0
    peak_db: float = 0.0
    peak_hz: float = 2000.0

    def process_response(self, responses: NDArray[np.float64], rate_hz: int) -> NDArray[np.float64]:
        """Return impulse responses, shape ``(microphones, frames)``, as this driver would make them.

        The resonance is the peaking filter of Bristow-Johnson's cookbook.
        """
        gain, turn = 10 ** (self.peak_db / 40), 2 * np.pi * self.peak_hz / rate_hz
        width = np.sin(turn) / (2 * _PEAK_QUALITY)
        above = [1 + width * gain, -2 * np.cos(turn), 1 - width * gain]
        below = [1 + width / gain, -2 * np.cos(turn), 1 - width / gain]
        shaped = signal.lfilter(above, below, responses, axis=1)
        hz = np.fft.rfftfreq(2 * responses.shape[1], 1 / rate_hz)
        late = np.exp(-2j * np.pi * hz * self.delay_seconds) * 10 ** (self.level_db / 20)
        moved = np.fft.irfft(np.fft.rfft(shaped, 2 * responses.shape[1]) * late)
        out: NDArray[np.float64] = moved[:, : responses.shape[1]]
        return out


CHEAP_DRIVERS = (
    SimulatedDriver(delay_seconds=40e-6, level_db=-0.8, peak_db=2.5, peak_hz=1800.0),
    SimulatedDriver(delay_seconds=0.0, level_db=0.7, peak_db=-2.0, peak_hz=4500.0),
    SimulatedDriver(delay_seconds=-30e-6, level_db=0.2, peak_db=1.5, peak_hz=7000.0),
)
"""As two of one make may differ; more drivers begin again with the first."""

_PEAK_QUALITY = 1.4
_ROOM_MARGIN_M = 0.6
_ROOM_SIDE_M = 2.4
_DEVICE_HEIGHT_M = 1.0
_ROOM_HEIGHT_M = 2.6
_DECAY_SECONDS = 0.35
_RESPONSE_SECONDS = 0.2


class _SpeakersStream:
    def __init__(
        self, audio_format: AudioFormat, responses: NDArray[np.float32], noise_dbfs: float, seed: int
    ) -> None:
        self.format = audio_format
        self._room = PartitionedConvolver(responses, audio_format.block_frames)
        self._noise_rms = 10 ** (noise_dbfs / 20)
        self._random = np.random.default_rng(seed)
        self._frame = 0
        self._queued = np.zeros((audio_format.speakers, audio_format.block_frames), np.float32)

    def read(self) -> Captured:
        """Return what the microphones hear of the blocks queued so far."""
        played, self._queued = self._queued, np.zeros_like(self._queued)
        heard = self._room.process(played)
        noise = self._noise_rms * self._random.standard_normal(heard.shape)
        first_frame, self._frame = self._frame, self._frame + heard.shape[1]
        return Captured(first_frame=first_frame, capture=(heard + noise).astype(np.float32), reference=played)

    def write(self, block: Block) -> None:
        """Queue the block for the next tick."""
        self._queued[:, : block.shape[1]] = block

    def close(self) -> None:
        """Nothing is held."""


class SimulatedSpeakers:
    """Drivers and microphones at their places in a room with walls, to measure loudspeakers in.

    The drivers radiate alike to all sides; the device stands a little before a wall.

    Parameters
    ----------
    drivers_m, microphones_m : ndarray
        Shape ``(count, 3)``, in the frame of the speaker layout.
    drivers : sequence of SimulatedDriver
        Taken in turn.
    """

    def __init__(
        self,
        *,
        drivers_m: NDArray[np.float64],
        microphones_m: NDArray[np.float64],
        rate_hz: int,
        drivers: Sequence[SimulatedDriver] = CHEAP_DRIVERS,
        noise_dbfs: float = -70.0,
        seed: int = 1,
    ) -> None:
        self.name = "simulated loudspeaker"
        self._drivers_m, self._microphones_m = drivers_m, microphones_m
        self._drivers = tuple(islice(cycle(drivers), len(drivers_m)))
        self._rate_hz = rate_hz
        self._noise_dbfs, self._seed = noise_dbfs, seed

    def open(self) -> _SpeakersStream:
        """Enter the room."""
        places = np.concatenate([self._drivers_m, self._microphones_m])
        low, high = places.min(axis=0), places.max(axis=0)
        margin = np.array([_ROOM_SIDE_M, _ROOM_MARGIN_M, _DEVICE_HEIGHT_M])
        size_m = high - low + 2 * margin
        size_m[2] = max(size_m[2], _ROOM_HEIGHT_M)
        corner = low - margin
        responses = np.stack(
            [
                one.process_response(
                    room_responses(
                        place - corner,
                        self._microphones_m - corner,
                        size_m=size_m,
                        decay_seconds=_DECAY_SECONDS,
                        rate_hz=self._rate_hz,
                        seconds=_RESPONSE_SECONDS,
                    ),
                    self._rate_hz,
                )
                for one, place in zip(self._drivers, self._drivers_m, strict=True)
            ]
        )
        audio_format = AudioFormat(
            rate_hz=self._rate_hz,
            microphones=len(self._microphones_m),
            speakers=len(self._drivers_m),
            block_frames=self._rate_hz // _BLOCKS_PER_SECOND,
        )
        return _SpeakersStream(audio_format, responses.astype(np.float32), self._noise_dbfs, self._seed)
