"""Our sound path through a real sound server, and what it promises on samples alone."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal as filters

from hub.audio.device import AudioDevice, AudioFormat, AudioStream, Captured
from hub.audio.engine import AudioEngine
from hub.audio.jump_watch import JUMP_SECONDS, JumpWatch
from hub.audio.lane import AudioGap
from hub.bus import Bus, Overflow
from hub.clock import SystemClock
from hub.events import ServiceChanged
from hub.playback.mixer import Mixer
from hub.service import ServiceState
from hub.spatial.filter_design import SpatialFilters, design_filters
from hub.spatial.layout import SpeakerLayout
from hub.spatial.renderer import SpatialRenderer
from hub.supervisor import Supervisor
from script.spatial.jumps import find_jumps
from script.spatial.sound_server import missing, program, run_row, server, start_server, stop_server
from sensing.audio_block import Block
from sensing.ultrasound.emitter import CarrierEmitter

RATE_HZ = 48_000
LATENCIES_SECONDS = (0.2, 0.4, 0.8)
"""A loaded machine starves the sound server: then the same again with more in the buffers."""


@pytest.fixture(scope="module")
def rig() -> Iterator[dict[str, str]]:
    lack = missing()
    if lack is not None:
        pytest.skip(lack)
    with server() as environment:
        yield environment


def found_in(row: str, rig: dict[str, str]) -> dict[str, object]:
    """Return what a row shows without jumps if that can be had, and however it is at last."""
    found: dict[str, object] = {}
    for latency_seconds in LATENCIES_SECONDS:
        try:
            found = run_row(row, rig, latency_seconds)
        except RuntimeError as error:  # the server was so late that the card seemed gone
            if "The sound card stopped" not in str(error):
                raise
            continue
        if found.get("jumps", 0) == 0:
            break
    return found


@pytest.mark.sound_server
@pytest.mark.parametrize("row", ["20 kHz at 48 kHz", "20 and 34 kHz at 96 kHz"])
def test_carriers_pass_unchanged_under_full_scale_music(rig: dict[str, str], row: str) -> None:
    found = found_in(row, rig)
    levels = found["level_change_db"]
    assert isinstance(levels, dict)
    assert levels
    assert max(map(abs, levels.values())) < 0.1
    assert found["clipped_samples"] == 0
    assert isinstance(found["music_dbfs"], float)
    assert found["music_dbfs"] > -20


@pytest.mark.sound_server
def test_each_of_eight_channels_comes_out_where_it_should(rig: dict[str, str]) -> None:
    found = found_in("8 channels", rig)
    assert isinstance(found["own_change_db"], float)
    assert isinstance(found["others_db"], float)
    assert found["own_change_db"] < 0.1
    assert found["others_db"] < -60


@pytest.mark.sound_server
@pytest.mark.parametrize("row", ["server stopped", "reader stopped"])
def test_every_stop_that_a_white_marker_shows_is_told(rig: dict[str, str], row: str) -> None:
    found = run_row(row, rig)
    # what a loaded machine adds of its own is in "jumps", and nobody can say how much that is
    assert found["injected"] == 3
    assert isinstance(found["injected_that_jump"], int)
    assert found["injected_that_jump"] > 0
    assert found["injected_told"] == found["injected_that_jump"]


@pytest.mark.sound_server
async def test_a_sound_server_that_dies_is_said_and_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hub.audio.portaudio_device import PortAudioDevice

    lack = missing()
    if lack is not None:
        pytest.skip(lack)
    folder = str(tmp_path)
    environment = start_server(folder)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    card = PortAudioDevice(name="pulse", rate_hz=RATE_HZ, microphones=2, speakers=2)
    clock = SystemClock(UTC)
    bus = Bus(clock)
    states = bus.subscribe(ServiceChanged, room=100, overflow=Overflow.DROP_OLDEST, name="test")
    engine = AudioEngine(
        device=card, playback=lambda n: np.zeros((2, n), np.float32), lanes=[], lossless=False
    )
    keeping = asyncio.create_task(Supervisor([engine], bus=bus, clock=clock).run())

    async def until(state: ServiceState) -> ServiceChanged:
        async with asyncio.timeout(40):
            async for change in states:
                if change.state is state:
                    return change
        raise AssertionError(state)

    try:
        await until(ServiceState.READY)
        os.kill(int(environment["ROOMWISE_PULSE_PID"]), signal.SIGKILL)
        said = await until(ServiceState.DEGRADED)
        assert "sound card" in said.why
        assert said.hint
        start_server(folder)
        await until(ServiceState.READY)
    finally:
        keeping.cancel()
        await asyncio.wait({keeping})
        stop_server(folder)


@cache
def box_filters() -> SpatialFilters:
    drivers = [{"name": name, "position_m": [x, 0, 0]} for name, x in (("left", -0.1), ("right", 0.1))]
    return design_filters(SpeakerLayout.model_validate({"drivers": drivers}))


def mixed(mixer: Mixer, seconds: float) -> Block:
    return np.concatenate([mixer.next_block(480) for _ in range(round(100 * seconds))], axis=1)


@pytest.fixture(scope="module")
def full_scale() -> tuple[Block, float]:
    """What the speakers get of full-scale music through the renderer with a carrier, and its peak."""
    emitter = CarrierEmitter(carrier_hz=20_000, rate_hz=RATE_HZ, level=0.2)
    emitter.start()
    mixer = Mixer(
        rate_hz=RATE_HZ, speakers=2, renderer=SpatialRenderer(box_filters(), RATE_HZ), emitter=emitter
    )
    mixer.play(program(RATE_HZ, 4.0))
    return mixed(mixer, 3.0), emitter.peak


def test_full_scale_music_and_the_carrier_never_clip(full_scale: tuple[Block, float]) -> None:
    block, _ = full_scale
    assert np.abs(block).max() <= 1
    assert np.sqrt((block[:, RATE_HZ:] ** 2).mean()) > 0.1


def test_above_18_khz_there_is_the_carrier_alone(full_scale: tuple[Block, float]) -> None:
    block, peak = full_scale
    seconds = np.arange(block.shape[1]) / RATE_HZ
    carrier = peak * np.sin(2 * np.pi * 20_000 * seconds)
    rest = (block - np.stack([carrier, 0 * carrier]))[:, RATE_HZ:]
    hz, density = filters.welch(rest, RATE_HZ, "blackmanharris", 4096)
    power = density[:, hz >= 18_500].sum(axis=1) * hz[1]
    # the limiter works hard here, and what it makes of the music counts as well
    assert 10 * np.log10(power.max() / (peak**2 / 2)) < -60


def clickiness(sound: Block) -> float:
    """Return the highest sample above 2 kHz: a step of the sound or of its slope shows there."""
    high = filters.butter(6, 2000, "highpass", fs=RATE_HZ, output="sos")
    return float(np.abs(filters.sosfilt(high, sound, axis=1)[:, RATE_HZ // 2 :]).max())


def bass(seconds: float) -> Block:
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return np.stack([0.5 * np.sin(2 * np.pi * 100 * times), 0.4 * np.sin(2 * np.pi * 70 * times)]).astype(
        np.float32
    )


@given(st.integers(0, 479))
@settings(max_examples=5, deadline=None)
def test_a_sound_that_is_stopped_does_not_click(frame: int) -> None:
    mixer = Mixer(rate_hz=RATE_HZ, speakers=2)
    number = mixer.play(bass(3))
    before = mixed(mixer, 1.0)
    pieces = [before, mixer.next_block(frame)]
    mixer.stop(number)
    sound = np.concatenate([*pieces, mixed(mixer, 0.5)], axis=1)
    cut = sound.copy()
    cut[:, RATE_HZ + frame + mixer.latency_frames :] = 0
    assert clickiness(sound) < 0.02
    assert clickiness(sound) < clickiness(cut)


class _Bass:
    """Music of two low tones, whose every click shows."""

    def __init__(self) -> None:
        self._frame = 0

    def next_block(self, frames: int) -> Block:
        times = (self._frame + np.arange(frames)) / RATE_HZ
        self._frame += frames
        tones = [0.3 * np.sin(2 * np.pi * 100 * times), 0.2 * np.sin(2 * np.pi * 70 * times)]
        return np.stack(tones).astype(np.float32)


CHANGES: dict[str, Callable[[Mixer, SpatialRenderer], None]] = {
    "bypass": lambda _, renderer: renderer.bypass(on=not renderer.is_bypassed),
    "filters": lambda _, renderer: renderer.set_filters(
        replace(box_filters(), filters=box_filters().filters[:, ::-1].copy())
    ),
    "volume": lambda mixer, _: mixer.set_volume(30),
    "ducking": lambda mixer, _: mixer.listen(True),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_while_music_plays_does_not_click(change: str) -> None:
    renderer = SpatialRenderer(box_filters(), RATE_HZ)
    mixer = Mixer(rate_hz=RATE_HZ, speakers=2, renderer=renderer, music=_Bass())
    before = mixed(mixer, 1.0)
    steady = clickiness(before)
    pieces = [before]
    for _ in range(3):
        CHANGES[change](mixer, renderer)
        pieces.append(mixed(mixer, 0.37))
    sound = np.concatenate(pieces, axis=1)
    assert np.abs(sound[:, -RATE_HZ // 4 :] - before[:, -RATE_HZ // 4 :]).max() > 0.01  # it does change
    # a step of 1 % of the music would be more than this
    assert clickiness(sound) < steady + 0.0005


class _Scripted:
    """A card that loses and leaves out frames as told."""

    name = "scripted"

    def __init__(self, blocks: list[Captured]) -> None:
        self._blocks = blocks
        self.format = AudioFormat(rate_hz=RATE_HZ, microphones=1, speakers=1, block_frames=480)

    def open(self) -> AudioStream:
        return self

    def read(self) -> Captured | None:
        return self._blocks.pop(0) if self._blocks else None

    def write(self, block: Block) -> None:
        return

    def close(self) -> None:
        return


def test_frames_that_were_not_played_in_time_are_told_and_counted() -> None:
    silence = np.zeros((1, 480), np.float32)
    blocks = [
        Captured(first_frame=0, capture=silence, reference=silence),
        Captured(first_frame=480, capture=silence, reference=silence, unplayed_frames=100),
    ]
    told: list[AudioGap] = []
    device: AudioDevice = _Scripted(blocks)
    engine = AudioEngine(
        device=device, playback=lambda n: silence[:, :n], lanes=[], lossless=True, on_event=told.append
    )
    engine.run_to_end()
    assert told == [AudioGap(lane="speakers", first_frame=380, frames=100)]
    assert engine.unplayed_frames == 100
    assert engine.lost_frames == 0


def watched(offsets_seconds: list[float]) -> list[int]:
    """What the watch says of a card whose clock is off by so much at each callback."""
    watch = JumpWatch(RATE_HZ)
    return [watch.see(480, 10 + number / 100 + off) for number, off in enumerate(offsets_seconds)]


@given(st.floats(2 * JUMP_SECONDS, 2.0), st.integers(60, 150))
def test_a_jump_of_the_clock_is_told_once_with_its_length(step_seconds: float, at: int) -> None:
    told = watched([0.0] * at + [step_seconds] * 50)
    assert [one for one in told if one] == [pytest.approx(step_seconds * RATE_HZ, abs=1)]


@given(st.integers(0, 2**32 - 1), st.floats(-100e-6, 100e-6))
@settings(max_examples=20)
def test_jitter_drift_and_single_wrong_times_are_no_jumps(seed: int, drift: float) -> None:
    random = np.random.default_rng(seed)
    offsets = random.uniform(-0.002, 0.002, 400) + drift * np.arange(400) / 100
    offsets[random.choice(400 // 8, 5, replace=False) * 8] += 0.05
    assert not any(watched(offsets.tolist()))


def test_a_clock_that_goes_back_counts_as_one_callback() -> None:
    assert [one for one in watched([0.0] * 100 + [-0.2] * 50) if one] == [480]


def test_a_driver_without_a_clock_is_not_judged() -> None:
    watch = JumpWatch(RATE_HZ)
    assert not any(watch.see(480, 0.0) for _ in range(200))


@given(st.integers(2000, 20_000), st.integers(120_000, 130_000), st.booleans())
@settings(max_examples=5, deadline=None)
def test_the_judge_finds_a_jump_in_a_white_marker(frames: int, at: int, is_silent: bool) -> None:
    marker = np.random.default_rng(1).standard_normal(5 * RATE_HZ).astype(np.float32)
    hole = np.zeros(frames) if is_silent else marker[-frames:]
    capture = np.concatenate([np.zeros(9000), marker[: at - 9000], hole, marker[at - 9000 :]])
    judged = find_jumps(marker, capture[: len(marker)].astype(np.float32), RATE_HZ)
    [jump] = judged.jumps
    assert jump.frames == frames
    assert abs(jump.frame - at) <= 1200
    assert find_jumps(marker, marker, RATE_HZ).exact_share == 1.0
