"""How quick the simulated room is: seconds of signal for a CPU second, by scene.

Somebody who walks is measured in a minute at most; what repeats is tabulated once, which long scenes hardly
notice.
"""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import track

from sensing.simulation.baseband.renderer import render
from sensing.simulation.baseband.scene import Scene

WALK = {
    "kind": "walker",
    "path": [[0.3, 3.5], [2.5, 1.5], [4.5, 3.5], [0.5, 3.5]] * 20,
    "then": "stays",
}
FAN = {"kind": "fan", "position_m": [4.0, 3.0, 1.0]}
CURTAIN = {"kind": "curtain", "from_m": [3.0, 3.8], "to_m": [4.5, 3.8]}
PLANT = {"kind": "plant", "position_m": [1.0, 3.2, 0.8]}
_PASSES_EVERY_SECONDS = 60


def neighbours(seconds: float) -> list[dict[str, object]]:
    """Return somebody who walks by behind the door for 5 % of the time: 3 s in each minute."""
    path = [[-0.8, 1.0], [-0.8, 4.0]]
    return [
        {"kind": "neighbour", "at": at, "path": path, "speed_mps": 1.0}
        for at in range(0, int(seconds), _PASSES_EVERY_SECONDS)
    ]


def simulated_speed(seconds: float) -> dict[str, float]:
    """Return the simulated seconds in a CPU second of each scene, two microphones at 1 kHz."""
    scenes: dict[str, dict[str, object]] = {
        "walking": {"people": [WALK], "seconds": min(seconds, 60.0)},
        "fan": {"nuisances": [FAN]},
        "oscillating_fan": {"nuisances": [{**FAN, "oscillation_hz": 0.1}]},
        "curtain": {"nuisances": [CURTAIN]},
        "plant": {"nuisances": [PLANT]},
        "neighbour": {"nuisances": neighbours(seconds)},
        "empty": {},
    }
    speeds = {}
    for name, changes in track(scenes.items(), "simulated room", console=Console(stderr=True)):
        scene = Scene.model_validate({"seconds": seconds, **changes})
        started = time.process_time()
        render(scene)
        speeds[f"{name}_sim_seconds_per_cpu_second"] = scene.seconds / (time.process_time() - started)
    return speeds
