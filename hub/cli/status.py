"""``roomwise status``: the health of the running hub."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli.json_lines import print_json


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
    print(f"audio: {snapshot.extra.get('audio_frames')} frames, {snapshot.extra.get('lost_frames')} lost")
