from __future__ import annotations

import importlib.util
import json
import struct
from pathlib import Path

import numpy as np
import pytest

from hub import status
from hub.audio.device import AudioFormat, Captured
from hub.audio.file_device import FileDevice
from hub.audio.measurement import Measurement
from hub.audio.simulated_device import empty_room
from hub.calibration import (
    CalibrationInUse,
    calibrated,
    calibration_file,
    read_calibration,
    write_calibration,
)
from hub.cli.main import run_command
from hub.config.hub_config import HubConfig
from hub.errors import BadInput, Degraded
from sensing.audio_block import Block
from sensing.calibration.calibration import Calibration
from sensing.calibration.caps import EmissionCaps
from sensing.dsp.air import speed_of_sound_mps


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    monkeypatch.setattr(status, "default_state_directory", lambda: folder)
    return folder


def config(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "hub.yaml").write_text(text)
    return folder


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Calibration:
    folder = tmp_path_factory.mktemp("calibrated")
    path = folder / "calibration.json"
    assert run_command(["calibrate", "--config", str(config(folder, "{}\n")), "--out", str(path)]) == 0
    found = read_calibration(path)
    assert found is not None
    return found


def test_the_simulated_room_is_calibrated_in_words(
    tmp_path: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["calibrate", "--config", str(config(tmp_path / "house", "{}\n"))]) == 0
    out, err = capsys.readouterr()
    assert err == ""  # no bar without a terminal
    assert out.startswith("Carrier 22.")
    assert "cannot see through walls" in out
    assert "the hub takes it when it starts" in out
    found = read_calibration(calibration_file(state))
    assert found is not None
    assert f"{found.carrier_hz / 1000:.2f} kHz" in out


