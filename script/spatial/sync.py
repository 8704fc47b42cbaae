"""How well two devices play in step: simulated crystals and networks, the hub's own clocks and steering.

A server's clock is the truth. Each of two devices has a system clock and a sound card on crystals of their
own (+-50 ppm, the frequency a random walk of 0.02 ppm in a root second and a sine of 0.5 ppm in 20 minutes),
asks for the time over a network, and is told by its card with 200 us of noise (ten times a second) which
frame is heard. A row is the error between the two, after two minutes, over all seeds. Time is virtual.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.sync.clock_filter import BURST_EXCHANGES, BURST_SECONDS, STEADY_SECONDS, ClockFilter, Exchange
from hub.sync.dac_clock import DacClock
from hub.sync.pacer import Pacer, ServerClock
from hub.sync.steering import Steering
from script.journal import Row
from script.spatial import sync_acoustic
from script.spatial.sync_rivals import FirstOffset, MedianClock, SendspinClock, snapcast_errors

Numbers = NDArray[np.float64]

PARTS = ("clocks", "acoustic")
FIRST_SEED = 100
"""Parameters were chosen on seeds below 12."""
TICK_SECONDS = 0.1
RATE_HZ = 48_000
WARM_UP_SECONDS = 120.0
_TICK_FRAMES = round(TICK_SECONDS * RATE_HZ)
_AHEAD_TICKS = 2
_REPORT_NOISE_SECONDS = 2e-4
_START_SECONDS = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One-way delays: a floor, and a gamma distributed wait (shape 1 is exponential)."""

    floor_seconds: float
    wait_seconds: float
    shape: float = 1.0
    stalled_share: float = 0.0
    """Share of messages that wait up to 100 ms more."""


