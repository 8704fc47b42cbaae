"""What real rooms and loudspeakers add: loud music, bodies in the way, edges of the emission, warm air."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from sensing.simulation.baseband.amplifier import Amplifier, limiter_gain
from sensing.simulation.baseband.renderer import BasebandRenderer, render
from sensing.simulation.baseband.scene import Scene
from sensing.simulation.baseband.scene_faults import Music

QUIET = {"variation": 0, "noise_db": -40, "jitter_dbc": -150}
CARRIER = 20_500.0
RATE = 48_000


def scene(**changes: object) -> Scene:
    return Scene.model_validate({"seconds": 4, "hub": QUIET, "clocks": {"bits": 24}, **changes})


def heard(**changes: object) -> NDArray[np.complex64]:
    return render(scene(**changes)).baseband


def tones(*hz: float) -> NDArray[np.float32]:
    seconds = np.arange(2 * RATE) / RATE
    return sum((np.sin(2 * math.pi * one * seconds + one) for one in hz), np.zeros(2 * RATE)).astype(
        np.float32
    )


def amplifier(loop: NDArray[np.float32], *, carrier_db: float = 70.0, **changes: object) -> Amplifier:
    music = Music.model_validate({"kind": "music", "level_db": 80.0, **changes})
    return Amplifier.at_work(
        music, loop, rate_hz=RATE, baseband_hz=1_000, carrier_hz=CARRIER, carrier_db=carrier_db
    )


def line_db(frames: NDArray[np.complex128], hz: float) -> float:
    """Return the amplitude of a line in the two seconds of a loop."""
    return float(20 * np.log10(abs(np.fft.fft(frames)[round(2 * hz)]) / len(frames) + 1e-15))


def test_a_limiter_ducks_the_carrier_at_every_kick() -> None:
    kicks = np.tile(np.r_[np.full(RATE // 20, 0.5), np.full(RATE - RATE // 20, 0.01)], 2)
    gain = limiter_gain(kicks.astype(np.float32), 6.0, rate_hz=RATE)
    assert 20 * np.log10(gain.min()) == pytest.approx(-6, abs=0.1)
    # down within 20 ms of the kick; 6 dB are forgotten 140 ms after its end, with a time constant of 200 ms
    assert gain[3] < 0.52
    assert 0.6 < gain[12] < 0.8
    assert gain[22] == gain[98] == 1.0
    ducked = amplifier(kicks.astype(np.float32), limiter_db=6.0).gain
    assert np.abs(ducked).min() == pytest.approx(10 ** (-6 / 20), rel=0.01)


def test_clipped_music_silences_the_carrier_and_its_overtones_fall_beside_it() -> None:
    # the fifth overtone of 4,120 Hz is 100 Hz above the carrier
    clipped = amplifier(tones(4_120), clipping_db=6.0)
    # a sine of twice the rail is below it for a third of the time
    assert clipped.gain.mean() == pytest.approx(1 / 3, abs=0.01)
    turn = 2 * math.pi * np.arange(100_000) / 100_000
    cut = np.clip(math.sqrt(2) * np.sin(turn), -1 / math.sqrt(2), 1 / math.sqrt(2))
    fifth = 2 * np.mean(cut * np.sin(5 * turn))
    # 10 dB more than the carrier, whose peak is the root of two
    assert line_db(clipped.added, 100) == pytest.approx(
        20 * math.log10(abs(fifth) / math.sqrt(2)) + 10, abs=0.1
    )


def test_treble_makes_the_products_of_a_cubic_amplifier() -> None:
    rate_hz, frames = 4 * RATE, 8 * RATE
    seconds = np.arange(frames) / rate_hz
    hz = (6_790.0, 6_870.0)
    music = sum((np.sin(2 * math.pi * one * seconds + one) for one in hz), np.zeros(frames))
    carrier = math.sqrt(2) * 10 ** (-20 / 20) * np.cos(2 * math.pi * CARRIER * seconds)
    third = 10 ** (-40 / 20)
    both = music + carrier
    played = both + third / 3 * both**3
    mixed = np.fft.fft(played * np.exp(-2j * math.pi * CARRIER * seconds)) / frames
    expected = mixed[np.r_[0:1_000, frames - 1_000 : frames]] * 2 / (math.sqrt(2) * 10 ** (-20 / 20))
    modelled = amplifier(tones(*hz), carrier_db=60.0, treble_db=-40.0)
    found = np.fft.fft(modelled.gain + modelled.added) / 2_000
    beside = np.abs(np.fft.fftfreq(2_000, 1 / 1_000)) > 5
    error = np.sum(np.abs(found - expected)[beside] ** 2) / np.sum(np.abs(expected[beside]) ** 2)
    assert 10 * math.log10(error) <= -40


def test_an_amplifier_within_its_limits_changes_nothing() -> None:
    music = {"kind": "music"}
    assert not Music.model_validate(music).is_too_loud
    loud = heard(faults=[{**music, "treble_db": -20, "limiter_db": 6}])
    plain = heard(faults=[music])
    assert np.array_equal(plain, heard(faults=[{**music, "limiter_db": 0, "clipping_db": 0}]))
    assert not np.allclose(plain, loud, rtol=0.01)


FAN = {
    "kind": "fan",
    "position_m": [2.5, 3.0, 1.0],
    "turbulence_db": -120,
    "rpm": 400,
    "wander_percent": 0,
}


def fan_energy(x: float, **changes: object) -> float:
    """Return the energy of the fan while somebody sits 1.5 m before the hub, ``x`` along the wall."""
    sitter = {
        "kind": "sitter",
        "position_m": [x, 1.8],
        "gestures_per_minute": 0,
        "breath_m": 0,
    }
    row = heard(nuisances=[FAN], people=[sitter], **changes)[0]
    hz = np.fft.fftfreq(4_000, 1 / 1_000)
    energy = np.abs(np.fft.fft(row * np.blackman(4_000))) ** 2
    return float(energy[(np.abs(hz) > 30) & (np.abs(hz) < 300)].sum())


def test_who_sits_between_hides_the_fan_and_who_sits_aside_does_not() -> None:
    between, aside = (10 * math.log10(fan_energy(x, occlusion_db=12) / fan_energy(x)) for x in (2.5, 4.2))
    # a seated body's middle is not exactly on the line
    assert between == pytest.approx(-12, abs=1.5)
    assert aside == pytest.approx(0, abs=0.1)


def test_who_comes_in_slowly_takes_from_the_wall_behind() -> None:
    walker = {"kind": "walker", "at": 1.0, "path": [[2.5, 3.5], [2.5, 2.0]], "then": "stays"}
    room = {"reverberation_seconds": 0}
    open_, hidden = (heard(people=[walker], room=room, occlusion_db=depth) for depth in (0, 15))
    difference = np.abs(hidden - open_)[0]
    assert difference[:800].max() < 1e-3 * np.abs(open_[0, :800]).mean()
    wall = BasebandRenderer(scene(room=room)).static.walls
    north = next(phasors[0] for place, phasors in wall if place[1] == 4.0)
    unit = np.abs(open_[0, 0]) / abs(BasebandRenderer(scene(room=room)).static.carrier[0])
    lost = abs(north) * unit * (1 - 10 ** (-15 / 20))
    # the body's own middle sways about the line
    assert difference[3_500:].mean() == pytest.approx(lost, rel=0.15)


EMISSION = {"on_seconds": 1.2, "off_seconds": 0.8}


def test_the_room_decays_after_the_emission_and_rings_up_to_what_it_was() -> None:
    always, turns = heard(), heard(emission=EMISSION, room={"reverberation_seconds": 0.3})
    level_db = 20 * np.log10(np.abs(heard(emission=EMISSION)[0]) / np.abs(always[0]).mean() + 1e-9)
    assert np.abs(level_db[700:1_150]).max() < 0.1
    assert level_db[1_900:2_000].max() < -60
    tail_db = 10 * np.log10(
        np.mean(np.abs(turns[0, 1_250:1_350]) ** 2) / np.mean(np.abs(turns[0, 1_350:1_450]) ** 2)
    )
    # 60 dB in 0.3 s are 20 dB in 0.1 s
    assert tail_db == pytest.approx(20, abs=5)


def test_echoes_follow_the_emission_by_their_way() -> None:
    moving, still = heard(nuisances=[FAN], emission=EMISSION), heard(emission=EMISSION)
    echo = np.abs(moving - still)[0]
    # the speaker is silent at 1.2 s; the last echo of 35 ms has gone by then
    assert echo[1_201:1_215].mean() > 1e-2 * echo[600:1_100].mean()
    assert echo[1_240:1_990].max() < 1e-3 * echo[600:1_100].mean()
    assert echo[2_000:2_010].max() < 1e-2 * echo[600:1_100].mean()


def test_a_scene_with_edges_is_the_same_however_it_is_cut() -> None:
    described = scene(
        emission=EMISSION,
        occlusion_db=12,
        room={"drift_c": 0.5, "drift_seconds": 60},
        nuisances=[{**FAN, "oscillation_hz": 0.1}, {"kind": "plant", "position_m": [1.0, 3.0, 1.0]}],
        people=[{"kind": "walker", "path": [[1.5, 2.5], [3.5, 2.5]]}],
        faults=[{"kind": "music", "limiter_db": 6, "treble_db": -30}],
    )
    renderer = BasebandRenderer(described)
    pieces = [renderer.process(frames) for frames in (1, 999, 1_500, 3, 1_497)]
    assert np.array_equal(np.concatenate(pieces, axis=1), render(described).baseband)


def test_each_static_path_drifts_by_its_own_length() -> None:
    # a quarter of the period after the start it is warmer by drift_c
    warmer_c, bare = 0.5, {"reverberation_seconds": 0}
    drifting = heard(seconds=12, room={**bare, "drift_c": warmer_c, "drift_seconds": 46})
    cold, warm = (
        heard(seconds=1, room={**bare, "temperature_c": 20 + more})[:, -1] for more in (0, warmer_c)
    )
    assert np.abs(drifting[:, 0] - cold).max() < 1e-3 * np.abs(cold).max()
    changed = np.abs(warm - cold).max()
    # air of 20.5 C absorbs a little less than air of 20 C, and the square of the warming is left out
    assert np.abs(drifting[:, 11_500] - warm).max() < 0.05 * changed
    assert changed > 0.02 * np.abs(cold).max()


def test_an_emission_needs_both_its_times() -> None:
    with pytest.raises(ValidationError, match="off_seconds"):
        scene(emission={"on_seconds": 1})
