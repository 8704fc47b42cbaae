"""``roomwise spatial design`` and ``spatial render``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.json_lines import print_json
from hub.errors import BadInput

app = typer.Typer(help="Wide sound from few drivers.", no_args_is_help=True)


@app.command()
def design(
    layout: Annotated[Path, typer.Argument(help="The speaker layout: a YAML file, or the name of a preset.")],
    out: Annotated[Path, typer.Option(help="Folder for filters, report and plots.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False,
) -> None:
    """Design the filters of a loudspeaker from where its drivers stand."""
    from json import dumps

    import numpy as np

    from hub.cli.spatial_plots import plot_design
    from hub.spatial.filter_design import design_filters
    from hub.spatial.layout import load_layout
    from hub.spatial.relative_form import relative_form
    from hub.spatial.renderer import SpatialRenderer
    from hub.spatial.report import describe

    speaker = load_layout(layout)
    filters = design_filters(speaker)
    latency_frames = SpatialRenderer(filters, speaker.sample_rate).latency_frames
    report = describe(speaker, filters, latency_frames)
    form = relative_form(filters.cancellers)
    try:
        out.mkdir(parents=True, exist_ok=True)
        np.savez(
            out / "filters.npz",
            filters=filters.filters,
            cancellers=filters.cancellers,
            sample_rate=speaker.sample_rate,
            driver_positions_m=speaker.positions_m,
            reference_driver=form.reference,
            relative=form.relative,
        )
        (out / "report.json").write_text(dumps(report, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{out}: cannot be written ({error.strerror}); choose another --out") from error
    if not plot_design(out, speaker, filters, report):
        typer.echo("no plots: matplotlib is missing; install roomwise[plot]", err=True)
    mean_db, gain_db = report["cancellation_mean_db"], report["filter_gain_db"]
    latency_seconds = latency_frames / speaker.sample_rate
    if json:
        print_json({"event": "end", "out": str(out), "latency_seconds": latency_seconds})
    else:
        print(f"{out}: cancellation {mean_db} dB by the model, filter gain {gain_db} dB")


@app.command()
def render(
    sound: Annotated[Path, typer.Argument(metavar="IN", help="Stereo or mono sound file.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="WAV file, one channel a driver.")],
    layout: Annotated[Path, typer.Option(help="The speaker layout: a YAML file, or the name of a preset.")],
    measured: Annotated[
        Path | None, typer.Option(help="What calibrate --spatial has kept of this loudspeaker.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False,
) -> None:
    """Render a file for a loudspeaker: aligned with the input, of its length, never clipping."""
    import numpy as np
    from scipy.io import wavfile

    from hub.playback.decoder import load_sound
    from hub.playback.limiter import Limiter
    from hub.spatial.filter_design import design_filters
    from hub.spatial.layout import load_layout
    from hub.spatial.renderer import SpatialRenderer, departure_frames
    from hub.spatial_calibration import apply_measured, read_spatial_calibration

    speaker = load_layout(layout)
    rate_hz = speaker.sample_rate
    stereo = load_sound(sound, rate_hz)
    filters = design_filters(speaker)
    if measured is not None:
        known = read_spatial_calibration(measured)
        if known is None:
            raise BadInput(f"{measured}: no such file; name what calibrate --spatial --out has written")
        filters = apply_measured(filters, known, speaker)
    renderer = SpatialRenderer(filters, rate_hz)
    limiter = Limiter(rate_hz=rate_hz, channels=renderer.drivers)
    latency_frames = renderer.latency_frames + limiter.latency_frames
    padded = np.pad(stereo, ((0, 0), (0, latency_frames)))
    step = 10 * rate_hz
    pieces = [
        limiter.process(renderer.process(padded[:, first : first + step]))
        for first in range(0, padded.shape[1], step)
    ]
    channels = np.concatenate(pieces, axis=1)[:, latency_frames:]
    try:
        wavfile.write(out, rate_hz, np.ascontiguousarray(channels.T))
    except OSError as error:
        raise BadInput(f"{out}: cannot be written ({error.strerror}); choose another place") from error
    seconds, latency_seconds = stereo.shape[1] / rate_hz, latency_frames / rate_hz
    if json:
        leaves = dict(zip(("left", "right", "center"), departure_frames(filters).tolist(), strict=True))
        print_json(
            {
                "event": "end",
                "seconds": seconds,
                "latency_seconds": latency_seconds,
                "departure_frames": leaves,
            }
        )
    else:
        print(
            f"{out}: {len(channels)} channels, {seconds:.2f} s; live latency {latency_seconds * 1e3:.1f} ms"
        )
