"""``roomwise routine check``, ``import`` and ``schema``: what is wrong or odd, and how to begin."""

from __future__ import annotations

import json as json_module
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.json_lines import print_json
from hub.errors import BadInput, ConfigError

if TYPE_CHECKING:
    from hub.config.files import ReadRoutines
    from routines.problems import Problem


def check(
    path: Annotated[Path, typer.Argument(help="A routine file, or a folder of them.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False,
) -> None:
    """Show every problem of routine files, and what is odd about them, with its place and a hint."""
    from hub.config.files import read_routine_files

    if not path.exists():
        raise BadInput(f"{path}: no such file or folder; name a routine file or a folder of them")
    report(read_routine_files(path), [], str(path), entities=None, as_json=json)


def report(
    read: ReadRoutines,
    problems: Collection[Problem],
    name: str,
    *,
    entities: Collection[str] | None,
    as_json: bool,
) -> None:
    """Print problems and findings; problems end with exit status 2, findings alone do not.

    Parameters
    ----------
    problems : collection of Problem
        Those of other files.
    entities : collection of str or None
        All entities of the home, where they are known.
    """
    faults = [*problems, *read.problems]
    oddities = []
    if not faults:
        from routines.analysis.analyse import analyse

        for finding in analyse(read.routines, entities=entities, with_built_in=True):
            place = read.places[finding.routine].problem(finding.path, finding.message, finding.hint)
            if finding.severity == "error":
                faults.append(place)
            else:
                oddities.append((finding.severity, place))
    for severity, oddity in oddities:
        _show(oddity, severity, as_json=as_json)
    if faults and not as_json:
        raise ConfigError(faults)
    for fault in faults:
        _show(fault, "problem", as_json=True)
    count = len(read.routines)
    if as_json:
        print_json({"event": "end", "problems": len(faults), "findings": len(oddities), "routines": count})
    else:
        print(f"{name}: no problems, {count} routine{'' if count == 1 else 's'}")
    if faults:
        raise typer.Exit(2)


def _show(problem: Problem, severity: str, *, as_json: bool) -> None:
    if not as_json:
        words = str(problem).split(": ", 1)
        print(f"{words[0]}: {severity}: {words[1]}")
        return
    print_json(
        {
            "event": "problem" if severity == "problem" else "finding",
            "severity": severity,
            "file": problem.file,
            "line": problem.line,
            "column": problem.column,
            "message": problem.message,
            "hint": problem.hint,
        }
    )


def import_automations(
    path: Annotated[Path, typer.Argument(help="Home Assistant's automations.yaml.")],
    out: Annotated[Path | None, typer.Option(help="Where to write; the terminal when left out.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False,
) -> None:
    """Turn Home Assistant's automations into routines, and say what could not be carried over."""
    from routines.importer.automations import import_automations as carry_over

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read ({error}); name Home Assistant's automations.yaml") from error
    imported = carry_over(text, str(path))
    if out is not None:
        if out.exists():
            raise BadInput(f"{out} exists already; name another file for --out")
        out.write_text(imported.yaml, encoding="utf-8")
    elif not json:
        print(imported.yaml, end="")
    for note in imported.notes:
        if json:
            line = {"automation": note.automation, "place": note.place, "message": note.message}
            print_json({"event": "note", **line})
        else:
            typer.echo(f"{note.automation}: {note.place}: {note.message}", err=True)
    if json:
        rest = {} if out is not None else {"yaml": imported.yaml}
        print_json({"event": "end", "carried": list(imported.carried), "notes": len(imported.notes), **rest})


def schema(
    json: Annotated[bool, typer.Option("--json", help="Print it on one line.")] = False,
) -> None:
    """Print the JSON Schema of routine files, for editors that complete and check YAML."""
    from routines.schema import routine_schema

    print(json_module.dumps(routine_schema(), indent=None if json else 2, ensure_ascii=False))
