"""Machines that repeat: the table sounds like the points that it replaces."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import welch

from sensing.simulation.baseband.echo import factorised_echo
from sensing.simulation.baseband.fan_blades import FanBlades
from sensing.simulation.baseband.inner_rate import at_inner_rate, inner_rate
from sensing.simulation.baseband.port import Phasors
from sensing.simulation.baseband.renderer import BasebandRenderer
from sensing.simulation.baseband.room_images import Array
from sensing.simulation.baseband.scatterers import Mechanism
from sensing.simulation.baseband.scene import Scene
from sensing.simulation.baseband.scene_nuisances import Curtain, Fan, Plant
from sensing.simulation.baseband.swaying import SwayingCurtain, SwayingPlant
from sensing.simulation.baseband.tabulated_echo import TabulatedEcho

RATE = 1_000
HUB = BasebandRenderer(Scene(seconds=1))
FAN = Fan(kind="fan", position_m=(4.0, 3.0, 1.0), wander_percent=0)
FANS = {
    "fan": FAN,
    "slow fan": FAN.model_copy(update={"rpm": 80, "blades": 5}),
    "quick fan": FAN.model_copy(update={"rpm": 2_000}),
    "oscillating fan": FAN.model_copy(update={"oscillation_hz": 0.1}),
    "oscillating fan of five blades": FAN.model_copy(update={"oscillation_hz": 0.1, "blades": 5, "rpm": 600}),
}
CURTAIN = Curtain(kind="curtain", from_m=(3.0, 2.0), to_m=(4.5, 2.0))
PLANT = Plant(kind="plant", position_m=(2.0, 2.0, 0.8))
MACHINES = [*FANS, "curtain", "curtain in the wind", "plant", "plant in the wind"]


def fan_blades(fan: Fan) -> FanBlades:
    return FanBlades(
        fan,
        ends=math.inf,
        seen_from=HUB.speaker.images.positions[0],
        wavelength_m=HUB.room.wavelength_m,
        chance=np.random.default_rng(1),
    )


def machine(name: str) -> Mechanism:
    if name in FANS:
        return fan_blades(FANS[name])
    wind = 4.0 if "wind" in name else 1.0
    wavelength_m, chance = HUB.room.wavelength_m, np.random.default_rng(2)
    if "curtain" in name:
        curtain = CURTAIN.model_copy(update={"sway_m": 0.02 * wind})
        return SwayingCurtain(curtain, ends=math.inf, wavelength_m=wavelength_m, chance=chance)
    plant = PLANT.model_copy(update={"sway_m": 0.005 * wind})
    return SwayingPlant(plant, ends=math.inf, wavelength_m=wavelength_m, chance=chance)


def tabulated(one: Mechanism) -> TabulatedEcho:
    return TabulatedEcho(one, HUB.speaker, HUB.microphones, RATE)


def every_point(one: Mechanism, first: int, frames: int) -> Phasors:
    """Return the echo of every point at 8 kHz, brought down to the baseband."""

    def dense(inner_first: int, inner_frames: int, inner_hz: int) -> Phasors:
        points, strengths = one.at((inner_first + np.arange(inner_frames)) / inner_hz)
        flat = points.reshape(-1, 3)
        sent = HUB.speaker.field(flat) * strengths.ravel()
        heard = [(sent * port.field(flat)).reshape(len(points), -1).sum(axis=0) for port in HUB.microphones]
        return np.array(heard, np.complex64)

    return at_inner_rate(dense, Fraction(8), first=first, frames=frames, rate_hz=RATE)


def band_energies(echo: Phasors) -> Array:
    density = welch(echo, RATE, nperseg=256, return_onesided=False)[1].sum(axis=0)
    hz = np.abs(np.fft.fftfreq(256, 1 / RATE))
    return np.array(
        [density[(hz >= low) & (hz < high)].sum() for low, high in pairwise((6, 12, 24, 40, 96, 200, 400))]
    )


@pytest.mark.parametrize("name", MACHINES)
def test_a_table_is_the_echo_of_its_points(name: str) -> None:
    one = machine(name)
    first, frames = 3_600_000, 400
    exact = every_point(one, first, frames)
    table = tabulated(one)
    error = np.sum(np.abs(table.process(first, frames) - exact) ** 2)
    # relative to the moving part in a longer stretch: in 0.4 s a curtain may hang nearly still
    moving = np.var(table.process(first, 20_000), axis=1).sum() * frames
    assert 10 * math.log10(error / moving) <= -40


@pytest.mark.parametrize("name", MACHINES)
def test_a_table_has_the_energies_of_the_direct_echo(name: str) -> None:
    one = machine(name)
    direct = factorised_echo(one, HUB.speaker, HUB.microphones, 60_000, 4_000, rate_hz=RATE)
    fast, slow = band_energies(tabulated(one).process(60_000, 4_000)), band_energies(direct)
    # the recursion of the direct echo is good for -33 dB; what is weaker than that is its error
    heard = slow > slow.sum() * 10**-3
    assert heard.any()
    assert np.abs(10 * np.log10(fast[heard] / slow[heard])).max() <= 1


@settings(max_examples=20, deadline=None)
@given(name=st.sampled_from(MACHINES[3:]), cuts=st.lists(st.integers(1, 499), max_size=4, unique=True))
def test_a_table_does_not_care_how_time_is_cut(name: str, cuts: list[int]) -> None:
    table = tabulated(machine(name))
    whole = table.process(8_000, 4_000)
    edges = 8 * np.array([0, *sorted(cuts), 500])
    pieces = [table.process(8_000 + int(low), int(high - low)) for low, high in pairwise(edges)]
    # single precision, added in another order
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, atol=2e-6 * np.abs(whole).max())


def test_a_fan_wanders_by_what_it_is_told_and_keeps_its_mean_speed() -> None:
    seconds = np.arange(0, 3_600, 0.1)
    crank, _ = fan_blades(FAN.model_copy(update={"wander_percent": 0.5})).phases(seconds)
    speed = np.diff(crank[0]) / 0.1 / (FAN.blades * FAN.rpm / 60)
    assert speed.mean() == pytest.approx(1, abs=1e-4)
    assert speed.std() == pytest.approx(0.005, rel=0.05)


def test_tips_beyond_the_band_do_not_fold_into_it() -> None:
    # five blades at 40 turns a second: lines at multiples of 200 Hz, those beyond 500 Hz are cut off
    quick = tabulated(fan_blades(FAN.model_copy(update={"rpm": 2_400, "blades": 5})))
    density = welch(quick.process(2_000, 8_000)[0], RATE, nperseg=1_000, return_onesided=False)[1]
    on_a_line = np.isin(np.round(np.fft.fftfreq(1_000, 1 / RATE)) % 200, [0, 1, 2, 198, 199])
    assert density[~on_a_line].sum() < 1e-5 * density[on_a_line].sum()


@pytest.mark.parametrize(
    ("highest_hz", "ratio"),
    [(7.6, Fraction(1, 8)), (80.0, Fraction(1, 4)), (400.0, Fraction(1)), (2_000.0, Fraction(8))],
)
def test_an_echo_is_computed_at_the_rate_that_its_shift_needs(highest_hz: float, ratio: Fraction) -> None:
    assert inner_rate(highest_hz, RATE) == ratio


@pytest.mark.parametrize("ratio", [Fraction(1, 8), Fraction(1, 2), Fraction(1), Fraction(4)])
def test_a_tone_keeps_its_size_and_phase_at_every_inner_rate(ratio: Fraction) -> None:
    def tone(first: int, frames: int, rate_hz: int) -> NDArray[np.complex64]:
        return np.exp(2j * np.pi * 30 * (first + np.arange(frames)) / rate_hz)[None].astype(np.complex64)

    brought = at_inner_rate(tone, ratio, first=1_600, frames=800, rate_hz=RATE)
    np.testing.assert_allclose(brought, tone(1_600, 800, RATE), atol=2e-3)


def test_who_is_not_there_is_not_asked() -> None:
    class Gone:
        highest_hz = 400.0
        begins, ends = 5.0, 6.0

        def at(self, seconds: Array) -> tuple[Array, Array]:
            raise AssertionError

    for first in (0, 4_000, 6_000):
        echo = factorised_echo(Gone(), HUB.speaker, HUB.microphones, first, 1_000, rate_hz=RATE)
        assert not echo.any()
