"""What presence promises, measured on scenes of families that were not learnt, beside other detectors.

    script/bench presence [--parts entries,empty] [--days 21] [--work DIR] [--plot docs]

The parts: how quick the simulated room is (speed), entries told within a second (entries), false presences in
empty rooms (empty), gestures of who sits (minor), half hours held (held), exits noticed (exit), real
recordings (real), cost, clips with and without somebody (roc), and entries told by one tone and by two
(tones). Without options it is a sample of some minutes; --full is the whole claim and takes many hours.
With --work an interrupted run goes on. `--watchers balanced` is the hub as it saves power, for held and exit.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from script.journal import Batch, Journal, Row, batches, fingerprint
from script.presence import cost, empty, entries, recordings, roc, stays, two_tones
from script.presence.simulated_speed import simulated_speed
from script.presence.watching import NAMES
from script.tables import Result, by_watcher, shown
from sensing.models.catalog import shipped_model

_DEPENDS_ON = (
    "script/presence",
    "script/journal.py",
    "sensing/ultrasound",
    "sensing/simulation/baseband",
    *(f"sensing/training/presence_{name}.py" for name in ("scenes", "nuisances", "trial")),
)
PARTS = ("speed", "entries", "empty", "minor", "held", "exit", "real", "cost", "roc", "tones")
SAMPLE = {"days": 0.25, "entries": 24, "stays": 3, "visits": 12, "clips": 12}
FULL = {"days": 21.0, "entries": 300, "stays": 60, "visits": 200, "clips": 200}
_BATCH = {"entries": 12, "empty": 1, "stay": 1, "visit": 4, "roc": 6, "tones": 6}


class Bench:
    """Measure parts of what was wanted."""

    def __init__(self, wanted: argparse.Namespace) -> None:
        self._wanted = wanted
        self._names = tuple(wanted.watchers.split(","))
        depends = fingerprint(_DEPENDS_ON, wanted.model or shipped_model("presence"))
        self._journal = Journal(wanted.work, processes=wanted.processes, fingerprint=depends)
        sizes = FULL if wanted.full else SAMPLE
        given = {name: getattr(wanted, name) for name in sizes}
        self._sizes = sizes | {name: size for name, size in given.items() if size is not None}

    def measured(self, part: str) -> Result:
        """Return the results of one of `PARTS`: by kind of scene and watcher where there are several."""
        match part:
            case "speed":
                return {**simulated_speed(self._wanted.seconds)}
            case "entries":
                rows = self._rows("entries", entries.measure, entries.KINDS, self._many("entries"))
                return by_watcher(rows, entries.summary, "kind")
            case "empty":
                rows = self._rows("empty", empty.measure, empty.KINDS, self._rooms)
                return by_watcher(rows, empty.summary, "kind")
            case "minor":
                return by_watcher(self._stays, stays.minor_summary)
            case "held":
                return by_watcher(self._stays, stays.held_summary)
            case "exit":
                return by_watcher(self._stays, stays.exit_summary, "kind")
            case "real":
                return self._real()
            case "cost":
                return {**cost.measure(self._wanted.model)}
            case "roc":
                return by_watcher(self.clips, roc.summary, "kind")
            case "tones":
                rows = self._rows("tones", two_tones.measure, two_tones.KINDS, self._many("entries"))
                return by_watcher(rows, two_tones.summary, "kind")
        raise ValueError(f"there is no part {part!r}; there are {', '.join(PARTS)}")

    @cached_property
    def clips(self) -> list[Row]:
        """The scored clips."""
        return self._rows("roc", roc.measure, roc.KINDS, self._many("clips"))

    @cached_property
    def _stays(self) -> list[Row]:
        sat = self._rows("stay", stays.measure, ("stay",), self._many("stays"))
        return sat + self._rows("visit", stays.measure, ("visit",), self._many("visits"))

    def _rooms(self, kind: str) -> int:
        return empty.rooms(kind, self._sizes["days"])

    def _many(self, size: str) -> Callable[[str], int]:
        """Return the number of scenes, which is the same for every kind."""
        return lambda _kind: int(self._sizes[size])

    def _real(self) -> Result:
        folder = recordings.recordings_folder()
        if folder is None:
            Console(stderr=True).print("no recordings: set ROOMWISE_DATA to the folder that has them")
            return {}
        return by_watcher(list(recordings.measure(folder, self._wanted.model)), recordings.summary, "set")

    def _rows(
        self,
        part: str,
        measure: Callable[[Batch], list[Row]],
        kinds: Sequence[str],
        scenes: Callable[[str], int],
    ) -> list[Row]:
        wanted = [
            batch
            for kind in kinds
            for batch in batches(part, kind, scenes(kind), _BATCH[part], self._names, self._wanted.model)
        ]
        # numbers first: an interrupted run has some of every kind
        wanted.sort(key=lambda batch: batch.first)
        return self._journal.rows(measure, wanted, part)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", default=",".join(PARTS), help="some of them, with commas")
    parser.add_argument("--watchers", default=",".join(NAMES), help="some of them, with commas")
    parser.add_argument("--model", type=Path, help="an ONNX file instead of the shipped network")
    parser.add_argument("--work", type=Path, help="keep results here; what is there is not measured again")
    parser.add_argument("--plot", type=Path, help="draw the pictures of docs/presence.md into this folder")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=600.0, help="of each scene of the speed part")
    parser.add_argument("--full", action="store_true", help="the whole claim instead of a sample")
    for name, size in SAMPLE.items():
        text = f"instead of {size:g}, or {FULL[name]:g} with --full"
        parser.add_argument(f"--{name}", type=type(size), help=text)
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    wanted = _arguments()
    bench = Bench(wanted)
    result = shown(wanted.parts.split(","), bench.measured)
    if wanted.plot is not None:
        from script.presence.pictures import draw_roc, draw_spectrogram

        draw_roc(bench.clips, wanted.plot / "presence-roc.png")
        draw_spectrogram(wanted.plot / "presence-spectrogram.png", wanted.model)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
