"""What the steps of a run share: the situation, the trace, the journal, and how they fail."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from routines.effects import CallService, Effect, Outcome
from routines.facts import Json
from routines.outputs import Step
from routines.quantities import parse_duration
from routines.routine import Routine
from routines.situation import Situation
from routines.templates.template import is_template, render
from routines.templates.values import NotKnown, TemplateFailed
from routines.vocabulary.conditions import Condition
from routines.vocabulary.triggers import Trigger

Frame = dict[str, Json]
"""How far a step has come, as JSON: what a run needs to go on after a restart."""
_MOST_TRACE_STEPS = 500
_MOST_STEPS_AT_ONCE = 10_000
"""Steps without waiting, after which a run counts as an endless loop."""


class ActionFailed(Exception):
    """An action failed at run time; ``continue_on_error`` goes on after it."""


class AuthoringFault(Exception):
    """The routine is written wrongly; ``continue_on_error`` does not hide that."""


class RunStops(Exception):
    """The run ends here, because it says so.

    Attributes
    ----------
    result : str
        ``finished``, ``failed`` or ``stopped``.
    """

    def __init__(self, result: str, why: str) -> None:
        super().__init__(why)
        self.result = result


@dataclass(frozen=True, slots=True, kw_only=True)
class Sleep:
    """Sleep until an instant."""

    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitTrigger:
    """Wait until a trigger fires, or until an instant."""

    triggers: Sequence[Trigger]
    until: datetime | None
    variables: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitConditions:
    """Wait until conditions hold, or until an instant."""

    conditions: Sequence[Condition]
    path: str
    until: datetime | None
    variables: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """Go on with several sequences side by side."""

    branches: Mapping[int, Steps]


Request = Effect | Sleep | AwaitTrigger | AwaitConditions | Fork
Steps = Generator[Request, Outcome, None]
"""Yields what it needs and is sent how it went."""


@dataclass(kw_only=True)
class RunContext:
    """What a run knows and leaves behind.

    Attributes
    ----------
    journal : mapping
        What each touched entity was before, for undo: state and attributes.
    situate : callable
        Returns the situation as it is now, with these variables.
    entities : callable
        Returns the entities that a target means.
    """

    routine: Routine
    trigger: Json
    reason: str
    situate: Callable[[MutableMapping[str, Json]], Situation]
    entities: Callable[[Mapping[str, Json]], Sequence[str]]
    trace: list[Step] = field(default_factory=list)
    journal: dict[str, Json] = field(default_factory=dict)
    variables: dict[str, Json] = field(default_factory=dict)
    steps_at_once: int = 0

    def note(self, what: str, result: str) -> None:
        """Add a line to the trace; a very long run keeps its beginning and its end."""
        if len(self.trace) >= _MOST_TRACE_STEPS:
            del self.trace[_MOST_TRACE_STEPS // 2]
        self.trace.append(Step(at=self.situate({}).now, what=what, result=result))

    def touch(self, effect: Effect) -> None:
        """Write into the journal what an effect is about to change."""
        if not isinstance(effect, CallService):
            return
        home = self.situate({}).home
        for entity_id in self.entities({**effect.data, **effect.target}):
            if entity_id not in self.journal:
                known = home.state(entity_id)
                self.journal[entity_id] = (
                    None if known is None else {"state": known.state, "attributes": dict(known.attributes)}
                )

    def waits(self) -> None:
        """Start to count steps anew, since time will really pass."""
        self.steps_at_once = 0

    def count_step(self) -> None:
        """Count a step.

        Raises
        ------
        AuthoringFault
            The run has done too many without waiting.
        """
        self.steps_at_once += 1
        if self.steps_at_once > _MOST_STEPS_AT_ONCE:
            raise AuthoringFault(
                f"it did {_MOST_STEPS_AT_ONCE} steps without waiting; is it an endless loop?"
            )


@dataclass(frozen=True, slots=True)
class Strand:
    """One line of steps of a run, with the variables that it sees."""

    run: RunContext
    variables: MutableMapping[str, Json]

    def situation(self) -> Situation:
        """Return the situation as this strand sees it."""
        return self.run.situate(self.variables)

    def rendered(self, value: Json, where: str) -> Json:
        """Return a value with its templates computed.

        Raises
        ------
        ActionFailed
            A template needs a value that is not known now.
        AuthoringFault
            A template was written for other values.
        """
        try:
            return render(value, self.situation().scope)
        except NotKnown as error:
            raise ActionFailed(f"{where}: {error}") from error
        except TemplateFailed as error:
            raise AuthoringFault(f"{where}: the template failed: {error}") from error

    def rendered_text(self, value: str, where: str) -> str:
        """Return a text with its templates computed; see `rendered`."""
        result = self.rendered(value, where)
        return result if isinstance(result, str) else str(result)

    def span(self, value: float | str, where: str) -> timedelta:
        """Return a duration that may be a template; see `rendered`."""
        result = self.rendered(value, where) if is_template(value) else value
        try:
            return parse_duration(result)
        except ValueError as error:
            raise AuthoringFault(f"{where}: {error}") from error


def inner(frame: Frame, name: str = "in") -> Frame:
    """Return the frame of the step inside a step."""
    found = frame.setdefault(name, {})
    if not isinstance(found, dict):  # written by another version: begin this step again
        found = frame[name] = {}
    return found
