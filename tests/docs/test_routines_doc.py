"""The examples of the pages about routines load, pass their tests, and print what is shown."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from textwrap import indent
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from hub.cli.main import run_command
from hub.place import place_of_timezone
from routines.event_lines import fact_from_line
from routines.examples import run_examples
from routines.load import load_routines
from routines.outputs import VerdictKind
from routines.routine import Routine
from routines.templates.functions import FILTERS

DOCS = Path(__file__).parents[2] / "docs"
LANGUAGE = (DOCS / "routines.md").read_text(encoding="utf-8")
TESTING = (DOCS / "testing-routines.md").read_text(encoding="utf-8")
ZONE = "Europe/Berlin"


def blocks(page: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)


def as_file(block: str) -> str:
    """Return a block as a whole file; a list of routines is put into one."""
    return block if block.startswith("version: 1") else f"version: 1\nroutines:\n{indent(block, '  ')}"


FILES = [as_file(block) for page in (LANGUAGE, TESTING) for block in blocks(page, "yaml")]


def first_id(text: str) -> str:
    found = re.search(r"- id: (\w+)", text)
    return found.group(1) if found else text[:20]


def routines_of(text: str) -> Sequence[Routine]:
    routines, problems = load_routines(text, "page.md")
    assert problems == []
    return routines


def test_every_block_is_a_file_or_a_list_of_routines() -> None:
    starts = ("version: 1\n", "- id: ")
    assert len(FILES) >= 10
    assert all(block.startswith(starts) for page in (LANGUAGE, TESTING) for block in blocks(page, "yaml"))


@pytest.mark.parametrize("text", FILES, ids=first_id)
def test_an_example_loads_and_passes_its_tests(text: str) -> None:
    routines = routines_of(text)
    assert routines
    for routine in routines:
        results = run_examples(routine, routines, timezone=ZoneInfo(ZONE), place_of=place_of_timezone)
        assert [(one.name, one.problems) for one in results if not one.passed] == []


def test_the_page_names_every_verdict_and_every_filter() -> None:
    table = LANGUAGE.split("| verdict |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == set(get_args(VerdictKind))
    (filters,) = re.findall(r"^\| filters \| `(.*)` \|$", LANGUAGE, re.MULTILINE)
    assert set(filters.split()) == set(FILTERS) - {"d"}


def test_links_inside_the_page_lead_somewhere() -> None:
    titles = re.findall(r"^#+ (.*)$", LANGUAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    assert set(re.findall(r"\]\(#(.*?)\)", LANGUAGE)) <= anchors


def test_the_simulated_day_prints_what_the_page_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "laundry.yaml").write_text(blocks(TESTING, "yaml")[0], encoding="utf-8")
    (tmp_path / "day.jsonl").write_text(blocks(TESTING, "jsonl")[0], encoding="utf-8")
    (written,) = re.findall(r"roomwise (routine simulate .*?)\n\n", TESTING, re.DOTALL)
    arguments = written.replace("\\\n", " ").replace("routines/laundry.yaml", str(tmp_path / "laundry.yaml"))
    assert run_command(arguments.replace("day.jsonl", str(tmp_path / "day.jsonl")).split()) == 0
    assert capsys.readouterr().out == blocks(TESTING, "text")[0]


def test_the_other_events_are_understood() -> None:
    lines = [json.loads(line) for line in blocks(TESTING, "jsonl")[1].splitlines()]
    facts = [fact_from_line(line) for line in lines if line["type"] != "fail"]
    assert len(facts) == len(lines) - 1
