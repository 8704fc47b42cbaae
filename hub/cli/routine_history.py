"""``roomwise routine trace``, ``explain``, ``what-if``: what a hub did, why, and what it would have done."""

from __future__ import annotations

import json as json_module
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from hub.cli.json_lines import print_json
from hub.cli.routine_files import read_instant, read_routines
from hub.errors import BadInput
from routines.facts import Json

if TYPE_CHECKING:
    from hub.config.files import LoadedConfig
    from hub.store.run_history import RunRecord
    from routines.outputs import Verdict
    from routines.what_if import Difference, Firing


def trace(
    limit: Annotated[int, typer.Option(help="How many runs.")] = 10,
    routine: Annotated[str | None, typer.Option(help="Only runs of this routine.")] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration directory.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False,
) -> None:
    """Show the last runs of the hub: what started them, each step, how they ended."""
    from hub.store.run_history import recent_runs

    loaded = _config(config)
    for record in recent_runs(_database(loaded), limit, routine=routine):
        if json:
            print_json(_run_line(record))
            continue
        print(f"{record.started_at}  {record.routine}: {record.result}  ({record.run_id})")
        for step in json_module.loads(record.trace_json):
            print(f"    {step['at']}  {step['what']}: {step['result']}")


def explain(
    name: Annotated[
        str | None, typer.Argument(help="A routine, a run or an entity; all routines when left out.")
    ] = None,
    limit: Annotated[int, typer.Option(help="How many verdicts.")] = 10,
    config: Annotated[Path | None, typer.Option(help="Configuration directory.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False,
) -> None:
    """Say in sentences why routines ran, and why they did not; of an entity, who acted on it last."""
    from hub.store.run_history import asked_for_run, recent_runs, recent_verdicts
    from routines.explain import explain_run, explain_verdict

    loaded = _config(config)
    database, zone = _database(loaded), ZoneInfo(loaded.hub.home.timezone)
    if name and "." in name:
        _explain_entity(name, database, zone, as_json=json)
        return
    asked = asked_for_run(database, name) if name else None
    runs = [asked] if asked else recent_runs(database, 1, routine=name)
    verdicts = [] if asked else recent_verdicts(database, limit, routine=name)
    known = {one.id for one in loaded.routines}
    if name and not runs and not verdicts and name not in known:
        raise BadInput(f"there is no routine or run '{name}'; routines are: {', '.join(sorted(known))}")
    if json:
        for verdict in verdicts:
            print_json(_verdict_line(verdict, explain_verdict(verdict, zone)))
        for run in runs:
            print_json({**_run_line(run), "sentences": list(explain_run(run.as_ended(), zone))})
        return
    for verdict in verdicts:
        print(explain_verdict(verdict, zone))
    for run in runs:
        print("\n".join(explain_run(run.as_ended(), zone)))
    if not runs and not verdicts:
        print(f"{name or 'nothing'} has not been looked at yet: none of its triggers has fired")


def _explain_entity(entity_id: str, database: Path, zone: ZoneInfo, *, as_json: bool) -> None:
    from hub.store.run_history import last_touch
    from routines.explain import explain_touch

    touch = last_touch(database, entity_id)
    if touch is None:
        raise BadInput(f"no routine has acted on {entity_id}; other things in the house may have")
    sentence = explain_touch(entity_id.partition(".")[2].replace("_", " "), touch, zone)
    if not as_json:
        print(sentence)
        return
    print_json(
        {
            "event": "touch",
            "entity_id": entity_id,
            "at": touch.at.isoformat(),
            "routine": touch.routine,
            "action": touch.action,
            "reason": touch.reason,
            "sentence": sentence,
        }
    )


def facts(
    days: Annotated[float, typer.Option(help="How far back.")] = 1.0,
    config: Annotated[Path | None, typer.Option(help="Configuration directory.")] = None,
    json: Annotated[bool, typer.Option("--json", help="The lines are JSON in any case.")] = False,  # noqa: ARG001
) -> None:
    """Print what the routines were told, as events that ``simulate`` takes."""
    from hub.store.run_history import facts_since
    from routines.event_lines import line_from_fact

    since = datetime.now(UTC) - timedelta(days=days)
    for at, fact in facts_since(_database(_config(config)), since):
        line = line_from_fact(fact)
        if line is not None:
            print_json({"at": at.isoformat(), **line})


def what_if(
    path: Annotated[Path, typer.Argument(help="The changed routines: a file, or a folder of them.")],
    days: Annotated[float, typer.Option(help="How far back.")] = 7.0,
    since: Annotated[str | None, typer.Option(help="Or since when (RFC 3339 with offset).")] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration directory.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False,
) -> None:
    """Play the stored past through changed routines: what would have started, what is new, what is gone."""
    from hub.place import place_of_home
    from hub.store.run_history import facts_since
    from routines.what_if import what_if as compare

    loaded = _config(config)
    now = datetime.now(UTC)
    begin = read_instant(since, "--since") if since else now - timedelta(days=days)
    changed = read_routines(path)
    kept = [one for one in loaded.routines if one.id not in {other.id for other in changed}]
    differences = compare(
        loaded.routines,
        [*changed, *kept],
        facts_since(_database(loaded), begin),
        end=now,
        timezone=ZoneInfo(loaded.hub.home.timezone),
        place=place_of_home(loaded.hub.home),
    )
    wanted = {one.id for one in changed}
    for difference in differences:
        if difference.routine in wanted:
            _show_difference(difference, as_json=json)


def _show_difference(difference: Difference, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "event": "what_if",
                "routine": difference.routine,
                "would_have_fired": difference.would_have_fired,
                "new": [_firing(one) for one in difference.new],
                "gone": [_firing(one) for one in difference.gone],
            }
        )
        return
    new, gone = len(difference.new), len(difference.gone)
    count = difference.would_have_fired
    print(
        f"{difference.routine} would have fired {count} time{'' if count == 1 else 's'}, "
        f"{new} new, {gone} gone"
    )
    for sign, firings in (("+", difference.new), ("-", difference.gone)):
        for at, trigger in firings:
            print(f"  {sign} {at.isoformat(timespec='seconds')}  {trigger}")


def _firing(firing: Firing) -> Json:
    at, trigger = firing
    return {"at": at.isoformat(), "trigger": trigger}


def _verdict_line(verdict: Verdict, sentence: str) -> dict[str, Json]:
    return {
        "at": verdict.at.isoformat(),
        "event": "verdict",
        "routine": verdict.routine,
        "trigger": verdict.trigger,
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "sentence": sentence,
    }


def _run_line(record: RunRecord) -> dict[str, Json]:
    return {
        "event": "run",
        "run_id": record.run_id,
        "routine": record.routine,
        "started_at": record.started_at.isoformat(),
        "ended_at": record.ended_at.isoformat(),
        "result": record.result,
        "reason": record.reason,
        "why": record.why,
        "trace": json_module.loads(record.trace_json),
    }


def _config(directory: Path | None) -> LoadedConfig:
    from hub.config.files import default_directory, load_config

    return load_config(directory or default_directory())


def _database(loaded: LoadedConfig) -> Path:
    from hub.status import default_database

    return loaded.hub.store.path or default_database()
