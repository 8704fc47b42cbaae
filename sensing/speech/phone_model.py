"""The hub's own acoustic model: how likely each phone is, every 40 ms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sensing.models.catalog import shipped_model
from sensing.models.session import Session, Tensor
from sensing.speech.phones import LABELS
from sensing.speech.speech_stages import CHUNK_FRAMES, RATE_HZ, STAGE_FRAMES, SpeechStages

_STATE_SHAPE = (8, 8, 160)
"""Blocks of the network, past frames that each needs, and their width."""
_FLUSHED_CHUNKS = 3
"""The model may tell a phone up to 0.2 s after it was said."""


class PhoneModel:
    """Turn 16 kHz sound into log probabilities of phones.

    Parameters
    ----------
    path : Path, optional
        Another ONNX file with the same inputs and outputs.

    Attributes
    ----------
    frame_seconds : float
        Time between two frames.
    delay_seconds : float
        How long after a phone's middle its frame comes, about.
    """

    frame_seconds = CHUNK_FRAMES / STAGE_FRAMES / RATE_HZ
    delay_seconds = 0.12

    def __init__(self, path: Path | None = None) -> None:
        self._stages = SpeechStages()
        self._network = Session(path or shipped_model("phones"))
        self.reset()

    def reset(self) -> None:
        """Start as after silence."""
        self._stages.reset()
        self._state = np.zeros(_STATE_SHAPE, np.float32)
        self._rest = np.zeros(0, np.float32)

    def feed(self, samples: NDArray[np.float32]) -> Tensor:
        """Return the frames that are complete, shape ``(frames, 40)``: natural logarithms, the blank first.

        Parameters
        ----------
        samples : ndarray
            Mono at 16 kHz, any number; what does not fill 80 ms is kept for the next call.
        """
        sound = np.concatenate([self._rest, samples])
        whole = len(sound) // CHUNK_FRAMES * CHUNK_FRAMES
        self._rest = sound[whole:]
        if not whole:
            return np.zeros((0, LABELS), np.float32)
        stages = self._stages.process(sound[:whole])
        features = np.concatenate([stages.fine, stages.coarse], axis=1)
        log_probs, self._state = self._network.run({"features": features, "state": self._state})
        return log_probs

    def finish(self) -> Tensor:
        """Return the last frames: the utterance ends in silence."""
        missing = -len(self._rest) % CHUNK_FRAMES + _FLUSHED_CHUNKS * CHUNK_FRAMES
        return self.feed(np.zeros(missing, np.float32))
