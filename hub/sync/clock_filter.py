"""What a server's clock shows, from time messages over a network that delays some of them."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from operator import itemgetter

from hub.sync.two_state_kalman import TwoStateKalman

BURST_SECONDS, STEADY_SECONDS = 0.025, 0.125
BURST_EXCHANGES = 200
_FEWEST_EXCHANGES = 6
_LONGEST_EPOCH_SECONDS = 16.0
_ROUND_TRIPS_KEPT = 32
_LUCKY = 4
_FINEST_SECONDS = 2e-6
_READY_SIGMA_SECONDS = 2e-3
_JUMP_SIGMAS = 6.0
_JUMP_EXCHANGES = 4
_JUMP_LEAST_SECONDS = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """The four time stamps of a question and its answer, in seconds (RFC 5905, section 8).

    Attributes
    ----------
    asked, answered : float
        By our clock: when the question left, when the answer was here.
    received, replied : float
        By the server's clock: when the question was there, when the answer left.
    """

    asked: float
    received: float
    replied: float
    answered: float

    @property
    def most_offset(self) -> float:
        """Server's clock minus ours would be this if the question had taken no time: an upper bound."""
        return self.received - self.asked

    @property
    def least_offset(self) -> float:
        """The same if the answer had taken no time: a lower bound."""
        return self.replied - self.answered


class ClockFilter:
    """Two-state Kalman filter over the luckiest messages of each direction.

    Delays have a floor and a long tail. So the messages of an epoch are first brought to one instant with
    the drift known so far; the fastest question and the fastest answer, each for itself, then give one
    reading: with ``n`` messages its error falls with ``1 / n``, that of a mean with the root. How far apart
    the luckiest lie, and how far their round trip is above the least one known, says how much to believe
    it. An epoch lasts as long as the drift's uncertainty does not spoil the comparison: 0.2 s at the start,
    16 s later.

    No message arrives before it was sent. If our idea of the clock says so several times in a row, a clock
    has jumped, and the filter begins again.

    Attributes
    ----------
    jumps : int
        How often it began again.
    """

    def __init__(self, *, wander_per_root_second: float = 2e-8) -> None:
        self._kalman = TwoStateKalman(wander_per_root_second=wander_per_root_second)
        self.jumps = 0
        self.reset()

    def reset(self) -> None:
        """Forget the server."""
        self._epoch: list[Exchange] = []
        self._round_trips: deque[float] = deque(maxlen=_ROUND_TRIPS_KEPT)
        self._impossible = 0
        self._strange = 0
        self._seen = 0
        self._epochs = 0

    @property
    def interval_seconds(self) -> float:
        """When to ask again: forty times a second for 5 s, then eight times."""
        return BURST_SECONDS if self._seen < BURST_EXCHANGES else STEADY_SECONDS

    def observe(self, exchange: Exchange) -> None:
        """Take one exchange; later ones were answered later."""
        stamps = (exchange.asked, exchange.received, exchange.replied, exchange.answered)
        if not all(map(math.isfinite, stamps)):
            return
        if exchange.least_offset > exchange.most_offset or exchange.answered < exchange.asked:
            return  # a clock was set between the stamps: they do not belong together
        if self._epochs and self._is_impossible(exchange):
            self._impossible += 1
            if self._impossible >= _JUMP_EXCHANGES:
                self.jumps += 1
                self.reset()
            return
        self._impossible = 0
        self._seen += 1
        self._epoch.append(exchange)
        if len(self._epoch) >= _FEWEST_EXCHANGES:
            self._close_epoch_if_due()

    def is_ready(self, at_seconds: float) -> bool:
        """Return whether the offset is known to 2 ms."""
        return self._epochs > 0 and self.sigma_seconds(at_seconds) < _READY_SIGMA_SECONDS

    def server_seconds(self, at_seconds: float) -> float:
        """Return what the server's clock shows when ours shows ``at_seconds``; only once `is_ready`."""
        return at_seconds + self._kalman.offset(at_seconds)

    def sigma_seconds(self, at_seconds: float) -> float:
        """Return how unsure the offset is, one standard deviation; infinite before the first epoch."""
        return self._kalman.sigma(at_seconds) if self._epochs else math.inf

    @property
    def drift(self) -> float:
        """How much faster the server's clock runs than ours (seconds per second); 0 if not significant."""
        return self._kalman.used_drift if self._epochs else 0.0

    def _is_impossible(self, exchange: Exchange) -> bool:
        """Return whether a message seems to have arrived before it was sent."""
        at = exchange.answered
        offset = self._kalman.line(at)
        slack = max(_JUMP_LEAST_SECONDS, _JUMP_SIGMAS * self._kalman.sigma(at))
        return exchange.most_offset < offset - slack or exchange.least_offset > offset + slack

    def _close_epoch_if_due(self) -> None:
        age = self._epoch[-1].answered - self._epoch[0].asked
        forth, back = self._delays()
        at, offset, sigma = self._reading(forth, back)
        if self._epochs and self._kalman.drift_sigma * age < sigma and age < _LONGEST_EPOCH_SECONDS:
            return
        self._epoch = []
        round_trip = forth[0][0] + back[0][0]
        self._round_trips.append(round_trip)
        excess = round_trip - min(self._round_trips)
        self._correct(at, offset, math.hypot(sigma, excess / math.sqrt(12)))

    def _delays(self) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        """Return ``(delay, time)`` of questions and of answers, the fastest first."""
        line = self._kalman.line if self._epochs else _zero
        forth = sorted(
            ((one.most_offset - line(one.asked), one.asked) for one in self._epoch), key=itemgetter(0)
        )
        back = sorted(
            ((line(one.answered) - one.least_offset, one.answered) for one in self._epoch), key=itemgetter(0)
        )
        return forth, back

    def _reading(
        self, forth: list[tuple[float, float]], back: list[tuple[float, float]]
    ) -> tuple[float, float, float]:
        """Return time, offset and sigma that the luckiest messages give."""
        line = self._kalman.line if self._epochs else _zero
        at = (forth[0][1] + back[0][1]) / 2
        offset = line(at) + (forth[0][0] - back[0][0]) / 2
        gaps = [some[_LUCKY - 1][0] - some[0][0] for some in (forth, back)]
        return at, offset, math.hypot(*gaps, _FINEST_SECONDS) / 4

    def _correct(self, at: float, offset: float, sigma: float) -> None:
        """Give a reading to the Kalman filter; one that is far off counts only when the next agrees."""
        if not self._epochs:
            self._kalman.start(at, offset, sigma)
            self._epochs = 1
            return
        limit = _JUMP_SIGMAS * math.hypot(self._kalman.sigma(at), sigma)
        self._strange = self._strange + 1 if abs(offset - self._kalman.line(at)) > limit else 0
        if self._strange == 1:
            return
        if self._strange:
            self._kalman.forget(abs(offset - self._kalman.line(at)))
            self._strange = 0
        self._kalman.observe(at, offset, sigma)
        self._epochs += 1


def _zero(_: float) -> float:
    """Return the offset of an unknown clock: none."""
    return 0.0
