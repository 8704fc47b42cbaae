"""Play a life to the engine in virtual time: the same code as at home, without waiting."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from routines.effects import CallService, FireEvent, Outcome, Publish, effect_kind
from routines.engine import Engine
from routines.facts import EventFact, Fact, MessageFact, PresenceFact, StateFact, TimePassed
from routines.intents.directory import Directory
from routines.memory import Row
from routines.outputs import Output, Perform
from routines.routine import Routine
from routines.schedule.sun import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Performed:
    """An effect, and how it went."""

    perform: Perform
    outcome: Outcome


Happened = Output | Performed
"""What the engine said; effects come as `Performed`."""


class Simulator:
    """An engine that lives in virtual time; effects succeed at once unless told otherwise.

    What a message published or an event fired by a routine would start comes back to the engine, as from a
    broker; what devices do comes only from the facts that it is told.
    """

    def __init__(
        self,
        routines: Sequence[Routine],
        *,
        start: datetime,
        timezone: ZoneInfo,
        place: Place | None = None,
        directory: Directory | None = None,
        converses: bool = False,
    ) -> None:
        self._routines = list(routines)
        self._timezone = timezone
        self._place = place
        self._directory = directory
        self._converses = converses
        self._failures: dict[str, deque[str]] = {}
        self._memory: dict[tuple[str, str], Row] = {}
        self._missed: list[Fact] = []
        self.now = start
        self.engine = self._engine()

    def begin(self, given: Sequence[Fact] = ()) -> list[Happened]:
        """Start the hub; what is given is known already and fires nothing."""
        for fact in given:
            self.engine.learn(fact, now=self.now)
        return self._perform(self.engine.start(now=self.now))

    def advance(self, until: datetime) -> Iterator[Happened]:
        """Let time pass, and yield what falls due."""
        while (due := self.engine.next_deadline(self.now)) is not None and due <= until:
            self.now = max(due, self.now)
            yield from self._perform(self.engine.handle(TimePassed(), now=self.now))
        self.now = max(until, self.now)

    def tell(self, fact: Fact) -> list[Happened]:
        """Tell the engine a fact."""
        return self._perform(self.engine.handle(fact, now=self.now))

    def fail(self, action: str, error: str) -> None:
        """Let the next effect of this name fail: an action, or a kind such as ``say``."""
        self._failures.setdefault(action, deque()).append(error)

    def kill(self) -> None:
        """Let the hub go down; only what it wrote down survives."""
        self._write_down()
        self._missed = []

    def miss(self, fact: Fact) -> None:
        """Let something happen while the hub is down; of states it hears when it is back."""
        if isinstance(fact, StateFact | PresenceFact):
            self._missed.append(fact)

    def boot(self, at: datetime) -> list[Happened]:
        """Start the hub again from what it wrote down."""
        self.now = max(at, self.now)
        self.engine = self._engine()
        # Through text, as through the database.
        self.engine.recall(
            Row(kind=row.kind, key=row.key, content=json.loads(json.dumps(row.content)))
            for row in self._memory.values()
        )
        happened = self.begin([fact for fact in self._missed if isinstance(fact, StateFact)])
        for fact in self._missed:
            if isinstance(fact, PresenceFact):
                happened += self.tell(fact)
        return happened

    def _engine(self) -> Engine:
        return Engine(
            self._routines,
            timezone=self._timezone,
            place=self._place,
            directory=self._directory,
            converses=self._converses,
        )

    def _write_down(self) -> None:
        for row in self.engine.changes():
            if row.content is None:
                self._memory.pop((row.kind, row.key), None)
            else:
                self._memory[row.kind, row.key] = row

    def _perform(self, outputs: Sequence[Output]) -> list[Happened]:
        """Carry out every effect at once, in order, and whatever follows from it."""
        happened: list[Happened] = []
        waiting = deque(outputs)
        while waiting:
            output = waiting.popleft()
            if not isinstance(output, Perform):
                happened.append(output)
                continue
            outcome = self._outcome(output)
            happened.append(Performed(perform=output, outcome=outcome))
            follows = self.engine.complete(output.run_id, output.step, outcome, now=self.now)
            echo = _echo(output) if outcome.ok else None
            if echo is not None:
                follows += self.engine.handle(echo, now=self.now)
            waiting.extendleft(reversed(follows))
        return happened

    def _outcome(self, perform: Perform) -> Outcome:
        effect = perform.effect
        names = [effect.action] if isinstance(effect, CallService) else []
        for name in (*names, effect_kind(effect)):
            if self._failures.get(name):
                return Outcome(ok=False, error=self._failures[name].popleft())
        return Outcome()


def _echo(perform: Perform) -> Fact | None:
    match perform.effect:
        case Publish(topic=topic, payload=payload):
            return MessageFact(topic=topic, payload=payload)
        case FireEvent(event_type=event_type, data=data):
            return EventFact(event_type=event_type, data=data)
        case _:
            return None
