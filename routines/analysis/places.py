"""Go through a routine, and say of each part where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from routines.analysis.findings import Path
from routines.routine import Routine
from routines.vocabulary.actions import (
    Action,
    ChooseAction,
    ConditionAction,
    IfAction,
    ParallelAction,
    RepeatAction,
    SequenceAction,
    WaitForAction,
    WaitForTriggerAction,
)
from routines.vocabulary.conditions import AndCondition, Condition, NotCondition, OrCondition
from routines.vocabulary.triggers import Trigger


class Steps(NamedTuple):
    """A sequence of actions inside an action."""

    path: Path
    actions: Sequence[Action]


class Tests(NamedTuple):
    """A list of conditions inside an action; all of them must hold."""

    path: Path
    conditions: Sequence[Condition]


def actions_of(routine: Routine) -> Iterator[tuple[Path, Action]]:
    """Yield every enabled action of a routine, outer ones before what they hold."""
    waiting = [Steps(("actions",), routine.actions)]
    while waiting:
        path, actions = waiting.pop()
        for index, action in enumerate(actions):
            if action.enabled:
                here = (*path, index)
                yield here, action
                waiting += steps_in(here, action)


def sequences_of(routine: Routine) -> Iterator[Steps]:
    """Yield every sequence of actions of a routine that is not disabled."""
    yield Steps(("actions",), routine.actions)
    for path, action in actions_of(routine):
        yield from steps_in(path, action)


def steps_in(path: Path, action: Action) -> list[Steps]:
    """Return the sequences that stand directly in an action."""
    match action:
        case ChooseAction(choose=ways, default=default):
            chosen = [Steps((*path, "choose", i, "sequence"), way.sequence) for i, way in enumerate(ways)]
            return [*chosen, Steps((*path, "default"), default)]
        case IfAction(then=then, else_=otherwise):
            return [Steps((*path, "then"), then), Steps((*path, "else"), otherwise)]
        case RepeatAction(repeat=loop):
            return [Steps((*path, "repeat", "sequence"), loop.sequence)]
        case ParallelAction(parallel=branches):
            return [Steps((*path, "parallel", i, "sequence"), one.sequence) for i, one in enumerate(branches)]
        case SequenceAction(sequence=sequence):
            return [Steps((*path, "sequence"), sequence)]
        case _:
            return []


def tests_in(path: Path, action: Action) -> list[Tests]:
    """Return the lists of conditions that stand directly in an action."""
    match action:
        case ChooseAction(choose=ways):
            return [Tests((*path, "choose", i, "conditions"), way.conditions) for i, way in enumerate(ways)]
        case IfAction(if_=tests):
            return [Tests((*path, "if"), tests)]
        case RepeatAction(repeat=loop):
            ends = (("while", loop.while_), ("until", loop.until))
            return [Tests((*path, "repeat", word), tests) for word, tests in ends if tests is not None]
        case ConditionAction(condition=conditions):
            return [Tests((*path, "condition"), conditions)]
        case WaitForAction(wait_for=conditions):
            return [Tests((*path, "wait_for", "wait_template"), conditions)]
        case _:
            return []


def tests_of(routine: Routine) -> Iterator[Tests]:
    """Yield every list of conditions of a routine, those inside ``and`` too: all of a list must hold."""
    waiting = [Tests(("conditions",), routine.conditions)]
    for path, action in actions_of(routine):
        waiting += tests_in(path, action)
    for tests in waiting:
        yield tests
        for path, condition in within(tests):
            if isinstance(condition, AndCondition) and condition.enabled:
                yield Tests((*path, "conditions", "and"), condition.conditions)


def within(tests: Tests) -> Iterator[tuple[Path, Condition]]:
    """Yield every enabled condition of a list and those inside them."""
    waiting = [((*tests.path, index), one) for index, one in enumerate(tests.conditions)]
    while waiting:
        path, condition = waiting.pop()
        if not condition.enabled:
            continue
        yield path, condition
        if isinstance(condition, AndCondition | OrCondition | NotCondition):
            # The second name is for the short form ``or: […]``, in which ``conditions`` is not written.
            inside = (*path, "conditions", condition.condition)
            waiting += [((*inside, index), one) for index, one in enumerate(condition.conditions)]


def conditions_of(routine: Routine) -> Iterator[tuple[Path, Condition]]:
    """Yield every enabled condition of a routine."""
    waiting = [Tests(("conditions",), routine.conditions)]
    for path, action in actions_of(routine):
        waiting += tests_in(path, action)
    for tests in waiting:
        yield from within(tests)


def triggers_of(routine: Routine) -> Iterator[tuple[Path, Trigger]]:
    """Yield the enabled triggers of a routine, and those that end a wait."""
    for index, trigger in enumerate(routine.triggers):
        if trigger.enabled:
            yield ("triggers", index), trigger
    for path, action in actions_of(routine):
        if isinstance(action, WaitForTriggerAction):
            for index, trigger in enumerate(action.wait_for_trigger):
                if trigger.enabled:
                    yield (*path, "wait_for_trigger", index), trigger
