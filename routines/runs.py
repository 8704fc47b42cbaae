"""The runs in progress: run modes, stepping, and what each of them waits for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from routines.armed import Armed, fingerprint
from routines.deadlines import Deadlines
from routines.decide import CannotDecide, all_hold
from routines.effects import Command, Outcome
from routines.facts import Json
from routines.memory import Notebook, shift_deadlines
from routines.outputs import Output, Perform, RunEnded
from routines.routine import Routine
from routines.run import Run, Wish
from routines.run_context import AwaitConditions, AwaitTrigger, Fork, Request, RunContext, Sleep, inner
from routines.run_rows import number_of, run_from_json, run_to_json
from routines.situation import Situation
from routines.watch import Watch

_POLL = timedelta(seconds=1)
"""How often conditions that are waited for are looked at though nothing happened: time may decide them.

At whole seconds, so that a restart does not shift it.
"""
_RESTARTED = "the hub was restarted"
MOST_DEPTH = 8
"""Routines that may start one another; more is a loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A run that is asked for.

    Attributes
    ----------
    name, reason : str
        The trigger and why it fired, for the verdict.
    led_by : tuple of str
        The runs that started one another before, the latest last.
    """

    routine: Routine
    variables: Mapping[str, Json]
    name: str
    reason: str
    led_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandGiven:
    """A run wants another routine enabled, disabled or run."""

    run: Run
    strand: str
    command: Command


Produced = Output | CommandGiven


class Runs:
    """All runs, stepped until each waits for something.

    Parameters
    ----------
    situate : callable
        Returns the situation as it is now.
    entities : callable
        Returns the entities that a target means.
    missed : callable
        Returns when time should have fired an armed trigger while the hub was down.
    """

    def __init__(
        self,
        *,
        situate: Callable[[], Situation],
        entities: Callable[[Mapping[str, Json]], Sequence[str]],
        watch: Watch,
        deadlines: Deadlines,
        notebook: Notebook,
        missed: Callable[[str], datetime | None],
    ) -> None:
        self._situate = situate
        self._missed = missed
        self._entities = entities
        self._watch = watch
        self._deadlines = deadlines
        self._notebook = notebook
        self._runs: dict[str, Run] = {}
        self._active: dict[str, list[Run]] = {}
        self._queues: dict[str, deque[Run]] = {}
        self._waits: dict[tuple[str, str], AwaitTrigger | AwaitConditions] = {}
        self._armed: dict[tuple[str, str], list[str]] = {}
        self._asleep: dict[str, set[str]] = {}
        self._in_hand: set[tuple[str, str]] = set()
        self._is_going_on = False
        self._number = 0
        self._effect_at: dict[str, datetime] = {}

    def last_effect(self, routine: str) -> datetime | None:
        """Return when a routine last did something."""
        return self._effect_at.get(routine)

    def get(self, run_id: str) -> Run | None:
        """Return a run that is in progress or queued."""
        return self._runs.get(run_id)

    def refusal(self, routine: Routine, led_by: Sequence[str]) -> str | None:
        """Return why the routine's mode or a loop forbids another run, None if it may start."""
        active, queue = self._active.get(routine.id, []), self._queues.get(routine.id, ())
        if len(led_by) > MOST_DEPTH:
            return f"more than {MOST_DEPTH} routines started one another; is it a loop?"
        if routine.mode == "restart" and any(run.run_id in led_by for run in active):
            return "it would restart a run that led to this one"
        limit = 1 if routine.mode == "single" else routine.max
        if routine.mode == "restart" or len(active) + len(queue) < limit:
            return None
        waiting = f", {len(queue)} in the queue" if queue else ""
        return f"{len(active)} active{waiting} (mode {routine.mode})"

    def start(self, wanted: Start) -> Iterator[Produced]:
        """Start or queue a run; its mode allows it (see `refusal`)."""
        routine = wanted.routine
        now = self._situate().now
        active = list(self._active.get(routine.id, ()))
        run = self._new(wanted, now)
        self._runs[run.run_id] = run
        self._notebook.note("run", run.run_id)
        if routine.mode == "queued" and active:
            run.is_queued = True
            self._queues.setdefault(routine.id, deque()).append(run)
            return
        # First the new run, then the old ones end: there is never none in between.
        self._active.setdefault(routine.id, []).append(run)
        if routine.mode == "restart":
            for old in active:
                if routine.restore is not None:  # the new run will put back what the first one found
                    run.context.journal.update(old.context.journal)
                old.stop(f"restarted: {wanted.reason}")
                yield self._ended(old)
        yield from self._step(run, run.begin())

    def stop(self, run_id: str, why: str) -> Iterator[Produced]:
        """End a run, if it is still in progress."""
        run = self._runs.get(run_id)
        if run is not None and not run.is_queued:
            run.stop(why)
            yield self._ended(run)
            yield from self._next_in_queue(run.routine.id)

    def resume(self, run_id: str, strand: str, outcome: Outcome) -> Iterator[Produced]:
        """Tell a run how its wish went; a run that has ended meanwhile is no longer interested."""
        run = self._runs.get(run_id)
        if run is not None and not run.is_queued:
            self._forget_wait(run_id, strand)
            yield from self._step(run, run.resume(strand, outcome))

    def complete(self, run_id: str, strand: str, outcome: Outcome) -> Iterator[Produced]:
        """Tell a run how its effect went; an answer that nobody waits for (any more) counts for nothing."""
        if (run_id, strand) in self._in_hand:
            self._in_hand.discard((run_id, strand))
            yield from self.resume(run_id, strand, outcome)

    def due(self, key: tuple[str, ...]) -> Iterator[Produced]:
        """Go on with what has slept until now, or has waited for long enough."""
        _, run_id, strand = key
        is_wait = (run_id, strand) in self._waits
        timed_out = Outcome(ok=False, error="timed out")
        yield from self.resume(run_id, strand, timed_out if is_wait else Outcome())

    def waited_for(self, wait: tuple[str, str], trigger: Json) -> Iterator[Produced]:
        """Go on with a run whose awaited trigger fired."""
        yield from self.resume(*wait, Outcome(response=trigger))

    def look_at_conditions(self) -> Iterator[Produced]:
        """Go on with every run whose awaited conditions hold now."""
        for (run_id, strand), wait in list(self._waits.items()):
            run = self._runs.get(run_id)
            if isinstance(wait, AwaitConditions) and run is not None and (run_id, strand) in self._waits:
                if self._holds(wait):
                    yield from self.resume(run_id, strand, Outcome())
                else:
                    self._deadlines.set(("poll", run_id, strand), self._next_poll())

    def _new(self, wanted: Start, now: datetime) -> Run:
        self._number += 1
        self._notebook.note("count", "runs")
        trigger = wanted.variables.get("trigger")
        local = now.astimezone(self._situate().timezone)
        context = self._context(wanted.routine, trigger, wanted.reason)
        context.variables.update(wanted.variables)
        return Run(
            run_id=f"{wanted.routine.id}-{local:%Y%m%dT%H%M%S}-{self._number}",
            context=context,
            started_at=now,
            led_by=wanted.led_by,
            initial=dict(wanted.variables) if wanted.routine.on_restart == "restart" else None,
        )

    def _context(self, routine: Routine, trigger: Json, reason: str) -> RunContext:
        return RunContext(
            routine=routine,
            trigger=trigger,
            reason=reason,
            situate=lambda variables: replace(self._situate(), variables=variables),
            entities=self._entities,
        )

    def _step(self, run: Run, wishes: Iterator[Wish]) -> Iterator[Produced]:
        """See to what a run wants; what is there already goes back into it at once."""
        waiting = deque(wishes)
        self._notebook.note("run", run.run_id)
        while waiting and run.run_id in self._runs:
            strand, request = waiting.popleft()
            answer = self._answered(run, strand, request)
            if answer is not None:
                waiting.extendleft(reversed(list(run.resume(strand, answer))))
            elif isinstance(request, Command):
                yield CommandGiven(run=run, strand=strand, command=request)
            elif not isinstance(request, Sleep | AwaitTrigger | AwaitConditions | Fork):
                self._effect_at[run.routine.id] = self._situate().now
                self._in_hand.add((run.run_id, strand))
                yield Perform(
                    at=self._situate().now,
                    run_id=run.run_id,
                    routine=run.routine.id,
                    step=strand,
                    effect=request,
                )
        if run.result is not None and run.run_id in self._runs:
            yield self._ended(run)
            yield from self._next_in_queue(run.routine.id)

    def _answered(self, run: Run, strand: str, request: Request) -> Outcome | None:
        """Return the answer to a wish that need not wait; remember the others that wait for time or facts."""
        now = self._situate().now
        # What became overdue while the hub was down goes on in the order in which it fell due.
        is_over = not self._is_going_on
        match request:
            case Sleep(until=until):
                if until <= now and is_over:
                    return Outcome()
                self._deadlines.set(("run", run.run_id, strand), until)
                self._asleep.setdefault(run.run_id, set()).add(strand)
            case AwaitTrigger(until=until) | AwaitConditions(until=until):
                if isinstance(request, AwaitConditions) and self._holds(request):
                    return Outcome()
                if until is not None and until <= now and is_over:
                    return Outcome(ok=False, error="timed out")
                self._wait(run, strand, request)
            case _:
                return None
        run.context.waits()
        return None

    def _wait(self, run: Run, strand: str, wait: AwaitTrigger | AwaitConditions) -> None:
        key = (run.run_id, strand)
        self._waits[key] = wait
        if wait.until is not None:
            self._deadlines.set(("run", *key), wait.until)
        if isinstance(wait, AwaitConditions):
            self._deadlines.set(("poll", *key), self._next_poll())
            return
        for number, trigger in enumerate(wait.triggers):
            armed = Armed(
                key=f"{run.run_id}{strand}/{fingerprint(trigger)}.{number}",
                routine=run.routine,
                trigger=trigger,
                name=trigger.id or f"{trigger.trigger}[{number}]",
                index=number,
                wait=key,
                variables=wait.variables,
            )
            self._armed.setdefault(key, []).append(armed.key)
            self._watch.arm(armed, missed=self._missed(armed.key))

    def _next_poll(self) -> datetime:
        return self._situate().now.replace(microsecond=0) + _POLL

    def _forget_wait(self, run_id: str, strand: str) -> None:
        key = (run_id, strand)
        self._deadlines.cancel(("run", *key))
        self._deadlines.cancel(("poll", *key))
        self._waits.pop(key, None)
        for armed in self._armed.pop(key, ()):
            self._watch.disarm(armed)

    def _holds(self, wait: AwaitConditions) -> bool:
        situation = replace(self._situate(), variables=wait.variables)
        try:
            return all_hold(wait.conditions, wait.path, situation)
        except CannotDecide:
            return False  # what cannot be decided yet is waited for

    def _ended(self, run: Run) -> RunEnded:
        del self._runs[run.run_id]
        active = self._active.get(run.routine.id, [])
        if run in active:
            active.remove(run)
        for key in [key for key in (*self._waits, *self._armed) if key[0] == run.run_id]:
            self._forget_wait(*key)
        for strand in self._asleep.pop(run.run_id, ()):
            self._deadlines.cancel(("run", run.run_id, strand))
        self._in_hand = {key for key in self._in_hand if key[0] != run.run_id}
        self._notebook.note("run", run.run_id)
        return run.ended(self._situate().now)

    def _next_in_queue(self, routine: str) -> Iterator[Produced]:
        queue = self._queues.get(routine)
        if queue and not self._active.get(routine):
            run = queue.popleft()
            run.is_queued = False
            self._active.setdefault(routine, []).append(run)
            yield from self._step(run, run.begin())

    def shift(self, by: timedelta) -> None:
        """Move the deadlines in the frames, after the wall clock was set."""
        self._effect_at = {routine: at + by for routine, at in self._effect_at.items()}
        for run in self._runs.values():
            shift_deadlines(run.frame, by)
            self._notebook.note("run", run.run_id)

    def to_json(self, run_id: str) -> Json:
        """Return a run for a row, None when it has ended."""
        run = self._runs.get(run_id)
        return None if run is None else run_to_json(run)

    def count_to_json(self, _key: str) -> Json:
        """Return for a row how many runs there were, so that no two ever have the same id."""
        return {"runs": self._number}

    def recall_count(self, content: Mapping[str, Json]) -> None:
        """Go on counting where the hub left off."""
        number = content["runs"]
        self._number = max(self._number, number if isinstance(number, int) else 0)

    def recall(self, run_id: str, content: Mapping[str, Json]) -> None:
        """Take a run back in after a restart; it goes on with `go_on`."""
        run = run_from_json(run_id, content, self._context)
        self._number = max(self._number, number_of(run_id))
        self._runs[run_id] = run
        if run.is_queued:
            self._queues.setdefault(run.routine.id, deque()).append(run)
        else:
            self._active.setdefault(run.routine.id, []).append(run)

    def go_on(self) -> Iterator[Produced]:
        """Go on with the runs that were in progress when the hub went down, as ``on_restart`` says."""
        self._is_going_on = True
        in_flight = [run for run in self._runs.values() if not run.is_queued]
        for run in list(self._runs.values()):
            if run.is_queued and run.routine.on_restart == "abort":
                self._queues[run.routine.id].remove(run)
                run.stop(_RESTARTED)
                yield self._ended(run)
        for run in in_flight:
            if run.run_id in self._runs:  # one before it may have restarted it
                yield from self._go_on_with(run)
        for routine in list(self._queues):
            yield from self._next_in_queue(routine)
        self._is_going_on = False

    def _go_on_with(self, run: Run) -> Iterator[Produced]:
        policy = run.routine.on_restart
        run.context.note("the hub", f"was restarted; on_restart is {policy}")
        if policy == "restart":
            run.begin_again()
        elif policy == "abort" and "ending" not in run.frame:
            inner(run.frame, "ending").update(result="stopped", why=_RESTARTED)
        yield from self._step(run, run.begin())
