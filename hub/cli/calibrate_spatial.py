"""``roomwise calibrate --spatial``: what the loudspeaker's drivers are really like."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hub.cli.json_lines import print_json
from hub.cli.picture_file import write_picture
from hub.errors import BadInput
from routines.facts import Json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hub.audio.device import AudioDevice
    from hub.config.hub_config import HubConfig
    from hub.spatial.layout import SpeakerLayout
    from hub.spatial_calibration import SpatialCalibration

_MUCH_SPREAD_SECONDS = 50e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverWishes:
    """How the drivers are measured.

    Attributes
    ----------
    at_listener : bool
        The microphone lies at the listener's place, not where the layout says.
    is_flat : bool
        It is a measuring microphone, so that what all drivers share can be equalised too.
    """

    at_listener: bool
    is_flat: bool


def calibrate_drivers(
    settings: HubConfig,
    layout_path: Path | None,
    wishes: DriverWishes,
    *,
    out: Path | None,
    plot: Path | None,
    json: bool,
) -> None:
    """Measure every driver, keep how it differs from the layout, and tell it.

    Parameters
    ----------
    layout_path : Path or None
        None when hub.yaml names no layout either.

    Raises
    ------
    BadInput
        There is no layout, it does not fit the sound card, or the measurement is of no use.
    Degraded
        The device does not open, or fails.
    """
    from hub.spatial.layout import load_layout
    from hub.spatial_calibration import spatial_calibration_file, write_spatial_calibration
    from hub.status import default_state_directory

    if layout_path is None:
        raise BadInput(
            "calibrate --spatial needs a speaker layout: give --layout, or playback.layout in hub.yaml"
        )
    layout = load_layout(layout_path)
    _check_card(settings, layout, layout_path)
    measured = _measured(settings, layout, wishes)
    path = out or spatial_calibration_file(default_state_directory())
    write_spatial_calibration(path, measured)
    if plot is not None:
        write_picture(lambda: _draw(measured, plot), plot)
    if json:
        for line in _json_lines(measured, path):
            print_json(line)
    else:
        for sentence in _words(measured):
            print(sentence)
        print(f"Kept in {path}{'; the hub takes it when it starts' if out is None else ''}.")


def _check_card(settings: HubConfig, layout: SpeakerLayout, path: Path) -> None:
    audio = settings.audio
    if audio.device == "file":
        raise BadInput("hub.yaml: audio.device is file: a recording cannot be calibrated; set it to card")
    if audio.rate_hz != layout.sample_rate:
        raise BadInput(
            f"{path}: sample_rate is {layout.sample_rate} Hz, but the sound card runs at {audio.rate_hz} Hz "
            "(hub.yaml: audio.rate_hz); make them agree"
        )
    if audio.speakers != len(layout.drivers):
        raise BadInput(
            f"{path}: has {len(layout.drivers)} drivers, but the sound card {audio.speakers} speakers "
            "(hub.yaml: audio.speakers); make them agree"
        )


def _measured(settings: HubConfig, layout: SpeakerLayout, wishes: DriverWishes) -> SpatialCalibration:
    """Return what was measured, with a bar on a terminal meanwhile."""
    from rich.console import Console
    from rich.progress import Progress

    from hub.audio.measurement import Measurement
    from hub.calibration import hardware_of
    from hub.spatial_calibration import longest_seconds, measure_drivers, microphone_places

    places = microphone_places(layout, settings.audio.microphones, at_listener=wishes.at_listener)
    device = _device(settings, layout, places)
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("sweeping the drivers", total=longest_seconds(len(layout.drivers)))
        with Measurement(device, told=lambda seconds: bar.advance(task, seconds)) as measurement:
            return measure_drivers(
                measurement.play,
                layout,
                places,
                hardware_of(settings.audio),
                at=datetime.now(UTC),
                is_flat=wishes.is_flat,
            )


def _device(settings: HubConfig, layout: SpeakerLayout, places: NDArray[np.float64]) -> AudioDevice:
    """Return the device to measure; in simulation the layout's drivers, each a little off."""
    if settings.audio.device == "card":
        from hub.audio.configured_device import configured_device

        return configured_device(settings.audio, carrier_hz=settings.ultrasound.carrier_hz)
    from hub.audio.simulated_device import SimulatedSpeakers

    return SimulatedSpeakers(
        drivers_m=layout.positions_m, microphones_m=places, rate_hz=settings.audio.rate_hz
    )


def _json_lines(measured: SpatialCalibration, path: Path) -> Iterator[dict[str, Json]]:
    for one in measured.drivers:
        yield {
            "event": "driver",
            "name": one.name,
            "delay_us": one.delay_seconds * 1e6,
            "level_db": one.level_db,
            "curve_db": list(one.curve_db),
            "spread_us": one.spread_seconds * 1e6,
            "spread_db": one.spread_db,
            "peak_to_noise_db": one.peak_to_noise_db,
        }
    yield {"event": "end", "hz": list(measured.hz), "out": str(path)}


def _words(measured: SpatialCalibration) -> Iterator[str]:
    for one in measured.drivers:
        when = "late" if one.delay_seconds > 0 else "early"
        how = "louder" if one.level_db > 0 else "softer"
        yield (
            f"{one.name}: {abs(one.delay_seconds) * 1e6:.0f} us {when}, {abs(one.level_db):.1f} dB {how} "
            f"than the others, its curve {min(one.curve_db):+.1f} to {max(one.curve_db):+.1f} dB"
        )
    spread_seconds = max(one.spread_seconds for one in measured.drivers)
    if spread_seconds > _MUCH_SPREAD_SECONDS:
        yield (
            f"The microphones disagree by {2e6 * spread_seconds:.0f} us: "
            "check the places of drivers and microphones in the layout."
        )


def _draw(measured: SpatialCalibration, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for one in measured.drivers:
        label = f"{one.name}: {one.delay_seconds * 1e6:+.0f} us, {one.level_db:+.1f} dB"
        axes.semilogx(measured.hz, one.curve_db, label=label)
    axes.set(xlabel="Hz", ylabel="dB", title="Drivers as measured, against the layout's")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend(fontsize="small")
    figure.savefig(path, dpi=100)
