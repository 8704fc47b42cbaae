"""What happens in the demo: somebody walks in, asks for something while pacing about, and leaves."""

from __future__ import annotations

from hub.demo.voice import SpokenCommand
from sensing.simulation.scene import Scene, Voice, Walk

RATE_HZ = 48_000
SECONDS = 26.0
ENTERS_AT_SECONDS = 3.0
SPEAKS_AT_SECONDS = 6.5


def living_room(spoken: SpokenCommand) -> Scene:
    """Return the scene with a voice that gives a command."""
    return Scene(
        rate_hz=RATE_HZ,
        seconds=SECONDS,
        walks=(
            Walk(
                start_seconds=ENTERS_AT_SECONDS,
                path=(
                    (2.2, 3.8, 0.0),
                    (0.4, 1.6, 0.0),
                    (-0.6, 1.8, 0.0),
                    (0.5, 1.5, 0.0),
                    (-0.6, 1.7, 0.0),
                    (0.5, 1.6, 0.0),
                    (-0.6, 1.8, 0.0),
                    (0.4, 1.6, 0.0),
                    (-1.8, 3.9, 0.0),
                ),
                speed_mps=1.0,
            ),
        ),
        voices=(Voice(at_seconds=SPEAKS_AT_SECONDS, samples=spoken.samples, position=(0.1, 1.6, 1.5)),),
    )
