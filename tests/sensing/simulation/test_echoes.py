"""The baseband echo against theory, and against a full-rate simulation of the samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import firwin, welch

from sensing.dsp.air import air_absorption_db, air_absorption_nepers, speed_of_sound_mps
from sensing.simulation.baseband.echo import factorised_echo, retarded_echo
from sensing.simulation.baseband.fan_blades import FanBlades
from sensing.simulation.baseband.inner_rate import inner_rate
from sensing.simulation.baseband.port import SUBSTEPS, Port
from sensing.simulation.baseband.room_images import Acoustics, room_images
from sensing.simulation.baseband.scatterers import strength
from sensing.simulation.baseband.scene_nuisances import Fan
from sensing.simulation.baseband.walking import Route, WalkingBody

Array = NDArray[np.float64]
CARRIER = 20_000.0
RATE = 1_000
SPEED = speed_of_sound_mps()
FORWARD = np.array([0.0, 1.0, 0.0])


class Points:
    """Points on given ways, of strength one."""

    highest_hz = 400.0
    begins, ends = -math.inf, math.inf

    def __init__(self, way: Callable[[Array], Array]) -> None:
        self.way = way

    def at(self, seconds: Array) -> tuple[Array, Array]:
        points = self.way(seconds)
        return points, np.ones(points.shape[:2])


def room(*, order: int, carrier_hz: float = CARRIER, absorption: float = 0.5) -> Acoustics:
    return Acoustics(
        size_m=np.array([5.0, 6.0, 2.6]),
        reflections=np.full((3, 2), math.sqrt(1 - absorption)),
        order=order,
        decay_seconds=0.0,
        wavelength_m=SPEED / carrier_hz,
        loss_nepers=air_absorption_nepers(carrier_hz),
        speed_mps=SPEED,
    )


def port(place: tuple[float, float, float], where: Acoustics) -> Port:
    return Port(np.array(place), FORWARD, where)


def walker(seed: int, path: list[tuple[float, float]], speed_mps: float = 1.0) -> WalkingBody:
    route = Route(path, begins=-1.0, speed_mps=speed_mps)
    return WalkingBody(route, height_m=1.75, leaves=1e3, chance=np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("hz", "humidity", "db"),
    [
        (18_000, 50, 0.44),
        (20_000, 50, 0.52),
        (22_000, 50, 0.61),
        (25_000, 50, 0.73),
        (32_800, 50, 1.05),
        (40_000, 50, 1.32),
        (32_800, 20, 0.68),
    ],
)
def test_air_absorbs_as_the_standard_says(hz: float, humidity: float, db: float) -> None:
    # the table has two decimals
    assert air_absorption_db(hz, humidity_percent=humidity) == pytest.approx(db, abs=0.01)


def test_a_shoebox_has_one_seven_and_twenty_five_images() -> None:
    place = np.array([1.0, 2.0, 1.5])
    assert [len(room_images(place, room(order=n)).gains) for n in range(3)] == [1, 7, 25]
    images = room_images(place, room(order=1))
    assert {tuple(np.round(one, 6)) for one in images.positions} == {
        (1, 2, 1.5),
        (-1, 2, 1.5),
        (9, 2, 1.5),
        (1, -2, 1.5),
        (1, 10, 1.5),
        (1, 2, -1.5),
        (1, 2, 3.7),
    }
    assert sorted(images.gains)[0] == pytest.approx(math.sqrt(0.5))


@pytest.mark.parametrize("speed_mps", [0.5, 1.0, 2.0])
def test_a_point_that_comes_nearer_shifts_by_twice_its_speed_over_the_wavelength(speed_mps: float) -> None:
    where = room(order=0)
    hub = port((2.5, 0.3, 1.0), where)
    group = Points(lambda t: np.stack([0 * t + 2.5, 4.5 - speed_mps * t, 0 * t + 1.0], axis=1)[None])
    echo = factorised_echo(group, hub, [hub], first=0, frames=1_600, rate_hz=RATE)[0]
    phase = np.unwrap(np.angle(echo))
    shift_hz = np.polyfit(np.arange(1_600) / RATE, phase, 1)[0] / (2 * math.pi)
    assert shift_hz == pytest.approx(2 * speed_mps * CARRIER / SPEED, rel=0.005)


def test_an_echo_is_as_loud_as_the_radar_equation_says() -> None:
    where = room(order=0)
    hub = port((2.5, 0.3, 1.0), where)
    still = Points(lambda t: np.broadcast_to([2.5, 3.3, 1.0], (1, len(t), 3)))
    echo = factorised_echo(still, hub, [hub], first=0, frames=SUBSTEPS, rate_hz=RATE)
    loss_db = 6 * air_absorption_db(CARRIER)
    # there and back over 3 m: 1/r each way
    assert 20 * np.log10(np.abs(echo)).max() == pytest.approx(-40 * math.log10(3.0) - loss_db, abs=0.01)
    assert strength(4 * math.pi) == pytest.approx(1.0)


def swinging(seconds: Array) -> Array:
    """Five points that walk and swing, as smooth functions of time."""
    chance = np.random.default_rng(2)
    start = chance.uniform([1.5, 2.5, 0.5], [3.5, 4.5, 1.8], (5, 3))
    velocity = chance.uniform(-0.8, 0.8, (5, 3))
    swing = chance.uniform(0.02, 0.1, (5, 3))
    hz, phase = chance.uniform(0.5, 1.5, (5, 1, 1)), chance.uniform(0, 6, (5, 1, 1))
    turns = 2 * math.pi * hz * seconds[None, :, None] + phase
    return start[:, None] + velocity[:, None] * seconds[None, :, None] + swing[:, None] * np.sin(turns)


def full_rate(where: Acoustics, source: Array, microphone: Array, rate_hz: int, seconds: float) -> Array:
    """Return the samples at a microphone: every path's own delay, solved sample by sample."""
    now = np.arange(round(seconds * rate_hz)) / rate_hz
    heard = np.zeros(len(now))
    sources, places = room_images(source, where), room_images(microphone, where)
    for place, gain in zip(places.positions, places.gains, strict=True):
        for number in range(5):
            then = now
            for _ in range(4):
                back = np.linalg.norm(swinging(then)[number] - place, axis=1)
                then = now - back / SPEED
            point = swinging(then)[number]
            for other, weight in zip(sources.positions, sources.gains, strict=True):
                out = np.linalg.norm(point - other, axis=1)
                loss = np.exp(-where.loss_nepers * (out + back)) / (out * back)
                heard += gain * weight * loss * np.cos(2 * math.pi * CARRIER * (then - out / SPEED))
    return heard


