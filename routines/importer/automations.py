"""Home Assistant's automations as routines, and what could not be carried over.

An automation of which anything could not be carried comes over disabled, so that nothing runs that its
author did not write: a trigger is left out and named in a comment, a condition becomes one that never holds,
an action a ``stop`` with an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from routines.facts import Json
from routines.importer.actions import Carrier
from routines.importer.conditions import Conditions
from routines.importer.expressions import Expressions
from routines.importer.page import Page, read_page, write_page
from routines.importer.triggers import carry_trigger, flattened, name_triggers, wildcards_of
from routines.importer.words import NotCarried, Note, Words, listed, unique_slug
from routines.positions import MAX_BYTES
from routines.routine import RoutineFile

_SINGULAR = {"trigger": "triggers", "condition": "conditions", "action": "actions"}
_KNOWN = frozenset(
    {
        "id",
        "alias",
        "description",
        "triggers",
        "conditions",
        "actions",
        "mode",
        "max",
        "max_exceeded",
        "variables",
        "trigger_variables",
        "initial_state",
        "enabled",
        "trace",
        "icon",
    }
)
_LOUDEST = {"critical": "error", "fatal": "error"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A file of routines made of automations.

    Attributes
    ----------
    yaml : str
        The text of the file; it can be loaded as it is.
    carried : list of str
        Ids of the routines in it, those that are disabled too.
    notes : list of Note
        What could not be carried over, or not quite.
    """

    yaml: str
    carried: list[str]
    notes: list[Note]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """An automation or script, with the id of the routine that it becomes."""

    id: str
    words: Words
    entity_id: str


def import_automations(text: str, file: str) -> Imported:
    """Return the routines that a Home Assistant ``automations.yaml`` or package becomes.

    Parameters
    ----------
    text : str
        A list of automations, or a package with ``automation:`` and ``script:``.
    file : str
        Its name, for the notes.
    """
    try:
        page = read_page(text)
    except NotCarried as reason:
        note = Note(automation="", place=file, message=str(reason))
        return Imported(yaml=write_page([], [note], file), carried=[], notes=[note])
    sources, notes = _sources(page, file)
    routines = {source.entity_id: source.id for source in sources}
    made: list[tuple[Words, Sequence[Note], str]] = []
    for source in sources:
        routine, about = _routine(source, routines)
        notes += about
        made.append((routine, about, str(source.words.get("id", ""))))
    yaml = write_page(made, [note for note in notes if not note.automation], file)
    if len(yaml.encode()) > MAX_BYTES:
        message = (
            f"the routines are longer than the {MAX_BYTES // 1024} KiB that one file may have; split them"
        )
        notes.append(Note(automation="", place=file, message=message))
    return Imported(yaml=yaml, carried=[str(routine["id"]) for routine, _, _ in made], notes=notes)


def _sources(page: Page, file: str) -> tuple[list[_Source], list[Note]]:
    found: list[_Source] = []
    notes: list[Note] = []
    for place, entity_id, value in _written(page):
        if not isinstance(value, dict):
            notes.append(Note(automation="", place=f"{file}: {place}", message="this is no automation"))
            continue
        words = {_SINGULAR.get(key, key): item for key, item in value.items()}
        name = str(words.get("alias") or words.get("id") or entity_id.partition(".")[2] or "automation")
        if "use_blueprint" in words:
            message = f"'{name}' uses a blueprint; take control of it in Home Assistant first"
            notes.append(Note(automation="", place=f"{file}: {place}", message=message))
            continue
        slug = unique_slug(entity_id.partition(".")[2] or name, [source.id for source in found])
        found.append(_Source(id=slug, words=words, entity_id=entity_id or f"automation.{slug}"))
    return found, notes


def _written(page: Page) -> Iterator[tuple[str, str, Json]]:
    """Yield automations and scripts, each with its place and, for a script, the entity that it is."""
    if isinstance(page, list):
        yield from ((f"[{number}]", "", one) for number, one in enumerate(page))
        return
    for key, value in page.items():
        section = key.partition(" ")[0]
        if section == "automation":
            yield from ((f"{key}[{number}]", "", one) for number, one in enumerate(listed(value)))
        elif section == "script" and isinstance(value, dict):
            for name, one in value.items():
                is_script = isinstance(one, dict)
                words = {**one, "actions": one.get("sequence", [])} if isinstance(one, dict) else one
                yield f"script.{name}", f"script.{name}" if is_script else "", words
        else:
            yield key, "", None


