from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hub.audio.engine import AudioEngine
from hub.audio.file_device import FileDevice
from hub.audio.lane import AudioGap, Lane
from hub.audio.ring import FrameRing
from hub.audio.simulated_device import SimulatedDevice
from sensing.audio_block import AudioBlock, Block
from sensing.observations import Observation
from sensing.simulation.scene import Scene


class Recorder:
    def __init__(self) -> None:
        self.blocks: list[AudioBlock] = []
        self.gaps: list[AudioGap] = []
        self.resets = 0
        self.faults: list[Exception] = []
        self.entered = threading.Event()
        self.gate = threading.Event()
        self.gate.set()
        self.fail_at: int | None = None

    def process(self, block: AudioBlock) -> Sequence[Observation]:
        self.entered.set()
        self.gate.wait(5)
        if block.first_frame == self.fail_at:
            raise ValueError("broken block")
        self.blocks.append(block)
        return ()

    def reset(self) -> None:
        self.resets += 1

    def lane(self, capacity_blocks: int) -> Lane:
        return Lane(
            name="test",
            process=self.process,
            deliver=lambda _: None,
            capacity_blocks=capacity_blocks,
            on_gap=self.gaps.append,
            reset=self.reset,
            on_fault=self.faults.append,
        )


def block_at(first_frame: int, frames: int = 10) -> AudioBlock:
    silence = np.zeros((1, frames), np.float32)
    return AudioBlock(first_frame=first_frame, rate_hz=1000, capture=silence, reference=silence.copy())


def silence(frames: int) -> Block:
    return np.zeros((2, frames), np.float32)


def test_a_full_lane_drops_the_oldest_and_reports_the_gap_once() -> None:
    recorder = Recorder()
    recorder.gate.clear()
    lane = recorder.lane(2)
    lane.start()
    lane.offer(block_at(0))
    assert recorder.entered.wait(5)
    for first_frame in range(10, 60, 10):
        lane.offer(block_at(first_frame))
    recorder.gate.set()
    lane.drain()
    lane.stop()
    assert [block.first_frame for block in recorder.blocks] == [0, 40, 50]
    assert recorder.gaps == [AudioGap(lane="test", first_frame=10, frames=30)]
    assert recorder.resets == 1
    assert lane.statistics().dropped == 3
    assert lane.statistics().peak == 2


def test_a_fault_is_reported_and_the_lane_goes_on_after_a_reset() -> None:
    recorder = Recorder()
    recorder.fail_at = 10
    lane = recorder.lane(8)
    lane.start()
    for first_frame in (0, 10, 20):
        lane.offer(block_at(first_frame), wait=True)
    lane.drain()
    lane.stop()
    assert [block.first_frame for block in recorder.blocks] == [0, 20]
    assert [str(fault) for fault in recorder.faults] == ["broken block"]
    assert recorder.resets == 1


def test_a_message_is_heard_on_the_lanes_thread_before_the_next_block_and_the_newest_of_a_name_holds() -> (
    None
):
    recorder = Recorder()
    heard: list[tuple[str, int, str]] = []
    lane = recorder.lane(8)

    def message(word: str) -> None:
        heard.append((word, len(recorder.blocks), threading.current_thread().name))

    for word in ("mute", "unmute"):
        lane.tell("mute", lambda word=word: message(word))  # type: ignore[misc]
    lane.tell("door opened", lambda: message("door"))
    assert lane.statistics().waiting == ("mute", "door opened")
    lane.start()
    lane.offer(block_at(0))
    lane.drain()
    lane.stop()
    assert heard == [("unmute", 0, "lane-test"), ("door", 0, "lane-test")]
    assert (lane.statistics().told, lane.statistics().waiting) == (2, ())


def test_a_message_that_fails_is_reported_and_the_block_is_still_processed() -> None:
    recorder = Recorder()
    lane = recorder.lane(8)
    lane.tell("wrong", lambda: [][0])
    lane.start()
    lane.offer(block_at(0))
    lane.drain()
    lane.stop()
    assert [type(fault) for fault in recorder.faults] == [IndexError]
    assert len(recorder.blocks) == 1


def test_messages_of_too_many_names_are_refused() -> None:
    lane = Recorder().lane(1)
    for number in range(16):
        lane.tell(str(number), lambda: None)
    lane.tell("3", lambda: None)
    with pytest.raises(ValueError, match="no room for the message 'one more'"):
        lane.tell("one more", lambda: None)


def test_a_recording_of_odd_length_loses_no_frame_in_a_lane_of_one_block(tmp_path: Path) -> None:
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, (44_100 + 137, 2)).astype(np.float32)
    path = tmp_path / "odd.wav"
    soundfile.write(path, samples, 44_100, subtype="FLOAT")
    recorder = Recorder()
    engine = AudioEngine(device=FileDevice(path), playback=silence, lanes=[recorder.lane(1)], lossless=True)
    engine.run_to_end()
    heard = np.concatenate([block.capture for block in recorder.blocks], axis=1)
    np.testing.assert_array_equal(heard, samples.T)
    ends = [block.end_frame for block in recorder.blocks]
    assert [block.first_frame for block in recorder.blocks] == [0, *ends[:-1]]
    assert engine.frames == 44_237
    assert recorder.gaps == []


def test_the_reference_is_what_was_played_one_tick_before() -> None:
    recorder = Recorder()
    sent: list[Block] = []

    def playback(frames: int) -> Block:
        sent.append(np.full((2, frames), 0.01 * (len(sent) + 1), np.float32))
        return sent[-1]

    device = SimulatedDevice(Scene(rate_hz=48_000, seconds=0.055), 20_000.0, paced=False)
    AudioEngine(device=device, playback=playback, lanes=[recorder.lane(2)], lossless=True).run_to_end()
    assert [block.frames for block in recorder.blocks] == [480, 480, 480, 480, 480, 240]
    assert not recorder.blocks[0].reference.any()
    for block, played in zip(recorder.blocks[1:], sent, strict=False):
        np.testing.assert_array_equal(block.reference, played[:, : block.frames])


async def test_the_service_ends_with_the_recording_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "short.wav"
    soundfile.write(path, np.zeros(4_000, np.float32), 8_000)
    recorder = Recorder()
    engine = AudioEngine(device=FileDevice(path), playback=silence, lanes=[recorder.lane(2)], lossless=True)
    await asyncio.wait_for(engine.run(lambda: None), 5)
    assert engine.finished.is_set()
    assert engine.frames == 4_000


async def test_cancelling_ends_the_service_even_when_a_lane_hangs() -> None:
    recorder = Recorder()
    recorder.gate.clear()
    device = SimulatedDevice(Scene(rate_hz=48_000, seconds=600.0), 20_000.0, paced=False)
    engine = AudioEngine(device=device, playback=silence, lanes=[recorder.lane(1)], lossless=True)
    ready = asyncio.Event()
    task = asyncio.create_task(engine.run(ready.set))
    await asyncio.wait_for(ready.wait(), 10)
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=2)
    recorder.gate.set()
    assert done
    assert task.cancelled()


def test_a_ring_keeps_the_order_across_its_end_and_refuses_what_does_not_fit() -> None:
    ring = FrameRing(5, 1)
    numbers = np.arange(20, dtype=np.float32)[:, None]
    out = np.zeros((3, 1), np.float32)
    assert ring.push(numbers[:4]) == 4
    assert ring.pop_into(out) == 3
    assert ring.push(numbers[4:10]) == 4
    assert ring.pop_into(out) == 3
    assert out[:, 0].tolist() == [3, 4, 5]
    assert ring.available == 2
