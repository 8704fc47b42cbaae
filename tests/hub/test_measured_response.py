"""The loudspeaker as it is: swept in a simulated room, corrected, kept and used."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import fft
from scipy.io import wavfile

from hub import status
from hub.audio.measurement import Measurement
from hub.audio.simulated_device import CHEAP_DRIVERS, SimulatedDriver, SimulatedSpeakers
from hub.cli.main import run_command
from hub.errors import BadInput
from hub.spatial.filter_design import SpatialFilters, filter_gain_db
from hub.spatial.layout import SpeakerLayout
from hub.spatial.measured_correction import (
    CURVE_HZ,
    MOST_BOOST_DB,
    DriverDeviation,
    corrected,
    minimum_phase,
)
from hub.spatial.measured_response import exponential_sweep, impulse_responses
from hub.spatial_calibration import (
    SpatialCalibration,
    apply_measured,
    measure_drivers,
    read_spatial_calibration,
    spatial_calibration_file,
    usable_calibration,
    write_spatial_calibration,
)
from sensing.calibration.calibration import Hardware

RATE_HZ = 48_000
HARDWARE = Hardware(device="simulated", rate_hz=RATE_HZ, microphones=2, speakers=2)
ABOVE_THE_BOX = np.array([[-0.05, 0.02, 0.08], [0.05, 0.02, 0.08]])
YAML = """
drivers:
  - {name: left, position_m: [-0.1, 0, 0]}
  - {name: right, position_m: [0.1, 0, 0]}
"""
MICROPHONES = """
microphones:
  - {name: a, position_m: [-0.05, 0.02, 0.08]}
  - {name: b, position_m: [0.05, 0.02, 0.08]}
