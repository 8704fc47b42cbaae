"""A run: the strands of a routine's actions, stepped until each wants something from outside."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from routines.effects import Outcome
from routines.facts import Json
from routines.outputs import RunEnded, RunResult, Step
from routines.routine import Routine
from routines.run_context import (
    ActionFailed,
    AuthoringFault,
    Fork,
    Frame,
    Request,
    RunContext,
    RunStops,
    Steps,
    Strand,
    inner,
)
from routines.steps import put_back, sequence

Wish = tuple[str, Request]
"""The strand that asks, and what it needs."""


@dataclass(slots=True)
class _Strand:
    steps: Steps
    parent: str | None
    waits_for: int = 0


@dataclass(kw_only=True)
class Run:
    """A run in progress, or waiting in the queue.

    Attributes
    ----------
    frame : JSON
        How far it has come.
    led_by : tuple of str
        The runs that started one another before this one.
    initial : mapping or None
        The variables that it began with, where ``on_restart`` may need them.
    """

    run_id: str
    context: RunContext
    started_at: datetime
    led_by: tuple[str, ...] = ()
    initial: Mapping[str, Json] | None = None
    frame: Frame = field(default_factory=dict)
    is_queued: bool = False
    result: RunResult | None = None
    why: str = ""
    _strands: dict[str, _Strand] = field(default_factory=dict)

    @property
    def routine(self) -> Routine:
        """The definition that it goes by, even when the routine has been edited since."""
        return self.context.routine

    def begin(self) -> Iterator[Wish]:
        """Begin, or go on where the frame says, and yield what it needs."""
        self._strands = {"": _Strand(_whole(self), None)}
        yield from self._advance("", None)

    def resume(self, strand: str, outcome: Outcome) -> Iterator[Wish]:
        """Tell a strand how its wish went, and yield what the run needs next.

        A strand that is no more is no longer interested.
        """
        if strand in self._strands:
            yield from self._advance(strand, outcome)

    def begin_again(self) -> None:
        """Forget how far it came, and what it set."""
        self.frame.clear()
        if self.initial is not None:
            self.context.variables.clear()
            self.context.variables.update(self.initial)

    def stop(self, why: str) -> None:
        """End the run at once."""
        self.result, self.why = "stopped", why
        self.context.note("the run", f"stopped: {why}")
        for strand in self._strands.values():
            strand.steps.close()
        self._strands.clear()

    def ended(self, at: datetime) -> RunEnded:
        """Return the report of the run's end."""
        assert self.result is not None
        return RunEnded(
            at=at,
            run_id=self.run_id,
            routine=self.routine.id,
            result=self.result,
            started_at=self.started_at,
            trigger=self.context.trigger,
            reason=self.context.reason,
            why=self.why,
            before=dict(self.context.journal),
            trace=tuple(self.context.trace),
        )

    def _advance(self, name: str, outcome: Outcome | None) -> Iterator[Wish]:
        """Step a strand until it has to wait; a fork steps its branches, and the last of them its parent."""
        strand = self._strands[name]
        try:
            request = next(strand.steps) if outcome is None else strand.steps.send(outcome)
        except StopIteration:
            del self._strands[name]
            yield from self._joined(strand.parent)
            return
        if isinstance(request, Fork):
            yield from self._fork(name, request.branches)
            return
        yield name, request

    def _fork(self, name: str, branches: Mapping[int, Steps]) -> Iterator[Wish]:
        self._strands[name].waits_for = len(branches)
        # Named by their numbers, so that after a restart a wait finds its strand again.
        children = {f"{name}/{number}": steps for number, steps in branches.items()}
        for child, steps in children.items():
            self._strands[child] = _Strand(steps, name)
        if not children:
            yield from self._advance(name, Outcome())
        for child in children:
            yield from self._advance(child, None)

    def _joined(self, parent: str | None) -> Iterator[Wish]:
        if parent is None or parent not in self._strands:
            return
        self._strands[parent].waits_for -= 1
        if self._strands[parent].waits_for == 0:
            yield from self._advance(parent, Outcome())


def _whole(run: Run) -> Steps:
    """Do the actions, then put back what the routine promised to, however they ended."""
    routine, frame = run.routine, run.frame
    strand = Strand(run.context, run.context.variables)
    if "ending" not in frame:
        result, why = yield from _ending(sequence(routine.actions, strand, inner(frame), "actions"))
        frame["ending"] = {"result": result, "why": why}
        if why and result != "finished":
            run.context.note("the run", f"{result}: {why}")
    if routine.restore is not None and routine.restore.when == "run_end":
        result, why = yield from _ending(put_back(routine.restore, strand, inner(frame, "after"), "restore"))
        if result != "finished":
            run.context.note("restore", why)
    ending = inner(frame, "ending")
    run.result, run.why = _result(ending.get("result")), str(ending.get("why", ""))


def _ending(steps: Steps) -> Generator[Request, Outcome, tuple[RunResult, str]]:
    try:
        yield from steps
    except (ActionFailed, AuthoringFault) as error:
        return "failed", str(error)
    except RunStops as error:
        return _result(error.result), str(error)
    return "finished", ""


def _result(value: Json) -> RunResult:
    return "failed" if value == "failed" else "stopped" if value == "stopped" else "finished"


def trace_to_json(trace: Sequence[Step]) -> list[Json]:
    """Return a trace as JSON."""
    return [{"at": step.at.isoformat(), "what": step.what, "result": step.result} for step in trace]


def trace_from_json(content: Json) -> list[Step]:
    """Return the trace that `trace_to_json` wrote."""
    steps = content if isinstance(content, list) else []
    return [
        Step(at=datetime.fromisoformat(str(one["at"])), what=str(one["what"]), result=str(one["result"]))
        for one in steps
        if isinstance(one, dict)
    ]
