"""How quick and how tough the routine engine is: a year, one event, loading, sentences, mutants, kills.

    script/bench routines [--mutants 100000] [--kills 200] [--home-assistant PYTHON]

With the Python of an installed Home Assistant its automation engine gets the same routines in the same run,
as far as it knows their triggers.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from many_routines import START, files, phrases, routine, year
from rich.console import Console
from rich.progress import track
from rich.table import Table

from routines.load import load_routines
from routines.outputs import RunEnded, Verdict
from routines.phrases import Phrasebook
from routines.routine import Routine
from routines.schedule.sun import Place
from routines.simulator import Simulator

HERE = Path(__file__).parent
BERLIN = Place(latitude=52.5, longitude=13.4)
ZONE = ZoneInfo("Europe/Berlin")
COUNT = 1_000


def loaded(count: int) -> list[Routine]:
    """Return the routines of the bench, from YAML."""
    found: list[Routine] = []
    for number, text in enumerate(files(count)):
        routines, problems = load_routines(text, f"{number}.yaml")
        assert problems == [], problems[0]
        found += routines
    return found


def simulated_year(events: int) -> dict[str, float]:
    """Play a year; in a process of its own, so that its memory is its own."""
    routines, facts = loaded(COUNT), year(events, COUNT)
    simulator = Simulator(routines, start=START, timezone=ZONE, place=BERLIN)
    started = time.process_time()
    runs = verdicts = 0
    simulator.begin()
    for at, fact in facts:
        for happened in (*simulator.advance(at), *simulator.tell(fact)):
            runs += isinstance(happened, RunEnded)
            verdicts += isinstance(happened, Verdict)
    for happened in simulator.advance(START + timedelta(days=365)):
        runs += isinstance(happened, RunEnded)
    return {
        "year_cpu_seconds": time.process_time() - started,
        "year_runs": runs,
        "year_verdicts": verdicts,
        "year_peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def one_event() -> dict[str, float]:
    """Measure single events against all routines."""
    simulator = Simulator(loaded(COUNT), start=START, timezone=ZONE, place=BERLIN)
    simulator.begin()
    times = []
    for at, fact in year(5_000, COUNT):
        for _ in simulator.advance(at):
            pass
        started = time.perf_counter()
        simulator.tell(fact)
        times.append(1_000 * (time.perf_counter() - started))
    return {"event_p50_ms": statistics.median(times), "event_p95_ms": statistics.quantiles(times, n=20)[-1]}


def sentences() -> dict[str, float]:
    """Measure a sentence against 600 templates; half of the sentences are nobody's."""
    routines = [
        Routine.model_validate({**routine(95), "id": f"v{n}", "triggers": [_voice(n)]}) for n in range(200)
    ]
    book = Phrasebook.from_sentences(None, routines)
    book.match_routine("start the bright morning morning")
    said = [f"start the {phrases(n)[2].split(' (')[0]}" for n in range(200)]
    said += [f"what is number {n} about" for n in range(200)]
    times = []
    for sentence in said:
        started = time.perf_counter()
        book.match_routine(sentence)
        times.append(1_000 * (time.perf_counter() - started))
    return {
        "sentence_p50_ms": statistics.median(times),
        "sentence_p95_ms": statistics.quantiles(times, n=20)[-1],
    }


def _voice(number: int) -> dict[str, object]:
    return {"trigger": "voice", "phrases": phrases(number)}


