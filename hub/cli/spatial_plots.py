"""Pictures of a spatial design, where matplotlib is installed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hub.spatial.alignment import grid
from hub.spatial.beam import AZIMUTH_DEGREES
from hub.spatial.crosstalk import TARGET_DB
from hub.spatial.filter_design import DESIGN_SIZE, SpatialFilters
from hub.spatial.layout import SpeakerLayout
from hub.spatial.listening_zone import GOOD_DB, listening_zone
from hub.spatial.report import beam_pattern_db

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh


def plot_design(out: Path, layout: SpeakerLayout, filters: SpatialFilters, report: dict[str, object]) -> bool:
    """Draw cancellation, beam and listening zone into a folder; return False without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False

    def new_picture() -> tuple[Figure, Axes]:
        figure = Figure(figsize=(7, 4), layout="constrained")
        return figure, figure.subplots()

    figure, axes = new_picture()
    _cancellation(axes, report)
    figure.savefig(out / "cancellation.png", dpi=110)
    figure, axes = new_picture()
    pattern = beam_pattern_db(layout, filters)
    hz = grid(DESIGN_SIZE, layout.sample_rate)
    mesh = axes.pcolormesh(hz[1:], AZIMUTH_DEGREES, pattern[:, 1:], vmin=-30, vmax=3)
    axes.set(xscale="log", xlim=(100, 16_000), xlabel="Hz", ylabel="azimuth, degrees", title="Centre")
    figure.colorbar(mesh, label="dB")
    figure.savefig(out / "beam.png", dpi=110)
    figure, axes = new_picture()
    figure.colorbar(_zone(axes, layout, filters), label="cancellation, dB")
    figure.savefig(out / "zone.png", dpi=110)
    return True


def _cancellation(axes: Axes, report: dict[str, object]) -> None:
    by_band = report["cancellation_db"]
    assert isinstance(by_band, dict)
    axes.semilogx([float(hz) for hz in by_band], list(by_band.values()), "o-", label="reached")
    axes.semilogx(*zip(*TARGET_DB, strict=True), ":", label="target")
    axes.set(xlabel="Hz", ylabel="cancellation, dB", title="Near ear over far ear (model)")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()


def _zone(axes: Axes, layout: SpeakerLayout, filters: SpatialFilters) -> QuadMesh:
    zone = listening_zone(layout, filters)
    sideways, forward = 100 * zone.sideways_m, 100 * zone.forward_m
    mesh = axes.pcolormesh(sideways, forward, zone.cancellation_db, vmin=0, vmax=20, shading="gouraud")
    axes.contour(sideways, forward, zone.cancellation_db, [GOOD_DB], colors="white", linewidths=1)
    axes.set(xlabel="head to the right, cm", ylabel="towards the device, cm")
    axes.set(title=f"Listening zone: mean of 500 Hz to 6.3 kHz, {GOOD_DB:g} dB inside the line (model)")
    return mesh
