"""Presence as a picture: the spectrum around the carrier, and beneath it what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.signal import get_window

from sensing.audio_block import Block
from sensing.observations import MotionSeen, Observation, PresenceChanged
from sensing.ultrasound.demodulator import Baseband, Demodulator

HIGHEST_HZ = 400.0
_WINDOW_SECONDS = 0.128
_MOST_COLUMNS = 1_500
_PIECE_SECONDS = 30
_TOLD_AGAIN_SECONDS = 0.25
_RANGE_DB = (-85.0, -35.0)
_POWER_FLOOR = 1e-12
_COLOURS = {"somebody": "tab:green", "minor": "tab:blue", "major": "tab:red"}

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spectrogram:
    """How loud it is around the carrier, in columns of equal length.

    Attributes
    ----------
    power_dbc : NDArray
        Shape ``(bins, columns)``: dB relative to the carrier, the loudest of each column.
    hz : NDArray
        Shape ``(bins,)``: distance from the carrier, rising.
    """

    power_dbc: NDArray[np.float32]
    hz: NDArray[np.float64]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceTimes:
    """When somebody walked, gestured and was there, in seconds from the start."""

    major: tuple[Interval, ...]
    minor: tuple[Interval, ...]
    present: tuple[Interval, ...]


def spectrogram_of(pieces: Sequence[Baseband], baseband_hz: float) -> Spectrogram:
    """Return the spectrogram of a first microphone whose baseband comes in pieces of any length.

    Windows are 128 ms (Blackman) and overlap in short recordings; a column of a long one is the loudest of
    several windows.
    """
    frames = round(_WINDOW_SECONDS * baseband_hz)
    window = get_window("blackman", frames)
    heard = np.concatenate([piece[0] for piece in pieces])
    step = frames // 4 if len(heard) * 4 <= _MOST_COLUMNS * frames else frames
    rows = np.lib.stride_tricks.sliding_window_view(heard, frames)[::step]
    carrier = rows @ window / window.sum()
    spectra = np.fft.fftshift(np.fft.fft((rows - carrier[:, None]) * window, axis=1), axes=1) / window.sum()
    relative = np.abs(spectra) ** 2 / np.maximum(np.abs(carrier) ** 2, _POWER_FLOOR)[:, None]
    each = max(1, -(-len(relative) // _MOST_COLUMNS))
    padded = np.pad(relative, ((0, -len(relative) % each), (0, 0)))
    columns = padded.reshape(-1, each, frames).max(axis=1)
    hz = np.fft.fftshift(np.fft.fftfreq(frames, 1 / baseband_hz))
    kept = np.abs(hz) <= HIGHEST_HZ
    decibels = 10 * np.log10(np.maximum(columns[:, kept].T, _POWER_FLOOR))
    return Spectrogram(
        power_dbc=decibels.astype(np.float32), hz=hz[kept], seconds=len(padded) * step / baseband_hz
    )


def recorded_spectrogram(capture: Block, *, rate_hz: int, carrier_hz: float) -> Spectrogram:
    """Return the spectrogram of a recording of shape ``(microphones, frames)``."""
    demodulator = Demodulator(carrier_hz=carrier_hz, rate_hz=rate_hz, microphones=1)
    step = _PIECE_SECONDS * rate_hz
    pieces = [
        demodulator.process(capture[:1, first : first + step]) for first in range(0, capture.shape[1], step)
    ]
    return spectrogram_of(pieces, demodulator.baseband_hz)


def times_of(seen: Sequence[Observation], *, seconds: float, motion_seconds: float = 0.5) -> PresenceTimes:
    """Return the times that observations tell; motion is told every ``motion_seconds`` while it lasts."""
    motions: dict[str, list[Interval]] = {"major": [], "minor": []}
    present: list[Interval] = []
    since: float | None = None
    for one in seen:
        if isinstance(one, MotionSeen):
            _extend(motions[one.kind], one.at, min(seconds, one.at + motion_seconds))
        elif isinstance(one, PresenceChanged):
            if since is not None:
                present.append((since, one.at))
            since = one.at if one.present else None
    if since is not None:
        present.append((since, seconds))
    return PresenceTimes(major=tuple(motions["major"]), minor=tuple(motions["minor"]), present=tuple(present))


def _extend(intervals: list[Interval], begin: float, end: float) -> None:
    """Let motion that is told again last."""
    if intervals and begin - intervals[-1][1] < _TOLD_AGAIN_SECONDS:
        begin = intervals.pop()[0]
    intervals.append((begin, end))


def plot_presence(
    picture: Spectrogram,
    decided: PresenceTimes,
    path: Path,
    *,
    title: str,
    truth: PresenceTimes | None = None,
) -> None:
    """Write a spectrogram with what was decided, and what was true where that is known, beneath it.

    Raises
    ------
    OSError
        The file cannot be written.
    ValueError
        The name's ending is no picture format.
    """
    figure = Figure(figsize=(11, 5.2 if truth is None else 5.8), layout="constrained")
    lanes = 2 if truth is None else 4
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(8, lanes))
    mesh = upper.imshow(
        picture.power_dbc,
        origin="lower",
        aspect="auto",
        extent=(0, picture.seconds, float(picture.hz[0]), float(picture.hz[-1])),
        vmin=_RANGE_DB[0],
        vmax=_RANGE_DB[1],
        cmap="magma",
    )
    figure.colorbar(mesh, ax=upper, label="dB of the carrier")
    upper.set(ylabel="Hz from the carrier", title=title)
    rows = [("decided", decided)] + ([("true", truth)] if truth is not None else [])
    _plot_lanes(lower, rows)
    lower.set(xlabel="seconds", xlim=(0, picture.seconds))
    figure.savefig(path, dpi=90)


def _plot_lanes(axes: Axes, rows: Sequence[tuple[str, PresenceTimes]]) -> None:
    """Draw two lanes for each of the times, the first on top: motion, and presence beneath it."""
    labels = []
    for number, (name, times) in enumerate(rows):
        motion, presence = -2.0 * number, -2.0 * number - 1.0
        _bars(axes, times.minor, motion, _COLOURS["minor"])
        _bars(axes, times.major, motion, _COLOURS["major"])
        _bars(axes, times.present, presence, _COLOURS["somebody"])
        labels += [(motion, f"{name}: motion"), (presence, f"{name}: somebody")]
    axes.set_yticks([at for at, _ in labels], [words for _, words in labels])
    axes.set_ylim(labels[-1][0] - 0.6, 0.6)
    for words in ("major", "minor"):
        axes.plot([], [], color=_COLOURS[words], linewidth=6, label=f"{words} motion")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize="small", frameon=False)
    axes.grid(visible=True, axis="x", alpha=0.3)


def _bars(axes: Axes, times: Sequence[Interval], at: float, colour: str) -> None:
    axes.broken_barh([(begin, end - begin) for begin, end in times], (at - 0.4, 0.8), facecolors=colour)
