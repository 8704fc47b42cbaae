"""``roomwise check``: every problem of the configuration, with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.routine_check import report
from hub.errors import BadInput


def check(
    path: Annotated[
        Path | None, typer.Argument(help="Configuration directory, or a file or folder of routines.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Check configuration and routines; exit status 2 when there are problems.

    Where a hub has run, what it knows of the home is compared with the routines too.
    """
    from hub.config.files import HUB_FILE, check_config, default_directory, read_routine_files
    from hub.status import default_database
    from hub.store.run_history import known_entities

    place = default_directory() if path is None else path
    if path is not None and not place.exists():
        raise BadInput(f"{place} does not exist; pass a configuration directory or a routine file")
    if path is None or (place / HUB_FILE).exists() or (place / "routines").is_dir():
        loaded, problems, read = check_config(place)
        entities = None if loaded is None else known_entities(loaded.store.path or default_database())
    else:
        problems, entities, read = [], None, read_routine_files(place)
    report(read, problems, str(place), entities=entities, as_json=json)
