"""When a frame is heard, from the sound card's shaky reports."""

from __future__ import annotations

from collections import deque
from operator import itemgetter
from statistics import median

from hub.sync.two_state_kalman import TwoStateKalman

_JUMP_SIGMAS, _JUMP_LEAST_SECONDS = 5.0, 2e-3
_JUMP_READINGS, _JUMP_AGREEING, _AGREEMENT_SIGMAS = 10, 8, 4.0
_JUMP_SECONDS = 0.2
_PATIENCE_SECONDS = 2.0
"""For so long there may be no report to believe; then the least late one is."""


class DacClock:
    """Two-state Kalman filter between frame numbers and our clock.

    Reports far off the line are of two kinds. When the card has jumped, they agree with each other and go on.
    When the machine starves, they are late, each by as much as its own wait. So a jump is believed when
    eight of the last ten reports agree to within their noise, and none was on the line for 0.2 s; late
    reports, however many, are left out. Should there be nothing else for 2 s, the least late of the last ten
    is believed: nothing comes too early.

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
        self._strange: deque[tuple[float, float]] = deque(maxlen=_JUMP_READINGS)
        self._strange_since = 0.0

    def observe(self, frame: float, heard_at_seconds: float) -> None:
        """Take a report that ``frame`` is heard when our clock shows ``heard_at_seconds``."""
        nominal = frame / self._rate_hz
        offset = heard_at_seconds - nominal
        if self.readings and self._is_strange(nominal, offset):
            if not self._strange:
                self._strange_since = nominal
            self._strange.append((nominal, offset))
            believed = self._believed()
            if believed:
                self.jumps += 1
                self.reset()
            for at, seconds in believed:
                self._take(at, seconds)
        else:
            self._strange.clear()
            self._take(nominal, offset)

    def _is_strange(self, nominal: float, offset: float) -> bool:
        limit = max(_JUMP_LEAST_SECONDS, _JUMP_SIGMAS * self._kalman.sigma(nominal))
        return abs(offset - self._kalman.line(nominal)) > limit

    def _believed(self) -> list[tuple[float, float]]:
        """Return the strange reports that tell of a jump, none while that is unsure."""
        waited = self._strange[-1][0] - self._strange_since
        if len(self._strange) < _JUMP_READINGS or waited < _JUMP_SECONDS:
            return []
        middle = median(offset for _, offset in self._strange)
        apart = _AGREEMENT_SIGMAS * self._reading_sigma
        agreeing = [one for one in self._strange if abs(one[1] - middle) <= apart]
        if len(agreeing) >= _JUMP_AGREEING:
            return agreeing
        return [min(self._strange, key=itemgetter(1))] if waited >= _PATIENCE_SECONDS else []

    def _take(self, nominal: float, offset: float) -> None:
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
