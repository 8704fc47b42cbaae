"""Branches that can never be taken, and conditions that can never hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from routines.analysis.effects import conditions_known
from routines.analysis.findings import Finding, Path
from routines.analysis.knowledge import Key, implies, impossible, known_from
from routines.analysis.places import actions_of, tests_of
from routines.routine import Routine
from routines.vocabulary.actions import Choice, ChooseAction
from routines.vocabulary.conditions import TimeCondition


def unreachable_branches(routine: Routine) -> Iterator[Finding]:
    """Yield the ways of ``choose`` that an earlier way always takes first."""
    for path, action in actions_of(routine):
        if isinstance(action, ChooseAction):
            yield from _taken_before(routine, path, action)


def _taken_before(routine: Routine, path: Path, action: ChooseAction) -> Iterator[Finding]:
    for number, way in enumerate(action.choose):
        here = (*path, "choose", number)
        taker = next((i for i in range(number) if _always_first(action.choose[i], way)), None)
        if taker is not None and impossible(known_from(way.conditions)) is None:
            yield _unreachable(routine, here, _why(action.choose, taker))
        elif implies((), way.conditions):
            if action.default:
                reason = f"way {number + 1} before it is always taken"
                yield _unreachable(routine, (*path, "default"), reason)
            for later in range(number + 1, len(action.choose)):
                yield _unreachable(routine, (*path, "choose", later), _why(action.choose, number))
            return


def _always_first(earlier: Choice, later: Choice) -> bool:
    return implies(later.conditions, earlier.conditions)


def _why(ways: Sequence[Choice], taker: int) -> str:
    if implies((), ways[taker].conditions):
        return f"way {taker + 1} before it is always taken"
    return f"whenever its conditions hold, those of way {taker + 1} before it hold too"


def _unreachable(routine: Routine, path: Path, reason: str) -> Finding:
    return Finding(
        kind="unreachable",
        severity="warning",
        routine=routine.id,
        path=path,
        message=f"this is never done: {reason}",
        hint="put the way with more conditions first",
    )


def contradictions(routine: Routine) -> Iterator[Finding]:
    """Yield the lists of conditions that can never hold together."""
    found = False
    for tests in tests_of(routine):
        key = impossible(known_from(tests.conditions))
        if key is not None and key != ("never",):  # {{ false }} is meant so
            found = True
            yield _contradiction(routine, tests.path, key, _is_one_window(tests.conditions))
    key = impossible(conditions_known(routine))
    if key is not None and key != ("never",) and not found:
        path: Path = ("active",) if routine.active else ("conditions",)
        yield _contradiction(routine, path, key, is_one_window=not routine.conditions)


def _is_one_window(conditions: Sequence[object]) -> bool:
    return len(conditions) == 1 and isinstance(conditions[0], TimeCondition)


def _contradiction(routine: Routine, path: Path, key: Key, is_one_window: bool) -> Finding:
    if is_one_window:
        return Finding(
            kind="never_matches",
            severity="warning",
            routine=routine.id,
            path=path,
            message="this window of time never opens",
            hint="before: 00:00 alone leaves no time of the day, and weekday: [] no day",
        )
    return Finding(
        kind="contradiction",
        severity="warning",
        routine=routine.id,
        path=path,
        message=f"these conditions never hold together: {_clash(key)}",
        hint="use or: […] if one of them is enough",
    )


def _clash(key: Key) -> str:
    match key:
        case ("state", entity_id, ""):
            return f"{entity_id} cannot be in all of these states"
        case ("state", entity_id, attribute):
            return f"{attribute} of {entity_id} cannot have all of these values"
        case ("number", entity_id, _):
            return f"no number of {entity_id} lies between these limits"
        case ("presence", room):
            return f"{room} cannot be both occupied and empty"
        case ("trigger",):
            return "a run is started by one trigger only"
        case ("time",):
            return "the windows of time do not overlap"
        case ("sun", event):
            return f"it cannot be both after and before {event}"
        case _:
            return "they contradict each other"
