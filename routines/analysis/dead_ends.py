"""Actions that are never done, and routines and triggers that never start anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from routines.analysis.effects import conditions_known
from routines.analysis.findings import Finding, Path
from routines.analysis.knowledge import both, impossible
from routines.analysis.places import actions_of, sequences_of, triggers_of
from routines.analysis.starts import known_at
from routines.routine import Routine
from routines.vocabulary.actions import RepeatAction, StopAction
from routines.vocabulary.triggers import NumericStateTrigger, StateTrigger, TimeTrigger, Trigger
from routines.vocabulary.words import WEEKDAYS


def never_done(routine: Routine) -> Iterator[Finding]:
    """Yield actions after a ``stop`` and loops over nothing."""
    for steps in sequences_of(routine):
        enabled = [index for index, action in enumerate(steps.actions) if action.enabled]
        stop = next((index for index in enabled if isinstance(steps.actions[index], StopAction)), None)
        if stop is not None and stop != enabled[-1]:
            yield Finding(
                kind="unreachable",
                severity="warning",
                routine=routine.id,
                path=(*steps.path, enabled[enabled.index(stop) + 1]),
                message="this is never done: the run stops before it",
            )
    for path, action in actions_of(routine):
        if isinstance(action, RepeatAction) and (action.repeat.for_each == [] or action.repeat.count == 0):
            word = "count" if action.repeat.count == 0 else "for_each"
            yield Finding(
                kind="unreachable",
                severity="warning",
                routine=routine.id,
                path=(*path, "repeat", word),
                message="this is done no times at all",
            )


def never_started(routine: Routine, *, is_run_by_others: bool) -> Iterator[Finding]:
    """Yield a routine that nothing starts; an app may still do so."""
    if not any(trigger.enabled for trigger in routine.triggers) and not is_run_by_others:
        yield Finding(
            kind="never_runs",
            severity="hint",
            routine=routine.id,
            path=("triggers",) if routine.triggers else ("id",),
            message="no trigger and no other routine starts this",
            hint="it can only be run by hand or from an app",
        )


def never_fired(routine: Routine) -> Iterator[Finding]:
    """Yield the triggers that never fire, or only when the routine's conditions and windows forbid it."""
    hopeless: set[Path] = set()
    for path, trigger in triggers_of(routine):
        reason = _why_never(trigger)
        if reason:
            hopeless.add(path)
            yield _never(routine, path, f"this trigger never fires: {reason}")
    conditions = conditions_known(routine)
    if impossible(conditions) is not None:
        return
    for index, trigger in enumerate(routine.triggers):
        path = ("triggers", index)
        if trigger.enabled and path not in hopeless:
            key = impossible(both(conditions, known_at(routine, index)))
            if key in (("time",), ("trigger",)):
                what = "active windows and conditions" if key == ("time",) else "conditions"
                yield _never(routine, path, f"this trigger starts nothing: the routine's {what} rule it out")


def _why_never(trigger: Trigger) -> str:
    match trigger:
        case NumericStateTrigger(above=int() | float() as above, below=int() | float() as below):
            return f"no number is above {above:g} and below {below:g}" if above >= below else ""
        case StateTrigger(from_=(before,), to=(after,)) if before == after:
            return f"a change from '{before}' to '{after}' is none"
        case TimeTrigger(at=times, weekday=days) if days is not None:
            is_never = not days or all(
                isinstance(at, datetime) and WEEKDAYS[at.weekday()] not in days for at in times
            )
            return "the date is on another weekday" if is_never else ""
        case _:
            return ""


def _never(routine: Routine, path: Path, message: str) -> Finding:
    return Finding(kind="never_matches", severity="warning", routine=routine.id, path=path, message=message)
