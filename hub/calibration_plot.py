"""A calibration as a picture."""

from __future__ import annotations

import math
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sensing.calibration.calibration import Calibration
from sensing.calibration.interferers import EXCLUDED_HZ
from sensing.calibration.link_budget import SEEN_DB
from sensing.calibration.verdict import judge
from sensing.ultrasound.emitter import MAX_LEVEL


def plot_calibration(calibration: Calibration, path: Path) -> None:
    """Write noise, responses, score and level as a picture of four panels.

    Raises
    ------
    OSError
        The file cannot be written.
    ValueError
        The name's ending is no picture format.
    """
    figure = Figure(figsize=(11, 7.5), layout="constrained")
    ((noise, response), (score, level)) = figure.subplots(2, 2)
    _plot_noise(noise, calibration)
    _plot_response(response, calibration)
    _plot_score(score, calibration)
    _plot_level(level, calibration)
    verdict = judge(calibration)
    figure.suptitle(
        f"{calibration.hardware.device}, {calibration.carrier_hz / 1000:.2f} kHz: walking up to "
        f"{verdict.walk_m:.1f} m, an arm up to {verdict.reach_m:.1f} m (estimated)"
    )
    figure.savefig(path, dpi=80)


def _khz(calibration: Calibration) -> list[float]:
    return [hz / 1000 for hz in calibration.hz]


def _plot_noise(axes: Axes, calibration: Calibration) -> None:
    for microphone, noise_db in enumerate(calibration.noise_db_hz):
        axes.plot(_khz(calibration), noise_db, label=f"microphone {microphone + 1}")
    for number, other in enumerate(calibration.interferers):
        low_hz, high_hz = other.hz - EXCLUDED_HZ, other.hz + EXCLUDED_HZ
        label = "excluded: tones of others" if number == 0 else None
        axes.axvspan(low_hz / 1000, high_hz / 1000, color="tab:red", alpha=0.2, label=label)
    axes.set(title="Noise in silence", xlabel="kHz", ylabel="dBFS per Hz")
    _finish(axes, calibration)


def _plot_response(axes: Axes, calibration: Calibration) -> None:
    for path in calibration.paths:
        name = f"loudspeaker {path.speaker + 1}, microphone {path.microphone + 1}"
        if not path.is_heard:
            axes.plot([], [], label=f"{name}: not heard")
            continue
        (line,) = axes.plot(_khz(calibration), path.gain_db, label=name)
        axes.plot(_khz(calibration), path.late_db, color=line.get_color(), linestyle=":")
    axes.set(
        title="Response: all (line) and the room's echoes (dots)", xlabel="kHz", ylabel="dB of full scale"
    )
    _finish(axes, calibration)


def _plot_score(axes: Axes, calibration: Calibration) -> None:
    scores = [math.nan if one is None else one for one in calibration.score_db]
    axes.plot(_khz(calibration), scores, color="tab:green")
    axes.axvline(calibration.carrier_hz / 1000, color="black", label="carrier")
    if calibration.second_carrier_hz is not None:
        axes.axvline(
            calibration.second_carrier_hz / 1000, color="black", linestyle="--", label="second choice"
        )
    title = f"Echo of a walker over noise at {calibration.wishes.range_m:g} m, at the highest level allowed"
    axes.set(title=title, xlabel="kHz", ylabel="score, dB")
    _finish(axes, calibration)


def _plot_level(axes: Axes, calibration: Calibration) -> None:
    decibels = [20 * math.log10(step.peak) for step in calibration.steps]
    axes.plot(decibels, [step.snr_db for step in calibration.steps], "o-", label="echo over noise")
    axes.axhline(SEEN_DB, color="tab:green", linestyle="--", label="enough")
    full_scale_db = calibration.db_spl - 20 * math.log10(calibration.level)
    cap_db = min(calibration.cap_db_spl - full_scale_db, 20 * math.log10(MAX_LEVEL))
    axes.axvline(cap_db, color="tab:red", label=f"cap: {cap_db + full_scale_db:.0f} dB SPL at 0.5 m")
    axes.axvline(20 * math.log10(calibration.level), color="black", label=f"chosen ({calibration.limit})")
    known = "measured" if calibration.is_measured else "assumed loudspeaker"
    axes.set(title=f"Level ({known})", xlabel="dBFS", ylabel="dB")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize="small")


def _finish(axes: Axes, calibration: Calibration) -> None:
    axes.set_xlim(calibration.hz[0] / 1000, calibration.hz[-1] / 1000)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize="small")
