"""Rooms whose hubs play one music in step, over real sockets and in virtual time."""

from __future__ import annotations

import asyncio
import selectors
import socket
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from scipy import signal

from hub import status
from hub.bus import Bus
from hub.cli.main import run_command
from hub.config.hub_config import HubConfig
from hub.playback.library import Library
from hub.playback.mixer import Mixer, MusicSource
from hub.playback.player import Player
from hub.service import ServiceState
from hub.status import write_snapshot
from hub.supervisor import Supervisor
from hub.sync.playout import StepFigures
from hub.sync.rate_converter import RateConverter
from hub.together import Together, music_together
from routines.facts import Json
from sensing.audio_block import Block

RATE_HZ = 48_000
BLOCK = 480
LATENCY_SECONDS = 0.3
"""From a block that is asked for until it is heard."""


class VirtualSelector(selectors.DefaultSelector):
    """Where the sockets have nothing, time goes on at once to what is due next; a message takes 50 us."""

    now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(None if timeout is None else 0)
        if not events and timeout is not None:
            self.now += timeout
        elif events:
            self.now += 50e-6
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = VirtualSelector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


def in_virtual_time(test: Callable[[], Coroutine[None, None, None]]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(test())


class RoomClock:
    """The clock of one machine: it began at some time, and has a crystal of its own."""

    def __init__(self, *, ahead_seconds: float, drift: float) -> None:
        self._ahead_seconds, self._speed = ahead_seconds, 1 + drift

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return self._ahead_seconds + self._speed * asyncio.get_running_loop().time()

    async def sleep_until(self, monotonic: float) -> None:
        await asyncio.sleep(max(0.0, (monotonic - self.monotonic()) / self._speed))


class Noise:
    """Music that is like itself only where it is in step."""

    def __init__(self) -> None:
        white = np.random.default_rng(1).standard_normal((2, 60 * RATE_HZ))
        self._sound = 0.1 * signal.sosfilt(signal.butter(4, 6000, fs=RATE_HZ, output="sos"), white)
        self._frame = 0
        self.is_silent = False

    def next_block(self, frames: int) -> Block:
        first, self._frame = self._frame, self._frame + frames
        block = self._sound[:, first : self._frame].astype(np.float32)
        return np.zeros_like(block) if self.is_silent else block


class Card:
    """A sound card with a crystal of its own; it is the service that the hub's audio is."""

    name = "audio"
    needs: frozenset[str] = frozenset()

    def __init__(self, mixer: Mixer, clock: RoomClock, *, drift: float, reports: bool = True) -> None:
        self._mixer, self._clock = mixer, clock
        self._frame_seconds = (1 + drift) / RATE_HZ
        self._reports = reports
        self.together: Together | None = None
        self.blocks: list[Block] = []
        self.began = 0.0

    async def run(self, ready: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        self.began = loop.time()
        ready()
        while True:
            frame = len(self.blocks) * BLOCK
            due = self.began + frame * self._frame_seconds
            await asyncio.sleep(max(0.0, due - loop.time()))
            if self.together is not None and self._reports:
                ahead = due + LATENCY_SECONDS - loop.time()
                self.together.card_reported(frame, self._clock.monotonic() + ahead)
            self.blocks.append(self._mixer.next_block(BLOCK))

    def heard(self, true_seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """What is in the air before the loudspeaker at instants of true time."""
        sound = np.concatenate(self.blocks, axis=1)
        frames = (true_seconds - self.began - LATENCY_SECONDS) / self._frame_seconds
        return np.asarray(RateConverter().process(sound[:1], frames)[0], np.float64)


class Room:
    """The parts of a hub that make music together, around a card."""

    def __init__(
        self,
        part: dict[str, object],
        folder: Path,
        *,
        card_drift: float = 0.0,
        ahead_seconds: float = 0.0,
        clock_drift: float = 0.0,
        own: MusicSource | None = None,
        reports: bool = True,
    ) -> None:
        loop = asyncio.get_running_loop()

        def post(act: Callable[[], None]) -> None:
            loop.call_soon_threadsafe(act)

        self.clock = RoomClock(ahead_seconds=ahead_seconds, drift=clock_drift)
        bus = Bus(self.clock)
        mixer = Mixer(rate_hz=RATE_HZ, speakers=2)
        self._library = Library(folder)
        self.player = Player(
            mixer=mixer,
            rate_hz=RATE_HZ,
            open_source=self._library.open,
            post=post,
            on_change=lambda: None,
            on_failure=lambda source, why: pytest.fail(why),
            is_lossless=True,
        )
        mixer.music = own or mixer.music
        self.card = Card(mixer, self.clock, drift=card_drift, reports=reports)
        config = HubConfig.model_validate({"playback": {"together": part}})
        together = music_together(
            config, mixer=mixer, player=self.player, hub="test", bus=bus, clock=self.clock
        )
        assert together is not None
        self.together = self.card.together = together
        self._supervisor = Supervisor([self.card, *together.services], bus=bus, clock=self.clock)
        self._running = asyncio.create_task(self._supervisor.run())

    def told(self, name: str) -> tuple[ServiceState, str]:
        [state] = [one for one in self._supervisor.states() if one.name == name]
        return state.state, f"{state.why}. {state.hint}"

    def play(self, source: str) -> None:
        self.player.play(source, self._library.tracks(source))

    def figures(self) -> dict[str, float]:
        figures = self.together.state()["figures"]
        assert isinstance(figures, dict)
        return {name: float(number) for name, number in figures.items() if isinstance(number, int | float)}

    async def end(self) -> None:
        self.player.close()
        self._running.cancel()
        await asyncio.wait({self._running})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def serving(port: int) -> dict[str, object]:
    return {"serve": True, "host": "127.0.0.1", "port": port}


def following(port: int) -> dict[str, object]:
    return {"follow": f"127.0.0.1:{port}"}


def late_seconds(one: Room, other: Room, *, seconds: float = 0.5) -> float:
    """By how much the other room is later, from the cross-correlation of what both have just played."""
    fine_hz = 8 * RATE_HZ
    end = asyncio.get_running_loop().time() + LATENCY_SECONDS - 0.1
    instants = end - seconds + np.arange(round(seconds * fine_hz)) / fine_hz
    first, second = one.card.heard(instants), other.card.heard(instants)
    assert min(first.std(), second.std()) > 0.01
    assert np.corrcoef(first, second)[0, 1] > 0.5  # 50 us of 6 kHz
    like = signal.correlate(second, first, mode="same")
    top = int(np.argmax(like))
    before, peak, after = like[top - 1 : top + 2]
    place = top + 0.5 * (before - after) / (before - 2 * peak + after)
    return float((place - len(like) // 2) / fine_hz)


@pytest.mark.parametrize("card_drift", [50e-6, -50e-6])
def test_two_rooms_are_heard_in_step_although_their_crystals_differ(
    tmp_path: Path, card_drift: float
) -> None:
    async def test() -> None:
        port = free_port()
        kitchen = Room(serving(port), tmp_path, card_drift=card_drift, own=Noise())
        den = Room(following(port), tmp_path, card_drift=-card_drift, ahead_seconds=5000.0, clock_drift=30e-6)
        await asyncio.sleep(20.0)
        assert den.told("together")[0] is ServiceState.READY
        # ways of 50 us that differ leave up to half of that; the cards alone would be 2 ms apart by now
        assert abs(late_seconds(kitchen, den)) < 25e-6
        for room in (kitchen, den):
            assert abs(room.figures()["error_seconds"]) < 1e-4
            assert room.figures()["late_frames"] == 0
            assert room.figures()["jumps"] == 0
        assert kitchen.together.state()["players"] == 1
        await asyncio.gather(kitchen.end(), den.end())

    in_virtual_time(test)


def test_what_is_given_is_heard_after_the_configured_wait(tmp_path: Path) -> None:
    async def test() -> None:
        kitchen = Room(serving(free_port()) | {"wait_seconds": 2.0}, tmp_path, own=Noise())
        await asyncio.sleep(6.0)
        # the first chunk is stamped when the card's first block is asked for
        instants = kitchen.card.began + 2.0 + 3.0 + np.arange(4800) / RATE_HZ
        sound = Noise()
        sound.next_block(3 * RATE_HZ)
        wanted = sound.next_block(4800)[0]
        np.testing.assert_allclose(kitchen.card.heard(instants), wanted, atol=2e-3)
        await kitchen.end()

    in_virtual_time(test)


def test_a_follower_says_that_its_server_is_gone_and_goes_on_when_it_is_back(tmp_path: Path) -> None:
    async def test() -> None:
        port = free_port()
        kitchen = Room(serving(port), tmp_path, own=Noise())
        den = Room(following(port), tmp_path, card_drift=40e-6, ahead_seconds=-300.0)
        await asyncio.sleep(5.0)
        assert den.told("snapcast_player") == (ServiceState.READY, ". ")
        await kitchen.end()
        await asyncio.sleep(10.0)
        state, words = den.told("snapcast_player")
        assert state is ServiceState.DEGRADED
        assert f"127.0.0.1:{port}" in words
        assert not np.any(den.card.blocks[-1])
        assert den.together.state()["figures"] is None
        kitchen = Room(serving(port), tmp_path, card_drift=-40e-6, ahead_seconds=70.0, own=Noise())
        await asyncio.sleep(50.0)  # the longest wait between two tries is 30 s
        assert den.told("snapcast_player") == (ServiceState.READY, ". ")
        assert abs(late_seconds(kitchen, den)) < 25e-6
        await asyncio.gather(kitchen.end(), den.end())

    in_virtual_time(test)


def test_a_follower_pauses_its_own_music_when_the_other_begins_and_plays_it_again_when_asked(
    tmp_path: Path,
) -> None:
    soundfile.write(tmp_path / "own.wav", np.full((40 * RATE_HZ, 2), 0.25), RATE_HZ)

    async def test() -> None:
        port, noise = free_port(), Noise()
        noise.is_silent = True
        kitchen = Room(serving(port), tmp_path, own=noise)
        den = Room(following(port), tmp_path)
        den.play("own.wav")
        await asyncio.sleep(5.0)
        assert den.player.state.state == "playing"
        np.testing.assert_allclose(den.card.blocks[-1], 0.25, atol=1e-3)
        noise.is_silent = False
        await asyncio.sleep(5.0)
        assert den.player.state.state == "paused"
        assert abs(late_seconds(kitchen, den)) < 1e-4
        noise.is_silent = True
        await asyncio.sleep(10.0)
        assert den.player.state.state == "paused"
        den.player.resume()
        await asyncio.sleep(1.0)
        assert den.player.state.state == "playing"
        np.testing.assert_allclose(den.card.blocks[-1], 0.25, atol=1e-3)
        await asyncio.gather(kitchen.end(), den.end())

    in_virtual_time(test)


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    async def test() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            kitchen = Room(serving(taken.getsockname()[1]), tmp_path, own=Noise())
            await asyncio.sleep(2.0)
            state, words = kitchen.told("snapcast_server")
            assert state is ServiceState.DEGRADED
            assert "set another port" in words
            await kitchen.end()

    in_virtual_time(test)


def test_a_card_that_does_not_report_is_said(tmp_path: Path) -> None:
    async def test() -> None:
        kitchen = Room(serving(free_port()), tmp_path, own=Noise(), reports=False)
        await asyncio.sleep(5.5)
        state, words = kitchen.told("together")
        assert state is ServiceState.DEGRADED
        assert "has not told when it is heard" in words
        assert kitchen.together.state()["figures"] is None
        await kitchen.end()

    in_virtual_time(test)


@pytest.mark.parametrize(
    ("together", "words"),
    [
        ("{serve: true, follow: kitchen.local}", "gives its music (serve: true) or follows another"),
        ("{serve: false}", "gives its music (serve: true) or follows another"),
        ("{follow: 'kitchen local'}", "'kitchen local' is not an address"),
        ("{follow: 'tcp://kitchen:1704'}", "is not an address"),
        ("{follow: 'kitchen:0'}", "is not an address"),
        ("{follow: 'kitchen:99999'}", "is not an address"),
        ("{follow: kitchen.local, port: 1705}", "port beside follow: leave it out"),
        ("{serve: true, port: 0}", "greater than or equal to 1"),
        ("{serve: true, wait_seconds: 0.1}", "greater than or equal to 0.6"),
        ("{serve: true}\naudio: {device: file}", "plays to nobody"),
    ],
)
def test_a_wrong_setting_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], together: str, words: str
) -> None:
    text = f"playback:\n  together: {together}\n"
    (tmp_path / "hub.yaml").write_text(text, encoding="utf-8")
    assert run_command(["run", "--config", str(tmp_path)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "hub.yaml:" in line
    assert words in line


def test_status_tells_the_part_and_how_well_it_is_played(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "default_state_directory", lambda: tmp_path)
    figures = StepFigures(
        error_seconds=-2e-4,
        sigma_seconds=5e-5,
        buffered_seconds=0.71,
        late_frames=480,
        silent_frames=0,
        jumps=1,
    )
    parts: list[dict[str, Json]] = [
        {"role": "follows", "server": "kitchen:1704", "figures": asdict(figures)},
        {"role": "serves", "port": 1704, "players": 2, "figures": None},
    ]
    lines = []
    for part in parts:
        write_snapshot(tmp_path / "status.json", [], [], {"together": part})
        assert run_command(["status"]) == 0
        lines += capsys.readouterr().out.splitlines()
    assert (
        "music follows kitchen:1704: in step to 0.25 ms, 0.7 s ahead, 480 frames late, 0 silent, 1 jumps"
        in lines
    )
    assert "music is given on port 1704, 2 listening: not in step yet" in lines
