"""A sound card says when what was written to it is heard."""

from __future__ import annotations

import numpy as np
import pytest

from hub.audio.device import AudioFormat, AudioStream, Captured, CardReport
from hub.audio.engine import AudioEngine
from hub.audio.simulated_device import SimulatedDevice
from sensing.audio_block import Block
from sensing.simulation.scene import Scene

RATE_HZ = 48_000
BLOCK = 480


class _Stream:
    """A card that reports each block when it is read, and ends."""

    format = AudioFormat(rate_hz=RATE_HZ, microphones=1, speakers=1, block_frames=BLOCK)

    def __init__(self) -> None:
        self._read = 0

    def read(self) -> Captured | None:
        number, self._read = self._read, self._read + 1
        if number == 3:
            return None
        silence = np.zeros((1, BLOCK), np.float32)
        report = CardReport(frame=number * BLOCK, heard_at_seconds=7.0 + number) if number != 1 else None
        return Captured(first_frame=number * BLOCK, capture=silence, reference=silence, report=report)

    def write(self, block: Block) -> None:
        return

    def close(self) -> None:
        return


class _Device:
    name = "scripted"

    def open(self) -> AudioStream:
        return _Stream()


def test_a_card_that_is_opened_again_reports_frames_as_they_were_asked_for() -> None:
    asked, told = [0], list[tuple[int, float]]()

    def playback(frames: int) -> Block:
        asked[0] += frames
        return np.zeros((1, frames), np.float32)

    engine = AudioEngine(
        device=_Device(),
        playback=playback,
        lanes=[],
        lossless=True,
        on_report=lambda frame, at: told.append((frame, at)),
    )
    engine.run_to_end()
    assert told == [(0, 7.0), (2 * BLOCK, 9.0)]
    engine.run_to_end()
    assert told[2:] == [(3 * BLOCK, 7.0), (5 * BLOCK, 9.0)]
    assert asked == [6 * BLOCK]


def test_a_simulated_room_reports_when_its_microphones_hear_what_is_written() -> None:
    now = iter(np.arange(50.0, 60.0, 0.01).tolist())  # the clock is past what is due: nobody sleeps
    scene = Scene(rate_hz=RATE_HZ, microphones=1, seconds=1.0)
    stream = SimulatedDevice(scene, 20_500.0, paced=True, clock=lambda: next(now) + 1).open()
    reports = []
    for _ in range(3):
        captured = stream.read()
        assert captured is not None
        reports.append((captured.report, captured.first_frame))
        stream.write(np.zeros((2, BLOCK), np.float32))
    for report, first_frame in reports:
        assert report is not None
        assert report.frame == first_frame
        # a block is heard one tick after it is written
        assert report.heard_at_seconds == pytest.approx(51.0 + (first_frame + BLOCK) / RATE_HZ)


def test_a_simulated_room_without_a_clock_says_nothing() -> None:
    scene = Scene(rate_hz=RATE_HZ, microphones=1, seconds=1.0)
    captured = SimulatedDevice(scene, 20_500.0, paced=False).open().read()
    assert captured is not None
    assert captured.report is None
