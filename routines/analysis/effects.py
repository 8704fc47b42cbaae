"""What a routine does to the world, and what must be so for it to get that far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from routines.analysis.findings import Path
from routines.analysis.knowledge import NOTHING, Known, both, denied, known_from, meaning_of
from routines.analysis.outcomes import Outcome, outcomes_of
from routines.analysis.places import Steps, steps_in
from routines.intents.directory import Directory
from routines.routine import Routine
from routines.vocabulary.actions import (
    Action,
    CallAction,
    ChooseAction,
    ConditionAction,
    DelayAction,
    FireEventAction,
    IfAction,
    PublishAction,
    RepeatAction,
    RoutineAction,
    StopAction,
    WaitForAction,
    WaitForTriggerAction,
)
from routines.vocabulary.conditions import Condition, OrCondition

Deed = CallAction | PublishAction | FireEventAction | RoutineAction
"""Actions that other routines may notice."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Effect:
    """An action of a routine that others may notice.

    Attributes
    ----------
    known : Known
        What must be so, by the branches that lead here; the routine's own conditions are not among it.
    is_at_once : bool
        Nothing waits before it.
    """

    routine: Routine
    path: Path
    action: Deed
    outcomes: Sequence[Outcome]
    known: Known
    is_at_once: bool


@dataclass(frozen=True, slots=True)
class _Here:
    """How far a run has come: what is known, whether it waited, whether it is over."""

    known: Known = field(default_factory=dict)
    is_at_once: bool = True
    is_over: bool = False


class EffectFinder:
    """Find the effects of routines.

    Parameters
    ----------
    directory : Directory or None
        Which entities are in which area, if the home is known.
    """

    def __init__(self, directory: Directory | None) -> None:
        self._directory = directory

    def effects_of(self, routine: Routine) -> list[Effect]:
        """Return the effects of a whole routine."""
        return self.effects_in(routine, Steps(("actions",), routine.actions))

    def effects_in(self, routine: Routine, steps: Steps) -> list[Effect]:
        """Return the effects of a sequence as if the routine began with it."""
        found: list[Effect] = []
        self._walk(routine, steps, _Here(), found)
        return found

    def _walk(self, routine: Routine, steps: Steps, here: _Here, found: list[Effect]) -> _Here:
        for index, action in enumerate(steps.actions):
            if action.enabled and not here.is_over:
                here = self._step(routine, (*steps.path, index), action, here, found)
        return here

    def _step(self, routine: Routine, path: Path, action: Action, here: _Here, found: list[Effect]) -> _Here:
        match action:
            case CallAction() | PublishAction() | FireEventAction() | RoutineAction():
                outcomes = outcomes_of(action, self._directory) if isinstance(action, CallAction) else ()
                found.append(
                    Effect(
                        routine=routine,
                        path=path,
                        action=action,
                        outcomes=outcomes,
                        known=here.known,
                        is_at_once=here.is_at_once,
                    )
                )
                return here
            case DelayAction() | WaitForAction() | WaitForTriggerAction():
                return _Here(here.known, is_at_once=False)
            case ConditionAction(condition=conditions):
                return _Here(both(here.known, known_from(conditions)), here.is_at_once)
            case StopAction():
                return _Here(here.known, here.is_at_once, is_over=True)
            case _:
                return self._inside(routine, path, action, here, found)

    def _inside(
        self, routine: Routine, path: Path, action: Action, here: _Here, found: list[Effect]
    ) -> _Here:
        after, is_at_once = here.known, here.is_at_once
        ends: list[bool] = []
        for (steps, known), test in zip(_ways(path, action), _tests(action), strict=True):
            end = self._walk(routine, steps, _Here(both(here.known, known), here.is_at_once), found)
            is_at_once = is_at_once and (end.is_at_once or end.is_over)
            if end.is_over and all(ends) and test is not None:
                after = both(after, denied(test))
            ends.append(end.is_over)
        if isinstance(action, IfAction) and ends[1]:
            after = both(after, known_from(action.if_))
        is_over = bool(ends) and all(ends) and not isinstance(action, RepeatAction)
        return _Here(after, is_at_once, is_over)


def _ways(path: Path, action: Action) -> Iterator[tuple[Steps, Known]]:
    """Yield the sequences in an action, each with what must be so for it to be done."""
    not_before: Known = NOTHING
    for steps, tests in zip(steps_in(path, action), _tests(action), strict=True):
        yield steps, not_before if tests is None else both(not_before, known_from(tests))
        if tests is not None and isinstance(action, ChooseAction | IfAction):
            not_before = both(not_before, denied(tests))


def _tests(action: Action) -> list[Sequence[Condition] | None]:
    """Return the conditions of each sequence in an action, None for those without."""
    match action:
        case ChooseAction(choose=ways):
            return [*(way.conditions for way in ways), None]
        case IfAction(if_=tests):
            return [tests, None]
        case RepeatAction(repeat=loop):
            return [loop.while_]
        case _:
            return [None for _ in steps_in((), action)]


def conditions_known(routine: Routine) -> Known:
    """Return what must be so for a trigger to get through: the routine's conditions and active windows."""
    windows = OrCondition(condition="or", conditions=routine.active)
    active = meaning_of(windows).known if routine.active else NOTHING
    return both(known_from(routine.conditions), active)
