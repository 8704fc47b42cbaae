"""The chirps of one device, frame by frame of its sound card."""

from __future__ import annotations

import numpy as np

from hub.sync.chirp_plan import ChirpPlan, Signal


class ChirpVoice:
    """Say the chirps of a plan when the card's frames are heard at their time.

    What is known of the clocks moves a little with each report of the card. So the time of each chirp is
    taken once, where it begins, and runs evenly through it: a step of its phase would be heard.

    Parameters
    ----------
    device : int
        0 or 1, as `ChirpPlan.emission`.
    start_seconds : float
        Of the plan, on the clock that both devices follow.
    """

    def __init__(self, plan: ChirpPlan, *, device: int, start_seconds: float) -> None:
        self._plan = plan
        self._due = [start_seconds + float(start) for start in plan.starts(device).ravel()]
        self._chirp: tuple[float, float] | None = None

    def process(self, first_frame: int, frames: int, *, first_seconds: float, pace: float) -> Signal:
        """Return the next frames, within +-1, shape ``(frames,)``.

        Parameters
        ----------
        first_frame : int
            As the card counts.
        first_seconds : float
            When it is heard.
        pace : float
            Seconds from a frame to the next.
        """
        sound = np.zeros(frames)
        at = 0
        while at < frames:
            if self._chirp is None and not self._begin(first_frame, at, frames, first_seconds, pace):
                break
            assert self._chirp is not None  # begun just now, or before
            begin_frame, chirp_pace = self._chirp
            seconds: Signal = (
                first_frame + np.arange(at, frames, dtype=np.float64) - begin_frame
            ) * chirp_pace
            inside = (seconds >= 0) & (seconds < self._plan.chirp_seconds)
            sound[at:][inside] = self._plan.chirp(seconds[inside])
            if seconds[-1] < self._plan.chirp_seconds:
                break
            at += int(np.searchsorted(seconds, self._plan.chirp_seconds))
            self._chirp = None
        return sound

    def _begin(self, first_frame: int, at: int, frames: int, first_seconds: float, pace: float) -> bool:
        """Take up the chirp that begins in these frames, if any; one whose time has passed is left out."""
        while self._due and self._due[0] <= first_seconds + (at - 1) * pace:
            self._due.pop(0)
        if not self._due or self._due[0] > first_seconds + (frames - 1) * pace:
            return False
        self._chirp = (first_frame + (self._due.pop(0) - first_seconds) / pace, pace)
        return True
