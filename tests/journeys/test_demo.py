"""The demo as a newcomer runs it: real hub, real broker process, simulated room."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "hub", "demo", "--fast", "--json"],
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def of(lines: list[dict[str, Any]], event: str) -> list[dict[str, Any]]:
    return [line for line in lines if line["event"] == event]


def test_somebody_who_comes_in_is_noticed_within_a_second_and_leaves_again(
    lines: list[dict[str, Any]],
) -> None:
    came, went = of(lines, "presence")
    assert came["present"]
    assert 3.0 < came["at"] < 4.0
    assert not went["present"]
    assert went["at"] > 18.0


def test_the_lamp_hears_on_and_off_over_mqtt(lines: list[dict[str, Any]]) -> None:
    assert of(lines, "broker")[0]["port"] > 0
    commands = [json.loads(line["payload"])["state"] for line in of(lines, "mqtt")]
    assert commands == ["ON", "ON", "OFF"]


def test_the_spoken_command_is_heard_after_the_wake_word_and_starts_its_routine(
    lines: list[dict[str, Any]],
) -> None:
    assert of(lines, "voice")[0]["speaker"] in ("recorded people", "espeak-ng")
    [wake] = of(lines, "wake")
    [transcript] = of(lines, "transcript")
    assert wake["phrase"] == "computer"
    assert transcript["text"] == "run party time"
    assert wake["at"] < transcript["at"]
    party = next(line for line in of(lines, "verdict") if line["routine"] == "party")
    assert 0 <= party["at"] - transcript["at"] < 0.1


def test_all_routines_finish_and_say_why_they_ran(lines: list[dict[str, Any]]) -> None:
    assert [(line["routine"], line["result"]) for line in of(lines, "run")] == [
        ("welcome", "finished"),
        ("party", "finished"),
        ("goodbye", "finished"),
    ]
    assert all(line["verdict"] == "fired" and line["reason"] for line in of(lines, "verdict"))


def test_motion_is_still_seen_while_the_reply_plays(lines: list[dict[str, Any]]) -> None:
    edges = [line["at"] for line in of(lines, "playback")]
    assert len(edges) == 4
    for started, ended in zip(edges[::2], edges[1::2], strict=True):
        assert ended - started > 1.0
        assert [line for line in of(lines, "motion") if started < line["at"] < ended]
