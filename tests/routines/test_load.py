"""Routine files: every problem at once, each with its place."""

from __future__ import annotations

import pytest

from routines.load import load_routines

GOOD = """\
version: 1
routines:
  - id: hall_light
    triggers:
      - {trigger: presence, room: hall, to: detected}
    actions:
      - action: light.turn_on
        target: {entity_id: light.hall}
"""


def test_a_good_file_has_routines_and_no_problems() -> None:
    routines, problems = load_routines(GOOD, "hall.yaml")
    assert problems == []
    assert [routine.id for routine in routines] == ["hall_light"]


def test_all_problems_are_told_at_once_with_line_column_and_hint() -> None:
    text = GOOD.replace("room: hall", "rooom: hall").replace(
        "    triggers:", "    mode: twice\n    triggers:"
    )
    routines, problems = load_routines(text, "hall.yaml")
    assert routines == []
    assert [(problem.line, problem.column) for problem in problems] == [(4, 5), (6, 29)]
    assert "did you mean 'room'?" in str(problems[1])


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("version: 1\nroutines: [a: b: c", 2, "not valid YAML"),
        ("version: 1\nroutines: &a []\nother: *a\n", 3, "aliases"),
        (GOOD + "  - id: hall_light\n    actions: [{say: hi}]\n", 9, "a second routine"),
        ("x: " + "y" * 70_000, 1, "larger than 64 KiB"),
        ("- " * 3_000, 1, "not valid YAML"),
        ("version: 1\nroutines: []\nroutines: []\n", 3, "not valid YAML"),
    ],
)
def test_a_broken_file_gives_one_clear_problem(text: str, line: int, words: str) -> None:
    _, problems = load_routines(text, "broken.yaml")
    assert len(problems) == 1
    assert problems[0].line == line
    assert words in problems[0].message


def test_unquoted_on_and_off_mean_the_states_that_were_written() -> None:
    text = GOOD.replace(
        "- {trigger: presence, room: hall, to: detected}", "- {trigger: state, entity_id: switch.a, to: on}"
    )
    routines, problems = load_routines(text, "hall.yaml")
    assert problems == []
    assert routines[0].triggers[0].model_dump()["to"] == ("on",)


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("turn (on", "the phrase cannot be read"),
        ("play {music}", "there is no list {music}"),
        ("[please] say <thing>", "there is no rule <thing>"),
        ("", "an empty phrase"),
    ],
)
def test_a_phrase_that_cannot_be_spoken_is_a_problem_at_its_place(phrase: str, words: str) -> None:
    text = GOOD.replace(
        "{trigger: presence, room: hall, to: detected}", f"{{trigger: voice, phrases: ['{phrase}']}}"
    )
    _, [problem] = load_routines(text, "hall.yaml")
    assert words in str(problem)
    assert (problem.line, problem.column) == (5, 36)


def test_a_phrase_may_hold_choices_options_and_numbers() -> None:
    voice = "{trigger: voice, phrases: ['(dim|set) [the] light[s] to {0..100:level} percent']}"
    routines, problems = load_routines(
        GOOD.replace("{trigger: presence, room: hall, to: detected}", voice), "x"
    )
    assert problems == []
    assert len(routines) == 1
