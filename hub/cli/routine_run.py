"""``roomwise routine run``: ask a running hub for a routine, over its broker."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.json_lines import print_json
from hub.errors import BadInput

if TYPE_CHECKING:
    from hub.config.files import LoadedConfig
    from routines.effects import Outcome


def run(
    routine: Annotated[str, typer.Argument(help="Id of the routine.")],
    config: Annotated[Path | None, typer.Option(help="Configuration directory.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False,
) -> None:
    """Ask the running hub to run a routine, whatever its triggers and conditions say."""
    from hub.config.files import default_directory, load_config

    loaded = load_config(config or default_directory())
    known = {one.id for one in loaded.routines}
    if routine not in known:
        raise BadInput(f"there is no routine '{routine}'; there are: {', '.join(sorted(known)) or 'none'}")
    outcome = asyncio.run(_ask(loaded, routine))
    if not outcome.ok:
        raise BadInput(f"{routine} could not be asked for: {outcome.error}")
    if json:
        print_json({"event": "asked", "routine": routine})
    else:
        print(f"{routine} was asked for; see: roomwise routine explain {routine}")


async def _ask(loaded: LoadedConfig, routine: str) -> Outcome:
    """Publish the request to the hub's broker."""
    from hub.cli.broker_link import broker_link
    from integrations.mqtt.topics import run_topic

    async with broker_link(loaded.hub.mqtt, "routine-run") as (link, _):
        return await link.publish(run_topic(routine), "PRESS")
