"""What is kept of acoustic calibrations, what is recorded for them, and who may be asked."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from hub.cli.main import run_command
from hub.config.playback_config import TogetherConfig
from hub.pair_memory import PairMemory, PairResult, remember, remembered
from hub.pair_recorder import PairRecorder, Recording
from integrations.mqtt.embedded_broker import EmbeddedBroker
from integrations.mqtt.together_discovery import together_discovery
from integrations.mqtt.topics import CALIBRATE_ROOMS_TOPIC
from integrations.snapcast.player import SnapcastPlayer
from integrations.snapcast.server import SnapcastServer
from integrations.snapcast.wire import PcmFormat
from routines.ports import LinkChanged, LinkEvent
from sensing.audio_block import AudioBlock
from sensing.calibration.calibration import Hardware
from tests.hub.test_together import free_port

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CARD = Hardware(device="card", rate_hz=48_000, microphones=2, speakers=2)
RESULT = PairResult(at=NOON, offset_seconds=3e-4, sigma_seconds=5e-6, distance_metres=2.4, trim_seconds=4e-4)


def test_a_trim_is_of_one_server_and_one_card(tmp_path: Path) -> None:
    path = tmp_path / "rooms.json"
    empty = remembered(path, follows="kitchen:1704", hardware=CARD)
    assert empty.trim_seconds == 0
    remember(path, empty.with_result("kitchen-1", RESULT, is_own_trim=True))
    assert remembered(path, follows="kitchen:1704", hardware=CARD).trim_seconds == 4e-4
    assert remembered(path, follows="attic:1704", hardware=CARD).results == {}
    other = CARD.model_copy(update={"device": "another card"})
    assert remembered(path, follows="kitchen:1704", hardware=other).trim_seconds == 0


@pytest.mark.parametrize("text", ["", "nonsense", "{}", '{"v": 1, "follows": null, "trim_seconds": 1e9}'])
def test_a_file_that_cannot_be_read_is_no_calibration(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rooms.json"
    path.write_text(text, encoding="utf-8")
    assert remembered(path, follows=None, hardware=CARD) == PairMemory(follows=None, hardware=CARD)


def test_the_hub_that_serves_keeps_results_but_no_trim_and_forgets_the_oldest() -> None:
    memory = PairMemory(follows=None, hardware=CARD)
    for number in range(20):
        result = RESULT.model_copy(update={"at": NOON + timedelta(minutes=number)})
        memory = memory.with_result(f"hub-{number}", result, is_own_trim=False)
    assert memory.trim_seconds == 0
    assert list(memory.results) == [f"hub-{number}" for number in range(4, 20)]


def block(first_frame: int, frames: int = 480) -> AudioBlock:
    numbers = np.arange(first_frame, first_frame + frames, dtype=np.float32)
    both = np.stack([numbers, -numbers])
    return AudioBlock(first_frame=first_frame, rate_hz=48_000, capture=both, reference=both)


def test_what_is_asked_for_is_recorded_once_and_nothing_else() -> None:
    taken: list[Recording | None] = []
    recorder = PairRecorder(rate_hz=48_000)
    recorder.process(block(0))
    recorder.record(0.025, taken.append)
    for first in (480, 960, 1440, 1920):
        recorder.process(block(first))
    [recording] = taken
    np.testing.assert_array_equal(recording, np.arange(480, 480 + 1200))
    assert not recorder.is_recording


def test_a_gap_spoils_a_recording_and_no_more_than_six_seconds_are_kept() -> None:
    taken: list[Recording | None] = []
    recorder = PairRecorder(rate_hz=48_000)
    recorder.record(1.0, taken.append)
    recorder.process(block(0))
    recorder.reset()
    assert taken == [None]
    recorder.record(3600.0, taken.append)
    recorder.process(block(0, 7 * 48_000))
    assert taken[1] is not None
    assert taken[1].size == 6 * 48_000
    recorder.record(1.0, taken.append)
    recorder.stop()
    recorder.process(block(0))
    assert len(taken) == 2


def test_only_who_serves_says_when_to_calibrate() -> None:
    assert TogetherConfig(serve=True).calibrate_every_minutes is None
    with pytest.raises(ValidationError, match="calibrate_every_minutes beside follow"):
        TogetherConfig(follow="kitchen", calibrate_every_minutes=10)
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        TogetherConfig(serve=True, calibrate_every_minutes=0.1)
    assert TogetherConfig(follow="kitchen", towards_metres=0.03).towards_metres == 0.03


def test_home_assistant_gets_a_button_that_asks_all_who_serve() -> None:
    button = together_discovery("den")
    assert button["command_topic"] == CALIBRATE_ROOMS_TOPIC
    assert json.dumps(button)


class Quiet:
    async def send(self, event: LinkEvent) -> None:
        assert isinstance(event, LinkChanged)


class Listener:
    """A player that only says hello."""

    exchange_interval_seconds = 0.01

    def __getattr__(self, name: str) -> object:
        return lambda *_args, **_more: None


async def test_a_server_knows_which_of_its_players_are_hubs() -> None:
    port = free_port()
    form = PcmFormat(rate_hz=48_000, channels=2)
    server = SnapcastServer(
        host="127.0.0.1", port=port, form=form, buffer_seconds=1.0, outbox=Quiet(), now=lambda: 0.0
    )
    names = ["den-0a1b2c3d", "../../den", "A:B"]
    players = [
        SnapcastPlayer(
            host="127.0.0.1",
            port=port,
            player_id=name,
            listener=Listener(),  # type: ignore[arg-type]
            outbox=Quiet(),
            now=lambda: 0.0,
        )
        for name in names
    ]
    is_up = asyncio.Event()
    tasks = [asyncio.create_task(server.run(is_up.set))]
    await asyncio.wait_for(is_up.wait(), 5)
    tasks += [asyncio.create_task(player.run(lambda: None)) for player in players]
    async with asyncio.timeout(10):
        while server.players < len(names):
            await asyncio.sleep(0.01)
    assert server.hubs == ("den-0a1b2c3d",)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@pytest.mark.parametrize("arguments", [["--spatial"], ["--plot", "a.png"], ["--out", "a.json"]])
def test_a_pair_is_calibrated_by_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    (tmp_path / "hub.yaml").write_text("version: 1\n", encoding="utf-8")
    assert run_command(["calibrate", "--pair", "--config", str(tmp_path), *arguments]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "--pair stands alone" in line


def test_where_nobody_serves_the_command_says_what_to_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = EmbeddedBroker()
    port = broker.start().mqtt_5
    text = f"version: 1\nmqtt: {{host: 127.0.0.1, port: {port}}}\n"
    (tmp_path / "hub.yaml").write_text(text, encoding="utf-8")
    try:
        assert run_command(["calibrate", "--pair", "--config", str(tmp_path)]) == 2
    finally:
        broker.stop()
    [line] = capsys.readouterr().err.splitlines()
    assert "set playback.together in hub.yaml" in line
