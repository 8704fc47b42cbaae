"""Run the tests that routines bring along, in virtual time through the engine itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from routines.effects import CallService, Effect, Notify, Play, Publish, Say
from routines.event_lines import fact_from_line
from routines.facts import Fact, Json
from routines.intents.directory import Directory
from routines.json_tree import mappings_in
from routines.output_lines import effect_line
from routines.outputs import RunEnded, Verdict
from routines.routine import Routine
from routines.schedule.sun import Place
from routines.simulator import Happened, Performed, Simulator
from routines.vocabulary.examples import Example, Expected, GivenState, Step

_ROOM_PREFIX = "presence."


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleResult:
    """How a test went; ``problems`` says what was expected and what was seen."""

    routine: str
    name: str
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether all was as expected."""
        return not self.problems


@dataclass(kw_only=True)
class _Seen:
    """What happened since the last expectation."""

    happened: list[Happened] = field(default_factory=list)

    def effects(self, kind: type[Effect]) -> list[Effect]:
        """Return the effects of a kind that were done."""
        return [
            one.perform.effect
            for one in self.happened
            if isinstance(one, Performed) and isinstance(one.perform.effect, kind)
        ]


def run_examples(
    routine: Routine,
    others: Sequence[Routine],
    *,
    timezone: ZoneInfo,
    place_of: Callable[[str], Place] | None = None,
    directory: Directory | None = None,
) -> Iterable[ExampleResult]:
    """Run the tests of a routine; only the routines that it names run beside it.

    Parameters
    ----------
    timezone : ZoneInfo
        Of tests that name none.
    place_of : callable or None
        Returns where the sun is watched from in a time zone.
    """
    wanted = _together_with(routine, others)
    for example in routine.tests:
        try:
            zone = ZoneInfo(example.timezone) if example.timezone else timezone
        except (ZoneInfoNotFoundError, ValueError):
            problem = f"'{example.timezone}' is not a time zone; write e.g. Europe/Berlin"
            yield ExampleResult(routine=routine.id, name=example.name, problems=(problem,))
            continue
        start = datetime.fromisoformat(example.at)
        simulator = Simulator(
            wanted,
            start=start if start.tzinfo else start.replace(tzinfo=zone),
            timezone=zone,
            place=None if place_of is None else place_of(zone.key),
            directory=directory,
        )
        problems = _play(example, simulator, routine)
        yield ExampleResult(routine=routine.id, name=example.name, problems=tuple(problems))


def _together_with(routine: Routine, others: Sequence[Routine]) -> list[Routine]:
    """Return the routine and those that it enables, disables or runs, directly or through others."""
    by_id = {other.id: other for other in others}
    found, waiting = {routine.id: routine}, [routine]
    while waiting:
        actions = waiting.pop().actions
        for words in mappings_in([action.model_dump(mode="json", by_alias=True) for action in actions]):
            name = words.get("routine")
            if "do" in words and isinstance(name, str) and name in by_id and name not in found:
                found[name] = by_id[name]
                waiting.append(by_id[name])
    return list(found.values())


def _play(example: Example, simulator: Simulator, routine: Routine) -> list[str]:
    """Play an example, and return what was not as expected."""
    given = [fact for name, state in example.given.items() for fact in _given(name, state)]
    problems: list[str] = []
    everything = _Seen(happened=simulator.begin(given))
    since = _Seen()
    for number, step in enumerate(example.when):
        if step.expect is not None:
            problems += [f"when[{number}]: {one}" for one in _differences(step.expect, since, routine)]
            since = _Seen()
            continue
        happened = _do(step, simulator)
        since.happened += happened
        everything.happened += happened
    return problems + [f"expect: {one}" for one in _differences(example.expect, everything, routine)]


def _given(name: str, state: GivenState | str) -> Iterable[Fact]:
    text = state if isinstance(state, str) else state.state
    attributes: Mapping[str, Json] = {} if isinstance(state, str) else state.attributes
    if name.startswith(_ROOM_PREFIX):
        yield fact_from_line(
            {"type": "presence", "room": name.removeprefix(_ROOM_PREFIX), "present": text == "detected"}
        )
    else:
        yield fact_from_line(
            {"type": "state", "entity_id": name, "state": text, "attributes": dict(attributes)}
        )


