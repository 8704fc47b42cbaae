"""Features of the wake word: Google's frozen speech embedding, streamed.

Log-mel frames of 25 ms every 10 ms; every 80 ms the last 76 of them (0.775 s) become 96 values.
Source: openWakeWord's use of ``speech_embedding`` (Lin et al., "Training Keyword Spotters with
Limited and Synthesized Speech Data", ICASSP 2020).
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sensing.models.catalog import shipped_model
from sensing.models.session import Session, Tensor

RATE_HZ = 16_000
CHUNK_FRAMES = 1_280
"""Samples from one embedding to the next: 80 ms."""
EMBEDDING_VALUES = 96

_MEL_CONTEXT_FRAMES = 480
"""Samples before a chunk that its eight mel frames also see."""
_MEL_HOP_FRAMES = 160
_MELS = 32
_WINDOW_MELS = 76
_CHUNK_MELS = CHUNK_FRAMES // _MEL_HOP_FRAMES
_DITHER_DBFS = -70.0
"""Noise floor of an ordinary room microphone; recordings gated to digital silence lie outside
what the embedding has ever heard."""
_FULL_SCALE = 32_767.0

_DITHER = (np.random.default_rng(16).standard_normal(RATE_HZ) * 10 ** (_DITHER_DBFS / 20)).astype(np.float32)


def dithered(samples: NDArray[np.float32], first_frame: int) -> NDArray[np.float32]:
    """Return the samples with noise at -70 dBFS that depends on nothing but the frame's number.

    So a recording gives the same features however it is cut into blocks.
    """
    places = (first_frame + np.arange(len(samples))) % RATE_HZ
    return np.asarray(samples + _DITHER[places], np.float32)


class SpeechEmbedding:
    """Turn 16 kHz sound into one embedding every 80 ms."""

    def __init__(self) -> None:
        self._mel = Session(shipped_model("melspectrogram"))
        self._embedding = Session(shipped_model("speech_embedding"))
        quiet = np.zeros(_MEL_CONTEXT_FRAMES + 10 * CHUNK_FRAMES, np.float32)
        self._quiet = self._mel_frames(dithered(quiet, 0))[-_WINDOW_MELS:]
        self.reset()

    def reset(self) -> None:
        """Start as if there had been nothing but a quiet room."""
        self._context = dithered(np.zeros(_MEL_CONTEXT_FRAMES, np.float32), -_MEL_CONTEXT_FRAMES)
        self._mels = self._quiet
        self._frame = 0

    def process(self, samples: NDArray[np.float32]) -> Tensor:
        """Return the embeddings at the ends of chunks, shape ``(chunks, 96)``.

        The same values whether the chunks come one by one or many at once.

        Parameters
        ----------
        samples : ndarray
            A whole number of chunks of `CHUNK_FRAMES`, full scale is +-1.
        """
        sound = np.concatenate([self._context, dithered(samples, self._frame)])
        self._frame += len(samples)
        self._context = sound[-_MEL_CONTEXT_FRAMES:]
        chunks = len(samples) // CHUNK_FRAMES
        # One call a chunk: the model clips 80 dB below the loudest value of its whole input.
        mels = [
            self._mel_frames(sound[first : first + _MEL_CONTEXT_FRAMES + CHUNK_FRAMES])
            for first in range(0, chunks * CHUNK_FRAMES, CHUNK_FRAMES)
        ]
        history = np.concatenate([self._mels, *mels])
        self._mels = history[-_WINDOW_MELS:]
        windows = sliding_window_view(history, _WINDOW_MELS, axis=0)[_CHUNK_MELS::_CHUNK_MELS]
        feed = np.ascontiguousarray(windows.transpose(0, 2, 1))[..., None]
        [embeddings] = self._embedding.run({"input_1": feed})
        return np.reshape(embeddings, (chunks, EMBEDDING_VALUES))

    def _mel_frames(self, sound: NDArray[np.float32]) -> Tensor:
        """Return log-mel frames, shape ``(frames, 32)``, scaled as the embedding was trained."""
        [mels] = self._mel.run({"input": sound[None] * _FULL_SCALE})
        return np.asarray(mels.reshape(-1, _MELS) / 10 + 2, np.float32)
