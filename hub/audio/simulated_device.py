"""A simulated room as a sound device."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from hub.audio.device import AudioFormat, Captured
from sensing.audio_block import Block
from sensing.simulation.renderer import RoomRenderer
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
        captured = Captured(first_frame=self._frame, capture=capture, reference=played)
        self._frame += frames
        return captured

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