_HEAD = "version: 1\nroutines:\n  - id: a\n    triggers: [{trigger: hub}]\n    actions:\n"
_ATTACKS = [
    "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "version: 1\nroutines: " + "[" * 30_000,
    "version: 1\nroutines: " + "{a: " * 15_000,
    "version: 1\n" + "".join(f"{' ' * depth}a:\n" for depth in range(350)),
    _HEAD + "      - " + "{sequence: [" * 500 + "{say: x}" + "]}" * 500,
    "x" * 70_000,
    _HEAD + "      - say: \"{{ ''.__class__.__mro__ }}\"\n",
    _HEAD + '      - say: "{% for i in range(99999) %}x{% endfor %}"\n',
    _HEAD + '      - say: "{{ ' + "(" * 450 + "1" + ")" * 450 + ' }}"\n',
    _HEAD + '      - say: "{{ ' + "1 + " * 5_000 + '1 }}"\n',
    _HEAD + "      - !!python/object/apply:os.system [ls]\n",
    _HEAD.replace("{trigger: hub}", "{trigger: voice, phrases: ['" + "[" * 90 + "a" + "]" * 90 + "']}"),
    _HEAD + "      - delay: " + "9" * 5_000 + "\n",
    "version: 1\nroutines:\n" + "".join(f"  - {{id: r{n}, actions: [{{foo: 1}}]}}\n" for n in range(1_500)),
]


def attacks() -> dict[str, float]:
    """Load what is meant to take long; every one must be refused."""
    slowest = 0.0
    for text in _ATTACKS:
        started = time.perf_counter()
        _, problems = load_routines(text, "attack.yaml")
        slowest = max(slowest, time.perf_counter() - started)
        assert problems
    return {"attacks": len(_ATTACKS), "attack_slowest_ms": 1_000 * slowest}


def mutants(count: int) -> dict[str, float]:
    """Load mutated copies of the starter routines; a crash ends the bench."""
    originals = [file.read_text() for file in sorted((HERE.parent / "routines" / "starters").glob("*.yaml"))]
    chance = random.Random(1)
    slowest, refused = 0.0, 0
    for number in track(range(count), "mutants", console=Console(stderr=True)):
        text = mutated(chance.choice(originals), chance)
        started = time.perf_counter()
        _, problems = load_routines(text, f"{number}.yaml")
        slowest = max(slowest, time.perf_counter() - started)
        refused += bool(problems)
        assert all(problem.line >= 1 and problem.column >= 1 for problem in problems)
    return {"mutants": count, "mutants_refused": refused, "mutant_slowest_ms": 1_000 * slowest}


def mutated(text: str, chance: random.Random) -> str:
    """Return a routine, cut out of a file, with a few things wrong."""
    lines = text.splitlines(keepends=True)
    first = chance.randrange(len(lines))
    lines = lines[:3] + lines[first : first + 25] if chance.random() < 0.5 else lines[: first + 5]
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(lines))
        match chance.randrange(6):
            case 0:
                del lines[at : at + 1]
            case 1:
                lines.insert(at, chance.choice(lines))
            case 2:
                lines[at] = lines[at].replace(*chance.choice(_SWAPS))
            case 3:
                place = chance.randrange(len(lines[at]) + 1)
                lines[at] = lines[at][:place] + chance.choice(_ODD) + lines[at][place:]
            case 4:
                lines[at] = " " * chance.randrange(9) + lines[at]
            case _:
                chance.shuffle(lines)
        lines = lines or ["x\n"]
    return "".join(lines)


_SWAPS = [
    (":", ""),
    ("'", '"'),
    ("-", ""),
    ("[", "{"),
    ("}", "]"),
    ("trigger", "platform"),
    ("on", "no"),
    ("0", "-1"),
]
_ODD = [
    "{{",
    "}}",
    "{% for %}",
    "\x00",
    "&a",
    "*a",
    "<<: *a",
    "!!python/object",
    "\u2028",
    "\U0001f4a5",
    "1e999",
    "[" * 30,
]


def timed(work: Callable[[], object]) -> float:
    """Return the CPU seconds of a call."""
    started = time.process_time()
    work()
    return time.process_time() - started


def child(*arguments: str, python: str = sys.executable) -> dict[str, float]:
    """Return what a child process prints as JSON."""
    done = subprocess.run([python, *arguments], check=True, stdout=subprocess.PIPE, text=True, cwd=HERE)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--mutants", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--home-assistant", metavar="PYTHON")
    parser.add_argument("--only-year", action="store_true", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.only_year:
        print(json.dumps(simulated_year(wanted.events)))
        return
    result = {
        f"load_{COUNT}_cpu_seconds": timed(lambda: loaded(COUNT)),
        **one_event(),
        **sentences(),
        **attacks(),
    }
    result |= child("bench_routines.py", "--only-year", "--events", str(wanted.events))
    if wanted.home_assistant:
        ours, theirs = child("bench_beside.py"), child("bench_beside.py", python=wanted.home_assistant)
        result |= {f"beside.{key}": value for key, value in {**ours, **theirs}.items()}
    if wanted.kills:
        survived = child("survive.py", "--kills", str(wanted.kills), "--json")
        result |= {f"survive.{key}": value for key, value in survived.items()}
    if wanted.mutants:
        result |= mutants(wanted.mutants)
    table = Table("measured", "value")
    for name, value in result.items():
        table.add_row(name, f"{value:.3f}" if isinstance(value, float) else str(value))
    Console(stderr=True).print(table)
    print(json.dumps({name: round(value, 4) for name, value in result.items()}))


if __name__ == "__main__":
    main()
