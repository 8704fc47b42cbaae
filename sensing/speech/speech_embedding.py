"""Features of the wake word: every 80 ms the last 0.775 s become 96 values.

Source: openWakeWord's use of ``speech_embedding`` (`sensing.speech.speech_stages`).
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sensing.models.catalog import shipped_model
from sensing.models.session import Session, Tensor
from sensing.speech.speech_stages import (
    CHUNK_FRAMES,
    COARSE_VALUES,
    STAGE_FRAMES,
    SpeechStages,
    Stages,
)

EMBEDDING_VALUES = 96
_WINDOW_FRAMES = 10
_BANDS = 2
_SETTLING_CHUNKS = 10


class SpeechEmbedding:
    """Turn 16 kHz sound into one embedding every 80 ms."""

    def __init__(self) -> None:
        self._stages = SpeechStages()
        self._late = Session(shipped_model("speech_embedding"))
        self._quiet = self._stages.process(np.zeros(_SETTLING_CHUNKS * CHUNK_FRAMES, np.float32)).coarse
        self.reset()

    def reset(self) -> None:
        """Start as if there had been nothing but a quiet room."""
        self._stages.reset()
        self._coarse = self._quiet[-_WINDOW_FRAMES:]

    def process(self, samples: NDArray[np.float32]) -> Tensor:
        """Return the embeddings at the ends of chunks, shape ``(chunks, 96)``.

        The same values whether the chunks come one by one or many at once.

        Parameters
        ----------
        samples : ndarray
            A whole number of chunks of `CHUNK_FRAMES`, full scale is +-1.
        """
        return self.of_stages(self._stages.process(samples))

    def of_stages(self, stages: Stages) -> Tensor:
        """Return the embeddings of frames whose stages somebody else has computed."""
        history = np.concatenate([self._coarse, stages.coarse])
        self._coarse = history[-_WINDOW_FRAMES:]
        chunks = len(stages.coarse) // STAGE_FRAMES
        if not chunks:
            return np.zeros((0, EMBEDDING_VALUES), np.float32)
        windows = sliding_window_view(history, _WINDOW_FRAMES, axis=0)[STAGE_FRAMES::STAGE_FRAMES]
        bands = windows.reshape(chunks, COARSE_VALUES // _BANDS, _BANDS, _WINDOW_FRAMES)
        [embeddings] = self._late.run({"coarse": np.ascontiguousarray(bands.transpose(0, 1, 3, 2))})
        return np.reshape(embeddings, (chunks, EMBEDDING_VALUES))
