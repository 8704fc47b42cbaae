"""Between a trigger that fired and a run: active windows, suppression, variables, conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from routines.decide import CannotDecide, first_false, in_window
from routines.facts import Json
from routines.memory import Notebook
from routines.outputs import VerdictKind
from routines.routine import Routine
from routines.situation import Situation
from routines.templates.template import render
from routines.templates.values import NotKnown, TemplateFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """The run may start, with these variables."""

    variables: dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The run does not start; the verdict says why."""

    verdict: VerdictKind
    reason: str


class Gate:
    """Lets triggers through, and remembers for how long they are suppressed."""

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook
        self._suppressed: dict[str, datetime] = {}

    def check(
        self, routine: Routine, trigger_name: str, variables: Mapping[str, Json], situation: Situation
    ) -> Passed | Held:
        """Return whether a run may start, looking at the cheapest reasons first."""
        local = situation.local
        if routine.active and not any(in_window(window, local) for window in routine.active):
            return Held(verdict="outside_active", reason=f"it is {local:%a %H:%M}, outside the active window")
        until = self._suppressed_until(routine, trigger_name)
        if until is not None and situation.now < until:
            return Held(
                verdict="suppressed",
                reason=f"suppressed until {until.astimezone(situation.timezone):%H:%M:%S}",
            )
        try:
            seen = self.variables(routine, variables, situation)
            false = first_false(routine.conditions, "conditions", replace(situation, variables=seen))
        except CannotDecide as error:
            return Held(verdict="cannot_decide", reason=str(error))
        if false is not None:
            return Held(verdict="condition_false", reason=f"{false} is false")
        return Passed(variables=seen)

    def variables(
        self, routine: Routine, variables: Mapping[str, Json], situation: Situation
    ) -> dict[str, Json]:
        """Return the variables of a run: the trigger's, then the routine's, each seeing those before it.

        Raises
        ------
        CannotDecide
            One of them needs a value that is not known.
        """
        seen = dict(variables)
        for name, value in routine.variables.items():
            try:
                seen[name] = render(value, replace(situation, variables=seen).scope)
            except NotKnown as error:
                raise CannotDecide(f"variables.{name}", str(error)) from error
            except TemplateFailed as error:
                raise CannotDecide(f"variables.{name}", f"the template failed: {error}") from error
        return seen

    def started(self, routine: Routine, trigger_name: str, now: datetime) -> None:
        """Begin to suppress after a run has started."""
        suppress = routine.suppress
        if suppress is None or trigger_name in suppress.except_:
            return
        key = _key(routine, trigger_name if suppress.scope == "trigger" else "")
        self._suppressed[key] = now + suppress.for_
        self._notebook.note("suppressed", key)

    def _suppressed_until(self, routine: Routine, trigger_name: str) -> datetime | None:
        suppress = routine.suppress
        if suppress is None or trigger_name in suppress.except_:
            return None
        return self._suppressed.get(_key(routine, trigger_name if suppress.scope == "trigger" else ""))

    def shift(self, by: timedelta) -> None:
        """Move all ends, after the wall clock was set."""
        for key, until in self._suppressed.items():
            self._suppressed[key] = until + by
            self._notebook.note("suppressed", key)

    def to_json(self, key: str) -> Json:
        """Return what is remembered under a row's key."""
        until = self._suppressed.get(key)
        return None if until is None else {"until": until.isoformat()}

    def recall(self, key: str, content: Mapping[str, Json], now: datetime) -> None:
        """Go on suppressing after a restart; what is over is forgotten."""
        until = datetime.fromisoformat(str(content["until"]))
        if until > now:
            self._suppressed[key] = until
        else:
            self._notebook.note("suppressed", key)


def _key(routine: Routine, trigger_name: str) -> str:
    return f"{routine.id}|{trigger_name}"
