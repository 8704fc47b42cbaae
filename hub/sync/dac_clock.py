"""When a frame is heard, from the sound card's shaky reports."""

from __future__ import annotations

from hub.sync.two_state_kalman import TwoStateKalman

_JUMP_SIGMAS, _JUMP_LEAST_SECONDS, _JUMP_READINGS = 5.0, 2e-3, 5


class DacClock:
    """Two-state Kalman filter between frame numbers and our clock.

    Parameters
    ----------
    rate_hz : int
        What the sound card calls its rate; its crystal decides what it is.
    reading_sigma_seconds : float
        Noise of one report.

    Attributes
    ----------
    jumps : int
        How often the frames did not continue, as after frames that the card lost.
    """

    def __init__(
        self, *, rate_hz: int, reading_sigma_seconds: float = 2e-4, wander_per_root_second: float = 2e-8
    ) -> None:
        self._rate_hz = rate_hz
        self._reading_sigma = reading_sigma_seconds
        self._kalman = TwoStateKalman(wander_per_root_second=wander_per_root_second)
        self.jumps = 0
        self.reset()

    def reset(self) -> None:
        """Forget the card."""
        self.readings = 0
        self._strange = 0

    def observe(self, frame: float, heard_at_seconds: float) -> None:
        """Take a report that ``frame`` is heard when our clock shows ``heard_at_seconds``."""
        nominal = frame / self._rate_hz
        offset = heard_at_seconds - nominal
        if self.readings:
            limit = max(_JUMP_LEAST_SECONDS, _JUMP_SIGMAS * self._kalman.sigma(nominal))
            self._strange = self._strange + 1 if abs(offset - self._kalman.line(nominal)) > limit else 0
            if 0 < self._strange < _JUMP_READINGS:
                return
            if self._strange:
                self.jumps += 1
                self.reset()
        if self.readings:
            self._kalman.observe(nominal, offset, self._reading_sigma)
        else:
            self._kalman.start(nominal, offset, self._reading_sigma)
        self.readings += 1

    def heard_at(self, frame: float) -> float:
        """Return when, by our clock, a frame is or was heard; only after a first report."""
        nominal = frame / self._rate_hz
        return nominal + self._kalman.offset(nominal)

    @property
    def seconds_per_second(self) -> float:
        """How much of our time passes while the card plays what it calls one second."""
        return 1 + (self._kalman.used_drift if self.readings else 0.0)
