"""Timestamped sound becomes blocks that are heard when they are due."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.sync.clock_filter import ClockFilter, Exchange
from hub.sync.dac_clock import DacClock
from hub.sync.limits import LARGEST_CORRECTION
from hub.sync.pacer import OwnClock, Pacer, ServerClock
from hub.sync.playout import Playout
from hub.sync.room_sender import RoomSender
from hub.sync.steering import Steering
from hub.sync.timeline import TimedBlock, Timeline
from sensing.audio_block import Block

RATE_HZ = 48_000
BLOCK = 960
LATENCY_SECONDS = 0.5
HZ = 440.0
LEVEL = 0.5


def sound_at(seconds: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Block:
    """The sound of every instant of the server's time: a tone."""
    return (LEVEL * np.sin(2 * np.pi * HZ * seconds))[np.newaxis].astype(np.float32)


def piece(start_seconds: float, seconds: float = 0.02, rate_hz: int = RATE_HZ) -> TimedBlock:
    instants = start_seconds + np.arange(round(seconds * rate_hz)) / rate_hz
    return TimedBlock(start_seconds=start_seconds, samples=sound_at(instants))


class Room:
    """A device in virtual time: its card is heard 50 ms after a block is asked for."""

    def __init__(
        self,
        *,
        clock: ServerClock | None = None,
        card_drift: float = 0.0,
        stream_hz: int = RATE_HZ,
        offset: float = 0.0,
    ) -> None:
        self.card_drift, self.offset = card_drift, offset
        self.dac = DacClock(rate_hz=RATE_HZ)
        self.pacer = Pacer(clock=clock or OwnClock(), dac=self.dac, steering=Steering(), rate_hz=RATE_HZ)
        self.timeline = Timeline(rate_hz=stream_hz, channels=1)
        self.playout = Playout(
            timeline=self.timeline, pacer=self.pacer, rate_hz=RATE_HZ, latency_seconds=LATENCY_SECONDS
        )
        self.frame = 0

    def heard_at(self, frame: float) -> float:
        return 10.0 + 0.05 + frame / RATE_HZ * (1 + self.card_drift)

    def play(self, seconds: float) -> Block:
        blocks = []
        for _ in range(round(seconds * RATE_HZ / BLOCK)):
            self.dac.observe(self.frame, self.heard_at(self.frame))
            blocks.append(self.playout.next_block(self.frame, BLOCK))
            self.frame += BLOCK
        return np.concatenate(blocks, axis=1)

    def feed(self, start_seconds: float, seconds: float, rate_hz: int = RATE_HZ) -> None:
        for number in range(round(seconds / 0.02)):
            self.playout.append(piece(start_seconds + 0.02 * number, rate_hz=rate_hz))

    def lateness(self, heard: Block, first_frame: int) -> float:
        """Seconds by which a stretch of the tone is heard after its time, from its phase."""
        frames = first_frame + np.arange(heard.shape[1])
        times = self.heard_at(frames) + self.offset - LATENCY_SECONDS
        turns = np.sum(heard[0] * np.exp(-2j * np.pi * HZ * times)) * 1j
        return float(-np.angle(turns) / (2 * np.pi * HZ))


def steps(block: Block) -> float:
    """The largest step between neighbouring samples; a tone of 440 Hz at half scale has 0.029."""
    return float(np.abs(np.diff(block[0])).max())


@pytest.mark.parametrize(("card_drift", "stream_hz"), [(80e-6, 48_000), (-80e-6, 44_100)])
def test_every_frame_is_heard_at_its_time(card_drift: float, stream_hz: int) -> None:
    room = Room(card_drift=card_drift, stream_hz=stream_hz)
    room.feed(9.0, 1.0, stream_hz)
    for number in range(15):
        room.feed(10.0 + number, 1.0, stream_hz)
        heard = room.play(1.0)
        assert steps(heard) < 0.03
    # a microsecond is 0.05 frames; what is left is the drift, which the card's clock learns slowly
    assert abs(room.lateness(heard, room.frame - RATE_HZ)) < 5e-6


def test_two_devices_with_their_own_clocks_play_within_some_microseconds() -> None:
    lateness = []
    for seed, card_drift in ((1, 60e-6), (2, -45e-6)):
        clock, random = ClockFilter(), np.random.default_rng(seed)
        room = Room(clock=clock, card_drift=card_drift, offset=500.0)
        for number in range(300):
            at = 5 + 0.025 * number
            forth, back = 2e-4 + random.exponential(5e-5, 2)
            clock.observe(
                Exchange(
                    asked=at, received=at + forth + 500, replied=at + forth + 500, answered=at + forth + back
                )
            )
        for number in range(15):
            room.feed(510.0 + number, 1.0)
            heard = room.play(1.0)
        lateness.append(room.lateness(heard, room.frame - RATE_HZ))
    assert abs(lateness[0] - lateness[1]) < 2e-5


