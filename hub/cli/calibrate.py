"""``roomwise calibrate``: which tone suits this hardware in this room, or what its drivers are like."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.json_lines import print_json
from hub.cli.picture_file import check_picture, write_picture
from hub.errors import BadInput
from routines.facts import Json

if TYPE_CHECKING:
    from hub.audio.device import AudioDevice
    from hub.config.hub_config import HubConfig
    from sensing.calibration.calibration import Calibration, Wishes

Spatial = Annotated[
    bool, typer.Option("--spatial", help="Measure the loudspeaker's drivers for spatial sound instead.")
]
Layout = Annotated[
    Path | None, typer.Option(help="With --spatial: the speaker layout, if not that of hub.yaml.")
]
AtListener = Annotated[
    bool, typer.Option("--at-listener", help="With --spatial: the microphone lies at the listener's place.")
]
FlatMicrophone = Annotated[
    bool, typer.Option("--flat-microphone", help="With --spatial: it is a measuring microphone.")
]
Audible = Annotated[
    bool, typer.Option("--audible", help="Allow carriers of 18 to 20.5 kHz, which children hear.")
]
RangeM = Annotated[
    float, typer.Option(min=0.5, max=10.0, help="Distance at which somebody who walks shall be seen.")
]
MicrophoneDbfs = Annotated[
    float | None,
    typer.Option(min=-80.0, max=20.0, help="Level of 94 dB SPL on the microphones, by data sheet."),
]
Pair = Annotated[
    bool,
    typer.Option("--pair", help="Ask the running hubs that play in step to listen for each other instead."),
]


def calibrate(
    config: Annotated[Path | None, typer.Option(help="Configuration directory.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw what was measured (PNG, SVG, PDF).")] = None,
    pets: Annotated[bool, typer.Option("--pets", help="Nothing below 25 kHz, and 10 dB softer.")] = False,
    audible: Audible = False,
    range_m: RangeM = 4.0,
    microphone_dbfs: MicrophoneDbfs = None,
    microphone_m: Annotated[
        float | None,
        typer.Option(min=0.01, max=5.0, help="Metres from loudspeaker 1 to its nearest microphone."),
    ] = None,
    spatial: Spatial = False,
    pair: Pair = False,
    layout: Layout = None,
    at_listener: AtListener = False,
    flat_microphone: FlatMicrophone = False,
    out: Annotated[
        Path | None, typer.Option(help="Write the calibration here instead of where the hub looks for it.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False,
) -> None:
    """Measure loudspeakers and microphones, choose carrier and level; half a minute of quiet."""
    from hub.calibration import calibration_file, write_calibration
    from hub.status import default_state_directory
    from sensing.calibration.calibration import Wishes

    if plot is not None:
        check_picture(plot)
    settings = _settings(config)
    if pair:
        from hub.cli.calibrate_pair import calibrate_pair

        if spatial or plot is not None or out is not None:
            raise BadInput("--pair stands alone, but for --config and --json; leave out the others")
        calibrate_pair(settings, json=json)
        return
    if spatial:
        from hub.cli.calibrate_spatial import DriverWishes, calibrate_drivers

        chosen = layout or _layout(settings, config)
        how = DriverWishes(at_listener=at_listener, is_flat=flat_microphone)
        calibrate_drivers(settings, chosen, how, out=out, plot=plot, json=json)
        return
    wishes = Wishes(
        range_m=range_m,
        has_pets=pets,
        allows_audible=audible,
        microphone_dbfs=microphone_dbfs,
        microphone_m=microphone_m,
    )
    found = _measured(settings, wishes)
    path = out or calibration_file(default_state_directory())
    write_calibration(path, found)
    if plot is not None:
        _draw(found, plot)
    if json:
        _print_json(found, path)
    else:
        _print_words(found)
        print(f"Kept in {path}{_use(settings) if out is None else ''}.")


def _settings(directory: Path | None) -> HubConfig:
    """Return the hub's settings; who has none yet calibrates the simulated room."""
    from hub.config.files import HUB_FILE, default_directory, load_config
    from hub.config.hub_config import HubConfig

    if directory is None and not (default_directory() / HUB_FILE).exists():
        return HubConfig()
    return load_config(directory or default_directory()).hub


def _layout(settings: HubConfig, directory: Path | None) -> Path | None:
    """Return the layout that hub.yaml names, if any."""
    from hub.config.files import default_directory

    named = settings.playback.layout
    return None if named is None else (directory or default_directory()) / named


def _measured(settings: HubConfig, wishes: Wishes) -> Calibration:
    """Return the calibration of the configured device, with a bar on a terminal meanwhile.

    Raises
    ------
    BadInput
        What was measured is not enough.
    Degraded
        The device does not open, or fails.
    """
    from datetime import UTC, datetime

    from rich.console import Console
    from rich.progress import Progress

    from hub.audio.measurement import Measurement
    from hub.calibration import hardware_of
    from sensing.calibration.procedure import calibrate, longest_seconds
    from sensing.errors import CannotCalibrate

    hardware = hardware_of(settings.audio)
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("listening and playing", total=longest_seconds(hardware.speakers))
        try:
            with Measurement(
                _device(settings), told=lambda seconds: bar.advance(task, seconds)
            ) as measurement:
                return calibrate(measurement.play, hardware, wishes, at=datetime.now(UTC))
        except CannotCalibrate as error:
            raise BadInput(f"not calibrated: {error}") from error


def _device(settings: HubConfig) -> AudioDevice:
    """Return the device to calibrate; the simulated room need not take its time."""
    from hub.audio.configured_device import configured_device

    if settings.audio.device == "file":
        raise BadInput("hub.yaml: audio.device is file: a recording cannot be calibrated; set it to card")
    return configured_device(settings.audio, carrier_hz=settings.ultrasound.carrier_hz, is_paced=False)


def _draw(found: Calibration, path: Path) -> None:
    from hub.calibration_plot import plot_calibration

    write_picture(lambda: plot_calibration(found, path), path)


def _json_lines(found: Calibration, path: Path) -> Iterator[dict[str, Json]]:
    """Yield what was found; loudspeakers and microphones count from 1."""
    from dataclasses import asdict

    from sensing.calibration.verdict import judge

    for other in found.interferers:
        yield {"event": "interferer", **asdict(other), "microphone": other.microphone + 1}
    for one in found.paths:
        yield {
            "event": "path",
            "speaker": one.speaker + 1,
            "microphone": one.microphone + 1,
            "heard": one.is_heard,
            "delay_frames": one.delay_frames,
            "peak_to_noise_db": one.peak_to_noise_db,
        }
    for step in found.steps:
        yield {"event": "step", **asdict(step)}
    verdict = judge(found)
    yield {"event": "verdict", **asdict(verdict), "lines": list(verdict.lines)}
    kept = {"carrier_hz", "second_carrier_hz", "level", "limit", "snr_db", "loopback_delay_frames"}
    chosen = found.model_dump(include=kept | {"db_spl", "cap_db_spl", "is_measured"})
    yield {"event": "end", **chosen, "out": str(path)}


def _print_json(found: Calibration, path: Path) -> None:
    for line in _json_lines(found, path):
        print_json(line)


def _print_words(found: Calibration) -> None:
    from sensing.calibration.verdict import judge

    for line in judge(found).lines:
        print(line)


def _use(settings: HubConfig) -> str:
    """Return whether the hub will use it, as the end of a sentence."""
    if "carrier_hz" in settings.ultrasound.model_fields_set:
        return (
            "; hub.yaml names a carrier of its own, which wins: remove ultrasound.carrier_hz to use this one"
        )
    return "; the hub takes it when it starts"
