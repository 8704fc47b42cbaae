"""Spatial design and rendering, checked on measured heads that no design has seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import fft
from scipy.io import wavfile

from hub.errors import BadInput
from hub.spatial.filter_design import design_filters, filter_gain_db
from hub.spatial.layout import SpeakerLayout, load_layout
from hub.spatial.renderer import SpatialRenderer
from hub.spatial.report import BANDS_HZ, band_mask, describe
from hub.spatial.upmix import CentreUpmix
from tests.conftest import recordings_folder

RATE_HZ = 48_000
BOX = ((-0.1, 0.1), 1.5)
BAR = ((-0.4, 0.4), 2.0)
FOUR = ((-0.5, -0.17, 0.17, 0.5), 2.0)


def layout_of(device: tuple[tuple[float, ...], float]) -> SpeakerLayout:
    drivers = [{"name": f"d{x}", "position_m": [x, 0, 0]} for x in device[0]]
    return SpeakerLayout.model_validate({"listener": {"distance_m": device[1]}, "drivers": drivers})


def head_responses(path: Path, layout: SpeakerLayout, grid_hz: NDArray[np.float64]) -> NDArray[np.complex128]:
    """What a measured head hears, shape (2, drivers, bins); magnitude and phase interpolated apart."""
    with np.load(path) as head:
        azimuth, hrir, rate = head["azimuth_degrees"], head["hrir"], float(head["rate"])
    spectra = fft.rfft(hrir, 4096, axis=-1)
    level, phase = np.abs(spectra), np.unwrap(np.angle(spectra), axis=-1)
    own_hz = fft.rfftfreq(4096, 1 / rate)
    heard = []
    for x, y, _ in layout.positions_m:
        ahead = y + layout.listener.distance_m
        degrees, metres = -np.degrees(np.arctan2(x, ahead)), np.hypot(x, ahead)
        above = int(np.searchsorted(azimuth, degrees))
        share = (degrees - azimuth[above - 1]) / (azimuth[above] - azimuth[above - 1])
        mixed = [(1 - share) * part[above - 1] + share * part[above] for part in (level, phase)]
        path_turn = -2 * np.pi * grid_hz * (metres - layout.listener.distance_m) / 343
        gain = layout.listener.distance_m / metres
        heard.append(
            [
                gain
                * np.interp(grid_hz, own_hz, a)
                * np.exp(1j * (np.interp(grid_hz, own_hz, p) + path_turn))
                for a, p in zip(*mixed, strict=True)
            ]
        )
    return np.array(heard).transpose(1, 0, 2)


def median_cancellation_db(device: tuple[tuple[float, ...], float]) -> float:
    layout = layout_of(device)
    grid_hz = fft.rfftfreq(4096, 1 / RATE_HZ)
    weights = fft.rfft(design_filters(layout).cancellers.astype(float), 4096, axis=-1)
    figures = []
    for path in sorted(recordings_folder("hrtf").glob("*.npz")):
        heard = np.einsum("enf,inf->ief", head_responses(path, layout, grid_hz), weights)
        power = np.abs(heard) ** 2
        bands = [band_mask(grid_hz, hz) for hz in BANDS_HZ if 490 <= hz <= 6400]
        sides = [
            10 * np.log10(power[side, side][band].sum() / power[side, 1 - side][band].sum())
            for band in bands
            for side in (0, 1)
        ]
        figures.append(float(np.mean(sides)))
    assert len(figures) >= 10
    return float(np.median(figures))


@pytest.mark.recordings
@pytest.mark.parametrize(("device", "floor_db"), [(BOX, 7.1), (BAR, 7.8), (FOUR, 9.6)])
def test_cancellation_on_measured_heads_stays_where_it_was(
    device: tuple[tuple[float, ...], float], floor_db: float
) -> None:
    assert median_cancellation_db(device) >= floor_db


@pytest.mark.parametrize("device", [BOX, BAR, FOUR])
def test_no_filter_is_louder_than_the_layout_allows(device: tuple[tuple[float, ...], float]) -> None:
    filters = design_filters(layout_of(device))
    assert filter_gain_db(filters.filters) <= 9.0
    assert filter_gain_db(filters.cancellers) <= 9.0


def noise(channels: int, frames: int, seed: int = 0) -> NDArray[np.float32]:
    return (0.2 * np.random.default_rng(seed).standard_normal((channels, frames))).astype(np.float32)


def test_mono_goes_to_the_centre_whole() -> None:
    mono = np.repeat(noise(1, 20_000), 2, axis=0)
    upmix = CentreUpmix(rate_hz=RATE_HZ)
    left, right, centre = upmix.process(mono)
    late = upmix.latency_frames
    assert np.abs(left).max() < 1e-5
    assert np.abs(right).max() < 1e-5
    np.testing.assert_allclose(centre[late:], mono[0, :-late], atol=1e-5)


def test_left_and_centre_make_the_left_channel_again() -> None:
    stereo = noise(2, 20_000)
    stereo[0] += noise(1, 20_000, 5)[0]
    upmix = CentreUpmix(rate_hz=RATE_HZ)
    left, right, centre = upmix.process(stereo)
    late = upmix.latency_frames
    np.testing.assert_allclose((left + centre)[late:], stereo[0, :-late], atol=1e-6)
    np.testing.assert_allclose((right + centre)[late:], stereo[1, :-late], atol=1e-6)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 6000), max_size=8))
def test_rendering_does_not_depend_on_how_the_sound_is_cut(cuts: list[int]) -> None:
    renderer = SpatialRenderer(design_filters(layout_of(BOX)), RATE_HZ)
    stereo = noise(2, 6000)
    whole = renderer.process(stereo)
    renderer.reset()
    pieces = [renderer.process(piece) for piece in np.split(stereo, sorted(cuts), axis=1)]
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, atol=1e-5)


def test_a_layout_error_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bar.yaml"
    path.write_text("sample_rate: 48000\ndrivers:\n  - {name: left, position_m: [0, 0, 0]}\n  - {name: x}\n")
    with pytest.raises(BadInput, match=r"bar.yaml:4: drivers.1.position_m"):
        load_layout(path)


def test_design_and_render_write_what_they_promise(tmp_path: Path) -> None:
    from hub.cli.spatial import design, render

    path = tmp_path / "box.yaml"
    path.write_text(
        "drivers:\n  - {name: l, position_m: [-0.1, 0, 0]}\n  - {name: r, position_m: [0.1, 0, 0]}\n"
    )
    design(path, tmp_path / "out")
    with np.load(tmp_path / "out" / "filters.npz") as saved:
        assert saved["filters"].shape == (3, 2, 512)
        assert saved["cancellers"].shape == (2, 2, 512)
    for name in ("report.json", "cancellation.png", "beam.png"):
        assert (tmp_path / "out" / name).stat().st_size > 100
    mono = noise(1, 30_001)[0] * 8
    wavfile.write(tmp_path / "in.wav", RATE_HZ, np.clip(mono, -1, 1))
    render(tmp_path / "in.wav", tmp_path / "out.wav", path)
    rate_hz, rendered = wavfile.read(tmp_path / "out.wav")
    assert rate_hz == RATE_HZ
    assert rendered.shape == (30_001, 2)
    assert np.abs(rendered).max() <= 1
    late = np.argmax(np.correlate(rendered[:, 0], mono, "full")) - (len(mono) - 1)
    assert abs(late) <= 1


def test_three_drivers_send_the_centre_ahead_and_not_to_the_walls() -> None:
    places = [("front", [0, -0.09, 0], 0), ("left", [-0.09, 0, 0], -90), ("right", [0.09, 0, 0], 90)]
    layout = SpeakerLayout.model_validate(
        {
            "enclosure": {"shape": "sphere"},
            "drivers": [{"name": n, "position_m": p, "facing_degrees": f} for n, p, f in places],
        }
    )
    levels = describe(layout, design_filters(layout), 0)["beam_pattern_db"]
    assert isinstance(levels, dict)
    assert levels["0"] == 0
    assert max(levels["90"], levels["-90"]) < -9
    assert levels["40"] > -4
