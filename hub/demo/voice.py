"""Who speaks in the demo: recorded people where recordings lie beside the project, else espeak-ng."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hub.audio.sound_file import read_all
from hub.playback.decoder import to_rate
from hub.playback.text_to_speech import speak

_WAKE = "wakeword/computer"
_COMMAND = "commands/ha_en/run_Party_Time.flac"
_PEAK = 0.25
_MARGIN_SECONDS = 0.15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpokenCommand:
    """The wake word and a command, mono, and who says them."""

    samples: NDArray[np.float32]
    speaker: Literal["recorded people", "espeak-ng"]


def spoken_command(rate_hz: int) -> SpokenCommand:
    """Return "computer, run party time" at a rate.

    The recordings may not be copied into the project, so they are used where they lie:
    in the folder named by ROOMWISE_DATA, or in ``../shared/data``.
    """
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = Path(os.environ.get("ROOMWISE_DATA", beside))
    wakes = sorted((folder / _WAKE).glob("*.flac"))
    if wakes and (folder / _COMMAND).is_file():
        said = [_recorded(path, rate_hz) for path in (wakes[0], folder / _COMMAND)]
        return SpokenCommand(samples=np.concatenate(said), speaker="recorded people")
    said = [_levelled(speak(text, rate_hz)[0], rate_hz) for text in ("computer", "run party time")]
    return SpokenCommand(samples=np.concatenate(said), speaker="espeak-ng")


def _recorded(path: Path, rate_hz: int) -> NDArray[np.float32]:
    samples, own_rate_hz = read_all(path)
    return _levelled(to_rate(samples, own_rate_hz, rate_hz)[0], rate_hz)


def _levelled(samples: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """Return speech without the silence around it, at one level."""
    peak = float(np.abs(samples).max())
    loud = np.flatnonzero(np.abs(samples) > 0.05 * peak)
    margin = round(_MARGIN_SECONDS * rate_hz)
    return samples[max(0, loud[0] - margin) : loud[-1] + margin] * np.float32(_PEAK / peak)
