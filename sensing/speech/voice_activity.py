"""The second level of hearing: whether it is speech."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sensing.models.catalog import shipped_model
from sensing.models.session import Session

WINDOW_FRAMES = 512
"""32 ms at 16 kHz: the model's step."""

_STATE_SHAPE = (2, 1, 64)


class VoiceActivity:
    """Silero VAD, streamed: one probability of speech every 32 ms."""

    def __init__(self) -> None:
        self._session = Session(shipped_model("voice_activity"))
        self._rate = np.array(16_000, np.int64)
        self.reset()

    def reset(self) -> None:
        """Start as after silence."""
        self._hidden = np.zeros(_STATE_SHAPE, np.float32)
        self._cell = np.zeros(_STATE_SHAPE, np.float32)
        self._rest = np.zeros(0, np.float32)

    def process(self, samples: NDArray[np.float32]) -> list[float]:
        """Return the probability of speech of each 32 ms window that is now complete.

        Parameters
        ----------
        samples : ndarray
            Mono at 16 kHz, any number; what does not fill a window is kept for the next call.
        """
        sound = np.concatenate([self._rest, samples])
        whole = len(sound) // WINDOW_FRAMES * WINDOW_FRAMES
        self._rest = sound[whole:]
        return [self._probability(window) for window in sound[:whole].reshape(-1, WINDOW_FRAMES)]

    def _probability(self, window: NDArray[np.float32]) -> float:
        probability, self._hidden, self._cell = self._session.run(
            {"input": window[None], "sr": self._rate, "h": self._hidden, "c": self._cell}
        )
        return float(probability[0, 0])
