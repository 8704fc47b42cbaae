"""``roomwise routine simulate`` and ``test``: routines in virtual time, on the production code path."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from hub.cli.json_lines import print_json
from hub.cli.routine_files import read_events, read_instant, read_routines, read_timezone
from hub.errors import BadInput
from routines.facts import Json

if TYPE_CHECKING:
    from routines.facts import Fact
    from routines.simulator import Happened, Simulator


def simulate(
    path: Annotated[Path, typer.Argument(help="A routine file, or a folder of them.")],
    events: Annotated[Path, typer.Option(help="What happens: JSON Lines in order of time.")],
    start: Annotated[str, typer.Option(help="When to begin (RFC 3339 with offset).")],
    end: Annotated[str, typer.Option(help="When to end (RFC 3339 with offset).")],
    timezone: Annotated[str, typer.Option(help="Time zone of the house.")] = "UTC",
    json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False,
) -> None:
    """Play events through routines in virtual time, on the production code path."""
    from hub.place import place_of_timezone
    from routines.simulator import Simulator

    zone = read_timezone(timezone)
    begin, finish = read_instant(start, "--start"), read_instant(end, "--end")
    if finish < begin:
        raise BadInput(f"--end: {end} is before --start {start}")
    simulator = Simulator(read_routines(path), start=begin, timezone=zone, place=place_of_timezone(timezone))
    for happened in _play(simulator, events, finish):
        _show(happened, zone, json)


def _play(simulator: Simulator, file: Path, finish: datetime) -> Iterable[Happened]:
    """Yield what happens; while the hub is down nothing does."""
    yield from simulator.begin()
    down_until: datetime | None = None
    for at, event in read_events(file):
        if at > finish:
            break
        if down_until is not None and at >= down_until:
            yield from simulator.boot(down_until)
            down_until = None
        if event["type"] == "fail":  # about an action to come, so it counts while the hub is down too
            simulator.fail(_text(event, "action", file), str(event.get("error", "failed")))
            continue
        if down_until is not None:
            if event["type"] != "hub_restart":
                simulator.miss(_fact(event, file))
            continue
        yield from simulator.advance(at)
        match event:
            case {"type": "hub_restart"}:
                simulator.kill()
                down_until = at + timedelta(seconds=_seconds(event, file))
            case _:
                yield from simulator.tell(_fact(event, file))
    if down_until is not None and down_until <= finish:
        yield from simulator.boot(down_until)
        down_until = None
    if down_until is None:
        yield from simulator.advance(finish)


def _text(event: dict[str, Json], key: str, file: Path) -> str:
    value = event.get(key)
    if not isinstance(value, str):
        raise BadInput(f"{file}: an event of type '{event['type']}' needs the text '{key}'")
    return value


def _seconds(event: dict[str, Json], file: Path) -> float:
    seconds = event.get("down_seconds", 0)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
        raise BadInput(f"{file}: down_seconds is {seconds!r}, not a number of seconds")
    return seconds


def _fact(event: dict[str, Json], file: Path) -> Fact:
    from routines.event_lines import fact_from_line

    try:
        return fact_from_line(event)
    except ValueError as error:
        raise BadInput(f"{file}: {error}") from error


def _show(happened: Happened, zone: ZoneInfo, as_json: bool) -> None:
    from routines.output_lines import output_line

    line = output_line(happened, zone)
    if as_json:
        print_json(line)
        return
    words = [str(value) for key, value in line.items() if key not in ("at", "event") and value]
    print(f"{line['at']}  {line['event']:8} {'  '.join(words)}")


def run_tests(
    path: Annotated[Path, typer.Argument(help="A routine file, or a folder of them.")],
    timezone: Annotated[str, typer.Option(help="Time zone of tests that name none.")] = "UTC",
    json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False,
) -> None:
    """Run the tests inside the routines; exit status 1 when one fails."""
    from hub.place import place_of_timezone
    from routines.examples import run_examples

    zone = read_timezone(timezone)
    routines = read_routines(path)
    passed = failed = 0
    for routine in routines:
        for result in run_examples(routine, routines, timezone=zone, place_of=place_of_timezone):
            passed, failed = passed + result.passed, failed + (not result.passed)
            if json:
                print_json(
                    {
                        "event": "test",
                        "routine": result.routine,
                        "name": result.name,
                        "passed": result.passed,
                        "problems": list(result.problems),
                    }
                )
            else:
                print(f"{'passed' if result.passed else 'FAILED'}  {result.routine}: {result.name}")
                for problem in result.problems:
                    print(f"        {problem}")
    if json:
        print_json({"event": "end", "passed": passed, "failed": failed})
    else:
        print(f"{passed} passed, {failed} failed")
    if failed:
        raise typer.Exit(1)
