"""All routines at once: facts and time in, effects and verdicts out; no clock, no I/O."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from routines.decide import CannotDecide, all_hold
from routines.effects import Effect, Outcome, WaitUntil
from routines.facts import Fact, PresenceFact, RunRequested
from routines.home import Home
from routines.local_time import next_occurrence
from routines.matcher import Fires, Ignored, match
from routines.outputs import Output, Perform, RunEnded, RunResult, Verdict, VerdictKind
from routines.phrases import Phrasebook
from routines.routine import Routine
from routines.run import RunContext, run
from routines.vocabulary.triggers import PresenceTrigger, StateTrigger, TimeTrigger


@dataclass(kw_only=True)
class _Run:
    """A run in progress."""

    run_id: str
    routine: Routine
    steps: Generator[Effect, Outcome, RunResult]
    context: RunContext
    wakes_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """A trigger that fires if its subject still holds at the deadline."""

    routine: Routine
    index: int
    subject: str
    reason: str
    deadline: datetime


class Engine:
    """Decide what runs, and step the runs.

    The caller performs every `Perform` and answers with `complete`; it calls `handle` with `TimePassed`
    when `next_deadline` has come. Everything returned is in order of time.

    Attributes
    ----------
    home : Home
        The picture of the home, kept from the facts.
    """

    def __init__(self, routines: Sequence[Routine], *, timezone: ZoneInfo) -> None:
        self.home = Home()
        self._timezone = timezone
        self._runs: dict[str, _Run] = {}
        self._queues: defaultdict[str, deque[_Run]] = defaultdict(deque)
        self._now: datetime | None = None
        self._started = 0
        self.replace(routines)

    def replace(self, routines: Sequence[Routine]) -> None:
        """Take other definitions; runs in progress end under the old ones."""
        self._routines = {routine.id: routine for routine in routines}
        self._phrases = Phrasebook.from_sentences(None, [r for r in routines if r.enabled])
        self._held: dict[tuple[str, int, str], _Held] = {}
        self._times: dict[tuple[str, int], datetime] = {}

    def next_deadline(self, now: datetime) -> datetime | None:
        """Return when something falls due next, or None."""
        self._arm_times(now)
        wakes = [r.wakes_at for r in self._runs.values() if r.wakes_at is not None]
        deadlines = [*wakes, *(held.deadline for held in self._held.values()), *self._times.values()]
        return min(deadlines, default=None)

    def handle(self, fact: Fact, *, now: datetime) -> list[Output]:
        """Take in a fact at an instant, and return what follows from it and from the time."""
        self._now = now
        self._arm_times(now)
        outputs = list(self._due(now))
        was = self.home.presence(fact.room) if isinstance(fact, PresenceFact) else None
        self.home.learn(fact, now)
        outputs += self._let_go(now)
        if isinstance(fact, RunRequested):
            return outputs + list(self._requested(fact, now))
        for routine in self._routines.values():
            for index, trigger in enumerate(routine.triggers):
                found = match(trigger, fact, routine=routine, phrases=self._phrases, was=was)
                if isinstance(found, Ignored):
                    outputs.append(self._verdict(now, routine, index, "unavailable_ignored", found.reason))
                elif found is not None:
                    outputs += self._matched(routine, index, found, now)
        return outputs

    def complete(self, run_id: str, outcome: Outcome, *, now: datetime) -> list[Output]:
        """Tell a run how its effect went, and return what it does next.

        A run that has been stopped meanwhile is no longer interested.
        """
        self._now = now
        running = self._runs.get(run_id)
        return [] if running is None else list(self._advance(running, outcome, now))

    def _arm_times(self, now: datetime) -> None:
        for routine in self._routines.values():
            for index, trigger in enumerate(routine.triggers):
                if isinstance(trigger, TimeTrigger) and (routine.id, index) not in self._times:
                    self._times[routine.id, index] = next_occurrence(
                        trigger.at, now, self._timezone, trigger.weekday
                    )

    def _due(self, now: datetime) -> Iterator[Output]:
        """Do everything whose deadline has come."""
        for key, due in sorted(self._times.items(), key=lambda item: item[1]):
            if due <= now:
                del self._times[key]
                routine = self._routines[key[0]]
                yield from self._fire(routine, key[1], f"it is {due.astimezone(self._timezone):%H:%M}", now)
        self._arm_times(now)
        for held_key, held in list(self._held.items()):
            if held.deadline <= now:
                del self._held[held_key]
                yield from self._fire(held.routine, held.index, f"{held.reason}, and it held", now)
        for running in list(self._runs.values()):
            if running.wakes_at is not None and running.wakes_at <= now and running.run_id in self._runs:
                yield from self._advance(running, Outcome(), now)

    def _matched(self, routine: Routine, index: int, found: Fires, now: datetime) -> Iterator[Output]:
        trigger = routine.triggers[index]
        if isinstance(trigger, StateTrigger | PresenceTrigger) and trigger.for_:
            key = (routine.id, index, found.subject)
            self._held[key] = _Held(
                routine=routine,
                index=index,
                subject=found.subject,
                reason=found.reason,
                deadline=now + trigger.for_,
            )
        else:
            yield from self._fire(routine, index, found.reason, now)

    def _let_go(self, now: datetime) -> Iterator[Output]:
        """Drop held triggers whose subject no longer holds."""
        for key, held in list(self._held.items()):
            if not self._holds(held):
                del self._held[key]
                reason = f"{held.reason}, but it did not last until {held.deadline.isoformat()}"
                yield self._verdict(now, held.routine, held.index, "held_not_long_enough", reason)

    def _holds(self, held: _Held) -> bool:
        trigger = held.routine.triggers[held.index]
        if isinstance(trigger, PresenceTrigger):
            room = self.home.presence(held.subject)
            return room is not None and room.present == (trigger.to == "detected")
        known = self.home.state(held.subject)
        if not isinstance(trigger, StateTrigger) or known is None:
            return False
        if trigger.to is not None:
            return known.state in trigger.to
        return trigger.from_ is None or known.state not in trigger.from_

    def _requested(self, fact: RunRequested, now: datetime) -> Iterator[Output]:
        routine = self._routines.get(fact.routine)
        if routine is not None:
            yield from self._admit(routine, f"asked by {fact.who}", f"asked by {fact.who}", now)

    def _fire(self, routine: Routine, index: int, reason: str, now: datetime) -> Iterator[Output]:
        """Take a trigger that fired through enabled, conditions and the mode."""
        if not routine.enabled:
            yield self._verdict(now, routine, index, "disabled", reason)
            return
        try:
            holds = all_hold(
                routine.conditions, "conditions", home=self.home, now=now, timezone=self._timezone
            )
        except CannotDecide as error:
            yield self._verdict(now, routine, index, "cannot_decide", f"{reason}, but {error}")
            return
        if not holds:
            yield self._verdict(now, routine, index, "condition_false", f"{reason}, but a condition is false")
            return
        yield from self._admit(routine, routine.trigger_name(index), reason, now)

    def _admit(self, routine: Routine, trigger: str, reason: str, now: datetime) -> Iterator[Output]:
        """Start, queue or drop a run as the routine's mode says."""
        active = [r for r in self._runs.values() if r.routine.id == routine.id]
        queue = self._queues[routine.id]
        limit = 1 if routine.mode == "single" else routine.max
        if routine.mode != "restart" and len(active) + len(queue) >= limit:
            reason = f"{reason}, but {len(active)} run(s) are active (mode {routine.mode})"
            yield Verdict(at=now, routine=routine.id, trigger=trigger, verdict="mode_dropped", reason=reason)
            return
        yield Verdict(at=now, routine=routine.id, trigger=trigger, verdict="fired", reason=reason)
        new = self._new_run(routine, now)
        if routine.mode == "queued" and active:
            queue.append(new)
            return
        if routine.mode == "restart":
            for old in active:
                yield self._end(old, "stopped", now)
        self._runs[new.run_id] = new
        yield from self._advance(new, None, now)

    def _new_run(self, routine: Routine, now: datetime) -> _Run:
        self._started += 1
        context = RunContext(home=self.home, timezone=self._timezone, now=lambda: self._now or now)
        return _Run(
            run_id=f"{routine.id}-{now:%Y%m%dT%H%M%S}-{self._started}",
            routine=routine,
            steps=run(routine.actions, context),
            context=context,
        )

    def _advance(self, running: _Run, outcome: Outcome | None, now: datetime) -> Iterator[Output]:
        """Step a run until it wants something done, waits, or ends."""
        running.wakes_at = None
        try:
            effect = next(running.steps) if outcome is None else running.steps.send(outcome)
            while isinstance(effect, WaitUntil) and effect.until <= now:
                effect = running.steps.send(Outcome())
        except StopIteration as stop:
            yield self._end(running, stop.value, now)
            yield from self._start_queued(running.routine, now)
            return
        if isinstance(effect, WaitUntil):
            running.wakes_at = effect.until
        else:
            yield Perform(at=now, run_id=running.run_id, routine=running.routine.id, effect=effect)

    def _start_queued(self, routine: Routine, now: datetime) -> Iterator[Output]:
        queue = self._queues[routine.id]
        if queue:
            new = queue.popleft()
            self._runs[new.run_id] = new
            yield from self._advance(new, None, now)

    def _end(self, running: _Run, result: RunResult, now: datetime) -> RunEnded:
        del self._runs[running.run_id]
        running.steps.close()
        return RunEnded(
            at=now,
            run_id=running.run_id,
            routine=running.routine.id,
            result=result,
            trace=tuple(running.context.trace),
        )

    def _verdict(
        self, now: datetime, routine: Routine, index: int, verdict: VerdictKind, reason: str
    ) -> Verdict:
        return Verdict(
            at=now, routine=routine.id, trigger=routine.trigger_name(index), verdict=verdict, reason=reason
        )
