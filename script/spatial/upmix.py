"""How pure the centre is that the upmix finds, on mixes made by machine whose centre is known.

Beside it the mean of both channels, and the same split with a lean of at most 1 on an even window of 2048
frames. Seeds 0 to 3 chose the constants of the upmix: figures are for others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from hub.spatial.upmix import CentreUpmix
from script.journal import Row
from script.spatial.mixes import RATE_HZ, Mix, mixes
from sensing.audio_block import Block

SEEDS = (100, 101, 102, 103, 104, 105)

_EVEN_FRAMES = 2048
_EVEN_SECONDS = 0.06
_QUIET = 1e-12
Split = Callable[[Block], Block]


def measure(seeds: Sequence[int] = SEEDS, seconds: float = 10.0) -> list[Row]:
    """Return for each mix and way the centre's signal to distortion ratio, or what leaks where there is none.

    Both in dB; the leak is beside the mean power of the two channels. ``lost_db`` is the greatest error of
    left plus centre and right plus centre, beside full scale.
    """
    return [
        {"seed": seed, "mix": mix.name, "way": way, **_figures(mix, split(mix.stereo))}
        for seed in seeds
        for mix in mixes(seed, seconds=seconds)
        for way, split in WAYS.items()
    ]


def summary(rows: Sequence[Row]) -> dict[str, Row]:
    """Return the mean and the least by mix and way."""
    found: dict[str, Row] = {}
    for mix, way in dict.fromkeys((str(row["mix"]), str(row["way"])) for row in rows):
        some = [row for row in rows if (row["mix"], row["way"]) == (mix, way)]
        numbers = {
            name: np.array([row[name] for row in some], float) for name in some[0] if name.endswith("_db")
        }
        found[f"{mix}, {way}"] = {
            name: float(value)
            for name, values in numbers.items()
            for name, value in ((name, values.mean()), (f"worst_{name}", _worst(name, values)))
        }
    return found


def _worst(name: str, values: NDArray[np.float64]) -> float:
    return float(values.min() if name == "distortion_ratio_db" else values.max())


def _figures(mix: Mix, three: Block) -> dict[str, float]:
    lost = np.abs(three[:2] + three[2] - mix.stereo).max()
    error, wanted = np.sum((three[2] - mix.centre) ** 2), np.sum(mix.centre**2)
    figures = {"lost_db": _db(float(lost) ** 2)}
    if wanted > 0:
        return figures | {"distortion_ratio_db": _db(float(wanted / (error + _QUIET)))}
    return figures | {"leak_db": _db(float(2 * error / np.sum(mix.stereo**2)))}


def _db(ratio: float) -> float:
    return float(10 * np.log10(ratio + _QUIET))


def _ours(stereo: Block, *, low_latency: bool) -> Block:
    upmix = CentreUpmix(rate_hz=RATE_HZ, low_latency=low_latency)
    padded = np.pad(stereo, ((0, 0), (0, upmix.latency_frames)))
    return upmix.process(padded)[:, upmix.latency_frames :]


def _mean(stereo: Block) -> Block:
    middle = stereo.mean(axis=0)
    return np.concatenate([stereo - middle, middle[None]])


def _even_window(stereo: Block) -> Block:
    """Return the split whose lean is held to 1, over the whole sound at once."""
    size, step = _EVEN_FRAMES, _EVEN_FRAMES // 4
    window = np.sqrt(0.5 * signal.get_window("hann", size))
    padded = np.pad(stereo.astype(float), ((0, 0), (size, size + step)))
    pieces = np.lib.stride_tricks.sliding_window_view(padded, size, axis=1)[:, ::step] * window
    left, right = fft.rfft(pieces, axis=2)
    keep = np.exp(-step / RATE_HZ / _EVEN_SECONDS)

    def smooth(power: NDArray[np.complex128]) -> NDArray[np.complex128]:
        smoothed: NDArray[np.complex128] = signal.lfilter([1 - keep], [1, -keep], power, axis=0)
        return smoothed

    middle, side = (left + right) / 2, (left - right) / 2
    lean = smooth(middle * side.conj()) / (smooth(side * side.conj()).real + _QUIET)
    centre = middle - lean / np.maximum(np.abs(lean), 1) * side
    share = smooth(left * right.conj()).real / (smooth(centre * centre.conj()).real + _QUIET)
    played = fft.irfft(centre * np.clip(share, 0, 1), axis=1) * window
    sound = np.zeros(padded.shape[1])
    for first, piece in zip(range(0, len(sound) - size + 1, step), played, strict=True):
        sound[first : first + size] += piece
    sound = sound[size : size + stereo.shape[1]]
    return np.concatenate([stereo - sound, sound[None]]).astype(np.float32)


WAYS: dict[str, Split] = {
    "upmix": lambda stereo: _ours(stereo, low_latency=False),
    "upmix, low latency": lambda stereo: _ours(stereo, low_latency=True),
    "lean held to 1": _even_window,
    "mean of both": _mean,
}
