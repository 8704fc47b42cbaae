"""``roomwise status``: the health of the running hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.json_lines import print_json
from hub.cli.player_line import player_line
from hub.cli.reply_lines import reply_lines
from hub.cli.spatial_line import spatial_line
from hub.cli.together_line import together_line
from routines.facts import Json

if TYPE_CHECKING:
    from hub.status import Snapshot

_LEVELS = {"ultrasound": "levels", "hearing": "hearing_levels"}
"""Ways of sensing, and where the snapshot has their levels."""
_HEARING_FAULTS = {
    "narrow_band": "the sound has no treble, as on a telephone; set audio.rate_hz to 16000 or more",
    "not_a_number": "the microphones deliver values that are no numbers; use another card",
    "silence": "the microphones deliver digital silence; they are unplugged or switched off",
    "clipped": "the microphones are overloaded; lower the capture gain",
}


def status(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Show the health of the running hub."""
    from hub.status import default_state_directory, read_snapshot

    snapshot = read_snapshot(default_state_directory() / "status.json")
    if json:
        for told in _json_lines(snapshot):
            print_json(told)
        return
    for service in snapshot.services:
        why = f"  {service['why']} {service['hint']}".rstrip()
        print(f"{service['name']!s:20} {service['state']!s:10}{why}")
    for queue in snapshot.queues:
        if queue["dropped"]:
            print(f"{queue['name']} has lost {queue['dropped']} events")
    for name, lane in _named(snapshot.extra.get("lanes")):
        if lane["dropped"]:
            print(f"the {name} lane was too slow and lost {lane['dropped']} blocks of sound")
    for room, known in _rooms(snapshot):
        print(f"{room}: {_presence_words(known)}")
        for advised in _listed(known.get("recalibrate")):
            print(f"{room}: calibrate again: {advised['reason']}; {advised['hint']}")
    for line in (
        *reply_lines(snapshot.extra),
        *player_line(snapshot.extra),
        *spatial_line(snapshot.extra),
        *together_line(snapshot.extra),
    ):
        print(line)
    audio = [snapshot.extra.get(f"{name}_frames", 0) for name in ("audio", "lost", "unplayed")]
    print("audio: {} frames, {} lost, {} not played in time".format(*audio))
    faults = snapshot.extra.get("hearing_faults")
    for fault in faults if isinstance(faults, list) else []:
        print(f"hearing: {_HEARING_FAULTS.get(str(fault), fault)}")
    for row in _level_rows(snapshot):
        print(row)


def _json_lines(snapshot: Snapshot) -> Iterator[dict[str, Json]]:
    for service in snapshot.services:
        yield {"event": "service", **service}
    for queue in snapshot.queues:
        yield {"event": "queue", **queue}
    for room, known in _rooms(snapshot):
        for advised in _listed(known.get("recalibrate")):
            yield {"event": "recalibrate", "room": room, **advised}
    for lane, key in _LEVELS.items():
        for level in _listed(snapshot.extra.get(key)):
            yield {"event": "level", "lane": lane, **level}
    at = snapshot.at.isoformat()
    yield {"event": "end", "at": at, "process_id": snapshot.process_id, **snapshot.extra}


def _level_rows(snapshot: Snapshot) -> Iterator[str]:
    """Yield a table of what each level of each way of sensing costs, where there is one."""
    for lane, key in _LEVELS.items():
        levels = _listed(snapshot.extra.get(key))
        if levels:
            yield f"{lane:20} {'of a core':>10} {'open':>8} {'opened':>8}"
        for level in levels:
            core, is_open = _percent(level["core_share"], 2), _percent(level["open_share"], 0)
            opened = level.get("openings", "-")
            yield f"{level['name']!s:20} {core:>10} {is_open:>8} {opened!s:>8}"


def _percent(share: Json, digits: int) -> str:
    return f"{100 * share:.{digits}f} %" if isinstance(share, int | float) else "unknown"


def _rooms(snapshot: Snapshot) -> Sequence[tuple[str, Mapping[str, Json]]]:
    return _named(snapshot.extra.get("presence"))


def _named(content: Json) -> Sequence[tuple[str, Mapping[str, Json]]]:
    """Return the objects in an object, by name."""
    entries = content.items() if isinstance(content, dict) else ()
    return [(name, entry) for name, entry in entries if isinstance(entry, dict)]


def _listed(content: Json) -> Sequence[Mapping[str, Json]]:
    """Return the objects in a list."""
    return [entry for entry in content if isinstance(entry, dict)] if isinstance(content, list) else []


def _presence_words(known: Mapping[str, Json]) -> str:
    occupied = known["occupied"]
    who = "nobody can tell" if occupied is None else "somebody is there" if occupied else "nobody is there"
    degraded = known["degraded"]
    limits = [str(state) for state in degraded] if isinstance(degraded, list) else []
    return f"{who} ({known['explanation']})" + "".join(f", {state}" for state in limits)
