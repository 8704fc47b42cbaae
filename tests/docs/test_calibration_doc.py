"""What the page about calibration shows is what the command prints and what the caps are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub import status
from hub.cli.main import run_command
from hub.config import files
from sensing.calibration.caps import EmissionCaps, MeasuredLoudspeaker

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "calibration.md").read_text(encoding="utf-8")
LOUDSPEAKER = MeasuredLoudspeaker(hz=(0.0, 96_000.0), db_spl=(90.0, 90.0))


def test_the_first_command_prints_what_the_page_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(files, "default_directory", lambda: tmp_path)
    monkeypatch.setattr(status, "default_state_directory", lambda: tmp_path)
    first, second = re.findall(r"^roomwise (.*)$", PAGE, re.MULTILINE)
    assert run_command(first.split()) == 0
    (shown,) = re.findall(r"^```text\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert capsys.readouterr().out == shown
    assert (tmp_path / "calibration.png").stat().st_size > 10_000
    assert run_command(second.split()) == 0
    assert "Loudness, measured" in capsys.readouterr().out


def test_the_picture_is_there() -> None:
    (picture,) = re.findall(r"!\[.*\]\((.*)\)", PAGE)
    assert (DOCS / picture).read_bytes().startswith(b"\x89PNG")


def test_the_table_of_caps_is_that_of_the_code() -> None:
    rows = re.findall(
        r"^\| (below|20\.5 to|above 22|above 25).*?((?: \| (?:\d+|none)){4}) \|$", PAGE, re.MULTILINE
    )
    assert len(rows) == 4
    for (start, cells), hz in zip(rows, (19_000, 21_000, 23_000, 30_000), strict=True):
        expected = [
            EmissionCaps(allows_audible=True, has_pets=has_pets, loudspeaker=known).cap_db_spl(hz)
            for has_pets in (False, True)
            for known in (LOUDSPEAKER, None)
        ]
        told = [None if cell == "none" else float(cell) for cell in cells.split(" | ")[1:]]
        assert told == expected, start
