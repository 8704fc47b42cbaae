"""The recurrent network that tells motion from nuisances, through ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sensing.models.catalog import shipped_model
from sensing.models.session import Session
from sensing.ultrasound.doppler_features import BAND_EDGES_HZ, DopplerFrame
from sensing.ultrasound.motion_classifier import MotionScore
from sensing.ultrasound.noise_floor import FLOOR_HOPS

INPUTS = 41
UNITS = 40
"""Width of the recurrent state."""
OUTPUTS = ("none", "minor", "major", "nuisance")

_HALF = len(BAND_EDGES_HZ) - 1


def network_inputs(frames: Sequence[DopplerFrame]) -> NDArray[np.float32]:
    """Return what the network is given of each hop, shape ``(hops, INPUTS)``, all about -1 to 5.

    Bands over their floors (16); floors over the outermost one (8, both sides together) and that one itself;
    the strongest band over the carrier; lines (2), symmetry (3), burst (1); masked shares (8); and for how
    long the floors have been learnt, 0 to 1.
    """
    bands = np.array([frame.bands_db for frame in frames], np.float32) / 10
    floors = np.array([frame.floors_dbc for frame in frames], np.float32)
    far = np.minimum(floors[:, _HALF - 1], floors[:, -1])[:, None]
    both = (floors[:, :_HALF] + floors[:, _HALF:]) / 2
    masked = np.array([frame.masked for frame in frames], np.float32)
    shape = np.array(
        [
            (
                (frame.sideband_dbc + 60) / 20,
                *(frame.lines_db / 10),
                *frame.symmetry,
                frame.burst_db / 5,
                min(frame.floor_hops, FLOOR_HOPS) / FLOOR_HOPS,
            )
            for frame in frames
        ],
        np.float32,
    )
    columns = (
        np.clip(bands, -1, 6),
        np.clip((both - far) / 10, -1, 6),
        np.clip((far + 80) / 10, -4, 6),
        np.clip(shape, -4, 6),
        (masked[:, :_HALF] + masked[:, _HALF:]) / 2,
    )
    return np.concatenate(columns, axis=1)


class MotionNetwork:
    """Score hops by the shipped network; its state goes from hop to hop.

    Parameters
    ----------
    path : Path, optional
        Another ONNX file with the same inputs and outputs.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._session = Session(path or shipped_model("presence"))
        self.reset()

    def reset(self) -> None:
        """Forget the past, as after a gap in the audio."""
        self._state = np.zeros((1, 1, UNITS), np.float32)

    def score(self, frames: Sequence[DopplerFrame]) -> list[MotionScore]:
        """Return the scores of these hops, given those before them."""
        if not frames:
            return []
        scores, self._state = self._session.run(
            {"features": network_inputs(frames)[:, None], "state": self._state}
        )
        return [
            MotionScore(minor=float(minor), major=float(major), nuisance=float(nuisance))
            for _, minor, major, nuisance in scores
        ]