def test_the_retarded_baseband_is_the_full_rate_simulation() -> None:
    where = room(order=1)
    source, microphone = np.array([2.5, 0.3, 1.0]), np.array([2.54, 0.3, 1.08])
    rate_hz, half = 48_000, 2_400
    samples = full_rate(where, source, microphone, rate_hz, 0.4)
    mixed = 2 * samples * np.exp(-2j * math.pi * CARRIER * np.arange(len(samples)) / rate_hz)
    taps = firwin(2 * half + 1, 500, window=("kaiser", 8.0), fs=rate_hz)
    low = np.convolve(mixed, taps, mode="valid")[:: rate_hz // RATE]
    first = half * RATE // rate_hz
    group = Points(swinging)
    exact = retarded_echo(
        group,
        Port(source, FORWARD, where),
        Port(microphone, FORWARD, where),
        first=first,
        frames=len(low),
        rate_hz=RATE,
    )
    error = np.sum(np.abs(exact - low) ** 2) / np.sum(np.abs(low) ** 2)
    assert 10 * math.log10(error) <= -45


def test_the_factorised_form_has_the_energies_of_the_retarded_one() -> None:
    where = room(order=1)
    # speaker and microphone at one place would add the paths ab and ba in phase, which no real hub does
    hub, microphone = port((2.5, 0.3, 1.0), where), port((2.54, 0.3, 1.08), where)
    fast, exact = [], []
    for seed, path in enumerate(
        ([(0.5, 5.5), (3.0, 1.5)], [(4.5, 5.0), (1.0, 2.0)], [(2.0, 5.5), (2.8, 1.2)])
    ):
        body = walker(seed, path)
        spectra = [
            factorised_echo(body, hub, [microphone], first=0, frames=2_800, rate_hz=RATE)[0],
            retarded_echo(body, hub, microphone, first=0, frames=2_800, rate_hz=RATE),
        ]
        for kept, echo in zip((fast, exact), spectra, strict=True):
            kept.append(welch(echo, RATE, nperseg=256, return_onesided=False, detrend=False)[1])
    hz = np.abs(np.fft.fftfreq(256, 1 / RATE))
    for low, high in pairwise((10, 40, 80, 160, 320)):
        band = (hz >= low) & (hz < high)
        ratio = np.mean(fast, axis=0)[band].sum() / np.mean(exact, axis=0)[band].sum()
        assert abs(10 * math.log10(ratio)) <= 1.5, (low, high)


def test_the_phasor_recursion_is_nearly_the_exponential_of_every_frame() -> None:
    where = room(order=2)
    hub = port((2.5, 0.3, 1.0), where)
    body = walker(4, [(0.5, 5.5), (3.0, 1.5)])
    knots = np.arange(501) * SUBSTEPS / RATE
    recursive = hub.response(body.at(knots)[0]).reshape(48, -1)
    points = body.at(np.arange(2_000) / RATE)[0]
    metres, gains = hub.gains(points.reshape(-1, 3))
    exact = (gains * np.exp(-2j * math.pi / where.wavelength_m * metres)).sum(axis=0).reshape(48, -1)
    error = np.sum(np.abs(recursive - exact) ** 2) / np.sum(np.abs(exact) ** 2)
    assert 10 * math.log10(error) <= -33


def fan_blades(fan: Fan, where: Acoustics) -> FanBlades:
    return FanBlades(
        fan,
        ends=9e9,
        seen_from=np.array([2.5, 0.3, 1.0]),
        wavelength_m=where.wavelength_m,
        chance=np.random.default_rng(1),
    )


@pytest.mark.parametrize("rpm", [300, 900, 1_500])
def test_the_phasor_recursion_follows_a_fan(rpm: float) -> None:
    where = room(order=1)
    hub = port((2.5, 0.3, 1.0), where)
    fan = Fan(kind="fan", position_m=(4.0, 3.0, 1.0), rpm=rpm)
    blades = fan_blades(fan, where)
    inner_hz = int(RATE * inner_rate(blades.highest_hz, RATE))
    frames = 2 + np.arange(inner_hz // 4 + SUBSTEPS) / inner_hz
    recursive = hub.response(blades.at(frames[::SUBSTEPS])[0]).reshape(12, -1)
    points = blades.at(frames)[0][:, : recursive.shape[1]]
    metres, gains = hub.gains(points.reshape(-1, 3))
    exact = (gains * np.exp(-2j * math.pi / where.wavelength_m * metres)).sum(axis=0).reshape(12, -1)
    error = np.sum(np.abs(recursive - exact) ** 2) / np.sum(np.abs(exact) ** 2)
    assert 10 * math.log10(error) <= -33


@pytest.mark.parametrize(("metres", "expected_db"), [(3.0, 11.0), (5.0, 0.0)])
def test_somebody_who_walks_is_as_loud_as_the_link_budget_says(metres: float, expected_db: float) -> None:
    carrier_hz, level_db, noise_db = 20_500.0, 65.0, -5.0
    where = room(order=0, carrier_hz=carrier_hz)
    hub = port((2.5, 0.1, 1.0), where)
    body = walker(5, [(2.5, metres + 1.6), (2.5, metres - 1.6)])
    echo = factorised_echo(body, hub, [hub], first=100, frames=1_000, rate_hz=RATE)[0]
    density = welch(echo, RATE, nperseg=256, return_onesided=False, detrend=False)[1]
    hz = np.abs(np.fft.fftfreq(256, 1 / RATE))
    band = (hz > 40) & (hz < 200)
    width_hz = RATE / 256
    signal_db = level_db + 10 * math.log10(density[band].sum() * width_hz)
    # a receding and an approaching side: one-sided noise of the samples fills both
    walk_noise_db = noise_db + 10 * math.log10(band.sum() * width_hz)
    # the table's person is an average over directions and gaits
    assert signal_db - walk_noise_db == pytest.approx(expected_db, abs=5)
