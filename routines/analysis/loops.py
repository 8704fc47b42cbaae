"""Routines that start themselves or each other, over and over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from routines.analysis.circles import circles
from routines.analysis.effects import Effect, conditions_known
from routines.analysis.findings import Finding
from routines.analysis.knowledge import NOTHING, Key, Known, both, impossible
from routines.analysis.outcomes import Outcome
from routines.analysis.ranges import Words
from routines.analysis.starts import agree, known_at
from routines.analysis.topics import covers_topic
from routines.facts import UNKNOWN_STATES
from routines.routine import Routine
from routines.templates.template import is_template
from routines.vocabulary.actions import FireEventAction, PublishAction, RoutineAction
from routines.vocabulary.triggers import EventTrigger, MqttTrigger, StateTrigger


class _Start(NamedTuple):
    """A trigger of a routine."""

    routine: Routine
    number: int


class _Cause(NamedTuple):
    """How an effect starts another: what it changed, or None where every time counts (a message)."""

    outcome: Outcome | None
    is_repeated: bool


_Causes = dict[tuple[int, int], list[_Cause]]


def loops(routines: Sequence[Routine], effects: Mapping[str, Sequence[Effect]]) -> Iterator[Finding]:
    """Yield the circles in which what a routine does starts it again.

    A circle that only ever brings about what already is comes to rest; it is a hint. One that goes back and
    forth, or that runs over messages and events, does not.
    """
    running = [routine for routine in routines if routine.enabled]
    everything = [effect for routine in running for effect in effects[routine.id]]
    numbers = {id(effect): number for number, effect in enumerate(everything)}
    causes: _Causes = defaultdict(list)
    finder = _Starts(running)
    by_routine = {routine.id: (conditions_known(routine), effects[routine.id]) for routine in running}
    for number, effect in enumerate(everything):
        for start, cause, changed in finder.started_by(effect):
            conditions, following = by_routine[start.routine.id]
            at_start = both(both(changed, conditions), known_at(start.routine, start.number))
            if impossible(at_start) is None:
                for later in following:
                    if impossible(both(at_start, later.known)) is None:
                        causes[number, numbers[id(later)]].append(cause)
        for called in finder.run_by(effect):
            for later in by_routine[called.id][1]:
                causes[number, numbers[id(later)]].append(_Cause(None, is_repeated=True))
    following_numbers: dict[int, list[int]] = defaultdict(list)
    for cause_number, effect_number in causes:
        following_numbers[cause_number].append(effect_number)
    for circle in circles(following_numbers):
        yield from _finding([everything[number] for number in sorted(circle)], circle, causes, effects)


class _Starts:
    """Find the triggers that an effect fires."""

    def __init__(self, routines: Sequence[Routine]) -> None:
        self._routines = {routine.id: routine for routine in routines}
        self._states: dict[str, list[tuple[_Start, StateTrigger]]] = defaultdict(list)
        self._events: dict[str, list[tuple[_Start, EventTrigger]]] = defaultdict(list)
        self._topics: dict[str, list[tuple[_Start, MqttTrigger]]] = defaultdict(list)
        for routine in routines:
            for index, trigger in enumerate(routine.triggers):
                if trigger.enabled and not _is_suppressed(routine, index):
                    self._add(_Start(routine, index))

    def _add(self, start: _Start) -> None:
        match start.routine.triggers[start.number]:
            case StateTrigger() as trigger if trigger.attribute is None:
                for entity_id in trigger.entity_id:
                    self._states[entity_id].append((start, trigger))
            case EventTrigger() as trigger:
                for name in trigger.event_type:
                    self._events[name].append((start, trigger))
            case MqttTrigger() as trigger:
                self._topics[trigger.topic].append((start, trigger))

    def run_by(self, effect: Effect) -> Iterator[Routine]:
        """Yield the routine that an effect runs by name."""
        if isinstance(effect.action, RoutineAction) and effect.action.do == "run_routine":
            called = self._routines.get(effect.action.routine)
            if called is not None:
                yield called

    def started_by(self, effect: Effect) -> Iterator[tuple[_Start, _Cause, Known]]:
        """Yield the triggers that an effect fires, how, and what is known by then."""
        action = effect.action
        if isinstance(action, FireEventAction):
            for start, event in self._events.get(action.event, ()):
                if agree(action.event_data, event.event_data):
                    yield start, _Cause(None, is_repeated=True), NOTHING
        if isinstance(action, PublishAction) and not is_template(action.publish.topic):
            for topic, listeners in self._topics.items():
                if covers_topic(topic, action.publish.topic):
                    for start, message in listeners:
                        if _is_heard(action, message):
                            yield start, _Cause(None, is_repeated=True), NOTHING
        for outcome in effect.outcomes:
            kind, name = outcome.subject
            for start, trigger in self._states.get(name, ()) if kind == "entity" else ():
                if _is_awaited(outcome, trigger):
                    key: Key = ("state", name, "")
                    known: Known = {key: Words(frozenset(outcome.states))} if outcome.states else NOTHING
                    yield start, _Cause(outcome, is_repeated=outcome.is_flip), known


def _is_suppressed(routine: Routine, index: int) -> bool:
    """Return whether a trigger is ignored after a run, which breaks any circle."""
    name = routine.triggers[index].id
    return routine.suppress is not None and (name is None or name not in routine.suppress.except_)


def _is_heard(action: PublishAction, trigger: MqttTrigger) -> bool:
    payload = action.publish.payload
    is_open = trigger.payload is None or trigger.value_template is not None or is_template(payload)
    return is_open or not isinstance(payload, str) or payload == trigger.payload


def _is_awaited(outcome: Outcome, trigger: StateTrigger) -> bool:
    """Return whether a trigger may fire when an entity comes to what an action makes of it."""
    if not outcome.states:
        wanted = set(trigger.to or ())
        return not wanted or not wanted <= UNKNOWN_STATES
    return any(
        (trigger.to is None or state in trigger.to)
        and (trigger.not_to is None or state not in trigger.not_to)
        and (trigger.from_ is None or any(before != state for before in trigger.from_))
        for state in outcome.states
    )


def _finding(
    circle: Sequence[Effect],
    numbers: frozenset[int],
    causes: _Causes,
    effects: Mapping[str, Sequence[Effect]],
) -> Iterator[Finding]:
    inside = [c for (a, b), many in causes.items() if a in numbers and b in numbers for c in many]
    routines = list(dict.fromkeys(effect.routine.id for effect in circle))
    settles = not any(cause.is_repeated for cause in inside) and not _goes_back_and_forth(
        inside, [effect for routine in routines for effect in effects[routine]]
    )
    first = circle[0]
    changed = sorted({cause.outcome.subject[1] for cause in inside if cause.outcome is not None})
    is_adjusting = settles and all(
        c.outcome is not None and c.outcome.sets_more and c.outcome.state is not None for c in inside
    )
    if is_adjusting and len(routines) == 1:
        return  # "when the light goes on, make it brighter": it is on already
    who = " and ".join(f"'{name}'" for name in routines[1:4])
    over = f" by {', '.join(changed[:3])}" if changed else ""
    message = f"this starts the routine again{over}" if not who else f"this and {who} start each other{over}"
    rest = (
        "it comes to rest once everything is as wanted, unless two changes meet"
        if settles
        else "it may go on for ever"
    )
    yield Finding(
        kind="loop",
        severity="hint" if settles else "warning",
        routine=first.routine.id,
        path=first.path,
        message=f"{message}; {rest}",
        hint="add a condition that no longer holds after it, or suppress: {for: …}",
    )


def _goes_back_and_forth(causes: Sequence[_Cause], effects: Sequence[Effect]) -> bool:
    """Return whether a thing that drives the circle is given more than one state by its routines."""
    driving = {cause.outcome.subject for cause in causes if cause.outcome is not None}
    states: dict[object, set[str]] = defaultdict(set)
    for effect in effects:
        for outcome in effect.outcomes:
            if outcome.is_flip and outcome.subject in driving:
                return True
            if outcome.subject in driving and outcome.state is not None:
                states[outcome.subject].add(outcome.state)
    return any(len(values) > 1 for values in states.values())