def test_before_the_clocks_are_known_there_is_silence() -> None:
    room = Room(clock=ClockFilter())
    room.feed(10.0, 1.0)
    assert not room.play(0.5).any()


def test_sound_that_comes_after_its_time_is_dropped_and_counted() -> None:
    room = Room()
    room.feed(10.0, 2.0)
    room.play(1.0)
    room.playout.append(piece(10.1))
    assert room.playout.late_frames == 960
    assert steps(room.play(0.5)) < 0.03


def test_a_hole_is_silence_between_fades_and_what_follows_is_in_time() -> None:
    room = Room()
    room.feed(10.0, 1.0)
    room.feed(11.1, 1.0)
    heard = room.play(2.4)
    assert room.playout.silent_frames > 0.1 * RATE_HZ
    assert steps(heard) < 0.03
    at = round(1.2 * RATE_HZ) + round((LATENCY_SECONDS - 0.05) * RATE_HZ)
    assert abs(room.lateness(heard[:, at : at + 9600], at)) < 3e-6


def test_a_stream_that_dries_out_fades_and_comes_back() -> None:
    room = Room()
    room.feed(10.0, 0.5)
    heard = [room.play(1.5)]
    room.feed(11.5, 1.0)
    heard.append(room.play(1.0))
    joined = np.concatenate(heard, axis=1)
    assert steps(joined) < 0.03
    assert np.abs(joined[0, -4800:]).max() > 0.49


def test_a_new_stream_takes_over_without_a_click() -> None:
    room = Room()
    room.feed(10.0, 3.0)
    heard = [room.play(1.0)]
    room.feed(10.3, 2.0)  # the server seeks
    heard.append(room.play(1.0))
    assert room.timeline.breaks == 1
    assert steps(np.concatenate(heard, axis=1)) < 0.04


def test_a_jump_of_the_card_is_jumped_over_without_a_click_and_ends_in_step() -> None:
    room = Room()
    room.feed(10.0, 6.0)
    heard = [room.play(2.0)]
    before = room.heard_at
    room.heard_at = lambda frame: before(frame) + 0.03  # type: ignore[method-assign]
    heard.append(room.play(3.0))
    assert room.pacer.jumps == 1
    # the jump may come at any phase: the step is taken out over 5 ms
    assert steps(np.concatenate(heard, axis=1)) < 0.04
    assert abs(room.lateness(heard[1][:, -RATE_HZ:], room.frame - RATE_HZ)) < 2e-5


def test_a_trim_is_reached_by_playing_faster_for_a_while_not_by_a_jump() -> None:
    room = Room()
    room.feed(10.0, 9.5)
    room.play(1.0)
    room.pacer.trim_seconds = 5e-4  # a fourteenth of it is left after 8 s
    heard = room.play(8.0)
    assert room.pacer.jumps == 0
    assert room.lateness(heard[:, -9600:], room.frame - 9600) == pytest.approx(-5e-4, abs=5e-5)
    # 500 ppm of 440 Hz, and nothing else, changes the slope of the wave
    assert steps(heard) < 0.0288 * (1 + LARGEST_CORRECTION) * 1.001


def test_a_hub_whose_server_is_gone_plays_on_with_what_it_has() -> None:
    clock = ClockFilter()
    room = Room(clock=clock)
    for number in range(40):
        at = 9 + 0.025 * number
        clock.observe(Exchange(asked=at, received=at + 1e-3, replied=at + 1e-3, answered=at + 2e-3))
    room.feed(10.0, 3.0)
    room.play(1.0)
    clock.reset()
    heard = room.play(1.0)
    assert np.abs(heard).max() > 0.49
    assert abs(room.lateness(heard[:, -9600:], room.frame - 9600)) < 1e-4


def test_more_sound_than_there_is_room_for_is_refused_and_counted() -> None:
    room = Room()
    room.feed(10.0, 12.0)
    assert room.timeline.buffered_frames <= 10 * RATE_HZ
    assert room.timeline.refused_frames == 2 * RATE_HZ


