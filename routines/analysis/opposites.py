"""Opposite actions at the same time: one routine switches on what another switches off."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from routines.analysis.effects import Effect, EffectFinder, conditions_known
from routines.analysis.findings import Finding
from routines.analysis.knowledge import Known, both, impossible
from routines.analysis.outcomes import Subject
from routines.analysis.places import Steps, actions_of, steps_in
from routines.analysis.starts import Moment, known_at, may_coincide, moments_of
from routines.routine import Routine
from routines.vocabulary.actions import ParallelAction, RoutineAction


class _Change(NamedTuple):
    """One routine's change of one thing, started by one of its triggers."""

    effect: Effect
    state: str
    trigger: int
    known: Known


_ENABLING: Mapping[str, str] = {"enable_routine": "enabled", "disable_routine": "disabled"}


def opposite_actions(
    routines: Sequence[Routine], effects: Mapping[str, Sequence[Effect]], finder: EffectFinder
) -> Iterator[Finding]:
    """Yield where two routines, or two branches side by side, give one thing two states at once.

    Parameters
    ----------
    effects : Mapping
        Those of each routine, by its id.
    finder : EffectFinder
        Looks into parallel branches.
    """
    changes: dict[tuple[Moment, Subject], list[_Change]] = defaultdict(list)
    for routine in routines:
        if routine.enabled:
            _collect(routine, effects[routine.id], changes)
    seen: set[tuple[str, str, Subject]] = set()
    for (_, subject), group in changes.items():
        for one, other in combinations(group, 2):
            pair = (one.effect.routine.id, other.effect.routine.id, subject)
            if pair not in seen and _collide(one, other):
                seen.add(pair)
                yield _between_routines(one, other, subject)
    for routine in routines:
        yield from _side_by_side(routine, finder)


def _collect(
    routine: Routine,
    effects: Sequence[Effect],
    changes: dict[tuple[Moment, Subject], list[_Change]],
) -> None:
    at_once = [effect for effect in effects if effect.is_at_once]
    conditions = conditions_known(routine) if at_once else {}
    for index, trigger in enumerate(routine.triggers):
        moments = moments_of(trigger) if trigger.enabled else []
        started = both(conditions, known_at(routine, index)) if moments else {}
        for effect in at_once if moments else ():
            known = both(started, effect.known)
            if impossible(known) is not None:
                continue
            # Which trigger it was is each routine's own affair.
            shared = {key: values for key, values in known.items() if key != ("trigger",)}
            for subject, state in _states_set(effect):
                for moment in moments:
                    changes[moment, subject].append(_Change(effect, state, index, shared))


def _states_set(effect: Effect) -> Iterator[tuple[Subject, str]]:
    if isinstance(effect.action, RoutineAction) and effect.action.do in _ENABLING:
        yield ("routine", effect.action.routine), _ENABLING[effect.action.do]
    for outcome in effect.outcomes:
        if outcome.state is not None:
            yield outcome.subject, outcome.state


def _collide(one: _Change, other: _Change) -> bool:
    left, right = one.effect.routine, other.effect.routine
    if left is right or one.state == other.state:
        return False
    return (
        may_coincide(left.triggers[one.trigger], right.triggers[other.trigger])
        and impossible(both(one.known, other.known)) is None
    )


def _between_routines(one: _Change, other: _Change, subject: Subject) -> Finding:
    first, second = one.effect.routine, other.effect.routine
    trigger = first.trigger_name(one.trigger)
    return Finding(
        kind="opposite_actions",
        severity="warning",
        routine=second.id,
        path=other.effect.path,
        message=f"this makes {_named(subject)} {other.state} while '{first.id}' makes it {one.state}: "
        f"its trigger '{trigger}' may fire at the same time as '{second.trigger_name(other.trigger)}'",
        hint="give them conditions that exclude each other, or make one routine of both",
    )


def _named(subject: Subject) -> str:
    kind, name = subject
    return name if kind == "entity" else f"{kind} {name}"


def _side_by_side(routine: Routine, finder: EffectFinder) -> Iterator[Finding]:
    for path, action in actions_of(routine):
        if not isinstance(action, ParallelAction):
            continue
        branches = [_at_once(routine, steps, finder) for steps in steps_in(path, action)]
        for one, other in combinations(branches, 2):
            yield from _between_branches(one, other)


def _at_once(routine: Routine, steps: Steps, finder: EffectFinder) -> dict[Subject, list[tuple[Effect, str]]]:
    found: dict[Subject, list[tuple[Effect, str]]] = defaultdict(list)
    for effect in finder.effects_in(routine, steps):
        if effect.is_at_once and impossible(effect.known) is None:
            for subject, state in _states_set(effect):
                found[subject].append((effect, state))
    return found


def _between_branches(
    one: Mapping[Subject, Sequence[tuple[Effect, str]]], other: Mapping[Subject, Sequence[tuple[Effect, str]]]
) -> Iterator[Finding]:
    for subject in one.keys() & other.keys():
        for effect, state in one[subject]:
            for second, wanted in other[subject]:
                if state != wanted and impossible(both(effect.known, second.known)) is None:
                    yield Finding(
                        kind="opposite_actions",
                        severity="warning",
                        routine=second.routine.id,
                        path=second.path,
                        message=f"this makes {_named(subject)} {wanted} "
                        f"while a branch beside it makes it {state}",
                        hint="do one after the other, in one sequence",
                    )
                    break
