"""Head models, cancellation, virtual pair, steering and presets of the spatial design."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import fft

from hub.errors import BadInput
from hub.spatial.alignment import grid
from hub.spatial.crosstalk import canceller, target_db
from hub.spatial.filter_design import design_filters, filter_gain_db
from hub.spatial.layout import SpeakerLayout, load_layout, preset_names
from hub.spatial.listening_zone import listening_zone, zone_width_m
from hub.spatial.plant import HeadPose, cloud_of_heads, ears
from hub.spatial.relative_form import delay_and_level, relative_form
from hub.spatial.report import band_cancellation_db, describe
from hub.spatial.steered_filters import steered_filters, turned
from script.spatial.cancellation import Audience, device_layout, steered_cancellation_db
from script.spatial.ear_measures import level_difference_db, time_difference_seconds, tone_rms_db
from script.spatial.heads import MeasuredHead, load_heads
from script.spatial.rivals import RIVALS, bypass, plain_inverse
from tests.conftest import recordings_folder

HZ = grid(512, 48_000)


def device(*across_m: float, distance_m: float = 2.0, **settings: object) -> SpeakerLayout:
    drivers = [{"name": f"d{x}", "position_m": [x, 0, 0]} for x in across_m]
    return SpeakerLayout.model_validate(
        {"listener": {"distance_m": distance_m}, "drivers": drivers} | settings
    )


def spectra(taps: NDArray[np.float32]) -> NDArray[np.complex128]:
    """Return responses on the grid of 2,048, of taps that may be longer."""
    response: NDArray[np.complex128] = fft.rfft(taps.astype(float), 8192, axis=-1)[..., ::4]
    return response


def ratio_db(layout: SpeakerLayout, cancellers: NDArray[np.float32], pose: HeadPose) -> float:
    hz = grid(2048, layout.sample_rate)
    heard = ears(layout, [pose], hz)
    return float(np.mean(band_cancellation_db(heard, spectra(cancellers), hz)[4:16]))


@settings(max_examples=15, deadline=None)
@given(
    across=st.lists(st.integers(-12, 12), min_size=2, max_size=5, unique=True),
    max_gain_db=st.floats(0, 20),
    spread_m=st.floats(0, 0.2),
)
def test_no_canceller_is_stronger_or_deeper_than_it_may_be(
    across: list[int], max_gain_db: float, spread_m: float
) -> None:
    layout = device(*(0.05 * x for x in across), listener={"distance_m": 2.0, "spread_m": spread_m})
    cloud = cloud_of_heads(layout, HZ)
    near, far = cloud.ears[:, 0], cloud.ears[:, 1]
    max_gain = 10 ** (max_gain_db / 20)
    found = canceller(near, far, cloud.share, HZ, model_error=0 * HZ, max_gain=max_gain)
    reach, spill = (
        np.einsum("k,kf->f", cloud.share, np.abs(np.einsum("knf,nf->kf", ear, found)) ** 2)
        for ear in (near, far)
    )
    natural = np.einsum("k,knf->f", cloud.share, np.abs(near) ** 2) / len(across)
    np.testing.assert_allclose(reach, natural, rtol=1e-6)
    assert np.linalg.norm(found, axis=0).max() <= 1.02 * max_gain
    # drivers that all play in step may already do more than is asked, by the head's shadow alone
    in_step = canceller(near, far, cloud.share, HZ, model_error=1e9 + 0 * HZ, max_gain=max_gain)
    shadow = 1 / np.einsum("k,kf->f", cloud.share, np.abs(np.einsum("knf,nf->kf", far, in_step)) ** 2)
    most = np.maximum(10 ** (target_db(HZ) / 10), shadow * natural)
    assert np.all(reach / spill <= 1.02 * most)


def test_cancellation_is_equal_on_both_sides_of_an_even_loudspeaker() -> None:
    cancellers = design_filters(device(-0.4, -0.1, 0.1, 0.4)).cancellers
    np.testing.assert_allclose(cancellers[0], cancellers[1, ::-1], atol=1e-5)


@pytest.mark.parametrize("head_model", ["sphere", "brown_duda"])
def test_a_head_at_the_place_hears_each_side_with_its_own_ear(head_model: str) -> None:
    layout = device(-0.4, 0.4, head_model=head_model)
    assert ratio_db(layout, design_filters(layout).cancellers, HeadPose()) > 12
    assert ratio_db(layout, bypass(layout), HeadPose()) < 4


def test_who_moves_loses_less_of_a_wider_spread() -> None:
    lost_db = {}
    for spread_m in (0.02, 0.1):
        layout = device(-0.1, 0.1, listener={"distance_m": 1.5, "spread_m": spread_m})
        cancellers = design_filters(layout).cancellers
        middle, aside = (ratio_db(layout, cancellers, HeadPose(sideways_m=x)) for x in (0.0, 0.08))
        lost_db[spread_m] = middle - aside
    assert lost_db[0.02] > lost_db[0.1] + 5


def test_the_listening_zone_is_where_its_map_is_good() -> None:
    layout = device(-0.4, 0.4)
    filters = design_filters(layout)
    zone = listening_zone(layout, filters)
    assert zone.cancellation_db.shape == (len(zone.forward_m), len(zone.sideways_m))
    here = zone.cancellation_db[len(zone.forward_m) // 2]
    assert here.argmax() == len(here) // 2
    half = zone_width_m(layout, filters) / 2
    assert 0.03 < half < 0.2
    assert np.interp(half, zone.sideways_m, here) >= 7.9
    assert np.interp(half + 0.021, zone.sideways_m, here) < 8
    assert zone_width_m(layout, replace(filters, cancellers=bypass(layout))) == 0


def test_a_virtual_pair_is_heard_from_further_out_than_its_drivers() -> None:
    layout = device(-0.4, 0.4)
    hz = grid(2048, 48_000)
    heard = ears(layout, [HeadPose()], hz)
    far_source = device(-2.0 * np.tan(np.radians(30)), 0.4)
    wanted = time_difference_seconds(ears(far_source, [HeadPose()], hz)[:, :, 0], hz)[0]
    times = []
    for taps in (bypass(layout), design_filters(layout).filters[:2]):
        pair = np.einsum("kenf,inf->kief", heard, spectra(taps))
        times.append(float(time_difference_seconds(pair[:, 0], hz)[0]))
    assert times[0] < 0.6 * wanted
    # a sphere's 310 us; 20 us are 2 degrees
    assert times[1] == pytest.approx(wanted, abs=20e-6)


def test_path_and_relative_filters_in_series_are_the_cancellers() -> None:
    cancellers = design_filters(device(-0.4, 0.4)).cancellers
    form = relative_form(cancellers)
    assert form.reference == (0, 1)
    middle = cancellers.shape[-1] // 2
    for side in (0, 1):
        for driver in (0, 1):
            series = np.convolve(form.path[side].astype(float), form.relative[side, driver])
            again = series[middle : middle + cancellers.shape[-1]]
            # both are cut to 512 taps: -30 dB
            assert ((again - cancellers[side, driver]) ** 2).sum() < 1e-3 * (cancellers[side] ** 2).sum()


@given(late=st.integers(0, 20), level_db=st.floats(-20, 0))
def test_delay_and_level_of_a_relative_filter_are_read(late: int, level_db: float) -> None:
    relative = np.zeros(512, np.float32)
    relative[256 + late] = -(10 ** (level_db / 20))
    seconds, level = delay_and_level(relative, 48_000)
    assert seconds == pytest.approx(late / 48_000, abs=3e-6)
    assert level == pytest.approx(level_db, abs=0.05)


@settings(max_examples=20, deadline=None)
@given(azimuth_degrees=st.floats(-60, 60), x=st.floats(-1, 1), y=st.floats(-0.5, 0.5))
def test_a_turned_loudspeaker_is_as_far_from_its_listener(azimuth_degrees: float, x: float, y: float) -> None:
    layout = SpeakerLayout.model_validate(
        {"drivers": [{"name": "a", "position_m": [x, y, 0.2]}, {"name": "b", "position_m": [0.3, 0, 0]}]}
    )
    azimuth = np.radians(azimuth_degrees)
    listener = 1.5 * np.array([np.sin(azimuth), -np.cos(azimuth), 0])
    again = turned(layout, azimuth_degrees)
    np.testing.assert_allclose(
        np.linalg.norm(again.positions_m - [0, -1.5, 0], axis=1),
        np.linalg.norm(layout.positions_m - listener, axis=1),
    )
    assert again.drivers[0].facing_degrees == pytest.approx(-azimuth_degrees)


def test_steering_picks_the_nearest_direction_and_stops_at_the_outermost() -> None:
    steered = steered_filters(device(-0.1, 0.1), widest_degrees=10, step_degrees=5)
    assert steered.azimuth_degrees.tolist() == [-10, -5, 0, 5, 10]
    assert steered.towards(2.4) is steered.sets[2]
    assert steered.towards(2.6) is steered.sets[3]
    assert steered.towards(80) is steered.sets[4]
    assert steered.towards(-80) is steered.sets[0]
    assert len({(found.delay_frames, found.filters.shape) for found in steered.sets}) == 1


def test_an_even_loudspeaker_is_designed_for_one_side_and_mirrored() -> None:
    even = device(-0.4, 0.4)
    uneven = device(-0.4, 0.4 + 1e-9)  # designed for both sides, and the same to the ear
    mirrored, own = (
        steered_filters(layout, widest_degrees=6, step_degrees=6).towards(-6) for layout in (even, uneven)
    )
    np.testing.assert_allclose(mirrored.filters[:2], own.filters[:2], atol=1e-5)
    np.testing.assert_allclose(mirrored.cancellers, own.cancellers, atol=1e-5)


def test_a_listener_aside_is_served_by_the_filters_of_that_side() -> None:
    layout = device(-0.4, 0.4)
    steered = steered_filters(layout, widest_degrees=9, step_degrees=9)
    aside = HeadPose(sideways_m=2 * np.tan(np.radians(9)))
    levels = [ratio_db(layout, steered.towards(degrees).cancellers, aside) for degrees in (-9, 0, 9)]
    assert levels[2] > 8
    assert max(levels[:2]) < 4


def test_every_preset_can_be_named_and_designed() -> None:
    assert {"stereo-pair", "box-20cm", "bar-80cm", "four-100cm", "round-three"} <= set(preset_names())
    for name in preset_names():
        layout = load_layout(Path(name))
        filters = design_filters(layout)
        assert np.isfinite(filters.filters).all()
        assert filter_gain_db(filters.filters) <= layout.max_filter_gain_db
        assert describe(layout, filters, 0)["filter_gain_db"] == round(filter_gain_db(filters.filters), 2)


def test_a_file_goes_before_a_preset_and_a_wrong_name_lists_the_presets(tmp_path: Path) -> None:
    own = tmp_path / "bar-80cm"
    assert load_layout(own).listener.distance_m == 2.0
    own.write_text((Path("hub/spatial/layouts/bar-80cm.yaml")).read_text().replace("2.0", "3.0"))
    assert load_layout(own).listener.distance_m == 3.0
    with pytest.raises(BadInput, match=r"bar-90cm.*or one of bar-80cm, box-20cm"):
        load_layout(tmp_path / "bar-90cm")


def test_drivers_that_touch_a_head_of_the_cloud_give_finite_filters() -> None:
    layout = device(-0.16, 0.16, distance_m=0.2, listener={"distance_m": 0.2, "spread_m": 0.3})
    assert np.isfinite(design_filters(layout).filters).all()


def test_time_and_level_differences_are_those_put_in() -> None:
    hz = grid(4096, 48_000)
    late = np.exp(-2j * np.pi * hz * 123e-6) / 2
    pair = np.stack([np.stack([np.ones_like(late), late]), np.stack([late, np.ones_like(late)])])
    np.testing.assert_allclose(time_difference_seconds(pair, hz), [123e-6, -123e-6], atol=1e-6)
    np.testing.assert_allclose(level_difference_db(pair, hz), [6.02, -6.02], atol=0.01)


def test_a_near_ear_that_hears_its_driver_alone_has_no_coloration() -> None:
    hz = grid(4096, 48_000)
    drivers = np.random.default_rng(1).standard_normal((3, 2, 1, len(hz))).astype(np.complex128)
    heard = np.stack([drivers[:, :, 0], drivers[:, :, 0]], axis=1)
    assert tone_rms_db(heard, drivers, hz).max() < 1e-9
    np.testing.assert_allclose(tone_rms_db(2 * heard, drivers, hz), 6.02, atol=0.01)


@given(share=st.floats(0, 0.999), slip=st.integers(-2, 2))
def test_a_slipped_turn_between_two_directions_does_not_turn_the_sound(share: float, slip: int) -> None:
    hz = np.array([0.0, 24_000.0])
    turn = np.array([[[0.0, -3.0], [0.0, -3.0]], [[0.0, -4.0], [0.0, -4.0]]])
    turn[1, :, 1] += 2 * np.pi * slip
    head = MeasuredHead(
        name="made",
        azimuth_degrees=np.array([0.0, 5.0]),
        level=np.ones((2, 2, 2)),
        turn_radians=turn,
        frequency_hz=hz,
    )
    heard = head.hears(5 * share, hz)
    np.testing.assert_allclose(heard[:, 1], np.exp(-1j * (3 + share)), atol=1e-9)


def test_every_rival_separates_the_ears_more_than_the_bare_loudspeaker() -> None:
    layout = load_layout(Path("stereo-pair"))
    bare = ratio_db(layout, bypass(layout), HeadPose())
    for name, rival in RIVALS.items():
        if name != "bypass":
            assert ratio_db(layout, rival(layout), HeadPose()) > bare + 1, name


@pytest.mark.recordings
@pytest.mark.parametrize(
    ("name", "middle_db", "tenth_db", "moved_db", "tone_db", "time_us", "level_db"),
    [
        ("four-100cm", 14.0, 9.0, 11.0, 1.2, 25, 2.1),
        ("bar-80cm", 11.7, 8.2, 8.0, 1.0, 25, 2.0),
        ("box-20cm", 9.2, 4.5, 5.5, 2.1, 90, 3.5),
    ],
)
def test_the_design_holds_on_measured_heads(
    name: str,
    middle_db: float,
    tenth_db: float,
    moved_db: float,
    tone_db: float,
    time_us: float,
    level_db: float,
) -> None:
    layout = device_layout(name)
    audience = Audience(load_heads(recordings_folder("hrtf")), layout)
    filters = design_filters(layout)
    middle = audience.cancellation_db(filters.cancellers, HeadPose())
    aside = (HeadPose(sideways_m=-0.05), HeadPose(sideways_m=0.05))
    heard = audience.hear(filters.cancellers, HeadPose())
    tone = tone_rms_db(heard, audience.drivers(HeadPose()), audience.frequency_hz)
    time_error_us, level_error_db = audience.pair_errors(filters.filters[:2])
    assert np.median(middle) >= middle_db
    assert np.percentile(middle, 10) >= tenth_db
    assert np.median(audience.cancellation_db(filters.cancellers, *aside)) >= moved_db
    assert np.median(tone) <= tone_db
    assert time_error_us <= time_us
    assert level_error_db <= level_db
    if name == "box-20cm":  # what a plain inverse gains in the middle it pays for with ten times the power
        inverse = plain_inverse(layout)
        assert filter_gain_db(inverse) > 20
        assert np.median(audience.cancellation_db(inverse, *aside)) < moved_db


@pytest.mark.recordings
def test_steering_holds_thirty_centimetres_aside_though_the_direction_is_wrong() -> None:
    layout = device_layout("four-100cm")
    audience = Audience(load_heads(recordings_folder("hrtf")), layout)
    wrong_db, exact_db = steered_cancellation_db(audience, layout, steered_filters(layout, widest_degrees=12))
    assert wrong_db >= 7.5
    assert exact_db >= 12
    still = design_filters(layout).cancellers
    poses = (HeadPose(sideways_m=-0.3), HeadPose(sideways_m=0.3))
    assert np.median(audience.cancellation_db(still, *poses)) < 6


def test_targets_rise_and_fall_once() -> None:
    levels = target_db(np.geomspace(20, 24_000, 200))
    steps = [after - before for before, after in pairwise(levels)]
    assert max(levels) == 18
    assert levels[0] == levels[-1] == 0
    turns = [np.sign(step) for step in steps if abs(step) > 1e-9]
    assert turns == sorted(turns, reverse=True)