@given(
    jitter_us=st.lists(st.integers(-500, 500), min_size=40, max_size=40),
    sizes=st.lists(st.integers(1, 2000), min_size=40, max_size=40),
)
@settings(max_examples=25, deadline=None)
def test_neither_rounded_stamps_nor_the_size_of_chunks_is_heard(
    jitter_us: list[int], sizes: list[int]
) -> None:
    timeline = Timeline(rate_hz=RATE_HZ, channels=1)
    start = 0
    for jitter, size in zip(jitter_us, sizes, strict=True):
        samples = np.arange(start, start + size, dtype=np.float32)[np.newaxis]
        timeline.append(TimedBlock(start_seconds=start / RATE_HZ + jitter * 1e-6, samples=samples))
        start += size
    np.testing.assert_array_equal(timeline.read(0, start)[0], np.arange(start))
    # two hundredths of each deviation are followed
    assert abs(timeline.frame_at(1.0) - (1.0 - jitter_us[0] * 1e-6) * RATE_HZ) < 48 * 0.6


def test_no_frames_are_nothing() -> None:
    room = Room()
    room.feed(10.0, 1.0)
    room.play(0.1)
    assert room.playout.next_block(room.frame, 0).shape == (1, 0)


def test_a_block_of_other_channels_is_refused() -> None:
    with pytest.raises(ValueError, match="1 channels, the block 2"):
        Room().timeline.append(TimedBlock(start_seconds=0.0, samples=np.zeros((2, 10), np.float32)))


class Tones:
    """A source that plays the tone from its first frame on."""

    def __init__(self) -> None:
        self.frames = 0

    def next_block(self, frames: int) -> Block:
        block = sound_at((self.frames + np.arange(frames)) / RATE_HZ)
        self.frames += frames
        return np.repeat(block, 2, axis=0)


def test_a_hub_hears_what_it_serves_when_the_others_do() -> None:
    sent: list[tuple[float, bytes]] = []
    sender = RoomSender(
        Tones(),
        rate_hz=RATE_HZ,
        send=lambda at, sound: sent.append((at, sound)),
        wait_seconds=LATENCY_SECONDS,
    )
    drift, blocks = 50e-6, []
    for number in range(600):
        frame = number * BLOCK
        now = 10.0 + frame / RATE_HZ * (1 + drift)
        sender.send_until(now)
        sender.card_reported(frame, now + 0.05)
        blocks.append(sender.next_block(frame, BLOCK))
    heard = np.concatenate(blocks, axis=1)
    # the stream began at 10 s of the clock, so its first frame is heard 0.5 s later
    frames = np.arange(heard.shape[1])[-RATE_HZ:]
    times = (frames / RATE_HZ * (1 + drift) + 0.05) - LATENCY_SECONDS
    turns = np.sum(heard[0, -RATE_HZ:] * np.exp(-2j * np.pi * HZ * times)) * 1j
    assert abs(np.angle(turns) / (2 * np.pi * HZ)) < 1e-5
    stamps = np.array([at for at, _ in sent])
    np.testing.assert_allclose(np.diff(stamps), 0.02, atol=1e-9)
    assert {len(sound) for _, sound in sent} == {960 * 4}


def test_after_a_suspend_the_serving_hub_begins_anew_instead_of_sending_all_that_was_missed() -> None:
    source, sent = Tones(), list[float]()
    sender = RoomSender(
        source, rate_hz=RATE_HZ, send=lambda at, _: sent.append(at), wait_seconds=LATENCY_SECONDS
    )
    sender.send_until(10.0)
    sender.send_until(3610.0)
    assert sent == [10.0, 3610.0]


def test_a_servers_clock_that_is_set_is_found_again_and_the_stream_goes_on_without_a_click() -> None:
    clock = ClockFilter()
    room = Room(clock=clock)
    heard = []

    def pass_second(second: int, offset: float) -> None:
        room.feed(10.0 + second + offset, 1.0)
        for number in range(40):
            at = 10.0 + second - 0.5 + 0.025 * number
            clock.observe(
                Exchange(
                    asked=at, received=at + 1e-3 + offset, replied=at + 1e-3 + offset, answered=at + 2e-3
                )
            )
        heard.append(room.play(1.0))

    for second in range(3):
        pass_second(second, 0.0)
    for second in range(3, 8):
        pass_second(second, 2.0)
    room.offset = 2.0
    assert clock.jumps == 1
    assert steps(np.concatenate(heard, axis=1)) < 0.04
    assert abs(room.lateness(heard[-1], room.frame - RATE_HZ)) < 2e-5
