"""Names that nothing answers to: entities, areas, routines, triggers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from routines.analysis.expressions import as_template, entities_in, trigger_ids_in
from routines.analysis.findings import Finding, Kind, Path, did_you_mean
from routines.analysis.places import actions_of, conditions_of
from routines.facts import Json
from routines.intents.directory import Directory
from routines.routine import Routine
from routines.templates.template import is_template
from routines.vocabulary.actions import RoutineAction
from routines.vocabulary.conditions import TriggerCondition

_ENTITY_KEYS = frozenset({"entity_id", "above", "below"})
_AREA_KEYS = frozenset({"area_id", "room", "rooms"})
_NOT_OURS = frozenset({"tests", "lists", "event_data"})
"""Parts that speak of made-up things, or of other people's."""
_BARE_TESTS = frozenset({"value_template"})
_EVERYTHING = frozenset({"all", "none"})


class KnownThings:
    """What there is in the home.

    Parameters
    ----------
    directory : Directory or None
        What the home calls its things. Areas are looked up when it has some.
    entities : collection of str or None
        Ids of all entities; with neither these nor a directory, unknown ones are not looked for.
    """

    def __init__(self, directory: Directory | None, entities: Collection[str] | None) -> None:
        self._directory = directory or Directory()
        self._entities = {*(entities or ()), *(one.entity_id for one in self._directory.entities)}
        self._areas = {one.area_id for one in self._directory.areas}
        self._by_domain: dict[str, list[str]] = defaultdict(list)
        for entity_id in sorted(self._entities):
            self._by_domain[entity_id.partition(".")[0]].append(entity_id)

    def unknown_in(self, routine: Routine) -> Iterator[Finding]:
        """Yield the entities and areas of a routine that the home does not have."""
        if not self._entities and not self._areas:
            return
        written: Json = routine.model_dump(mode="json", by_alias=True, exclude_unset=True)
        seen: set[tuple[Kind, str]] = set()
        for kind, path, name in _named(written, ()):
            known = self._entities if kind == "unknown_entity" else self._areas
            if known and name not in known and (kind, name) not in seen:
                seen.add((kind, name))
                what, hint = (
                    ("entity", self._near_entity(name))
                    if kind == "unknown_entity"
                    else ("area", self._near_area(name))
                )
                yield Finding(
                    kind=kind,
                    severity="warning",
                    routine=routine.id,
                    path=path,
                    message=f"the home has no {what} '{name}'",
                    hint=hint,
                )

    def _near_entity(self, name: str) -> str:
        # Comparing with all of a large home takes milliseconds a name; few mistake the kind of a thing.
        return did_you_mean(name, self._by_domain.get(name.partition(".")[0]) or self._entities)

    def _near_area(self, name: str) -> str:
        area = self._directory.area_named(name)
        return did_you_mean(name, self._areas) if area is None else f"the id of {name} is '{area.area_id}'"


def _named(value: Json, path: Path) -> Iterator[tuple[Kind, Path, str]]:
    """Yield every entity and area that is written out somewhere in a routine."""
    match value:
        case dict():
            for key, item in value.items():
                here = (*path, key)
                if key in _NOT_OURS:
                    continue
                if key in _ENTITY_KEYS:
                    yield from (("unknown_entity", here, name) for name in _entity_ids(item))
                elif key in _AREA_KEYS:
                    yield from (
                        ("unknown_area", here, name) for name in _texts(item) if not is_template(name)
                    )
                yield from _named(item, here)
        case list():
            for index, item in enumerate(value):
                yield from _named(item, (*path, index))
        case str():
            is_bare = bool(path) and path[-1] in _BARE_TESTS
            if is_bare or is_template(value):
                source = as_template(value) if is_bare else value
                yield from (("unknown_entity", path, name) for name in entities_in(source))


def _entity_ids(value: Json) -> list[str]:
    texts = [text.strip() for one in _texts(value) if not is_template(one) for text in one.split(",")]
    return [text for text in texts if "." in text and not _is_number(text) and text not in _EVERYTHING]


def _texts(value: Json) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def unknown_routines(routine: Routine, known: Collection[str]) -> Iterator[Finding]:
    """Yield the routines that a routine wants to run, enable or disable and that do not exist."""
    for path, action in actions_of(routine):
        if isinstance(action, RoutineAction) and action.routine not in known:
            yield Finding(
                kind="unknown_routine",
                severity="error",
                routine=routine.id,
                path=(*path, action.do),
                message=f"there is no routine '{action.routine}'",
                hint=did_you_mean(action.routine, known),
            )


def callers(routines: Sequence[Routine]) -> Mapping[str, frozenset[str]]:
    """Return for each routine that others run, who runs it."""
    found: dict[str, set[str]] = {}
    for routine in routines:
        for _, action in actions_of(routine):
            if isinstance(action, RoutineAction) and action.do == "run_routine":
                found.setdefault(action.routine, set()).add(routine.id)
    return {routine: frozenset(by) for routine, by in found.items()}


def unknown_triggers(routine: Routine, run_by: Collection[str] = ()) -> Iterator[Finding]:
    """Yield the trigger ids that are asked for and that no trigger of the routine has.

    A run that was asked for is known by who asked, another routine or a person, instead of by a trigger.
    """
    named = [trigger.id for trigger in routine.triggers if trigger.id is not None]
    known = {routine.trigger_name(index) for index in range(len(routine.triggers))} | {*run_by, "undo"}
    for path, name in _asked_triggers(routine):
        if name not in known and not name.startswith("asked by "):
            yield Finding(
                kind="unknown_trigger",
                severity="error",
                routine=routine.id,
                path=path,
                message=f"no trigger of this routine has the id '{name}'",
                hint=did_you_mean(name, named),
            )


def _asked_triggers(routine: Routine) -> Iterator[tuple[Path, str]]:
    for path, condition in conditions_of(routine):
        if isinstance(condition, TriggerCondition):
            yield from (((*path, "id"), name) for name in condition.id)
    written: Json = routine.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"tests"})
    yield from _compared(written, ())


def _compared(value: Json, path: Path) -> Iterator[tuple[Path, str]]:
    match value:
        case dict():
            for key, item in value.items():
                yield from _compared(item, (*path, key))
        case list():
            for index, item in enumerate(value):
                yield from _compared(item, (*path, index))
        case str() if "trigger.id" in value:
            source = as_template(value) if path[-1] in _BARE_TESTS else value
            yield from ((path, name) for name in trigger_ids_in(source))
