"""All routines at once: facts and time in, effects and verdicts out; no clock, no I/O."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from routines.armed import armed_triggers, trigger_variables
from routines.certainty import Certainty
from routines.conversation import Answer, Conversation
from routines.deadlines import Deadlines
from routines.decide import CannotDecide
from routines.effects import Outcome
from routines.facts import Fact, HeardFact, HubStarted, Json, RunRequested, UndoRequested
from routines.gate import Gate, Held
from routines.hearing import Hearing, Ignored, Question, Wish
from routines.home import Home
from routines.intents.directory import Directory
from routines.journals import Journals
from routines.made_routines import Change
from routines.memory import Notebook, Row
from routines.outputs import Done, Output, Perform, RunEnded, Verdict, VerdictKind
from routines.recollection import Recollection
from routines.roster import Roster
from routines.routine import Routine
from routines.runs import CommandGiven, Produced, Runs, Start
from routines.schedule.sun import Place
from routines.situation import Situation
from routines.spoken import spoken_routine
from routines.targets import entities_of
from routines.touches import Touches
from routines.watch import Noticed, Watch

_CLOCK_SET_BACK = timedelta(hours=12)
"""A clock that is set back by more was wrong before, so what it has fired already counts for nothing."""
_DURATIONS = frozenset({"held", "run", "poll", "minute"})
"""Deadlines that are so long after something, not times of day."""


class Engine:
    """Decide what runs, and step the runs.

    The caller performs every `Perform` and answers with `complete`; it calls `handle` with `TimePassed`
    when `next_deadline` has come. Everything returned is in order of time.

    After a restart: `recall` what `changes` gave before, `learn` what the links tell, then `start`.

    Parameters
    ----------
    place : Place or None
        Where the sun is watched from.
    directory : Directory or None
        What the home calls its things.
    converses : bool
        Whether built-in wishes, timers and questions are answered too, not only the routines' phrases.
    certainty : Certainty
        How surely a sentence must have been heard.

    Attributes
    ----------
    hearing : Hearing
        The sentences that are waited for.
    home : Home
        The picture of the home, kept from the facts.
    roster : Roster
        All routines, and which of them are enabled.
    """

    def __init__(
        self,
        routines: Sequence[Routine],
        *,
        timezone: ZoneInfo,
        place: Place | None = None,
        directory: Directory | None = None,
        converses: bool = False,
        certainty: Certainty | None = None,
    ) -> None:
        self._timezone = timezone
        self._place = place
        self._directory = directory or Directory()
        self._now = datetime.min.replace(tzinfo=UTC)
        self._is_started = False
        self._notebook = Notebook()
        self._deadlines = Deadlines()
        self.home = Home()
        self.roster = Roster(routines, self._notebook)
        self._gate = Gate(self._notebook)
        self._journals = Journals(self._notebook)
        self._touches = Touches(self._notebook)
        self._watch = Watch(
            situate=self._situation,
            deadlines=self._deadlines,
            notebook=self._notebook,
            last_effect=lambda routine: self._runs.last_effect(routine),
        )
        self._runs = Runs(
            situate=self._situation,
            entities=self._entities,
            watch=self._watch,
            deadlines=self._deadlines,
            notebook=self._notebook,
            missed=lambda key: self._recollection.missed(key, self._now),
        )
        self._converses = converses
        self.hearing = Hearing(self._watch, certainty or Certainty())
        self._recollection = Recollection(
            notebook=self._notebook,
            home=self.home,
            roster=self.roster,
            watch=self._watch,
            runs=self._runs,
            gate=self._gate,
            journals=self._journals,
            touches=self._touches,
            deadlines=self._deadlines,
        )
        self.name_things(self._directory)

    def name_things(self, directory: Directory) -> None:
        """Take other names of the home's things."""
        self._directory = directory
        self._conversation = Conversation(directory) if self._converses else None
        self._take_phrases()

    def _take_phrases(self) -> None:
        self.hearing.take(list(self.roster.own.values()), self._directory, self._conversation)

    def recall(self, rows: Iterable[Row]) -> None:
        """Take in what was remembered before a restart; nothing happens before `start`."""
        self._recollection.take(rows)

    def learn(self, fact: Fact, *, now: datetime) -> None:
        """Take in what a link tells before the start: it is known, but fires nothing."""
        self._now = now
        self._recollection.learn(fact, self._now)

    def start(self, *, now: datetime) -> list[Output]:
        """Arm the triggers, and go on where a restart left off."""
        self._now, self._is_started = now, True
        self._recollection.recall_first(now)
        for routine in self.roster.all():
            self._arm(routine)
        outputs = list(self._see_to(self._runs.go_on()))
        self._recollection.recall_held()
        for noticed in list(self._watch.let_go_stale()):
            outputs += self._noticed(noticed)
        self._recollection.forget()
        outputs += self._due()
        return outputs + list(self._fact(HubStarted()))

    def replace(self, routines: Sequence[Routine], *, now: datetime) -> None:
        """Take other definitions: what has not been edited keeps its timers; runs end as they began."""
        self._now = now
        self.roster.replace(routines)
        self._take_phrases()
        if self._is_started:
            wanted = {armed.key for one in self.roster.all() for armed in armed_triggers(one)}
            for key in self._watch.keys() - wanted:
                self._watch.disarm(key)
            for routine in self.roster.all():
                self._arm(routine)

    def next_deadline(self, now: datetime) -> datetime | None:
        """Return when something falls due next, or None."""
        return self._deadlines.next() if self._is_started else now

    def handle(self, fact: Fact, *, now: datetime) -> list[Output]:
        """Take in a fact at an instant, and return what follows from it and from the time."""
        outputs = [] if self._is_started else self.start(now=now)
        self._now = now
        outputs += self._due()
        return outputs + list(self._fact(fact))

    def complete(self, run_id: str, step: str, outcome: Outcome, *, now: datetime) -> list[Output]:
        """Tell a run how its effect went, and return what it does next.

        A run that has been stopped meanwhile is no longer interested.
        """
        self._now = now
        return list(self._see_to(self._runs.complete(run_id, step, outcome)))

    def clock_was_set(self, by: timedelta, *, now: datetime) -> None:
        """Keep durations as they are after the wall clock jumped by ``by``.

        Times of day that a jump forward skipped are late and caught up with as ``catch_up`` says; those that
        a jump back repeats have happened already.
        """
        self._now = now
        self.home.shift(by)
        self._recollection.note_home()
        self._gate.shift(by)
        self._watch.shift(by)
        self._runs.shift(by)
        self._deadlines.shift(by, _DURATIONS)
        if by < -_CLOCK_SET_BACK:
            self._watch.set_clocks()

    def changes(self) -> list[Row]:
        """Return what has to be remembered that has changed since the last call."""
        return self._recollection.changes()

    def unreadable(self) -> Sequence[str]:
        """Return what was remembered and cannot be read any more, so that it had to be dropped."""
        return self._recollection.unreadable

    def has_urgent_changes(self) -> bool:
        """Return whether `changes` holds what must be safe before anything is performed."""
        return self._notebook.has_urgent()

    def listens_to(self, topic: str) -> bool:
        """Return whether a trigger waits for messages on a topic."""
        return self._watch.listens_to(topic)

    def _situation(self) -> Situation:
        return Situation(home=self.home, now=self._now, timezone=self._timezone, place=self._place)

    def _entities(self, target: Mapping[str, Json]) -> Sequence[str]:
        return entities_of(target, self._directory)

    def _arm(self, routine: Routine) -> None:
        for armed in armed_triggers(routine):
            self._watch.arm(armed, missed=self._recollection.missed(armed.key, self._now))

    def _fact(self, fact: Fact) -> Iterator[Output]:
        before = self._recollection.learn(fact, self._now)
        match fact:
            case RunRequested():
                yield from self._requested(fact)
            case UndoRequested(who=who):
                yield from self._undo(who)
            case HeardFact():
                yield from self._heard(fact)
            case _:
                for noticed in list(self._watch.notice(fact, before)):
                    yield from self._noticed(noticed)
        yield from self._see_to(self._runs.look_at_conditions())

    def _due(self) -> Iterator[Output]:
        """Do everything whose deadline has come."""
        for key, at in self._deadlines.due(self._now):
            if key[0] == "run":
                yield from self._see_to(self._runs.due(key))
            elif key[0] == "poll":
                yield from self._see_to(self._runs.look_at_conditions())
            else:
                for noticed in self._watch.due(key, at):
                    yield from self._noticed(noticed)

    def _heard(self, fact: HeardFact) -> Iterator[Output]:
        """Do what a sentence asks for; the answer comes from where it was heard."""
        for heard in list(self.hearing.hear(fact, self.roster.made, self._situation())):
            match heard:
                case Noticed():
                    yield from self._noticed(heard)
                case Question(text=text, reason=reason):
                    yield from self._spoken(spoken_routine(reply=text), fact, reason)
                case Ignored():
                    yield heard.verdict_at(self._now)
                case Wish(answer=Answer(is_undo=True)):
                    yield from self._undo(f"voice in {fact.room}" if fact.room else "voice")
                case Wish(answer=Answer(why=why), reason=reason) if why:
                    reply = self._touches.explain(why, self._directory, self._timezone)
                    yield from self._spoken(spoken_routine(reply=reply), fact, reason)
                case Wish(answer=answer, reason=reason):
                    if answer.change is not None:
                        self._change_made(answer.change)
                    wanted = spoken_routine(answer.calls, reply=answer.reply, broadcast=answer.broadcast)
                    yield from self._spoken(wanted, fact, reason)

    def _spoken(self, routine: Routine | None, fact: HeardFact, reason: str) -> Iterator[Output]:
        if routine is not None:
            trigger: Json = {"id": "voice", "room": fact.room or None, "device": fact.device}
            yield from self._asked(routine, reason, trigger)

    def _change_made(self, change: Change) -> None:
        """Set and forget timers, alarms and reminders."""
        for routine_id in (*change.forgotten, *(routine.id for routine in change.made)):
            self._forget_made(routine_id)
        for routine in change.made:
            self.roster.add(routine)
            self._arm(routine)

    def _forget_made(self, routine_id: str) -> None:
        routine = self.roster.forget(routine_id)
        if routine is not None:
            for armed in armed_triggers(routine):
                self._watch.disarm(armed.key)

    def _noticed(self, noticed: Noticed) -> Iterator[Output]:
        """Take what a trigger noticed to the run that waits for it, or through the gate to a new run."""
        armed = noticed.armed
        trigger = trigger_variables(armed, noticed.variables, self._situation())
        if armed.wait is not None:
            # What fires two triggers of a wait ends it once: the run wants something else by then.
            if noticed.has_fired and self._watch.armed(armed.key) is armed:
                yield from self._see_to(self._runs.waited_for(armed.wait, trigger))
            return
        routine = armed.routine
        if not self.roster.is_enabled(routine):
            yield self._verdict(routine, armed.name, "disabled", noticed.reason)
        elif not noticed.has_fired:
            yield self._verdict(routine, armed.name, noticed.verdict, noticed.reason)
        else:
            passed = self._gate.check(routine, armed.name, {"trigger": trigger}, self._situation())
            if isinstance(passed, Held):
                reason = f"{noticed.reason}, but {passed.reason}"
                yield self._verdict(routine, armed.name, passed.verdict, reason)
            else:
                wanted = Start(
                    routine=routine, variables=passed.variables, name=armed.name, reason=noticed.reason
                )
                yield from self._admit(wanted, noticed.verdict)
        if routine.once and noticed.verdict == "skipped_late":
            self._forget_made(routine.id)

    def _admit(self, wanted: Start, verdict: VerdictKind) -> Iterator[Output]:
        """Start or queue a run, or say why its mode does not allow it."""
        routine = wanted.routine
        refusal = self._runs.refusal(routine, wanted.led_by)
        if refusal is not None:
            yield self._verdict(routine, wanted.name, "mode_dropped", f"{wanted.reason}, but {refusal}")
            return
        trigger = wanted.variables.get("trigger")
        slots = trigger.get("slots") if isinstance(trigger, dict) else None
        yield self._verdict(routine, wanted.name, verdict, wanted.reason, slots)
        self._gate.started(routine, wanted.name, self._now)
        yield from self._see_to(self._runs.start(wanted))

    def _requested(self, fact: RunRequested) -> Iterator[Output]:
        """Start a routine by name, whatever its conditions say."""
        routine = self.roster.own.get(fact.routine)
        if routine is not None:
            reason = f"asked by {fact.who}"
            yield from self._asked(routine, reason, {"id": reason, "platform": "request"})

    def _asked(
        self, routine: Routine, reason: str, trigger: Json, led_by: Sequence[str] = ()
    ) -> Iterator[Output]:
        try:
            seen = self._gate.variables(routine, {"trigger": trigger}, self._situation())
        except CannotDecide as error:
            yield self._verdict(routine, reason, "cannot_decide", str(error))
            return
        wanted = Start(routine=routine, variables=seen, name=reason, reason=reason, led_by=tuple(led_by))
        yield from self._admit(wanted, "fired")

    def _undo(self, who: str) -> Iterator[Output]:
        """Put back what was changed last and has not been undone yet; a run that is still at it ends."""
        found = self._journals.undoing()
        if found is not None:
            run_id, routine = found
            yield from self._see_to(self._runs.stop(run_id, f"undone by {who}"))
            yield from self._asked(routine, f"asked by {who}", {"id": "undo"})

    def _see_to(self, produced: Iterable[Produced]) -> Iterator[Output]:
        """Pass on what runs want, and do their commands."""
        waiting = [iter(produced)]
        while waiting:  # no recursion: a loop may give thousands of commands at once
            one = next(waiting[-1], None)
            if one is None:
                waiting.pop()
            elif isinstance(one, CommandGiven):
                outcome = yield from self._command(one)
                waiting.append(self._runs.resume(one.run.run_id, one.strand, outcome))
            else:
                if isinstance(one, Perform):
                    run = self._runs.get(one.run_id)
                    self._touches.performed(one, run, self._entities)
                    self._journals.performed(one, run)
                elif isinstance(one, RunEnded):
                    self._forget_made(one.routine)
                yield one

    def _command(self, given: CommandGiven) -> Generator[Output, None, Outcome]:
        command, run = given.command, given.run
        yield Done(at=self._now, run_id=run.run_id, routine=run.routine.id, effect=command)
        is_known = command.routine in self.roster.own
        error = None if is_known else f"there is no routine '{command.routine}'; correct its name"
        if error is None and command.do == "run_routine":
            trigger: Json = {"id": run.routine.id, "platform": "routine"}
            why, led_by = f"run by {run.routine.id}", (*run.led_by, run.run_id)
            yield from self._asked(self.roster.own[command.routine], why, trigger, led_by)
        elif error is None:
            self.roster.enable(command.routine, is_enabled=command.do == "enable_routine")
        return Outcome(ok=error is None, error=error)

    def _verdict(
        self, routine: Routine, trigger: str, verdict: VerdictKind, reason: str, slots: Json = None
    ) -> Verdict:
        return Verdict(
            at=self._now,
            routine=routine.id,
            trigger=trigger,
            verdict=verdict,
            reason=reason,
            slots=slots if isinstance(slots, dict) else {},
        )
