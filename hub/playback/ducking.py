"""Turn music down while the house listens or speaks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hub.playback.ramp import Ramp

DEPTH_DB = 20.0
ATTACK_SECONDS = 0.15
RELEASE_SECONDS = 0.8
HOLD_SECONDS = 0.4
"""Between two sentences the music does not come up."""


class Ducker:
    """A gain that goes down and up by straight lines in dB.

    Parameters
    ----------
    depth_db : float
        How far down, 0 or more.
    attack_seconds, release_seconds : float
        From up to down, and from down to up.
    hold_seconds : float
        How long it stays down after the reason is gone.
    """

    def __init__(
        self,
        *,
        rate_hz: int,
        depth_db: float = DEPTH_DB,
        attack_seconds: float = ATTACK_SECONDS,
        release_seconds: float = RELEASE_SECONDS,
        hold_seconds: float = HOLD_SECONDS,
    ) -> None:
        self._depth_db = depth_db
        self._hold_frames = round(hold_seconds * rate_hz)
        self._held_frames = 0
        self._level_db = Ramp(
            0.0,
            rise_frames=round(release_seconds * rate_hz),
            fall_frames=round(attack_seconds * rate_hz),
            span=max(depth_db, 1e-3),
        )

    @property
    def is_down(self) -> bool:
        """Whether the music is, or goes, below its volume."""
        return self._level_db.target < 0 or self._level_db.value < 0

    def process(self, frames: int, *, is_wanted: bool) -> NDArray[np.float64]:
        """Return the gain of the next frames; ``is_wanted`` holds for all of them."""
        held = self._hold_frames if is_wanted else self._held_frames
        down = frames if is_wanted else min(frames, held)
        self._held_frames = self._hold_frames if is_wanted else held - down
        self._level_db.target = -self._depth_db if down else 0.0
        first = self._level_db.process(down)
        self._level_db.target = -self._depth_db if is_wanted or self._held_frames else 0.0
        level_db = np.concatenate([first, self._level_db.process(frames - down)])
        gain: NDArray[np.float64] = 10 ** (level_db / 20)
        return gain
