import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub import status
from hub.cli.main import VERBS, run_command
from hub.events import RecalibrationAdvised, ServiceChanged
from hub.room_presence import RoomPresence
from hub.service import ServiceState
from hub.status import write_snapshot
from routines.facts import Json


def test_the_help_lists_every_verb_and_loads_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {verb} " in shown for verb in VERBS)
    code = "import sys, hub.cli.main as m; m.run_command(['--help']); print([n for n in sys.modules if n in "
    code += "('numpy', 'scipy', 'pydantic', 'onnxruntime', 'aiohttp', 'structlog')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("arguments", [["bogus"], ["check", "--nope"], ["check", "does/not/exist"]])
def test_wrong_input_is_one_line_and_exit_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1


def test_a_layout_of_another_sound_card_is_not_played_and_one_line_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hub.yaml").write_text("version: 1\n", encoding="utf-8")
    wanted = ["play", "song.flac", "--layout", "round-three", "--config", str(tmp_path)]
    assert run_command(wanted) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "has 3 drivers, audio.speakers in hub.yaml is 2" in line


def test_a_missing_argument_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["presence"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.lower().startswith("missing argument")


def test_check_tells_each_problem_as_a_line_or_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hub.yaml").write_text("hom: {}\naudio: {speakers: 0}\n")
    assert run_command(["check", str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert run_command(["check", str(tmp_path), "--json"]) == 2
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["line"], line["event"]) for line in lines[:-1]] == [(1, "problem"), (2, "problem")]


def test_check_is_content_with_a_good_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hub.yaml").write_text("{}\n")
    assert run_command(["check", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["problems"] == 0


def test_status_shows_what_a_running_hub_wrote(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "default_state_directory", lambda: tmp_path)
    assert run_command(["status"]) == 2
    assert "no hub is running" in capsys.readouterr().err
    audio = ServiceChanged(
        name="audio", state=ServiceState.DEGRADED, why="no microphone", hint="Plug one in."
    )
    write_snapshot(tmp_path / "status.json", [audio], [], {"occupied": True})
    assert run_command(["status", "--json"]) == 0
    first, end = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["name"], first["state"], first["hint"]) == ("audio", "degraded", "Plug one in.")
    assert end["occupied"] is True
    assert (datetime.now(UTC) - datetime.fromisoformat(end["at"])).total_seconds() < 60


def test_status_shows_why_to_calibrate_again_and_what_each_level_costs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "default_state_directory", lambda: tmp_path)
    presence = RoomPresence("den")
    now = datetime.now(UTC)
    presence.learn(
        RecalibrationAdvised(room="den", trigger="age", reason="it is old", hint="run: it", at=now)
    )
    level: dict[str, Json] = {"name": "front end", "open_share": 1.0, "core_share": 0.0123, "openings": 7}
    extra: dict[str, Json] = {"levels": [level], "hearing_levels": [level], "hearing_faults": ["silence"]}
    write_snapshot(tmp_path / "status.json", [], [], {"presence": {"den": presence.state()}, **extra})
    assert run_command(["status"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("den: nobody can tell")
    assert shown[0].endswith(", recalibrate")
    assert "den: calibrate again: it is old; run: it" in shown
    assert [line.split()[0] for line in shown[-4::2]] == ["ultrasound", "hearing"]
    assert shown[-3].split() == shown[-1].split() == ["front", "end", "1.23", "%", "100", "%", "7"]
    assert "hearing: the microphones deliver digital silence; they are unplugged or switched off" in shown
    assert run_command(["status", "--json"]) == 0
    advised, spent, heard, _end = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert advised == {
        "event": "recalibrate",
        "room": "den",
        "trigger": "age",
        "reason": "it is old",
        "hint": "run: it",
    }
    assert spent == {"event": "level", "lane": "ultrasound", **level}
    assert heard == {"event": "level", "lane": "hearing", **level}


def test_doctor_reports_faults_and_no_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "hub.yaml").write_text(
        "mqtt: {host: 127.0.0.1, port: 1, password: !secret broker}\n"
        f"store: {{path: {tmp_path / 'none.sqlite3'}}}\n"
    )
    (tmp_path / "secrets.yaml").write_text("broker: hunter2\n")
    (tmp_path / "secrets.yaml").chmod(0o600)
    assert run_command(["doctor", "--config", str(tmp_path), "--json"]) == 0
    shown = capsys.readouterr().out
    findings = {line["part"]: line for line in map(json.loads, shown.splitlines())}
    assert findings["import hub"]["ok"]
    assert findings["config"]["ok"]
    assert not findings["mqtt"]["ok"]
    assert "hunter2" not in shown


def listened(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, object]]:
    assert run_command(["listen", "--json", *arguments]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def spoken_file(tmp_path: Path) -> Path:
    """Somebody says the wake word and a command, in stereo at 44.1 kHz."""
    import numpy as np
    import soundfile

    from hub.playback.text_to_speech import speak

    said = [0.3 * speak(text, 44_100)[0] for text in ("computer", "turn on the kitchen lights")]
    pause = np.zeros(30_000, np.float32)
    mono = np.concatenate([pause, said[0], pause, said[1], pause, pause])
    soundfile.write(tmp_path / "said.flac", np.stack([mono, mono], axis=1), 44_100)
    return tmp_path / "said.flac"


def test_listen_tells_wake_word_transcript_and_command(
    spoken_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wake, transcript, command, end = listened(capsys, str(spoken_file))
    assert (wake["event"], wake["phrase"]) == ("wake", "computer")
    assert (transcript["event"], transcript["text"]) == ("transcript", "turn on the kitchen lights")
    assert (command["intent"], command["routine"], command["slots"]) == (
        "HassTurnOn",
        None,
        {"area": "kitchen"},
    )
    assert end["event"] == "end"
    assert set(end["cpu_seconds"]) == {"gate", "vad", "wake", "asr", "decode"}  # type: ignore[call-overload]


def test_listen_knows_the_phrases_of_routines(
    tmp_path: Path, spoken_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trigger = "{trigger: voice, phrases: ['turn on the kitchen lights']}"
    routine = f"{{id: lamp, triggers: [{trigger}], actions: [{{say: ok}}]}}"
    (tmp_path / "r.yaml").write_text(f"version: 1\nroutines: [{routine}]\n", encoding="utf-8")
    *_, command, _ = listened(capsys, str(spoken_file), "--routines", str(tmp_path / "r.yaml"))
    assert (command["intent"], command["routine"]) == (None, "lamp")


def test_speech_that_no_sentence_fits_is_a_transcript_but_no_command(
    tmp_path: Path, spoken_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentences = "language: en\nintents: {Order: {data: [{sentences: ['a large cappuccino with milk']}]}}\n"
    (tmp_path / "coffee.yaml").write_text(sentences, encoding="utf-8")
    arguments = (str(spoken_file), "--no-wake", "--sentences", str(tmp_path / "coffee.yaml"))
    transcript, command, _ = listened(capsys, *arguments)
    assert transcript["event"] == "transcript"
    assert (command["intent"], command["routine"]) == (None, None)


def test_a_file_in_which_nobody_speaks_has_no_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import numpy as np
    import soundfile

    noise = 0.01 * np.random.default_rng(1).standard_normal(32_000)
    soundfile.write(tmp_path / "noise.wav", noise, 16_000)
    assert [line["event"] for line in listened(capsys, str(tmp_path / "noise.wav"), "--no-wake")] == ["end"]


@pytest.mark.parametrize(
    ("sentences", "complaint"),
    [
        ("intents: {", "sentences.yaml:1"),
        ("language: en\n", "intents"),
        ("language: en\nintents: {A: {data: [{sentences: ['turn (on']}]}}\n", "template cannot be read"),
        ("language: en\nintents: {A: {data: [{sentences: ['<gone> x']}]}}\n", "<gone>"),
        ("language: en\nintents: {A: {data: [{sentences: ['{gone}']}]}}\n", "no sentence can be said"),
    ],
)
def test_sentences_that_cannot_be_used_are_one_line(
    tmp_path: Path, spoken_file: Path, capsys: pytest.CaptureFixture[str], sentences: str, complaint: str
) -> None:
    (tmp_path / "sentences.yaml").write_text(sentences, encoding="utf-8")
    assert run_command(["listen", str(spoken_file), "--sentences", str(tmp_path / "sentences.yaml")]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert complaint in line


@pytest.mark.parametrize("content", [b"", b"RIFF\xff\x00\x00\x00WAVE", b"no sound"])
def test_listen_refuses_what_is_no_whole_recording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    (tmp_path / "bad.wav").write_bytes(content)
    assert run_command(["listen", str(tmp_path / "bad.wav")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_damaged_model_is_one_line(
    tmp_path: Path, spoken_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sensing.models import catalog

    assert catalog.model_cards()  # the cards are whole, only the models are gone
    monkeypatch.setattr(catalog, "SHIPPED", tmp_path)
    assert run_command(["listen", str(spoken_file)]) == 2
    assert "install roomwise again" in capsys.readouterr().err


def test_an_unknown_wake_word_is_refused_with_the_known_ones(
    spoken_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["listen", str(spoken_file), "--wake", "abracadabra"]) == 2
    assert "computer" in capsys.readouterr().err
