"""``roomwise status``: the health of the running hub."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from hub.cli.json_lines import print_json
from routines.facts import Json


def status(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Show the health of the running hub."""
    from hub.status import default_state_directory, read_snapshot

    snapshot = read_snapshot(default_state_directory() / "status.json")
    if json:
        for service in snapshot.services:
            print_json({"event": "service", **service})
        for queue in snapshot.queues:
            print_json({"event": "queue", **queue})
        at = snapshot.at.isoformat()
        print_json({"event": "end", "at": at, "process_id": snapshot.process_id, **snapshot.extra})
        return
    for service in snapshot.services:
        why = f"  {service['why']} {service['hint']}".rstrip()
        print(f"{service['name']!s:20} {service['state']!s:10}{why}")
    for queue in snapshot.queues:
        if queue["dropped"]:
            print(f"{queue['name']} has lost {queue['dropped']} events")
    lanes = snapshot.extra.get("lanes")
    for name, lane in (lanes if isinstance(lanes, dict) else {}).items():
        if isinstance(lane, dict) and lane["dropped"]:
            print(f"the {name} lane was too slow and lost {lane['dropped']} blocks of sound")
    presence = snapshot.extra.get("presence")
    for room, known in (presence if isinstance(presence, dict) else {}).items():
        if isinstance(known, dict):
            print(f"{room}: {_presence_words(known)}")
    print(f"audio: {snapshot.extra.get('audio_frames')} frames, {snapshot.extra.get('lost_frames')} lost")


def _presence_words(known: Mapping[str, Json]) -> str:
    occupied = known["occupied"]
    who = "nobody can tell" if occupied is None else "somebody is there" if occupied else "nobody is there"
    degraded = known["degraded"]
    limits = [str(state) for state in degraded] if isinstance(degraded, list) else []
    return f"{who} ({known['explanation']})" + "".join(f", {state}" for state in limits)
