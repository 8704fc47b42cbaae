"""How quick the simulated room is: seconds of signal for a CPU second, by scene.

    script/bench presence [--seconds 60]

Figures are of one core; run with OMP_NUM_THREADS=1 to be sure of it.
"""

from __future__ import annotations

import argparse
import json
import time

from rich.console import Console
from rich.progress import track
from rich.table import Table

from sensing.simulation.baseband.renderer import render
from sensing.simulation.baseband.scene import Scene

WALK = {
    "kind": "walker",
    "path": [[0.3, 3.5], [2.5, 1.5], [4.5, 3.5], [0.5, 3.5]] * 20,
    "then": "stays",
}
FAN = {"kind": "fan", "position_m": [4.0, 3.0, 1.0]}
SCENES: dict[str, dict[str, object]] = {
    "walking": {"people": [WALK]},
    "fan": {"nuisances": [FAN]},
    "empty": {},
}


def simulated_speed(seconds: float) -> dict[str, float]:
    """Return the simulated seconds in a CPU second of each scene, two microphones at 1 kHz."""
    speeds = {}
    for name, changes in track(SCENES.items(), "simulated room", console=Console(stderr=True)):
        scene = Scene.model_validate({"seconds": seconds, **changes})
        started = time.process_time()
        render(scene)
        speeds[f"{name}_sim_seconds_per_cpu_second"] = seconds / (time.process_time() - started)
    return speeds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    wanted = parser.parse_args()
    result = simulated_speed(wanted.seconds)
    table = Table("measured", "value")
    for name, value in result.items():
        table.add_row(name, f"{value:.1f}")
    Console(stderr=True).print(table)
    print(json.dumps({name: round(value, 2) for name, value in result.items()}))


if __name__ == "__main__":
    main()
