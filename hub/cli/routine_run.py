"""``roomwise routine run``: ask a running hub for a routine, over its broker."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.json_lines import print_json
from hub.errors import BadInput
from routines.ports import LinkChanged

if TYPE_CHECKING:
    from hub.config.files import LoadedConfig
    from routines.effects import Outcome
    from routines.ports import LinkEvent

_CONNECT_SECONDS = 5.0


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


class _Connected:
    """Notes that the link is up."""

    def __init__(self, is_up: asyncio.Event) -> None:
        self._is_up = is_up

    async def send(self, event: LinkEvent) -> None:
        """Take what the link tells."""
        if isinstance(event, LinkChanged) and event.up:
            self._is_up.set()


async def _ask(loaded: LoadedConfig, routine: str) -> Outcome:
    """Publish the request to the hub's broker."""
    from hub.status import default_state_directory, read_snapshot
    from integrations.mqtt.client import MqttLink
    from integrations.mqtt.topics import run_topic

    mqtt = loaded.hub.mqtt
    port = mqtt.port
    if mqtt.host is None:
        snapshot = read_snapshot(default_state_directory() / "status.json")
        found = snapshot.extra.get("broker_port")
        if not isinstance(found, int):
            raise BadInput("the running hub does not say where its own broker is; restart it")
        port = found
    is_up = asyncio.Event()

    password = mqtt.password
    link = MqttLink(
        host=mqtt.host or "127.0.0.1",
        port=port,
        topics=(),
        outbox=_Connected(is_up),
        username=mqtt.username,
        password=None if password is None else password.get_secret_value(),
        protocol=mqtt.protocol,
        client_id="roomwise-routine-run",
        availability_topic="roomwise/v1/availability/routine-run",
    )
    task = asyncio.create_task(link.run(lambda: None))
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await is_up.wait()
        return await link.publish(run_topic(routine), "PRESS")
    except TimeoutError:
        where = f"{mqtt.host or '127.0.0.1'}:{port}"
        raise BadInput(f"no broker answers at {where}; is the hub running?") from None
    finally:
        task.cancel()
        await asyncio.wait({task})
