"""``roomwise check``: every problem of the configuration, with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.json_lines import print_json
from hub.errors import BadInput, ConfigError


def check(
    path: Annotated[
        Path | None, typer.Argument(help="Configuration directory, or a file or folder of routines.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Check configuration and routines; exit status 2 when there are problems."""
    from hub.config.files import HUB_FILE, default_directory, load_config, load_routine_files

    place = default_directory() if path is None else path
    if path is not None and not place.exists():
        raise BadInput(f"{place} does not exist; pass a configuration directory or a routine file")
    try:
        if path is None or (place / HUB_FILE).exists() or (place / "routines").is_dir():
            count = len(load_config(place).routines)
        else:
            routines, problems = load_routine_files(place)
            if problems:
                raise ConfigError(problems)
            count = len(routines)
    except ConfigError as error:
        if not json:
            raise
        for problem in error.problems:
            print_json(
                {
                    "event": "problem",
                    "file": problem.file,
                    "line": problem.line,
                    "column": problem.column,
                    "message": problem.message,
                    "hint": problem.hint,
                }
            )
        raise typer.Exit(2) from None
    if json:
        print_json({"event": "end", "problems": 0, "routines": count})
    else:
        print(f"{place}: no problems, {count} routine{'' if count == 1 else 's'}")
