"""From the text of a routine file to routines, or to all its problems at once."""

from __future__ import annotations

from pydantic import ValidationError

from routines.positions import YamlDocument, field_names, parse_yaml, problems_from
from routines.problems import Problem
from routines.routine import Routine, RoutineFile
from routines.vocabulary import actions, conditions, triggers
from routines.vocabulary.words import Word

_WORDS = field_names(
    Routine,
    RoutineFile,
    *(
        model
        for module in (actions, conditions, triggers)
        for model in vars(module).values()
        if isinstance(model, type) and issubclass(model, Word)
    ),
)


def load_routines(text: str, file: str) -> tuple[list[Routine], list[Problem]]:
    """Return the routines of a file and its problems; with any problem there are no routines.

    Parameters
    ----------
    text : str
        YAML as described by `RoutineFile`.
    file : str
        Name to show in problems.
    """
    document = parse_yaml(text, file)
    if isinstance(document, Problem):
        return [], [document]
    try:
        routines = list(RoutineFile.model_validate(document.data).routines)
    except ValidationError as error:
        return [], sorted(problems_from(error, document, _WORDS))
    problems = _repeated_ids(routines, document)
    return ([], problems) if problems else (routines, [])


def _repeated_ids(routines: list[Routine], document: YamlDocument) -> list[Problem]:
    seen: set[str] = set()
    problems = []
    for index, routine in enumerate(routines):
        if routine.id in seen:
            message = f"a second routine with the id '{routine.id}'"
            problems.append(document.problem(["routines", index, "id"], message, "give each its own id"))
        seen.add(routine.id)
    return problems
