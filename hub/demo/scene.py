"""What happens in the demo: somebody walks in, stands for a while, and leaves."""

from __future__ import annotations

from sensing.simulation.scene import Scene, Walk

ENTERS_AT_SECONDS = 3.0

LIVING_ROOM = Scene(
    rate_hz=48_000,
    seconds=24.0,
    walks=(
        Walk(
            start_seconds=ENTERS_AT_SECONDS,
            path=((2.2, 3.8, 0.0), (0.4, 1.6, 0.0), (-0.6, 1.8, 0.0), (-1.8, 3.9, 0.0)),
            speed_mps=1.0,
        ),
    ),
)
