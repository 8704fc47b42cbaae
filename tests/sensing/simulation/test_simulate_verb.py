"""From a scene's file to a recording that ``roomwise presence`` understands."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from hub.audio.sound_file import read_all, sound_file_info
from hub.cli.main import run_command

SCENES = Path(__file__).parents[3] / "docs" / "scenes"


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_presence_finds_the_person_of_the_first_example(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, truth = tmp_path / "recording.wav", tmp_path / "truth.jsonl"
    scene = str(SCENES / "walk-in-and-sit.yaml")
    assert run_command(["simulate", scene, "--out", str(out), "--truth", str(truth), "--json"]) == 0
    end = lines(capsys.readouterr().out)[-1]
    assert (end["event"], end["microphones"], end["carrier_hz"]) == ("end", 2, 20_500.0)
    assert run_command(["presence", str(out), "--json"]) == 0
    found = lines(capsys.readouterr().out)
    moved = [event["at"] for event in lines(truth.read_text(encoding="utf-8")) if event["event"] == "motion"]
    seen = [event["at"] for event in found if event["event"] == "motion" and event["kind"] == "major"]
    assert float(str(moved[0])) <= float(str(seen[0])) <= float(str(moved[0])) + 1.0
    assert [event["present"] for event in found if event["event"] == "presence"] == [True]
    assert found[-1]["degraded"] == []


def test_presence_finds_nobody_in_an_empty_room(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scene, out = tmp_path / "empty.yaml", tmp_path / "empty.wav"
    scene.write_text("seconds: 8\nseed: 9\ncarrier_hz: 20500\n", encoding="utf-8")
    assert run_command(["simulate", str(scene), "--out", str(out)]) == 0
    assert "8 s of 2 microphones" in capsys.readouterr().out
    assert run_command(["presence", str(out), "--json"]) == 0
    found = lines(capsys.readouterr().out)
    assert [event["event"] for event in found] == ["end"]
    assert found[-1]["degraded"] == []


def test_the_reference_is_what_was_played(tmp_path: Path) -> None:
    scene, out, played = tmp_path / "music.yaml", tmp_path / "music.wav", tmp_path / "played.wav"
    scene.write_text("seconds: 2\nfaults:\n  - kind: music\n", encoding="utf-8")
    assert run_command(["simulate", str(scene), "--out", str(out), "--reference", str(played)]) == 0
    assert sound_file_info(played).frames == sound_file_info(out).frames == 96_000


def test_music_of_ones_own_is_played_again_and_again(tmp_path: Path) -> None:
    scene, out, played = tmp_path / "music.yaml", tmp_path / "music.wav", tmp_path / "played.wav"
    own = tmp_path / "own.wav"
    scene.write_text("seconds: 3\nfaults:\n  - kind: music\n", encoding="utf-8")
    tune = (8_000 * np.sin(2 * np.pi * 110 * np.arange(48_000) / 48_000)).astype(np.int16)
    wavfile.write(own, 48_000, tune)
    arguments = ["--out", str(out), "--reference", str(played), "--music", str(own)]
    assert run_command(["simulate", str(scene), *arguments]) == 0
    heard = read_all(played)[0][0]
    assert np.allclose(heard[60_000:90_000], np.resize(tune, 144_000)[60_000:90_000] / 32_768, atol=1e-4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "seconds: 2\ncarier_hz: 20000\n",
            "scene.yaml:2:1: unknown key 'carier_hz' (did you mean 'carrier_hz'?)",
        ),
        ("seconds: 2\npeople:\n  - kind: ghost\n", "scene.yaml:3:5: 'ghost' is not known here"),
        ("seconds: 2\nfaults:\n  - kind: music\n    amplitud_db: -30\n", "(did you mean 'amplitude_db'?)"),
        ("- 1\n", "scene.yaml:1:1: this has to be a mapping"),
        ("seconds: [\n", "not valid YAML"),
    ],
)
def test_a_wrong_scene_is_told_with_its_place(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = tmp_path / "scene.yaml"
    scene.write_text(text, encoding="utf-8")
    assert run_command(["simulate", str(scene), "--out", str(tmp_path / "out.wav")]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_bad_files_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scene = tmp_path / "scene.yaml"
    scene.write_text("seconds: 0.5\n", encoding="utf-8")
    missing, nowhere = str(tmp_path / "none.yaml"), str(tmp_path / "no" / "out.wav")
    assert run_command(["simulate", missing, "--out", str(tmp_path / "out.wav")]) == 2
    assert run_command(["simulate", str(scene), "--out", nowhere]) == 2
    out, played = str(tmp_path / "out.wav"), str(tmp_path / "played.wav")
    assert run_command(["simulate", str(scene), "--out", out, "--reference", played]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 3
    assert "plays no music" in errors[2]
