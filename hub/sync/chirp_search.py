"""Where in a recording the chirps of a plan begin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import maximum_filter1d

from hub.sync.acoustic_offset import Unsure
from hub.sync.chirp_plan import ChirpPlan, Signal

_CELL_SECONDS = 0.001
_FALL_SHARE = 0.5
_LEAST_RATIO = 3.0
"""Of the weakest chirp to what is heard otherwise; what it really needs is for `heard` to say."""


def plan_start(recording: NDArray[np.float32], *, rate_hz: int, plan: ChirpPlan) -> float:
    """Return where the plan starts in what a microphone has recorded, in seconds from its first frame.

    The chirps say it themselves: there is one place only from which each slot has a chirp, within the plan's
    margin. A slot earlier or later the first or the last is missing, however loud the others are, as long as
    nothing else sounds in the slot before the plan and in the slot behind it. So nobody has to know how long
    sound takes from a microphone through the sound card, which few of them tell.

    Parameters
    ----------
    recording : ndarray
        One microphone, shape ``(frames,)``.

    Raises
    ------
    Unsure
        The recording is shorter than the plan, or silent, or a chirp is not in it.
    """
    cell = round(_CELL_SECONDS * rate_hz)
    envelope = _envelope(recording, rate_hz=rate_hz, plan=plan)
    cells = envelope[: envelope.size // cell * cell].reshape(-1, cell).max(axis=1)
    window = round(plan.margin_seconds / _CELL_SECONDS)
    starts = np.concatenate([plan.starts(device).ravel() for device in (0, 1)])
    slots = np.rint(starts / _CELL_SECONDS).astype(np.intp)
    places = cells.size - window - int(slots.max())
    if places < 1:
        raise Unsure(f"{recording.size / rate_hz:.1f} s were recorded, the chirps take {plan.seconds:.1f} s")
    if not cells.any():
        raise Unsure("the microphone hears nothing at all. Switch it on, or choose another one")
    ahead = maximum_filter1d(cells, window, origin=-(window // 2), mode="constant")
    least = np.min([ahead[slot : slot + places] for slot in slots], axis=0)
    first = int(np.argmax(least))
    if least[first] < _LEAST_RATIO * np.median(cells):
        raise Unsure("not all chirps stand above the noise. Turn them up, or bring the devices nearer")
    while first > 0 and least[first - 1] >= _FALL_SHARE * least[first]:
        first -= 1
    # from here all chirps lie in the window; a device's own microphone hears it first
    strongest = np.array([first + np.argmax(cells[first + slot : first + slot + window]) for slot in slots])
    return float(np.median(strongest.reshape(2, -1), axis=1).min()) * _CELL_SECONDS


def _envelope(recording: NDArray[np.float32], *, rate_hz: int, plan: ChirpPlan) -> Signal:
    """Return how much like a chirp the recording is from each of its frames on."""
    size = fft.next_fast_len(recording.size + round(plan.chirp_seconds * rate_hz))
    chirp = plan.chirp(np.arange(round(plan.chirp_seconds * rate_hz)) / rate_hz)
    hz = fft.fftfreq(size, 1 / rate_hz)
    band = (hz >= plan.low_hz) & (hz <= plan.high_hz)
    alike = fft.ifft(fft.fft(recording, size) * fft.fft(chirp, size).conj() * band)
    envelope: Signal = np.abs(alike[: recording.size])
    return envelope