def _do(step: Step, simulator: Simulator) -> list[Happened]:
    """Let one step happen."""
    if step.advance is not None:
        return list(simulator.advance(simulator.now + step.advance))
    if step.restart is not None:
        simulator.kill()
        return simulator.boot(simulator.now + step.restart)
    if step.fail is not None:
        simulator.fail(step.fail, step.error or "failed")
        return []
    if step.set is not None:
        facts = [fact for name, state in step.set.items() for fact in _given(name, state)]
    else:
        facts = [fact_from_line(_line(step))]
    return [happened for fact in facts for happened in simulator.tell(fact)]


def _line(step: Step) -> dict[str, Json]:
    """Return a step as a line of `fact_from_line`."""
    line: dict[str, Json]
    if step.presence is not None:
        line = {"type": "presence", "room": step.presence, "present": step.to == "detected"}
        line |= {"kind": step.kind, "confidence": 1.0 if step.confidence is None else step.confidence}
    elif step.say is not None:
        line = {"type": "voice", "text": step.say, "room": step.room, "device": step.heard_by}
    elif step.mqtt is not None:
        line = {"type": "mqtt", "topic": step.mqtt, "payload": "" if step.payload is None else step.payload}
    elif step.location is not None:
        line = {"type": "location", "person": step.location, "zone": step.zone, "event": step.event}
    elif step.event is not None:
        line = {"type": "event", "event_type": step.event, "data": step.data}
    else:
        line = {"type": "run", "routine": step.run}
    return line


_EFFECTS: Mapping[str, tuple[type[Effect], str]] = {
    "calls": (CallService, "action"),
    "published": (Publish, "topic"),
    "said": (Say, "text"),
    "notified": (Notify, "message"),
    "played": (Play, "source"),
}


def _differences(expected: Expected, seen: _Seen, routine: Routine) -> Iterable[str]:
    """Yield a line for each thing that is not as expected."""
    for name, (kind, main) in _EFFECTS.items():
        wanted = getattr(expected, name)
        if wanted is not None:
            done = [_shown(effect) for effect in seen.effects(kind)]
            yield from _sequence_differences(name, [_written(one, main) for one in wanted], done)
    if expected.calls_count is not None:
        yield from _difference("calls_count", expected.calls_count, len(seen.effects(CallService)))
    own = [one for one in seen.happened if getattr(one, "routine", routine.id) == routine.id]
    verdicts = [one for one in own if isinstance(one, Verdict)]
    started = [one for one in verdicts if one.verdict in ("fired", "caught_up")]
    if expected.runs is not None:
        yield from _difference("runs", expected.runs, len(started))
    if expected.results is not None:
        ends: Json = [one.result for one in own if isinstance(one, RunEnded)]
        yield from _difference("results", list(expected.results), ends)
    for trigger, wanted_verdicts in (expected.verdicts or {}).items():
        found: Json = [one.verdict for one in verdicts if one.trigger == trigger]
        yield from _difference(f"verdicts of {trigger}", list(wanted_verdicts), found)
    if expected.slots is not None:
        yield from _difference("slots", expected.slots, _slots(started))


def _slots(started: Sequence[Verdict]) -> Json:
    """Return the slots of the last run that a phrase started."""
    return next((dict(one.slots) for one in reversed(started) if one.slots), None)


def _shown(effect: Effect) -> dict[str, Json]:
    content = effect_line(effect)
    del content["kind"]
    return content


def _written(wanted: Mapping[str, Json] | str, main: str) -> Mapping[str, Json]:
    return {main: wanted} if isinstance(wanted, str) else wanted


def _sequence_differences(
    name: str, wanted: Sequence[Mapping[str, Json]], seen: Sequence[Mapping[str, Json]]
) -> Iterable[str]:
    if len(wanted) == len(seen) and all(_matches(w, s) for w, s in zip(wanted, seen, strict=True)):
        return
    yield from _difference(name, [dict(one) for one in wanted], [dict(one) for one in seen])


def _difference(name: str, wanted: Json, seen: Json) -> Iterable[str]:
    if wanted != seen:
        yield f"{name}: expected {_short(wanted)}, seen {_short(seen)}"


def _short(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _matches(wanted: object, seen: object) -> bool:
    """Return whether what was seen has all that was written; a single entity is a list of one."""
    if isinstance(wanted, dict):
        return isinstance(seen, dict) and all(_matches(value, seen.get(key)) for key, value in wanted.items())
    if isinstance(wanted, str) and isinstance(seen, list):
        return seen == [wanted]
    return wanted == seen