"""


def box(gain_db: float = 9.0) -> SpeakerLayout:
    drivers = [{"name": name, "position_m": [x, 0, 0]} for name, x in (("left", -0.1), ("right", 0.1))]
    return SpeakerLayout.model_validate({"drivers": drivers, "max_filter_gain_db": gain_db})


def measured(
    drivers: tuple[SimulatedDriver, ...],
    *,
    layout: SpeakerLayout | None = None,
    microphones_m: NDArray[np.float64] = ABOVE_THE_BOX,
    noise_dbfs: float = -55.0,
    is_flat: bool = True,
) -> SpatialCalibration:
    layout = layout or box()
    device = SimulatedSpeakers(
        drivers_m=layout.positions_m,
        microphones_m=microphones_m,
        rate_hz=RATE_HZ,
        drivers=drivers,
        noise_dbfs=noise_dbfs,
    )
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with Measurement(device) as measurement:
        return measure_drivers(measurement.play, layout, microphones_m, HARDWARE, at=at, is_flat=is_flat)


@cache
def cheap_box() -> SpatialCalibration:
    return measured(CHEAP_DRIVERS[:2])


def curve_of(driver: SimulatedDriver) -> NDArray[np.float64]:
    impulse = np.zeros((1, 8192))
    impulse[0, 0] = 1
    shape = SimulatedDriver(peak_db=driver.peak_db, peak_hz=driver.peak_hz)
    response = np.abs(fft.rfft(shape.process_response(impulse, RATE_HZ)[0]))
    return 20 * np.log10(np.interp(CURVE_HZ, fft.rfftfreq(8192, 1 / RATE_HZ), response))


def test_the_sweep_stays_below_ultrasound_and_starts_and_ends_without_a_click() -> None:
    sweep = exponential_sweep(RATE_HZ)
    power = np.abs(fft.rfft(sweep)) ** 2
    hz = fft.rfftfreq(len(sweep), 1 / RATE_HZ)
    assert 10 * np.log10(power[hz > 18_500].max() / power.max()) < -60
    assert np.abs(np.diff(sweep, prepend=0, append=0)).max() <= 0.25 * 2 * np.pi * 18_000 / RATE_HZ
    assert np.abs(sweep[:20]).max() < 1e-4


def test_deconvolution_gives_back_a_delay_and_puts_distortion_ahead_of_it() -> None:
    sweep = exponential_sweep(RATE_HZ)
    late = np.roll(sweep, 480)
    response = impulse_responses(sweep, (0.5 * late + 0.2 * late**2)[None], RATE_HZ)[0]
    assert np.argmax(np.abs(response)) == 480
    clean = impulse_responses(sweep, 0.5 * late[None], RATE_HZ)[0]
    after = slice(480, 480 + RATE_HZ // 10)
    # the even distortion comes 0.4 s earlier; -50 dB of the peak is what is left behind it
    assert np.abs(response - clean)[after].max() < 10 ** (-50 / 20) * clean.max()


@pytest.mark.parametrize("noise_dbfs", [-70.0, -45.0])
def test_delays_and_levels_of_the_drivers_are_found_in_a_room(noise_dbfs: float) -> None:
    found = measured(
        (SimulatedDriver(delay_seconds=150e-6, level_db=-2.0), SimulatedDriver()), noise_dbfs=noise_dbfs
    )
    late, early = found.drivers
    assert late.delay_seconds - early.delay_seconds == pytest.approx(150e-6, abs=10e-6)
    assert late.level_db - early.level_db == pytest.approx(-2.0, abs=0.2)
    assert max(one.spread_seconds for one in found.drivers) < 10e-6


def test_a_resonance_is_no_delay_and_its_curve_is_found() -> None:
    left, right = cheap_box().drivers
    assert left.delay_seconds - right.delay_seconds == pytest.approx(40e-6, abs=10e-6)
    for driver, one in zip(CHEAP_DRIVERS, (left, right), strict=False):
        level_db = curve_of(driver)[np.array(CURVE_HZ) <= 8000].mean()
        off_db = np.array(one.curve_db) - (curve_of(driver) - level_db)
        # 3 ms of direct sound resolve a third octave from 700 Hz on
        assert np.sqrt((off_db[3:] ** 2).mean()) < 0.5


def test_far_microphones_give_the_same_as_near_ones() -> None:
    far = measured(CHEAP_DRIVERS[:2], microphones_m=np.array([[0.0, -1.5, 0.0], [0.3, -1.2, 0.2]]))
    for one, other in zip(cheap_box().drivers, far.drivers, strict=True):
        assert one.delay_seconds == pytest.approx(other.delay_seconds, abs=10e-6)
        assert one.level_db == pytest.approx(other.level_db, abs=0.2)


def test_what_all_drivers_share_may_be_the_microphone_and_is_left_alone() -> None:
    found = measured((CHEAP_DRIVERS[0],), is_flat=False)
    assert np.abs([one.curve_db for one in found.drivers]).max() < 0.3


def deviation(delay_seconds: float, level_db: float, curve_db: NDArray[np.float64]) -> DriverDeviation:
    return DriverDeviation(
        delay_seconds=delay_seconds, level_db=level_db, curve_db=curve_db, spread_seconds=0, spread_db=0
    )


def pulses(gain: float = 0.3) -> SpatialFilters:
    taps = np.zeros((3, 2, 512), np.float32)
    taps[..., 256] = gain
    return SpatialFilters(filters=taps, cancellers=taps[:2], rate_hz=RATE_HZ, delay_frames=256)


@settings(max_examples=15, deadline=None)
@given(
    st.floats(-300e-6, 300e-6), st.floats(-3, 3), st.sampled_from([800.0, 2000.0, 6000.0]), st.floats(-5, 5)
)
def test_corrected_filters_through_real_drivers_are_the_designed_ones(
    delay_seconds: float, level_db: float, peak_hz: float, peak_db: float
) -> None:
    driver = SimulatedDriver(delay_seconds=delay_seconds, level_db=level_db, peak_db=peak_db, peak_hz=peak_hz)
    known = deviation(delay_seconds, level_db, curve_of(driver))
    fixed = corrected(pulses(), (known, deviation(0, 0, np.zeros(len(CURVE_HZ)))), box())
    heard = driver.process_response(fixed.filters[0].astype(float), RATE_HZ)[0]
    response = fft.rfft(heard, 8192) / fft.rfft(pulses().filters[0, 0].astype(float), 8192)
    hz = fft.rfftfreq(8192, 1 / RATE_HZ)
    inside = (hz >= 500) & (hz <= 12_000)
    # six points an octave follow a resonance an octave wide to half a decibel, and its phase likewise
    assert np.abs(20 * np.log10(np.abs(response[inside]))).max() < 0.5
    assert np.abs(np.angle(response[inside])).max() < 0.1


def test_a_deep_hole_is_not_filled_beyond_the_limit() -> None:
    hole = np.zeros(len(CURVE_HZ))
    hole[12] = -30
    fixed = corrected(pulses(), (deviation(0, 0, hole),) * 2, box())
    boost_db = filter_gain_db(fixed.filters) - filter_gain_db(pulses().filters)
    assert 0 < boost_db <= MOST_BOOST_DB + 0.5  # what was cut off the taps rings a little


def test_no_corrected_filter_is_louder_than_the_layout_allows() -> None:
    soft = deviation(0, -6, np.zeros(len(CURVE_HZ)))
    fixed = corrected(pulses(1.0), (soft, soft), box(gain_db=3.0))
    assert filter_gain_db(fixed.filters) <= 3.01
    assert filter_gain_db(fixed.cancellers) <= 3.01


def test_least_delay_has_the_level_asked_for() -> None:
    hz = fft.rfftfreq(4096)
    level_db = 5 * np.cos(20 * hz)
    response = minimum_phase(level_db, 4096)
    np.testing.assert_allclose(20 * np.log10(np.abs(response)), level_db, atol=1e-6)


def test_a_loudspeaker_that_is_not_plugged_in_is_said() -> None:
    dead = (SimulatedDriver(level_db=-160), SimulatedDriver())
    with pytest.raises(BadInput, match=r"microphone \d does not hear driver 'left'"):
        measured(dead)


def test_a_driver_that_is_far_too_late_points_at_the_layout() -> None:
    with pytest.raises(BadInput, match=r"'left' is 1\.5 ms late; are the drivers in the order"):
        measured((SimulatedDriver(delay_seconds=3e-3), SimulatedDriver()))


def test_what_was_measured_is_kept_and_taken_into_use(tmp_path: Path) -> None:
    assert usable_calibration(box(), HARDWARE, tmp_path) is None
    path = spatial_calibration_file(tmp_path)
    write_spatial_calibration(path, cheap_box())
    assert read_spatial_calibration(path) == cheap_box()
    assert usable_calibration(box(), HARDWARE, tmp_path) == cheap_box()
    used = apply_measured(pulses(), cheap_box(), box())
    assert np.abs(used.filters - pulses().filters).max() > 0.01


@pytest.mark.parametrize("why", ["other hardware", "moved driver", "damaged"])
def test_what_does_not_fit_is_not_used(why: str, tmp_path: Path) -> None:
    path = spatial_calibration_file(tmp_path)
    write_spatial_calibration(path, cheap_box())
    layout, hardware = box(), HARDWARE
    if why == "other hardware":
        hardware = HARDWARE.model_copy(update={"device": "USB"})
    elif why == "moved driver":
        driver = layout.drivers[0].model_copy(update={"position_m": (-0.2, 0.0, 0.0)})
        layout = layout.model_copy(update={"drivers": (driver, layout.drivers[1])})
    else:
        path.write_text("{}")
    assert usable_calibration(layout, hardware, tmp_path) is None


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(status, "default_state_directory", lambda: tmp_path / "state")
    (tmp_path / "hub.yaml").write_text("playback: {layout: box.yaml}\n")
    (tmp_path / "box.yaml").write_text(YAML + MICROPHONES)
    return tmp_path


def test_the_verb_measures_the_simulated_loudspeaker(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["calibrate", "--spatial", "--config", str(house), "--json"]) == 0
    *drivers, end = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["name"] for one in drivers] == ["left", "right"]
    gap_us = drivers[0]["delay_us"] - drivers[1]["delay_us"]
    assert gap_us == pytest.approx(1e6 * CHEAP_DRIVERS[0].delay_seconds, abs=10)
    assert end["out"] == str(spatial_calibration_file(house / "state"))


def test_the_verb_speaks_and_draws(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    picture = house / "drivers.png"
    words = ["calibrate", "--spatial", "--config", str(house), "--at-listener", "--plot", str(picture)]
    assert run_command(words) == 0
    out = capsys.readouterr().out
    assert out.startswith("left: 20 us late, ")
    assert "the hub takes it when it starts" in out
    assert picture.stat().st_size > 1000


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        (YAML, "the layout has no microphones: write where they are"),
        (YAML + "microphones: [{name: a, position_m: [0, 0, 0.1]}]\n", "the layout has 1 microphones"),
        (YAML + "  - {name: third, position_m: [0, 0, 0]}\n", "has 3 drivers, but the sound card 2 speakers"),
        (
            YAML + MICROPHONES.replace("-0.05, 0.02, 0.08", "-0.1, 0, 0"),
            "'a' stands at the place of driver 'left'",
        ),
        ("sample_rate: 96000\n" + YAML, "the sound card runs at 48000 Hz"),
    ],
    ids=["no microphones", "one microphone", "three drivers", "in a driver", "other rate"],
)
def test_a_layout_that_does_not_fit_is_one_line(
    layout: str, said: str, house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (house / "box.yaml").write_text(layout)
    assert run_command(["calibrate", "--spatial", "--config", str(house)]) == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert said in err


def test_rendering_can_use_what_was_measured(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layout, kept = str(house / "box.yaml"), house / "kept.json"
    write_spatial_calibration(kept, cheap_box())
    sound = np.random.default_rng(1).standard_normal((4800, 2)) / 10
    wavfile.write(house / "in.wav", RATE_HZ, sound.astype(np.float32))
    words = ["spatial", "render", str(house / "in.wav"), str(house / "out.wav"), "--layout", layout]
    assert run_command(words) == 0
    _, plain = wavfile.read(house / "out.wav")
    assert run_command([*words, "--measured", str(kept)]) == 0
    _, refined = wavfile.read(house / "out.wav")
    assert refined.shape == plain.shape
    assert np.abs(refined - plain).max() > 0.01
    assert run_command([*words, "--measured", str(house / "nothing.json")]) == 2
    assert "no such file" in capsys.readouterr().err
