"""How sound is sent through a room, and how hubs keep in step, each beside other ways in the same run.

    script/bench spatial [--parts cancellation,beam,upmix,cost,clocks,acoustic,direction,server,people]

The parts: cancellation of crosstalk, tone and virtual pair of the finished taps on measured heads
(cancellation); the centre's beam on a ball, by a model that no design uses (beam); the centre found in mixes
whose parts are known (upmix); processor time of the whole chain (cost); two simulated devices on three
networks (clocks); the same after chirps were heard (acoustic); the direction of who talks (direction);
tones, channels and jumps through a sound server that runs for it (server); and people who walk in beside
music, sensed through such a server and without one (people). Measured heads and talk need the recordings
beside the project.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from script.spatial import beam, cancellation, chain_cost, sound_server, sync, talker_direction, upmix
from script.spatial.heads import load_heads
from script.tables import Result, shown

PARTS = ("cancellation", "beam", "upmix", "cost", "clocks", "acoustic", "direction", "server", "people")
Row = Mapping[str, object]


def measured(part: str, wanted: argparse.Namespace) -> Result:
    """Return the results of one of `PARTS`."""
    match part:
        case "cancellation":
            rows = cancellation.measure(load_heads(_data() / "hrtf"))
            return named((asdict(row) for row in rows), "device", "method")
        case "beam":
            return named(beam.measure(), "way")
        case "upmix":
            return named(({"mix": mix} | row for mix, row in upmix.summary(upmix.measure()).items()), "mix")
        case "cost":
            return named(chain_cost.measure(), "stage")
        case "clocks" | "acoustic":
            seeds = range(sync.FIRST_SEED, sync.FIRST_SEED + wanted.seeds)
            rows = sync.all_measured(seeds=seeds, minutes=wanted.minutes, rooms=wanted.rooms, parts=[part])
            return named(rows, "network", "filter", "acoustic", "calibrated")
        case "direction":
            _data()
            return named(
                talker_direction.measure(rooms=wanted.rooms),
                "microphones",
                "snr_db",
                "rise_m",
                "music_over_speech_db",
            )
        case "server" | "people":
            lack = sound_server.missing()
            rows_of = sound_server.ROWS if part == "server" else sound_server.PEOPLE
            return {"not measured": lack} if lack else named(sound_server.measure(rows_of), "row")
    raise ValueError(f"there is no part {part!r}; there are {', '.join(PARTS)}")


def named(rows: Iterable[Row], *columns: str) -> Result:
    """Return each row by its values in those of the columns that it has."""
    return {
        ", ".join(str(row[column]) for column in columns if column in row): {
            name: value
            for name, value in row.items()
            if name not in columns and (value is None or isinstance(value, float | int | str | bool))
        }
        for row in rows
    }


def _data() -> Path:
    folder = Path(os.environ.get("ROOMWISE_DATA", "../shared/data"))
    if not folder.is_dir():
        sys.exit(f"{folder}: no recordings; set ROOMWISE_DATA to the folder that has them")
    return folder


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", default=",".join(PARTS), help="some of them, with commas")
    parser.add_argument("--seeds", type=int, default=12, help="pairs of devices; none chose a parameter")
    parser.add_argument("--minutes", type=float, default=8.0, help="of each pair")
    parser.add_argument("--rooms", type=int, default=60, help="of chirps and of talk")
    wanted = parser.parse_args()
    print(json.dumps(shown(wanted.parts.split(","), lambda part: measured(part, wanted))))


if __name__ == "__main__":
    main()