NETWORKS = {
    "lan": Network(floor_seconds=2e-4, wait_seconds=5e-5),
    "quiet wi-fi": Network(floor_seconds=1.5e-3, wait_seconds=5e-4),
    "busy wi-fi": Network(floor_seconds=1.5e-3, wait_seconds=4e-3, stalled_share=0.01),
    "busy wi-fi, gamma 2": Network(floor_seconds=1.5e-3, wait_seconds=4e-3, shape=2.0, stalled_share=0.01),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Device:
    """What happens to one device, whatever filter it uses.

    Attributes
    ----------
    heard : ndarray
        Server's time at which each tick's first frame is heard, shape ``(ticks,)``.
    reports : ndarray
        What the card says of the same, by the system clock.
    answered : ndarray
        Server's time at which each exchange is complete.
    exchanges : list of Exchange
    card_delay_seconds : float
    """

    heard: Numbers
    card_delay_seconds: float
    reports: Numbers
    answered: Numbers
    exchanges: list[Exchange]


def device(
    network: Network,
    ticks: int,
    seed: Sequence[int],
    *,
    asymmetry: float = 0.0,
    card_delay_seconds: float = 0.0,
    clock_is_disciplined: bool = False,
) -> Device:
    """Return a device's whole past.

    Parameters
    ----------
    asymmetry : float
        The way to the server is longer by this share of the floor, the way back shorter.
    card_delay_seconds : float
        Delay of the output that the card does not report.
    clock_is_disciplined : bool
        Something else, as NTP, keeps the system clock at the server's pace.
    """
    random = np.random.default_rng(seed)
    card_pace, clock_pace = _crystal(random, ticks), _crystal(random, ticks)
    if clock_is_disciplined:
        clock_pace = np.ones(ticks)
    heard = np.cumsum(TICK_SECONDS * card_pace)
    truth = TICK_SECONDS * np.arange(ticks + 20)
    local = _START_SECONDS + np.cumsum(TICK_SECONDS * np.append(clock_pace, np.full(20, clock_pace[-1])))

    def clock(at: Numbers) -> Numbers:
        return np.interp(at, truth, local)

    steady = BURST_EXCHANGES * BURST_SECONDS
    asked = np.append(
        np.arange(BURST_EXCHANGES) * BURST_SECONDS, np.arange(steady, truth[ticks], STEADY_SECONDS)
    )
    forth = network.floor_seconds * (1 + asymmetry) + _waits(network, random, asked.size)
    back = network.floor_seconds * (1 - asymmetry) + _waits(network, random, asked.size)
    received = np.maximum.accumulate(asked + forth)  # one TCP connection: nobody overtakes
    replied = received + 5e-5
    answered = np.maximum.accumulate(replied + back)
    stamps = np.round(np.stack([clock(asked), received, replied, clock(answered)]), 6)  # microseconds
    return Device(
        heard=heard,
        card_delay_seconds=card_delay_seconds,
        reports=clock(heard) + _REPORT_NOISE_SECONDS * random.standard_normal(ticks),
        answered=answered,
        exchanges=[Exchange(asked=a, received=b, replied=c, answered=d) for a, b, c, d in stamps.T.tolist()],
    )


def _crystal(random: np.random.Generator, ticks: int) -> Numbers:
    """Return the true seconds that pass in a crystal's second, tick by tick."""
    walk = np.cumsum(2e-8 * np.sqrt(TICK_SECONDS) * random.standard_normal(ticks))
    phase = random.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(ticks) * TICK_SECONDS / 1200
    return 1 + random.uniform(-5e-5, 5e-5) + walk + 5e-7 * np.sin(phase)


def _waits(network: Network, random: np.random.Generator, count: int) -> Numbers:
    waits = random.gamma(network.shape, network.wait_seconds / network.shape, count)
    stalled = random.random(count) < network.stalled_share
    return waits + stalled * random.uniform(0, 0.1, count)


class Follower:
    """A device that plays with the hub's own pacer; the server's time may come from any filter."""

    def __init__(self, of: Device, clock: ServerClock, observe: Callable[[Exchange], None]) -> None:
        self._of = of
        self._observe = observe
        self._done = 0
        self._dac = DacClock(rate_hz=RATE_HZ)
        self.pacer = Pacer(clock=clock, dac=self._dac, steering=Steering(), rate_hz=RATE_HZ)

    def step(self, tick: int) -> float:
        """Return how late the tick's first frame is heard, NaN before playback starts."""
        of, known = self._of, tick - _AHEAD_TICKS
        while self._done < of.answered.size and of.answered[self._done] <= of.heard[known]:
            self._observe(of.exchanges[self._done])
            self._done += 1
        self._dac.observe(known * _TICK_FRAMES, of.reports[known])
        span = self.pacer.next_span(tick * _TICK_FRAMES, _TICK_FRAMES)
        return np.nan if span is None else of.heard[tick] + of.card_delay_seconds - span.start_seconds


def played_errors(of: Device, clock: ServerClock, observe: Callable[[Exchange], None]) -> Numbers:
    """Return how late each tick's first frame is heard, NaN before playback starts."""
    follower = Follower(of, clock, observe)
    return np.array([np.nan] * _AHEAD_TICKS + [follower.step(k) for k in range(_AHEAD_TICKS, of.heard.size)])


def calibrated_difference(
    pair: Sequence[Device], random: np.random.Generator, at_seconds: Sequence[int], *, acoustic_us: float
) -> Numbers:
    """Return the error between two devices, of which one trims itself by what the microphones hear.

    A calibration takes 1.8 s of chirps. Its error is a constant of the place (``acoustic_us`` rms, as
    `script.spatial.sync_acoustic` measures it), and 3 us (rms) anew each time.
    """
    one, other = (Follower(of, clock, clock.observe) for of, clock in ((of, ClockFilter()) for of in pair))
    place = random.standard_normal() * acoustic_us * 1e-6
    chirps = round(1.8 / TICK_SECONDS)
    calibrations = {round(seconds / TICK_SECONDS) for seconds in at_seconds}
    difference = np.full(pair[0].heard.size, np.nan)
    for tick in range(_AHEAD_TICKS, difference.size):
        difference[tick] = one.step(tick) - other.step(tick)
        if tick in calibrations:
            heard = difference[tick - chirps : tick].mean()
            one.pacer.trim_seconds += heard + place + 3e-6 * random.standard_normal()
    return difference


def errors_of(filter_name: str, of: Device) -> Numbers:
    """Return the errors of a device that follows the server in one of the ways in `FILTERS`."""
    match filter_name:
        case "roomwise":
            clock = ClockFilter()
            return played_errors(of, clock, clock.observe)
        case "sendspin filter":
            sendspin = SendspinClock()
            return played_errors(of, sendspin, sendspin.observe)
        case "median of 30 s":
            median = MedianClock()
            return played_errors(of, median, median.observe)
        case "snapcast" | "snapcast, ntp beside":
            return snapcast_errors(of.heard, of.reports, of.answered, of.exchanges)
        case _:
            first = FirstOffset()
            return first.errors(of.heard, of.reports, of.exchanges)


FILTERS = (
    "roomwise",
    "sendspin filter",
    "median of 30 s",
    "snapcast",
    "snapcast, ntp beside",
    "no correction",
)
_FIRST_CALIBRATION_SECONDS = 100
CALIBRATIONS: dict[str, Callable[[int], Sequence[int]]] = {
    "never": lambda _: (),
    "once": lambda _: (_FIRST_CALIBRATION_SECONDS,),
    "every 15 s": lambda seconds: range(_FIRST_CALIBRATION_SECONDS, seconds, 15),
    "every 10 s": lambda seconds: range(_FIRST_CALIBRATION_SECONDS, seconds, 10),
}


def summary(errors: Numbers) -> Row:
    """Return percentiles of the error's size in microseconds."""
    sizes = np.abs(errors[np.isfinite(errors)]) * 1e6
    p50, p95, p999 = np.percentile(sizes, [50, 95, 99.9])
    return {"p50_us": round(float(p50), 1), "p95_us": round(float(p95), 1), "p99.9_us": round(float(p999), 1)}


def measured(*, seeds: Sequence[int], minutes: float, filters: Sequence[str] = FILTERS) -> Iterator[Row]:
    """Yield a row for each network and filter: two devices, the error between them."""
    skipped, ticks = _ticks(minutes)
    for name, network in NETWORKS.items():
        for filter_name in filters:
            differences, after_1_s, after_10_s = [], [], []
            for seed in seeds:
                one, other = (
                    errors_of(
                        filter_name,
                        device(network, ticks, (seed, which), clock_is_disciplined="ntp" in filter_name),
                    )
                    for which in (0, 1)
                )
                differences.append((one - other)[skipped:])
                after_1_s += _worst(one, other, 1.0, 2.0)
                after_10_s += _worst(one, other, 10.0, 20.0)
            yield {
                "network": name,
                "filter": filter_name,
                **summary(np.concatenate(differences)),
                "worst_at_1_s_us": round(max(after_1_s, default=np.nan)),
                "worst_from_10_s_us": round(max(after_10_s, default=np.nan)),
            }


def measured_calibrated(*, seeds: Sequence[int], minutes: float, acoustic_us: float) -> Iterator[Row]:
    """Yield rows with what stamps cannot see: ways that differ by up to 10 %, cards late by up to 0.3 ms."""
    skipped, ticks = _ticks(minutes)
    for name, network in NETWORKS.items():
        for way, when in CALIBRATIONS.items():
            differences = []
            for seed in seeds:
                random = np.random.default_rng((seed, 2))
                pair = [
                    device(
                        network,
                        ticks,
                        (seed, which),
                        asymmetry=random.uniform(-0.1, 0.1),
                        card_delay_seconds=random.uniform(0, 3e-4),
                    )
                    for which in (0, 1)
                ]
                at_seconds = when(round(ticks * TICK_SECONDS))
                difference = calibrated_difference(pair, random, at_seconds, acoustic_us=acoustic_us)
                differences.append(difference[skipped:])
            yield {"network": name, "calibrated": way, **summary(np.concatenate(differences))}


def _ticks(minutes: float) -> tuple[int, int]:
    skipped = round(WARM_UP_SECONDS / TICK_SECONDS)
    return skipped, skipped + round(minutes * 60 / TICK_SECONDS)


def _worst(one: Numbers, other: Numbers, start_seconds: float, end_seconds: float) -> list[float]:
    """Return the largest error in a stretch where both play, in microseconds."""
    stretch = slice(round(start_seconds / TICK_SECONDS), round(end_seconds / TICK_SECONDS))
    sizes = np.abs((one - other)[stretch])
    return [float(np.nanmax(sizes)) * 1e6] if np.isfinite(sizes).any() else []


def measured_acoustic(*, rooms: int, seed: int) -> Iterator[Row]:
    """Yield a row for rooms without and with an echo right behind the direct sound."""
    for near_echo in (0.0, 0.5):
        rows = list(sync_acoustic.measured(rooms=rooms, near_echo=near_echo, seed=seed))
        errors = np.array([row["error_us"] for row in rows if "refused" not in row], np.float64) * 1e-6
        yield {
            "acoustic": "rooms" if not near_echo else "rooms, near echo of half the level",
            **summary(errors),
            "hearing_p95_us": round(_percentile(rows, "hearing_error_us", 95), 1),
            "rms_us": round(float(np.sqrt(np.mean(errors**2))) * 1e6, 1),
            "rooms": rooms,
            "refused": rooms - errors.size,
        }


def _percentile(rows: Sequence[Row], name: str, percent: float) -> float:
    sizes = [abs(float(value)) for row in rows if (value := row.get(name)) is not None]
    return float(np.percentile(sizes, percent))


def all_measured(
    *, seeds: Sequence[int], minutes: float, rooms: int, parts: Sequence[str] = PARTS
) -> Iterator[Row]:
    """Yield the rows of `PARTS`; calibrated devices err as the rooms without a near echo have shown."""
    if "clocks" in parts:
        yield from measured(seeds=seeds, minutes=minutes)
    if "acoustic" in parts:
        rows = list(measured_acoustic(rooms=rooms, seed=seeds[0]))
        yield from rows
        acoustic_us = float(rows[0]["rms_us"] or 0)
        yield from measured_calibrated(seeds=seeds, minutes=minutes, acoustic_us=acoustic_us)