def _routine(source: _Source, routines: Mapping[str, str]) -> tuple[Words, list[Note]]:
    words, problems = source.words, list[tuple[str, str]]()
    triggers, renamed = name_triggers(flattened(words.get("triggers")), _asked_ids(words))
    expressions = Expressions(renamed)
    carrier = Carrier(expressions, Conditions(expressions, renamed), routines, problems)
    settings = _settings(words, expressions, problems)
    lists: Words = {}
    carried: list[Json] = []
    for number, trigger in enumerate(triggers):
        try:
            one = carry_trigger(trigger, expressions)
            lists |= wildcards_of(one)
            carried.append(one)
        except NotCarried as reason:
            problems.append((f"triggers[{number}]", str(reason)))
    conditions = carrier.tests(words.get("conditions"), "conditions")
    actions = carrier.sequence(words.get("actions"), "actions")
    if not actions:
        problems.append(("actions", "it does nothing"))
        actions = [{"stop": "Nothing to do"}]
    is_enabled = settings.pop("enabled", True)
    routine: Words = {"id": source.id, **settings}
    if problems or not is_enabled:
        routine["enabled"] = False
    if lists:
        routine["lists"] = lists
    if carried:
        routine["triggers"] = carried
    if conditions:
        routine["conditions"] = conditions
    if settings.get("variables") is not None:
        routine["variables"] = routine.pop("variables")
    routine["actions"] = actions
    routine = _checked(routine, problems)
    return routine, [
        Note(automation=source.id, place=place, message=message)
        for place, message in [*problems, *carrier.remarks]
    ]


def _asked_ids(words: Words) -> frozenset[str]:
    """Return all ids of triggers that conditions ask for."""
    found: set[str] = set()
    waiting: list[Json] = [words.get("conditions"), words.get("actions")]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if value.get("condition") == "trigger":
                found |= {str(one) for one in listed(value.get("id"))}
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and "trigger.id" in value:
            found |= {
                number for number in map(str, range(100)) if f"'{number}'" in value or f'"{number}"' in value
            }
    return frozenset(found)


def _settings(words: Words, expressions: Expressions, problems: list[tuple[str, str]]) -> Words:
    """Return what a routine has besides triggers, conditions and actions."""
    found: Words = {}
    for key in ("alias", "description"):
        if words.get(key):
            found[key] = str(words[key])
    mode = words.get("mode")
    if mode not in (None, "single"):
        found["mode"] = mode
    if isinstance(words.get("max"), int) and mode in ("queued", "parallel"):
        found["max"] = min(int(str(words["max"])), 100)
        if found["max"] != words["max"]:
            problems.append(("max", "more than 100 runs at a time"))
    if isinstance(words.get("max_exceeded"), str):
        level = str(words["max_exceeded"]).lower()
        found["max_exceeded"] = _LOUDEST.get(level, level)
    variables: Words = {}
    for key in ("trigger_variables", "variables"):
        try:
            value = expressions.value(words.get(key) or {})
            if not isinstance(value, dict):
                raise NotCarried("variables that are computed as a whole")
            variables |= value
        except NotCarried as reason:
            problems.append((key, str(reason)))
    if variables:
        found["variables"] = variables
    for key in ("initial_state", "enabled"):
        if key in words:
            found["enabled"] = str(words[key]).lower() not in ("false", "off", "no")
    unknown = sorted(words.keys() - _KNOWN - {"sequence", "fields"})
    problems.extend((key, f"'{key}' is not known here") for key in unknown)
    if words.get("fields"):
        problems.append(("fields", "a routine is run without variables; give them values in variables:"))
    return found


def _checked(routine: Words, problems: list[tuple[str, str]]) -> Words:
    """Return a routine that loads: itself, or what is left when even this cannot be read."""
    for _ in range(len(routine)):
        try:
            RoutineFile.model_validate({"version": 1, "routines": [routine]})
            return routine
        except ValidationError as error:
            fault = error.errors()[0]
            key = str(fault["loc"][2]) if len(fault["loc"]) > 2 else ""
            problems.append((key or "automation", fault["msg"].removeprefix("Value error, ")))
            rest = {name: item for name, item in routine.items() if name != key}
            routine = {**rest, "enabled": False}
            if key in ("", "actions", "conditions"):
                # Without its conditions it would run more often than it was meant to.
                routine = {"id": rest["id"], "enabled": False, "actions": [{"stop": "Not carried over"}]}
    return routine
