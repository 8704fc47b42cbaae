"""``roomwise routine``: check and simulate routines without a running hub, read the traces of one."""

from __future__ import annotations

import json as json_module
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from hub.cli.json_lines import print_json
from hub.errors import BadInput, ConfigError
from routines.facts import Json

if TYPE_CHECKING:
    from routines.engine import Engine
    from routines.facts import Fact
    from routines.outputs import Output
    from routines.routine import Routine

app = typer.Typer(help="Check, simulate and explain routines.", no_args_is_help=True)


def _routine_files(path: Path) -> list[Path]:
    if not path.exists():
        raise BadInput(f"{path}: no such file or folder; name a routine file or a folder of them")
    return sorted(path.glob("*.yaml")) if path.is_dir() else [path]


def read_routines(path: Path) -> list[Routine]:
    """Return all routines of a file or folder.

    Raises
    ------
    ConfigError
        With every problem of every file.
    """
    from routines.load import load_routines

    routines, problems = [], []
    for file in _routine_files(path):
        found, wrong = load_routines(file.read_text(encoding="utf-8"), str(file))
        routines += found
        problems += wrong
    if problems:
        raise ConfigError(problems)
    return routines


@app.command()
def check(
    path: Annotated[Path, typer.Argument(help="A routine file, or a folder of them.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False,
) -> None:
    """Show every problem of routine files, with its place and a hint."""
    routines = read_routines(path)
    if json:
        print_json({"event": "end", "routines": len(routines), "problems": 0})
    else:
        print(f"{len(routines)} routine(s), no problems")


@app.command()
def simulate(
    path: Annotated[Path, typer.Argument(help="A routine file, or a folder of them.")],
    events: Annotated[Path, typer.Option(help="What happens: JSON Lines in order of time.")],
    start: Annotated[str, typer.Option(help="When to begin (RFC 3339 with offset).")],
    end: Annotated[str, typer.Option(help="When to end (RFC 3339 with offset).")],
    timezone: Annotated[str, typer.Option(help="Time zone of the house.")] = "UTC",
    json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False,
) -> None:
    """Play events through routines in virtual time, on the production code path."""
    from routines.engine import Engine
    from routines.facts import TimePassed

    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadInput(f"--timezone: '{timezone}' is not a time zone; write e.g. Europe/Berlin") from error
    begin, finish = _instant(start, "--start"), _instant(end, "--end")
    engine = Engine(read_routines(path), timezone=zone)
    failures: dict[str, str] = {}
    _show(_perform_all(engine, engine.handle(TimePassed(), now=begin), begin, failures), zone, json)
    last: dict[str, Json] = {"type": "end"}
    for at, event in [*_events(events), (finish, last)]:
        at = min(at, finish)
        while (due := engine.next_deadline(begin)) is not None and due <= at:
            _show(_perform_all(engine, engine.handle(TimePassed(), now=due), due, failures), zone, json)
            begin = due
        begin = at
        if event["type"] == "fail":
            failures[str(event["action"])] = str(event.get("error", "failed"))
        elif event["type"] != "end":
            fact = _fact(event, engine, events)
            _show(_perform_all(engine, engine.handle(fact, now=at), at, failures), zone, json)


@app.command()
def trace(
    limit: Annotated[int, typer.Option(help="How many runs.")] = 10,
    config: Annotated[Path | None, typer.Option(help="Configuration directory.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False,
) -> None:
    """Show the last runs of the hub: what started them, each step, how they ended."""
    from hub.config.files import default_directory, load_config
    from hub.status import default_state_directory
    from hub.store.run_history import recent_runs

    loaded = load_config(config or default_directory())
    for record in recent_runs(loaded.hub.store.path or default_state_directory() / "roomwise.sqlite3", limit):
        steps = json_module.loads(record.trace_json)
        if json:
            print_json(
                {
                    "run_id": record.run_id,
                    "routine": record.routine,
                    "started_at": str(record.started_at),
                    "ended_at": str(record.ended_at),
                    "result": record.result,
                    "trace": steps,
                }
            )
        else:
            print(f"{record.started_at}  {record.routine}: {record.result}")
            for step in steps:
                print(f"    {step['at']}  {step['what']}: {step['result']}")


def _instant(text: str, what: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{what}: '{text}' is not a time; write e.g. 2026-11-20T21:00:00+01:00") from error
    if instant.tzinfo is None:
        raise BadInput(f"{what}: '{text}' has no offset from UTC; write e.g. {text}+01:00")
    return instant


def _events(file: Path) -> Iterator[tuple[datetime, dict[str, Json]]]:
    """Yield the events of a JSON Lines file with their instants."""
    if not file.is_file():
        raise BadInput(f"{file}: no such file; name a file of events, one JSON object a line")
    previous: datetime | None = None
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            event = json_module.loads(line)
        except ValueError as error:
            raise BadInput(f"{file}:{number}: not a JSON object ({error})") from error
        can_lack_time = isinstance(event, dict) and event.get("type") == "fail" and previous is not None
        if not (can_lack_time or (isinstance(event, dict) and event.keys() >= {"at", "type"})):
            raise BadInput(f"{file}:{number}: an event needs the keys at and type")
        at = _instant(str(event["at"]), f"{file}:{number}") if "at" in event else previous
        if at is None or (previous is not None and at < previous):
            raise BadInput(f"{file}:{number}: events must be in order of time")
        previous = at
        yield at, event


def _fact(event: dict[str, Json], engine: Engine, file: Path) -> Fact:
    from routines.facts import HeardFact, MessageFact, PresenceFact, StateFact

    text = {key: str(value) for key, value in event.items()}
    attributes = event.get("attributes")
    match event:
        case {"type": "state", "entity_id": str(entity_id), "state": state}:
            known = engine.home.state(entity_id)
            return StateFact(
                entity_id=entity_id,
                old=None if known is None else known.state,
                new=str(state),
                attributes=attributes if isinstance(attributes, dict) else {},
            )
        case {"type": "presence", "room": str(room), "present": bool(present)}:
            is_minor = event.get("kind") == "minor"
            return PresenceFact(room=room, present=present, kind="minor" if is_minor else "major")
        case {"type": "voice", "text": str(said)}:
            return HeardFact(room=text.get("room", ""), text=said)
        case {"type": "mqtt", "topic": str(topic)}:
            return MessageFact(topic=topic, payload=text.get("payload", ""))
        case _:
            raise BadInput(f"{file}: an event of type '{text['type']}' with these keys is not understood")


def _perform_all(
    engine: Engine, outputs: list[Output], now: datetime, failures: dict[str, str]
) -> list[Output]:
    """Take every effect as done at once (or failed as told), and return all outputs in order."""
    from routines.effects import CallService, Outcome
    from routines.outputs import Perform

    everything: list[Output] = []
    waiting = list(outputs)
    while waiting:
        output = waiting.pop(0)
        everything.append(output)
        if isinstance(output, Perform):
            name = output.effect.action if isinstance(output.effect, CallService) else ""
            error = failures.pop(name, None)
            outcome = Outcome(ok=error is None, error=error)
            waiting = engine.complete(output.run_id, outcome, now=now) + waiting
    return everything


def _show(outputs: list[Output], zone: ZoneInfo, as_json: bool) -> None:
    for output in outputs:
        line = _line(output, zone)
        if as_json:
            print_json(line)
        else:
            words = [str(value) for key, value in line.items() if key not in ("at", "event") and value]
            print(f"{line['at']}  {line['event']:8} {'  '.join(words)}")


def _line(output: Output, zone: ZoneInfo) -> dict[str, Json]:
    from routines.outputs import Perform, RunEnded, Verdict

    at = output.at.astimezone(zone).isoformat()
    match output:
        case Perform(routine=routine, run_id=run_id, effect=effect):
            kind = {"CallService": "call"}.get(type(effect).__name__, type(effect).__name__.lower())
            values = {name: getattr(effect, name) for name in type(effect).__dataclass_fields__}
            return {"at": at, "event": "effect", "routine": routine, "run_id": run_id, "kind": kind, **values}
        case Verdict(routine=routine, trigger=trigger, verdict=verdict, reason=reason):
            return {
                "at": at,
                "event": "verdict",
                "routine": routine,
                "trigger": trigger,
                "verdict": verdict,
                "reason": reason,
            }
        case RunEnded(routine=routine, run_id=run_id, result=result):
            return {"at": at, "event": "run", "routine": routine, "run_id": run_id, "result": result}
