"""A house for the tests: routines as text, facts told, and what they led to, in virtual time."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from routines.effects import CallService, Effect, FireEvent, Notify, Outcome, Play, Publish, Say
from routines.engine import Engine
from routines.facts import (
    EventFact,
    Fact,
    HeardFact,
    Json,
    LocationFact,
    MessageFact,
    PresenceFact,
    RunRequested,
    StateFact,
    TimePassed,
)
from routines.intents.directory import Directory
from routines.load import load_routines
from routines.memory import Row
from routines.outputs import Output, Perform, RunEnded, Verdict
from routines.routine import Routine
from routines.schedule.sun import Place
from routines.simulator import Happened, Performed, Simulator

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def routines_of(yaml: str) -> list[Routine]:
    """Return the routines of a text, which has none of the problems that a file may have."""
    routines, problems = load_routines(f"version: 1\nroutines:\n{yaml}", "test.yaml")
    assert problems == []
    return routines


def each(text: str) -> list[str]:
    """Return the parts of a text between its bars."""
    return text.split("|")


def shown(effect: Effect) -> str:
    """Return what an effect is in one word or two."""
    match effect:
        case Say(text=text):
            return text
        case CallService(action=action):
            return action
        case Publish(topic=topic, payload=payload):
            return f"{topic}={payload}"
        case Notify(message=message):
            return message
        case Play(source=source):
            return source
        case FireEvent(event_type=event_type):
            return event_type
        case command:
            return f"{command.do} {command.routine}"


@dataclass
class House:
    """The simulator, with short words for what tests tell it and ask of it."""

    yaml: str
    start: datetime = NOON
    timezone: str = "UTC"
    place: Place | None = None
    directory: Directory | None = None
    given: Sequence[Fact] = ()
    seen: list[Happened] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.simulator = Simulator(
            routines_of(self.yaml),
            start=self.start,
            timezone=ZoneInfo(self.timezone),
            place=self.place,
            directory=self.directory,
        )
        self.seen += self.simulator.begin(self.given)

    def tell(self, *facts: Fact, after: float = 0) -> None:
        """Let seconds pass, then tell facts."""
        self.wait(after)
        for fact in facts:
            self.seen += self.simulator.tell(fact)

    def wait(self, seconds: float) -> None:
        """Let seconds pass."""
        self.seen += self.simulator.advance(self.simulator.now + timedelta(seconds=seconds))

    def wait_until(self, instant: str) -> None:
        """Let time pass until an instant."""
        self.seen += self.simulator.advance(datetime.fromisoformat(instant))

    def fail(self, action: str, error: str = "it is broken") -> None:
        """Let the next action of this name fail."""
        self.simulator.fail(action, error)

    def restart(self, down_seconds: float = 60, missed: Sequence[Fact] = ()) -> None:
        """Let the hub be down for a while, and start it from what it wrote down."""
        self.simulator.kill()
        for fact in missed:
            self.simulator.miss(fact)
        self.seen += self.simulator.boot(self.simulator.now + timedelta(seconds=down_seconds))

    @property
    def effects(self) -> list[Effect]:
        """What was performed."""
        return [one.perform.effect for one in self.seen if isinstance(one, Performed)]

    @property
    def done(self) -> list[str]:
        """What was performed, in words."""
        return [shown(effect) for effect in self.effects]

    @property
    def timed(self) -> list[tuple[float, str]]:
        """What was performed, with the seconds since the start."""
        return [
            ((one.perform.at - self.start).total_seconds(), shown(one.perform.effect))
            for one in self.seen
            if isinstance(one, Performed)
        ]

    @property
    def local_times(self) -> list[str]:
        """When something was performed, on the clock of the house."""
        zone = ZoneInfo(self.timezone)
        return [
            one.perform.at.astimezone(zone).isoformat() for one in self.seen if isinstance(one, Performed)
        ]

    @property
    def verdicts(self) -> list[str]:
        """The verdicts, in order."""
        return [one.verdict for one in self.seen if isinstance(one, Verdict)]

    @property
    def reasons(self) -> list[str]:
        """Why the verdicts were so."""
        return [one.reason for one in self.seen if isinstance(one, Verdict)]

    @property
    def ends(self) -> list[RunEnded]:
        """The runs that are over."""
        return [one for one in self.seen if isinstance(one, RunEnded)]

    @property
    def results(self) -> list[str]:
        """How the runs ended."""
        return [one.result for one in self.ends]

    @property
    def trace(self) -> str:
        """The trace of the last run that is over, as text."""
        return "\n".join(f"{step.what}: {step.result}" for step in self.ends[-1].trace)


def state(entity_id: str, value: str, **attributes: Json) -> StateFact:
    return StateFact(entity_id=entity_id, state=value, attributes=attributes)


def presence(present: bool = True, room: str = "hall", **more: object) -> PresenceFact:
    return PresenceFact(room=room, present=present, **more)  # type: ignore[arg-type]


def message(topic: str = "go", payload: str = "", *, retained: bool = False) -> MessageFact:
    return MessageFact(topic=topic, payload=payload, retained=retained)


def event(event_type: str, **data: Json) -> EventFact:
    return EventFact(event_type=event_type, data=data)


def heard(text: str, room: str = "hall", **more: object) -> HeardFact:
    return HeardFact(room=room, text=text, **more)  # type: ignore[arg-type]


def location(person: str, zone: str, what: str = "enter") -> LocationFact:
    return LocationFact(person=person, zone=zone, event="enter" if what == "enter" else "leave")


def ask(routine: str = "a") -> RunRequested:
    return RunRequested(routine=routine, who="test")


def actions(text: str, more: str = "") -> str:
    """Return a routine that a message on ``go`` starts."""
    return f"  - id: a\n    triggers: [{{trigger: mqtt, topic: go}}]\n{more}    actions: {text}\n"


@dataclass
class Hands:
    """An engine whose effects the test answers itself, one by one, and which can be killed at any moment."""

    routines: list[Routine]
    now: datetime = NOON
    open: list[Perform] = field(default_factory=list)
    performed: list[tuple[float, str]] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    _rows: dict[tuple[str, str], Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.engine = Engine(self.routines, timezone=ZoneInfo("UTC"))
        self._take(self.engine.start(now=self.now))

    def tell(self, fact: Fact) -> None:
        """Tell a fact."""
        self._take(self.engine.handle(fact, now=self.now))

    def pass_time(self, seconds: float) -> None:
        """Let seconds pass; effects stay open meanwhile."""
        end = self.now + timedelta(seconds=seconds)
        while (due := self.engine.next_deadline(self.now)) is not None and due <= end:
            self.now = max(self.now, due)
            self._take(self.engine.handle(TimePassed(), now=self.now))
        self.now = end

    def answer(self, index: int = 0, outcome: Outcome | None = None) -> Perform:
        """Answer one of the open effects."""
        perform = self.open.pop(index)
        self._take(self.engine.complete(perform.run_id, perform.step, outcome or Outcome(), now=self.now))
        return perform

    def answer_all(self) -> None:
        """Answer whatever is open, and what follows from it."""
        while self.open:
            self.answer()

    def kill(self, down_seconds: float = 0) -> None:
        """Lose everything but the rows, and start again from them; open effects are never answered."""
        self.save()
        self.open.clear()
        self.now += timedelta(seconds=down_seconds)
        self.engine = Engine(self.routines, timezone=ZoneInfo("UTC"))
        rows = [
            Row(kind=row.kind, key=row.key, content=json.loads(json.dumps(row.content)))
            for row in self._rows.values()
        ]
        random.Random(len(rows)).shuffle(rows)  # a database promises no order
        self.engine.recall(rows)
        self._take(self.engine.start(now=self.now))

    def save(self) -> None:
        """Write the changes down, as the hub does before it performs anything."""
        for row in self.engine.changes():
            self._rows.pop((row.kind, row.key), None)
            if row.content is not None:
                self._rows[row.kind, row.key] = Row(
                    kind=row.kind, key=row.key, content=json.loads(json.dumps(row.content))
                )

    @property
    def rows(self) -> list[Row]:
        """What is written down."""
        return list(self._rows.values())

    def _take(self, outputs: Iterable[Output]) -> None:
        outputs = list(outputs)
        self.save()
        self.outputs += outputs
        for one in outputs:
            if isinstance(one, Perform):
                self.open.append(one)
                self.performed.append(((one.at - NOON).total_seconds(), shown(one.effect)))

    @property
    def ends(self) -> list[RunEnded]:
        """The runs that are over."""
        return [one for one in self.outputs if isinstance(one, RunEnded)]

    @property
    def verdicts(self) -> list[str]:
        """The verdicts, in order."""
        return [one.verdict for one in self.outputs if isinstance(one, Verdict)]
