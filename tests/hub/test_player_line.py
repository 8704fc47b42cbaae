"""What ``roomwise status`` shows of the player."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from hub import status
from hub.cli.main import run_command
from hub.cli.player_line import player_line
from hub.playback.player_state import PlayerState
from hub.status import write_snapshot

SONG = PlayerState(
    state="playing",
    playlist="Evening",
    source="Evening/song.flac",
    title="Song",
    artist="The Band",
    seconds=3723.9,
    position_seconds=187.6,
    can_seek=True,
    number=3,
    tracks=11,
    volume=40.0,
    shuffle=True,
    repeat="all",
)


@pytest.mark.parametrize(
    ("state", "lines"),
    [
        (
            SONG,
            [
                "music: playing Song by The Band, 3:07 of 1:02:03, track 3 of 11, shuffled, repeats all,"
                " volume 40"
            ],
        ),
        (PlayerState(volume=12.5), ["music: idle, volume 12.5"]),
        (PlayerState(tracks=4), ["music: idle, 4 tracks wait, volume 100"]),
        (
            PlayerState(
                state="buffering",
                source="http://radio/live",
                position_seconds=61,
                number=1,
                tracks=1,
                error="gone.mp3: no such file",
            ),
            [
                "music: buffering http://radio/live, 1:01, track 1 of 1, volume 100",
                "music failed last: gone.mp3: no such file",
            ],
        ),
    ],
)
def test_what_plays_is_a_line_and_what_failed_another(state: PlayerState, lines: list[str]) -> None:
    assert list(player_line({"player": asdict(state)})) == lines


def test_the_status_of_an_older_hub_has_no_such_line() -> None:
    assert list(player_line({})) == []


def test_status_shows_the_player_to_people_and_to_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(status, "default_state_directory", lambda: tmp_path)
    write_snapshot(tmp_path / "status.json", [], [], {"player": asdict(SONG)})
    assert run_command(["status"]) == 0
    assert "music: playing Song by The Band, 3:07 of 1:02:03" in capsys.readouterr().out
    assert run_command(["status", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["player"] == asdict(SONG)
