"""Find jumps of a sound card's clock, which many drivers do not own up to."""

from __future__ import annotations

from collections import deque
from statistics import median

JUMP_SECONDS = 0.005
"""A smaller step of the clock is the driver's own jitter."""

_LASTING_CALLBACKS = 5
"""A step that goes back within 50 ms was a wrong time, not a jump."""

_SETTLE_SECONDS = 0.5
_FOLLOW = 0.02
"""Share of the way that the expected time follows per callback: crystals drift, by far less."""


class JumpWatch:
    """Compare when the card says it plays a frame with how many frames it has asked for.

    A card that plays without a hole plays frame ``n`` at ``start + n / rate``. When its buffer ran dry, or
    the sound server stood still, all later frames are late by the length of the hole. Through a server
    this is often the only sign: no flag is set.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._frames = 0
        self._expected_seconds = 0.0
        self._settling: deque[float] = deque(maxlen=_LASTING_CALLBACKS)
        self._steps: deque[float] = deque(maxlen=_LASTING_CALLBACKS)

    def see(self, frames: int, plays_at_seconds: float) -> int:
        """Return how many frames the clock has jumped, 0 while it runs evenly.

        Parameters
        ----------
        frames : int
            Length of this callback.
        plays_at_seconds : float
            When its first frame will be played, by the card's clock; 0 where the driver does not know.

        Returns
        -------
        int
            A clock that went back, so that frames were thrown away, counts as one callback.
        """
        offset = plays_at_seconds - self._frames / self._rate_hz
        self._frames += frames
        if plays_at_seconds <= 0:
            return 0
        is_new = len(self._settling) < _LASTING_CALLBACKS
        if is_new or self._frames < _SETTLE_SECONDS * self._rate_hz:
            self._settling.append(offset)
            self._expected_seconds = median(self._settling)
            return 0
        step = offset - self._expected_seconds
        self._steps.append(step)
        if abs(step) < JUMP_SECONDS:
            self._expected_seconds += _FOLLOW * step
            return 0
        forward, back = min(self._steps), max(self._steps)
        if len(self._steps) < _LASTING_CALLBACKS or (forward < JUMP_SECONDS and back > -JUMP_SECONDS):
            return 0
        self._expected_seconds = offset
        self._steps.clear()
        return round(forward * self._rate_hz) if forward > 0 else frames
