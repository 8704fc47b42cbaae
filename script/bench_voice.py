"""How well the house hears, and what that costs.

    script/bench voice [--parts commands,wake,false-accepts,levels,opened,echo,barge-in,self-trigger]

The parts: orders of coffee and commands of a home, the hub's own recogniser beside PocketSphinx, and other
speech that must not be acted on (commands); wake words, with ``--rivals PYTHON`` beside other engines (wake);
how often other speech is taken for a wake word, over ``--hours`` of made talk of each kind and all that was
recorded, kept in ``--work`` (false-accepts);
cost of each level in silence, a fan, talk and commands (levels); whether gate and voice activity open before
a word ends in kitchen noise (opened); what is left of the echo (echo); people who call while something plays
(barge-in); and wake words that the house plays itself (self-trigger). The words are of people who trained
nothing, but in the last part, which takes all there are. All need the recordings beside the project.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from script.journal import Journal, Row, fingerprint
from script.tables import Result, shown
from script.voice import commands, echo, false_accepts, levels, wake
from script.voice.rooms import wake_clips
from sensing.models.catalog import shipped_model

PARTS = ("commands", "wake", "false-accepts", "levels", "opened", "echo", "barge-in", "self-trigger")
_DEPENDS_ON = (
    "script/voice",
    "script/journal.py",
    "hub/hearing.py",
    "hub/recognizer_backend.py",
    "sensing/speech",
)
_KITCHEN = "home/kitchen_s2i.opus"


def grouped(rows: Sequence[Row], summary: Callable[[Sequence[Row]], Row], *columns: str) -> Result:
    """Return a summary for each set of values in the columns, in the rows' order."""
    names = [" ".join(str(row[column]) for column in columns) for row in rows]
    return {
        name: dict(summary([row for row, one in zip(rows, names, strict=True) if one == name]))
        for name in dict.fromkeys(names)
    }


def measured(part: str, wanted: argparse.Namespace) -> Result:
    """Return the results of one of `PARTS`."""
    match part:
        case "commands":
            rows = _command_rows(wanted)
            return grouped(rows, commands.summary, "task", "noise", "recognizer")
        case "wake":
            found = {phrase: wake.measure(_data(), phrase) for phrase in wake.PHRASES}
            if wanted.rivals is not None:
                found["alexa, others"] = wake.measure_rivals(_data(), wanted.rivals)
            return json.loads(json.dumps(found))
        case "false-accepts":
            return grouped(_false_accept_rows(wanted), false_accepts.summary, "kind", "phrase")
        case "levels":
            return grouped(levels.cost(wanted.seconds), _numbers, "sound", "way")
        case "opened":
            clips = wake_clips("test")[: wanted.clips]
            return grouped(levels.opened(clips, _KITCHEN), levels.opened_summary, "ratio_db")
        case "echo":
            return grouped(echo.erle(wanted.rooms), echo.erle_summary, "played")
        case "barge-in":
            rows = echo.barge_in("test", wanted.clips)
            return grouped(rows, echo.share_summary, "played", "ratio_db", "way")
        case "self-trigger":
            return grouped(echo.self_trigger(wanted.words), echo.self_summary, "state", "way")
    raise ValueError(f"there is no part {part!r}; there are {', '.join(PARTS)}")


def _command_rows(wanted: argparse.Namespace) -> list[Row]:
    data = _data()
    depends = fingerprint(_DEPENDS_ON, wanted.model or shipped_model("phones"))
    journal = Journal(wanted.work, processes=wanted.processes, fingerprint=depends)
    names = wanted.recognizers.split(",")
    tasks = wanted.tasks.split(";")
    portions = list(commands.wanted_batches(data, "test", tasks, names, wanted.model))
    return journal.rows(partial(commands.measure, data), portions, "commands")


def _false_accept_rows(wanted: argparse.Namespace) -> list[Row]:
    data = _data()
    depends = fingerprint(false_accepts.DEPENDS_ON, shipped_model("phones"))
    journal = Journal(wanted.work, processes=wanted.processes, fingerprint=depends)
    portions = list(false_accepts.wanted_batches(data, "test", wanted.hours, wake.PHRASES))
    return journal.rows(partial(false_accepts.measure, data), portions, "false accepts")


def _data() -> Path:
    folder = wake.data_folder()
    if folder is None:
        sys.exit("no recordings: set ROOMWISE_DATA to the folder that has them")
    return folder


def _numbers(rows: Sequence[Row]) -> Row:
    [row] = rows
    return {name: value for name, value in row.items() if name not in ("sound", "way")}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", default=",".join(PARTS), help="some of them, with commas")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each sound of the levels")
    parser.add_argument("--rooms", type=int, default=12, help="of the echo")
    parser.add_argument("--clips", type=int, default=60, help="recordings of the wake word, at most")
    parser.add_argument("--hours", type=float, default=30.0, help="of made talk of each kind")
    parser.add_argument("--words", type=int, default=1_000, help="wake words that are played, at most")
    parser.add_argument("--model", type=Path, help="an acoustic model instead of the shipped one")
    parser.add_argument("--recognizers", default=",".join(commands.NAMES), help="some of them, with commas")
    parser.add_argument("--tasks", default=";".join(commands.TASKS), help="some of them, with semicolons")
    parser.add_argument("--processes", type=int, default=2, help="for commands and false accepts")
    parser.add_argument("--work", type=Path, help="keeps what was measured of these two")
    parser.add_argument("--rivals", type=Path, help="a Python that has other wake word engines")
    wanted = parser.parse_args()
    print(json.dumps(shown(wanted.parts.split(","), lambda part: measured(part, wanted))))


if __name__ == "__main__":
    main()
