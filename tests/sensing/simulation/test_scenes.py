"""Rendered scenes: each nuisance and fault leaves its own trace, and the truth tells it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy.signal import welch

from hub.cli.simulate import load_scene
from sensing.simulation.baseband.interferers import folded_hz
from sensing.simulation.baseband.passband import to_passband
from sensing.simulation.baseband.recording import Recording
from sensing.simulation.baseband.renderer import BasebandRenderer, render
from sensing.simulation.baseband.scene import Scene

SCENES = Path(__file__).parents[3] / "docs" / "scenes"
WALKER = {"kind": "walker", "at": 1.0, "path": [[0.5, 3.5], [2.5, 1.5]], "then": "leaves"}


def scene(**changes: object) -> Scene:
    return Scene.model_validate({"seconds": 4, "hub": {"variation": 0}, **changes})


def rendered(**changes: object) -> Recording:
    return render(scene(**changes))


def spectrum(recording: Recording, frames: int = 2_048) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return frequencies and energies relative to the carrier in dB."""
    row = recording.baseband[0]
    hz, density = welch(
        row - row.mean(), recording.scene.baseband_hz, "blackman", frames, return_onesided=False
    )
    return hz, 10 * np.log10(density / abs(row.mean()) ** 2 + 1e-20)


@pytest.mark.parametrize("path", sorted(SCENES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_renders(path: Path) -> None:
    described = load_scene(path).model_copy(update={"seconds": 3.0})
    recording = render(described)
    assert recording.baseband.shape == (described.hub.microphones, 3 * described.baseband_hz)
    assert recording.baseband.dtype == np.complex64
    assert np.isfinite(recording.baseband).all()
    assert 0.001 < np.abs(recording.baseband).mean() < 1


def test_there_are_seven_examples() -> None:
    assert len(list(SCENES.glob("*.yaml"))) == 7


def test_the_same_seed_gives_the_same_bits_and_another_does_not() -> None:
    first, again, other = (rendered(seed=seed, people=[WALKER]) for seed in (7, 7, 8))
    assert np.array_equal(first.baseband, again.baseband)
    assert not np.array_equal(first.baseband, other.baseband)


@settings(max_examples=5, deadline=None)
@given(cuts=st.lists(st.integers(1, 3_999), max_size=6, unique=True))
def test_a_scene_is_the_same_however_it_is_cut(cuts: list[int]) -> None:
    described = scene(
        people=[WALKER],
        faults=[{"kind": "music"}, {"kind": "dropouts", "per_minute": 60, "fill": "repeat"}],
    )
    renderer = BasebandRenderer(described)
    lengths = np.diff([0, *sorted(cuts), 4_000])
    pieces = np.concatenate([renderer.process(int(length)) for length in lengths], axis=1)
    assert np.array_equal(pieces, render(described).baseband)


def test_the_truth_tells_who_came_and_went() -> None:
    truth = rendered(people=[WALKER]).truth
    events = truth.events()
    assert {"at": 1.0, "event": "presence", "present": True} in events
    assert next(event for event in events if event["event"] == "motion") == {
        "at": pytest.approx(1.0, abs=0.2),
        "event": "motion",
        "kind": "major",
    }
    # 2.83 m at 1 m/s
    assert {"at": 3.85, "event": "presence", "present": False} in events


def test_who_stops_on_the_way_stands_still_and_who_sits_down_only_gestures() -> None:
    walker = {
        **WALKER,
        "path": [[0.5, 3.5], [1.5, 3.5], [2.5, 3.5]],
        "stops": [{"point": 1, "seconds": 2}],
        "then": "sits",
        "gestures_per_minute": 12,
    }
    truth = rendered(seconds=40, people=[walker]).truth
    # a metre until 2 s, a rest until 4 s, a metre until 5 s; 0.2 s of each to start and stop
    assert set(truth.motion[26:36]) == {2}
    assert set(truth.motion[46:74]) == {0}
    assert set(truth.motion[86:96]) == {2}
    assert set(truth.motion[110:]) == {0, 1}
    assert truth.occupied[20:].all()
    assert not truth.occupied[:20].any()


def test_a_gesture_is_minor_motion_and_breath_is_none() -> None:
    sitter = {
        "kind": "sitter",
        "position_m": [2.5, 2.0],
        "gestures": [{"at": 2.0, "kind": "reach"}],
        "gestures_per_minute": 0,
    }
    recording = rendered(people=[sitter])
    motion = recording.truth.motion
    assert recording.truth.occupied.all()
    assert set(motion[:39]) == {0}
    assert set(motion[41:50]) == {1}
    row = recording.baseband[0] - recording.baseband[0].mean()
    quick = np.abs(np.diff(row)) ** 2
    assert quick[2_100:2_900].mean() > 2 * quick[:1_900].mean()


def test_a_fan_gives_lines_at_multiples_of_its_blade_pass() -> None:
    fan = {"kind": "fan", "position_m": [2.6, 1.6, 1.0], "blades": 4, "rpm": 300, "turbulence_db": -90}
    hz, level_db = spectrum(rendered(seconds=6, nuisances=[fan], hub={"variation": 0, "noise_db": -30}))
    # 4 blades at 5 turns a second
    on = [level_db[np.argmin(np.abs(hz - 20 * n))] for n in range(2, 8)]
    off = [level_db[np.argmin(np.abs(hz - 20 * n - 10))] for n in range(2, 8)]
    assert min(np.array(on) - np.array(off)) > 10


def test_bass_appears_on_both_sides_of_the_carrier() -> None:
    tone = np.sin(2 * math.pi * 60 * np.arange(48_000) / 48_000).astype(np.float32)
    fault = {"kind": "music", "amplitude_db": -36, "excursion_m": 8e-5}
    recording = render(scene(faults=[fault]), music=tone)
    hz, level_db = spectrum(recording)
    for bass_hz in (-60, 60):
        near = np.abs(hz - bass_hz) < 1
        beside = (np.abs(hz - bass_hz) > 8) & (np.abs(hz - bass_hz) < 20)
        assert level_db[near].max() > level_db[beside].max() + 30
    assert recording.reference is not None
    assert recording.reference.shape == (1, 4 * 48_000)
    assert recording.excursion is not None


@pytest.mark.parametrize("drift_ppm", [20.0, -50.0])
def test_clocks_that_drift_move_the_carrier(drift_ppm: float) -> None:
    recording = rendered(carrier_hz=20_000.0, clocks={"drift_ppm": drift_ppm})
    turn = np.unwrap(np.angle(recording.baseband[0]))
    hz = np.polyfit(np.arange(len(turn)) / 1_000, turn, 1)[0] / (2 * math.pi)
    # 20 ppm of 20 kHz are 0.4 Hz
    assert hz == pytest.approx(20_000 * drift_ppm * 1e-6, abs=0.005)


@pytest.mark.parametrize("fill", ["zero", "repeat"])
def test_dropouts_are_where_they_are_told(fill: str) -> None:
    fault = {"kind": "dropouts", "at": 1.0, "until": 3.0, "per_minute": 120, "samples": 480, "fill": fill}
    described = scene(faults=[fault])
    dropped = BasebandRenderer(described).card.dropouts
    with_dropouts, without = to_passband(render(described)), to_passband(render(scene()))
    assert dropped
    changed = np.zeros(4 * 48_000, bool)
    for at, samples, _ in dropped:
        first = round(at * 48_000)
        changed[first : first + samples] = True
        if fill == "zero":
            assert not with_dropouts[:, first : first + samples].any()
        else:
            before = with_dropouts[:, first - samples : first]
            assert np.array_equal(with_dropouts[:, first : first + samples], before)
    assert np.array_equal(with_dropouts[:, ~changed], without[:, ~changed])


def test_a_dead_microphone_is_silent_and_a_clipped_one_is_full() -> None:
    dead = rendered(faults=[{"kind": "dead_microphone", "microphone": 1}])
    assert np.abs(dead.baseband[1]).max() < 1e-4 < np.abs(dead.baseband[0]).min()
    samples = to_passband(rendered(faults=[{"kind": "clipping", "gain_db": 60}]))
    assert samples.min() == -1.0
    assert np.mean(np.abs(samples) > 0.99) > 0.5


def test_a_line_above_half_the_rate_is_heard_folded_down() -> None:
    assert folded_hz(65_000, 48_000) == 17_000
    line = {"kind": "line", "hz": 68_300, "level_db": 40, "drift_hz": 0}
    hz, level_db = spectrum(rendered(carrier_hz=20_500.0, faults=[line]))
    # 68.3 kHz folds to 20.3 kHz, 200 Hz below the carrier
    assert hz[np.argmax(np.where(np.abs(hz) > 50, level_db, -999))] == pytest.approx(-200, abs=1)


def test_another_hub_beats_with_the_carrier_while_it_is_on() -> None:
    other = {"kind": "other_hub", "hz": 20_600, "level_db": 50, "at": 2.0}
    row = rendered(faults=[other]).baseband[0]
    turn = np.exp(-2j * math.pi * 100 * np.arange(4_000) / 1_000)
    before, after = abs((row * turn)[:1_900].mean()), abs((row * turn)[2_100:].mean())
    assert after > 10 * before


def test_keys_are_short_and_broad() -> None:
    keys = {"kind": "keys", "at": 2.0, "until": 3.0, "level_db": 25, "bursts_per_second": 8}
    row = rendered(faults=[keys]).baseband[0]
    power = np.abs(row - np.median(row)) ** 2
    assert power[2_000:3_000].max() > 30 * power[:1_900].max()


@pytest.mark.parametrize(
    "nuisance",
    [
        {"kind": "curtain", "from_m": [1.5, 3.0], "to_m": [3.5, 3.0]},
        {"kind": "plant", "position_m": [2.0, 2.0, 1.0], "sway_m": 0.01},
        {"kind": "pet", "path": [[1.0, 3.0], [3.0, 1.5]]},
        {"kind": "door", "hinge_m": [1.0, 3.9], "at": 1.0},
        {"kind": "vacuum"},
        {"kind": "hvac", "turbulence_db": -45},
        {"kind": "neighbour", "path": [[0.2, 3.5], [4.0, 3.5]], "aperture_db": -10},
        {"kind": "fan", "position_m": [2.6, 1.6, 1.0]},
    ],
    ids=lambda nuisance: str(nuisance["kind"]),
)
def test_every_nuisance_moves_the_echo_and_is_nobody(nuisance: dict[str, object]) -> None:
    quiet = {"variation": 0, "noise_db": -30, "jitter_dbc": -130}
    moving, still = (rendered(hub=quiet, nuisances=some) for some in ([nuisance], []))
    power = [np.var(one.baseband[0]) for one in (moving, still)]
    assert power[0] > 10 * power[1]
    assert not moving.truth.occupied.any()
    assert moving.truth.nuisances[str(nuisance["kind"])].any()


def test_noise_has_the_density_that_the_scene_gives() -> None:
    hub = {"variation": 0, "noise_db": 10, "jitter_dbc": -160}
    recording = rendered(hub=hub, seconds=8)
    # 10 dB SPL/Hz against 120 dB full scale, over 1 kHz
    inside = 10 * np.log10(np.var(recording.baseband[0]))
    assert inside == pytest.approx(10 - 120 + 30, abs=0.3)
    hz, density = welch(to_passband(recording)[0], 48_000, nperseg=4_096)
    floor_db = 10 * np.log10(np.median(density[(hz > 5_000) & (hz < 15_000)]) * 2)
    near_db = 10 * np.log10(np.median(density[(np.abs(hz - 20_500) < 350) & (np.abs(hz - 20_500) > 60)]) * 2)
    assert floor_db == pytest.approx(10 - 120, abs=0.5)
    assert near_db == pytest.approx(floor_db, abs=1.5)


def test_a_scene_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValidationError, match="does not fit"):
        scene(carrier_hz=30_000)
    with pytest.raises(ValidationError, match="outside the room"):
        scene(hub={"position_m": [9, 1, 1]})
    with pytest.raises(ValidationError, match="a stop names a point"):
        scene(people=[{**WALKER, "stops": [{"point": 5, "seconds": 1}]}])
