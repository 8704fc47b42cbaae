"""From the text of a routine file to routines, or to all its problems at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from routines.positions import YamlDocument, field_names, parse_yaml, problems_from
from routines.problems import Problem
from routines.routine import Routine, RoutineFile
from routines.vocabulary import actions, conditions, triggers
from routines.vocabulary.lists import undefined_lists
from routines.vocabulary.words import Word

_MOST_VALUES = 5_000
"""Three times what the largest file of routines holds that people write; more is meant to take long."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedRoutines:
    """The routines of a file, or its problems; ``document`` knows where everything stands."""

    routines: tuple[Routine, ...] = ()
    problems: tuple[Problem, ...] = ()
    document: YamlDocument | None = None


def load_routine_document(text: str, file: str) -> LoadedRoutines:
    """Return the routines of a file and its problems; with any problem there are no routines.

    Parameters
    ----------
    text : str
        YAML as described by `RoutineFile`.
    file : str
        Name to show in problems.
    """
    document = parse_yaml(text, file, most_values=_MOST_VALUES)
    if isinstance(document, Problem):
        return LoadedRoutines(problems=(document,))
    try:
        routines = RoutineFile.model_validate(document.data).routines
    except ValidationError as error:
        return LoadedRoutines(problems=tuple(sorted(problems_from(error, document, _WORDS))))
    problems = (*_repeated_ids(routines, document), *_missing_lists(routines, document))
    return LoadedRoutines(routines=() if problems else routines, problems=problems, document=document)


def load_routines(text: str, file: str) -> tuple[list[Routine], list[Problem]]:
    """Return the routines of a file and its problems; see `load_routine_document`."""
    loaded = load_routine_document(text, file)
    return list(loaded.routines), list(loaded.problems)


def _repeated_ids(routines: Sequence[Routine], document: YamlDocument) -> list[Problem]:
    seen: set[str] = set()
    problems = []
    for index, routine in enumerate(routines):
        if routine.id in seen:
            message = f"a second routine with the id '{routine.id}'"
            problems.append(document.problem(["routines", index, "id"], message, "give each its own id"))
        seen.add(routine.id)
    return problems


def _missing_lists(routines: Sequence[Routine], document: YamlDocument) -> list[Problem]:
    hint = "define it under lists: or write the choices as (one|other)"
    return [
        document.problem(
            ["routines", index, "triggers", number, "phrases", place], f"there is no list {{{name}}}", hint
        )
        for index, routine in enumerate(routines)
        for number, trigger in routine.voice_triggers()
        for place, phrase in enumerate(trigger.phrases)
        for name in undefined_lists([phrase], routine.lists)
    ]
