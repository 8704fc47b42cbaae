"""The routines to start from and the two examples of the reference: they load and keep what they promise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hub.place import place_of_timezone
from routines.examples import run_examples
from routines.load import load_routines
from routines.routine import Routine

STARTERS = sorted((Path(__file__).parents[2] / "routines" / "starters").glob("*.yaml"))
REFERENCE = sorted((Path(__file__).parent / "reference_examples").glob("*.yaml"))
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Sydney")


def name(file: Path) -> str:
    return file.stem


def routines_of(file: Path) -> Sequence[Routine]:
    routines, problems = load_routines(file.read_text(encoding="utf-8"), file.name)
    assert problems == []
    return routines


def test_there_are_eight_starters_and_two_reference_examples() -> None:
    assert (len(STARTERS), len(REFERENCE)) == (8, 2)


def test_all_starters_can_be_used_together() -> None:
    ids = [routine.id for file in STARTERS for routine in routines_of(file)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("file", STARTERS, ids=name)
def test_a_starter_says_first_what_to_adapt(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert "# Adapt:" in text.split("version: 1")[0]


@pytest.mark.parametrize("file", STARTERS, ids=name)
def test_every_routine_of_a_starter_has_two_to_four_tests(file: Path) -> None:
    assert all(2 <= len(routine.tests) <= 4 for routine in routines_of(file))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("file", [*STARTERS, *REFERENCE], ids=name)
def test_the_tests_inside_pass_wherever_the_house_stands(file: Path, zone: str) -> None:
    routines = routines_of(file)
    for routine in routines:
        results = list(run_examples(routine, routines, timezone=ZoneInfo(zone), place_of=place_of_timezone))
        assert results
        assert [(one.name, one.problems) for one in results if not one.passed] == []


@pytest.mark.parametrize("file", STARTERS, ids=name)
def test_a_starter_without_its_actions_fails_its_tests(file: Path) -> None:
    """A test that passes whatever the routine does would show nothing."""
    for routine in routines_of(file):
        written = routine.model_dump(mode="json", by_alias=True, exclude_unset=True)
        idle = Routine.model_validate({**written, "actions": [{"delay": 0}]})
        zone = ZoneInfo("Europe/Berlin")
        results = list(run_examples(idle, (), timezone=zone, place_of=place_of_timezone))
        assert not all(one.passed for one in results)