def test_json_lines_and_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    house, picture, out = config(tmp_path / "house", "{}\n"), tmp_path / "room.png", tmp_path / "room.json"
    arguments = ["calibrate", "--config", str(house), "--plot", str(picture), "--out", str(out), "--json"]
    assert run_command([*arguments, "--range-m", "3"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines if line["event"] != "step"] == ["path"] * 4 + ["verdict", "end"]
    verdict, end = lines[-2:]
    assert verdict["walk_m"] >= 3
    assert verdict["fitness"] == "room"
    assert end["out"] == str(out)
    assert end["db_spl"] <= end["cap_db_spl"]
    width, height = struct.unpack(">II", picture.read_bytes()[16:24])
    assert width > height > 500


def test_the_loopback_delay_is_that_of_the_simulated_room(kept: Calibration) -> None:
    """The first microphone is 11.5 cm away; the room rounds to whole frames and its one tick is in both."""
    assert kept.loopback_delay_frames == pytest.approx(round(0.115 / speed_of_sound_mps() * 48_000), abs=0.1)


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("{}\n", ["--pets"], "not calibrated: with pets at home only carriers above 25 kHz"),
        ("{}\n", ["--microphone-dbfs", "-26"], "give both, or neither"),
        ("audio: {device: file, recording: x.wav}\n", [], "a recording cannot be calibrated"),
        ("{}\n", ["--plot", "room.txt"], "is no picture"),
        ("{}\n", ["--range-m", "50"], "--range-m"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_overwrites_nothing(
    text: str, options: list[str], said: str, tmp_path: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state.mkdir()
    calibration_file(state).write_text("what was before")
    assert run_command(["calibrate", "--config", str(config(tmp_path / "house", text)), *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert said in err
    assert calibration_file(state).read_text() == "what was before"


def test_without_matplotlib_nothing_is_played(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert run_command(["calibrate", "--plot", str(tmp_path / "room.png")]) == 2
    assert "pip install roomwise[plot]" in capsys.readouterr().err


def test_a_carrier_left_out_of_hub_yaml_comes_from_the_calibration(state: Path, kept: Calibration) -> None:
    write_calibration(calibration_file(state), kept)
    settings, in_use = calibrated(HubConfig(), state)
    tone = settings.ultrasound
    assert (tone.carrier_hz, tone.level) == (kept.carrier_hz, kept.level)
    assert in_use == CalibrationInUse(calibration=kept)


@pytest.mark.parametrize(
    "written",
    [
        {"ultrasound": {"carrier_hz": 21_000}},
        {"ultrasound": {"carrier_hz": 20_500}},
        {"ultrasound": {"enabled": False}},
        {"audio": {"rate_hz": 96_000}},
        {"audio": {"microphones": 1}},
        {"audio": {"device": "file", "recording": "x.wav"}},
    ],
)
def test_a_carrier_in_hub_yaml_wins_and_other_hardware_is_not_calibrated(
    written: dict[str, dict[str, object]], state: Path, kept: Calibration
) -> None:
    write_calibration(calibration_file(state), kept)
    settings = HubConfig.model_validate(written)
    found, in_use = calibrated(settings, state)
    assert found == settings
    assert in_use.calibration is None
    assert (in_use.outdated is not None) == ("rate_hz" in str(written) or "microphones" in str(written))


def test_a_level_in_hub_yaml_wins_too(state: Path, kept: Calibration) -> None:
    write_calibration(calibration_file(state), kept)
    settings = HubConfig.model_validate({"ultrasound": {"level": 0.01}})
    tone = calibrated(settings, state)[0].ultrasound
    assert (tone.carrier_hz, tone.level) == (kept.carrier_hz, 0.01)


@pytest.mark.parametrize("text", ["{}", "not json", '{"version": 2}', ""])
def test_a_damaged_calibration_is_told_and_not_used(
    text: str, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state.mkdir()
    calibration_file(state).write_text(text)
    with pytest.raises(BadInput, match="run: roomwise calibrate"):
        read_calibration(calibration_file(state))
    assert calibrated(HubConfig(), state) == (HubConfig(), CalibrationInUse())
    assert "is not a calibration" in "".join(capsys.readouterr())


def test_a_kept_calibration_is_read_as_it_was(state: Path, kept: Calibration) -> None:
    assert read_calibration(calibration_file(state)) is None
    write_calibration(calibration_file(state), kept)
    assert read_calibration(calibration_file(state)) == kept


class LateCard:
    """Plays what is written some ticks later, loses frames, or leaves out a tick, as told."""

    name = "late card"
    format = AudioFormat(rate_hz=48_000, microphones=1, speakers=1, block_frames=480)

    def __init__(self, *, ticks: int, loses_at: int = -1, skips_at: int = -1) -> None:
        self._queue = [np.zeros((1, 480), np.float32)] * ticks
        self._loses_at, self._skips_at = loses_at, skips_at
        self._tick = 0

    def open(self) -> LateCard:
        return self

    def read(self) -> Captured:
        played = self._queue.pop(0)
        self._tick += 1
        if self._tick == self._skips_at:
            played = np.zeros_like(played)
        lost = 480 if self._tick == self._loses_at else 0
        return Captured(
            first_frame=480 * self._tick, capture=0.5 * played, reference=played, lost_frames=lost
        )

    def write(self, block: Block) -> None:
        self._queue.append(block)

    def close(self) -> None:
        return


SOUND = np.concatenate([np.zeros(700), np.sin(np.arange(4_000)), np.zeros(900)]).astype(np.float32)[None]


@pytest.mark.parametrize("ticks", [1, 2, 30, 100])
def test_a_measurement_is_cut_to_the_sound_however_late_the_card_plays(ticks: int) -> None:
    with Measurement(LateCard(ticks=ticks)) as measurement:
        for _ in range(2):
            heard = measurement.play(SOUND)
            np.testing.assert_array_equal(heard.reference, SOUND)
            np.testing.assert_array_equal(heard.capture, 0.5 * SOUND)


def test_lost_frames_and_holes_end_a_measurement() -> None:
    # the card settles for 50 ticks
    with (
        Measurement(LateCard(ticks=2, loses_at=57)) as measurement,
        pytest.raises(Degraded, match="lost 480"),
    ):
        measurement.play(SOUND)
    with (
        Measurement(LateCard(ticks=2, skips_at=57)) as measurement,
        pytest.raises(Degraded, match="left out"),
    ):
        measurement.play(SOUND)


def test_what_does_not_play_cannot_be_measured(tmp_path: Path) -> None:
    import soundfile

    soundfile.write(tmp_path / "room.wav", np.zeros((200_000, 1)), 48_000)
    with (
        Measurement(FileDevice(tmp_path / "room.wav")) as measurement,
        pytest.raises(Degraded, match="does not"),
    ):
        measurement.play(SOUND)
    with (
        pytest.raises(Degraded, match="ended"),
        Measurement(FileDevice(tmp_path / "room.wav")) as measurement,
    ):
        measurement.play(np.zeros((1, 300_000), np.float32))


def test_a_simulated_room_says_how_far_the_measurement_is() -> None:
    told: list[float] = []
    device = empty_room(20_500, rate_hz=48_000, microphones=1, speakers=1, paced=False)
    with Measurement(device, told=told.append) as measurement:
        measurement.play(np.zeros((1, 48_000), np.float32))
    assert sum(told) == pytest.approx(1.5, abs=0.02)


@pytest.mark.parametrize("written", [{}, {"carrier_hz": 21_000.0, "level": 0.3}])
def test_a_loudspeaker_that_nobody_has_measured_stays_under_the_cap(
    written: dict[str, float], tmp_path: Path
) -> None:
    config = HubConfig.model_validate({"audio": {"device": "card"}, "ultrasound": written})
    tone = calibrated(config, tmp_path)[0].ultrasound
    assert tone.carrier_hz == written.get("carrier_hz", 20_500.0)
    assert tone.level == pytest.approx(EmissionCaps().peak(tone.carrier_hz))
    assert tone.level < 0.03
