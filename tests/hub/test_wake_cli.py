"""``roomwise wake``: a phrase is taught, found again, and measured."""

from __future__ import annotations

import csv
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hub import status
from hub.cli.main import run_command
from routines.facts import Json
from sensing.training import own_wake_word
from sensing.training.synthetic_speech import spoken_by
from sensing.training.synthetic_words import voices_of

MINIATURE = {
    "said": 16,
    "near": 6,
    "talk": 6,
    "held_out": 6,
    "renderings": 2,
    "noises": 4,
    "epochs": 2,
    "steps": 10,
}


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    monkeypatch.setattr(status, "default_state_directory", lambda: folder)
    return folder


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    for label, text in (("computer", "computer"), ("other", "turn on the kitchen light")):
        (folder / label).mkdir(parents=True)
        for index, voice in enumerate(voices_of("test")[::29][:3]):
            said = np.pad(0.3 * spoken_by(voice, text), (8_000, 4_000))
            soundfile.write(folder / label / f"{index}.flac", said, 16_000)
    return folder


def lines(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Json]]:
    assert run_command(["wake", *arguments, "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run_command(["wake", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    [line] = err.splitlines()
    return str(line)


def test_a_phrase_that_was_taught_can_be_listened_for_and_measured(
    state: Path, recordings: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_wake_word, "Sizes", partial(own_wake_word.Sizes, **MINIATURE))
    (recordings / "computer").rename(recordings / "blue_lantern")
    own = recordings / "blue_lantern"
    [end] = lines(capsys, "train", "Blue  Lantern", "--recordings", str(own))
    assert (end["event"], end["phrase"]) == ("end", "blue lantern")
    assert end["model"] == str(state / "wake" / "blue_lantern.onnx")
    assert (end["said"], end["hours"]) == (MINIATURE["held_out"], pytest.approx(0.09, abs=0.04))
    card = json.loads((state / "wake" / "blue_lantern.json").read_text("utf-8"))
    assert card["phrase"] == "blue lantern"
    assert card["measured"]["missed"] == end["missed"]
    *_, measured = lines(capsys, "eval", "--phrase", "blue lantern", "--recordings", str(recordings))
    assert (measured["event"], measured["said"]) == ("end", 3)
    assert run_command(["listen", str(own / "0.flac"), "--wake", "blue lantern", "--json"]) == 0


def test_eval_counts_misses_and_false_accepts_and_never_misses_less_at_a_higher_threshold(
    recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    *trade, end = lines(capsys, "eval", "--phrase", "computer", "--recordings", str(recordings))
    assert (end["said"], end["missed"], end["false_accepts"]) == (3, 0, 0)
    seconds = sum(soundfile.info(path).duration + 0.6 for path in (recordings / "other").iterdir())
    assert end["hours"] == pytest.approx(seconds / 3_600, abs=2e-4)
    assert end["missed_percent_at_most"] == pytest.approx(70.76, abs=0.01)  # Clopper-Pearson, 0 of 3
    assert [one["event"] for one in trade] == ["threshold"] * len(trade)
    missed = [one["missed"] for one in trade]
    false = [one["false_accepts"] for one in trade]
    assert missed == sorted(missed)  # type: ignore[type-var]
    assert false == sorted(false, reverse=True)  # type: ignore[type-var]


def test_eval_reads_a_table_and_leaves_out_what_holds_more_than_the_phrase(
    recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [("computer/0.flac", "computer"), ("computer/1.flac", "hey_computer"), ("other/0.flac", "light")]
    with (recordings / "mine.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("file", "keyword"), *rows])
    *_, end = lines(capsys, "eval", "--phrase", "computer", "--recordings", str(recordings / "mine.csv"))
    assert end["said"] == 1
    assert end["hours"] == pytest.approx(
        (soundfile.info(recordings / "other/0.flac").duration + 0.6) / 3_600, abs=1e-4
    )


def test_a_phrase_that_nobody_taught_is_refused_with_the_known_ones(
    recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = complaint(capsys, "eval", "--phrase", "abracadabra", "--recordings", str(recordings))
    assert "computer" in line
    assert "roomwise wake train" in line


@pytest.mark.parametrize(
    ("phrase", "why"),
    [("hi", "too short"), ("room 42", "letters"), ("one two three four five", "one to four words")],
)
def test_what_can_be_no_wake_word_is_refused(
    phrase: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert why in complaint(capsys, "train", phrase)


def test_a_place_without_recordings_of_the_phrase_is_refused(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no such folder" in complaint(
        capsys, "eval", "--phrase", "computer", "--recordings", str(tmp_path / "x")
    )
    (recordings / "computer").rename(recordings / "compute")
    said = complaint(capsys, "eval", "--phrase", "computer", "--recordings", str(recordings))
    assert "no recording is labelled computer" in said
    (recordings / "labels.csv").write_text("file,label\na.flac,computer\n", encoding="utf-8")
    assert "labels.csv:2" in complaint(
        capsys, "eval", "--phrase", "computer", "--recordings", str(recordings)
    )
    (tmp_path / "empty").mkdir()
    line = complaint(capsys, "train", "blue lantern", "--recordings", str(tmp_path / "empty"))
    assert "has no recordings" in line
