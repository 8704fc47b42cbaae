"""Other ways to follow a server's clock, for comparison in the same simulation."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from statistics import median

import numpy as np
from numpy.typing import NDArray

from hub.sync.clock_filter import Exchange

Numbers = NDArray[np.float64]


def _middle(exchange: Exchange) -> float:
    return (exchange.most_offset + exchange.least_offset) / 2


def _round_trip(exchange: Exchange) -> float:
    return exchange.most_offset - exchange.least_offset


class FirstOffset:
    """Set the clock once, by the quickest of the first exchanges, and play at the card's own pace."""

    def errors(self, heard: Numbers, reports: Numbers, exchanges: Sequence[Exchange]) -> Numbers:
        """Return how late each tick's first frame is heard."""
        best = min(exchanges[:24], key=_round_trip)
        start = reports[0] + _middle(best)
        ticks = np.arange(heard.size)
        return np.asarray(heard - (start + 0.1 * ticks))


class MedianClock:
    """Median of the offsets of the last 30 s, without a drift."""

    drift = 0.0

    def __init__(self) -> None:
        self._offsets: deque[tuple[float, float]] = deque()
        self._offset = 0.0

    def observe(self, exchange: Exchange) -> None:
        """Take one exchange."""
        self._offsets.append((exchange.answered, _middle(exchange)))
        while self._offsets[0][0] < exchange.answered - 30:
            self._offsets.popleft()
        self._offset = median(offset for _, offset in self._offsets)

    def is_ready(self, _at_seconds: float) -> bool:
        """Return whether there are a few."""
        return len(self._offsets) > 10

    def server_seconds(self, at_seconds: float) -> float:
        """Return what the server's clock shows."""
        return at_seconds + self._offset


class SendspinClock:
    """The filter of the Sendspin project, with the best of four exchanges each half second.

    Written after its description (time-filter, docs/theory.md) with the constants of aiosendspin 10.2: sigma
    is a quarter of the round trip, no process noise of the offset, 0.01 ppm in a root second for the drift,
    covariance times four where a residual is above three half round trips, drift used beyond two sigmas.
    """

    def __init__(self) -> None:
        self._some: list[Exchange] = []
        self._count = 0
        self._at = self._offset = self._drift = 0.0
        self._variance = math.inf
        self._covariance = self._drift_variance = 0.0

    @property
    def drift(self) -> float:
        """The drift, if significant."""
        return self._drift if self._drift**2 > 4 * self._drift_variance else 0.0

    def observe(self, exchange: Exchange) -> None:
        """Take one exchange; every fourth time the best of the last four is used."""
        self._some.append(exchange)
        if len(self._some) == 4:
            best = min(self._some, key=_round_trip)
            self._some = []
            self._update(_middle(best), _round_trip(best) / 2, best.answered)

    def is_ready(self, _at_seconds: float) -> bool:
        """Return whether there were two updates."""
        return self._count >= 2

    def server_seconds(self, at_seconds: float) -> float:
        """Return what the server's clock shows."""
        return at_seconds + self._offset + self.drift * (at_seconds - self._at)

    def _update(self, offset: float, most_error: float, at: float) -> None:
        elapsed, self._at = at - self._at, at
        noise = (0.5 * most_error) ** 2
        self._count += 1
        if self._count == 1:
            self._offset, self._variance = offset, noise
            return
        if self._count == 2:
            self._drift = (offset - self._offset) / elapsed
            self._drift_variance = (self._variance + noise) / elapsed**2
            self._offset, self._variance = offset, noise
            return
        predicted = self._offset + self._drift * elapsed
        variance = self._variance + 2 * self._covariance * elapsed + self._drift_variance * elapsed**2
        covariance = self._covariance + self._drift_variance * elapsed
        drift_variance = self._drift_variance + elapsed * 1e-16
        residual = offset - predicted
        if self._count > 100 and abs(residual) > 3 * most_error:
            variance, covariance, drift_variance = 4 * variance, 4 * covariance, 4 * drift_variance
        scale = 1 / max(variance + noise, 1e-21)
        gain, drift_gain = variance * scale, covariance * scale
        self._offset = predicted + gain * residual
        self._drift += drift_gain * residual
        self._drift_variance = drift_variance - drift_gain * covariance
        self._covariance = covariance - drift_gain * variance
        self._variance = variance - gain * variance


def snapcast_errors(
    heard: Numbers, reports: Numbers, answered: Numbers, exchanges: Sequence[Exchange]
) -> Numbers:
    """Return the errors of a player that works as Snapcast's client does.

    Written after client/time_provider.cpp and client/stream.cpp: the offset is the median of the last 200,
    one a second; the age of what is played is taken for each chunk, and where its medians over 0.4 s and
    2 s are above 50 and 100 us, single frames are dropped or doubled, at most 500 ppm. The windows are
    counted here in ticks of 0.1 s. Beyond 2 ms (median of 10 s) it jumps.
    """
    errors = np.full(heard.size, np.nan)
    offsets: deque[float] = deque(maxlen=200)
    windows = [deque[float](maxlen=length) for length in (4, 20, 100)]
    done, asked, offset = 0, -math.inf, 0.0
    position: float | None = None
    for tick in range(2, heard.size):
        while done < answered.size and answered[done] <= heard[tick - 2]:
            if exchanges[done].asked >= asked + 1 or done < 24:
                asked = exchanges[done].asked
                offsets.append(_middle(exchanges[done]))
                offset = median(offsets)
            done += 1
        if not offsets:
            continue
        due = reports[tick] + offset
        age = due - (due if position is None else position)
        for window in windows:
            window.append(age)
        mini, short, long = (median(window) for window in windows)
        if position is None or (len(windows[2]) == 100 and abs(long) > 2e-3) or abs(age) > 0.5:
            position = due
            for window in windows:
                window.clear()
        errors[tick] = heard[tick] - position
        rate = 0.0
        is_off = min(abs(mini) / 5e-5, abs(short) / 1e-4, abs(age) / 5e-5) > 1
        if is_off and len(windows[1]) == 20 and mini * short > 0 and age * short > 0:
            rate = math.copysign(min(abs(short) / 1e-4 * 5e-5, 5e-4), short)
        frames = round(4800 * rate)  # whole frames
        position += 0.1 + frames / 48_000
    return errors
