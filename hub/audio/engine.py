"""The audio engine: one thread, one tick, one clock."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence

from hub.audio.device import AudioDevice, AudioStream
from hub.audio.lane import AudioGap, Lane
from sensing.audio_block import AudioBlock, Block


def _ignore(_: AudioGap) -> None:
    return


def unheard(_frame: int, _heard_at_seconds: float) -> None:
    """Take a report that nobody needs."""


class AudioEngine:
    """Reads the microphones, feeds the speakers and offers numbered blocks to the lanes.

    Parameters
    ----------
    on_report : callable
        Told on the audio thread which frame is heard when, by ``time.monotonic``. The frames are counted as
        ``playback`` was asked for them, over all times that the device was opened.

    Attributes
    ----------
    frames : int
        Frame number just after the last block.
    beats : int
        Ticks done; it grows as long as the sound card lives.
    lost_frames : int
        Frames that the sound card lost (xruns).
    unplayed_frames : int
        Frames of silence that were played because a tick came too late.
    finished : asyncio.Event
        Set when a recording or simulated room has ended and the lanes are drained.
    """

    def __init__(
        self,
        *,
        device: AudioDevice,
        playback: Callable[[int], Block],
        lanes: Sequence[Lane],
        lossless: bool,
        on_event: Callable[[AudioGap], None] = _ignore,
        on_report: Callable[[int, float], None] = unheard,
        needs: frozenset[str] = frozenset(),
    ) -> None:
        self.name = "audio"
        self.needs = needs
        self.frames = 0
        self.beats = 0
        self.lost_frames = 0
        self.unplayed_frames = 0
        self.finished = asyncio.Event()
        self._device = device
        self._playback = playback
        self._lanes = tuple(lanes)
        self._lossless = lossless
        self._on_event = on_event
        self._on_report = on_report
        self._played_frames = 0
        self._first_of_stream = 0

    async def run(self, ready: Callable[[], None]) -> None:
        """Run until cancelled or until the recording ends.

        Raises
        ------
        hub.errors.Degraded
            The device cannot be opened, or stopped.
        """
        stream = await asyncio.to_thread(self._device.open)
        stop = threading.Event()
        work = asyncio.ensure_future(asyncio.to_thread(self._tick_all, stream, stop))
        try:
            ready()
            await asyncio.shield(work)
            self.finished.set()
        finally:
            stop.set()
            for lane in self._lanes:  # also frees a tick that waits for room
                lane.stop(timeout_seconds=0.2)
            await asyncio.wait({work}, timeout=1.0)

    def run_to_end(self) -> None:
        """Run the device to its end on this thread, for recordings and tests."""
        try:
            self._tick_all(self._device.open(), threading.Event())
        finally:
            for lane in self._lanes:
                lane.stop()

    def _tick_all(self, stream: AudioStream, stop: threading.Event) -> None:
        self._first_of_stream = self._played_frames
        try:
            for lane in self._lanes:
                lane.start()
            while not stop.is_set() and self._tick(stream):
                pass
            if not stop.is_set():
                for lane in self._lanes:
                    lane.drain()
        finally:
            stream.close()

    def _tick(self, stream: AudioStream) -> bool:
        captured = stream.read()
        if captured is None:
            return False
        frames = captured.capture.shape[1]
        if captured.report is not None:
            self._on_report(self._first_of_stream + captured.report.frame, captured.report.heard_at_seconds)
        stream.write(self._playback(frames))
        self._played_frames += frames
        if captured.lost_frames:
            self.lost_frames += captured.lost_frames
            first = captured.first_frame - captured.lost_frames
            self._on_event(AudioGap(lane="device", first_frame=first, frames=captured.lost_frames))
        if captured.unplayed_frames:
            self.unplayed_frames += captured.unplayed_frames
            first = captured.first_frame - captured.unplayed_frames
            self._on_event(AudioGap(lane="speakers", first_frame=first, frames=captured.unplayed_frames))
        block = AudioBlock(
            first_frame=captured.first_frame,
            rate_hz=stream.format.rate_hz,
            capture=captured.capture,
            reference=captured.reference,
        )
        for lane in self._lanes:
            lane.offer(block, wait=self._lossless)
        self.frames = block.end_frame
        self.beats += 1
        return True
