"""The pictures of docs/presence.md."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hub.presence_plot import Interval, PresenceTimes, plot_presence, spectrogram_of
from script.journal import Row
from script.presence.roc import KINDS, curve, summary
from script.presence.scenes import CARRIER_HZ, LEVEL_DB
from script.presence.watchers import Watched, told_at
from script.presence.watching import watch
from sensing.simulation.baseband.cast import cast_of
from sensing.simulation.baseband.scene import Scene
from sensing.simulation.baseband.scene_geometry import acoustics_of
from sensing.simulation.baseband.truth import MAJOR, MINOR, Truth, truth_of
from sensing.training.presence_trial import rendered_pieces
from sensing.ultrasound.doppler_features import HOP_SECONDS

_WORDS = {"network": "network", "energy": "band energies", "doppler_js": "doppler.js"}
_COLUMNS = 4
_SEAT = (2.2, 2.2)
_PATH = ((4.6, 3.8), (3.6, 2.9), _SEAT)
_SPEED_MPS = 0.9


def draw_roc(rows: Sequence[Row], path: Path) -> None:
    """Draw for each nuisance how many walks are told from how many empty clips."""
    lines = -(-len(KINDS) // _COLUMNS)
    figure = Figure(figsize=(11, 2.9 * lines), layout="constrained")
    panels = figure.subplots(lines, _COLUMNS, sharex=True, sharey=True).flat
    for kind, axes in zip(KINDS, panels, strict=False):
        _draw_curves(axes, kind, [row for row in rows if row["kind"] == kind])
    for axes in panels:
        axes.set_visible(False)
    clips = len(rows) // len(KINDS) // len({row["watcher"] for row in rows}) // 2
    figure.supxlabel(f"share of 45 s clips without anybody that are taken for a walk ({clips} of each)")
    figure.supylabel("share of clips with a walk that are seen")
    figure.savefig(path, dpi=80)


def _draw_curves(axes: Axes, kind: str, rows: Sequence[Row]) -> None:
    for name, words in _WORDS.items():
        some = [row for row in rows if row["watcher"] == name]
        if some:
            axes.plot(*curve(some), label=f"{words} {summary(some)['auc']:.3f}")
    axes.set(title=kind.replace("_", " "), xlim=(-0.02, 1), ylim=(0, 1.02))
    axes.legend(loc="lower right", fontsize="x-small", title="area", title_fontsize="x-small")
    axes.grid(visible=True, alpha=0.3)


def picture_scene() -> Scene:
    """Return a scene in which a fan starts, somebody walks in, sits for a minute and leaves."""
    walks = {"kind": "walker", "speed_mps": _SPEED_MPS, "then": "leaves"}
    sits = 60 + sum(itertools.starmap(math.dist, itertools.pairwise(_PATH))) / _SPEED_MPS
    return Scene.model_validate(
        {
            "seconds": 360,
            "seed": 5,
            "carrier_hz": CARRIER_HZ[0],
            "level_db": LEVEL_DB,
            "people": [
                {**walks, "at": 60.0, "path": _PATH},
                {
                    "kind": "sitter",
                    "position_m": _SEAT,
                    "at": sits,
                    "until": sits + 60,
                    "gestures_per_minute": 6,
                },
                {**walks, "at": sits + 60, "path": _PATH[::-1]},
            ],
            "nuisances": [
                {"kind": "fan", "position_m": (0.6, 3.2, 0.9), "at": 20.0, "rpm": 500, "radius_m": 0.3}
            ],
        }
    )


def draw_spectrogram(path: Path, model: Path | None) -> None:
    """Draw the scene as it is heard, with what the network decides and what is true."""
    scene = picture_scene()
    heard = spectrogram_of([baseband for baseband, _ in rendered_pieces(scene)], scene.baseband_hz)
    decided = watch(scene, ("network",), model=model)["network"]
    truth = truth_of(cast_of(scene, acoustics_of(scene)), [], scene.seconds)
    title = "A fan starts at 20 s; at 60 s somebody walks in, sits down, and leaves"
    plot_presence(heard, _decided_times(decided), path, title=title, truth=_true_times(truth))


def _decided_times(watched: Watched) -> PresenceTimes:
    delay = told_at(0)
    return PresenceTimes(
        major=_intervals(watched.motion == MAJOR, delay),
        minor=_intervals(watched.motion == MINOR, delay),
        present=_intervals(watched.present, delay),
    )


def _true_times(truth: Truth) -> PresenceTimes:
    return PresenceTimes(
        major=_intervals(truth.motion == MAJOR, 0.0),
        minor=_intervals(truth.motion == MINOR, 0.0),
        present=_intervals(truth.occupied, 0.0),
    )


def _intervals(flags: NDArray[np.bool_], delay: float) -> tuple[Interval, ...]:
    """Return from when until when hops are true, in seconds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]))) * HOP_SECONDS + delay
    return tuple((float(begin), float(end)) for begin, end in edges.reshape(-1, 2))
