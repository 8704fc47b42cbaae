"""What the recogniser and the wake words both read: inner stages of a frozen speech embedding, streamed.

Log-mel frames of 25 ms every 10 ms go through the early half of Google's ``speech_embedding``, which looks
only backwards (Lin et al., "Training Keyword Spotters with Limited and Synthesized Speech Data", ICASSP
2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensing.models.catalog import shipped_model
from sensing.models.session import Session, Tensor

RATE_HZ = 16_000
CHUNK_FRAMES = 1_280
"""Samples that are taken at a time: 80 ms."""
STAGE_FRAMES = 2
"""Frames of the stages in a chunk: one every 40 ms."""
FINE_VALUES, COARSE_VALUES = 288, 192

_MEL_CONTEXT_FRAMES = 480
"""Samples before a chunk that its eight mel frames also see."""
_MELS = 32
_HISTORY_MELS = 36
"""Mel frames before a chunk that its first coarse frame also sees."""
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


@dataclass(frozen=True, slots=True, eq=False)
class Stages:
    """Frames of 40 ms.

    Attributes
    ----------
    fine : NDArray
        Shape ``(frames, 288)``: 72 channels of 4 bands, each of the last 0.255 s.
    coarse : NDArray
        Shape ``(frames, 192)``: 96 channels of 2 bands, each of the last 0.415 s.
    """

    fine: Tensor
    coarse: Tensor


class SpeechStages:
    """Turn 16 kHz sound into two frames of both stages every 80 ms."""

    def __init__(self) -> None:
        self._mel = Session(shipped_model("melspectrogram"))
        self._early = Session(shipped_model("speech_stages"))
        quiet = np.zeros(_MEL_CONTEXT_FRAMES + 5 * CHUNK_FRAMES, np.float32)
        self._quiet = self._mel_frames(dithered(quiet, 0))[-_HISTORY_MELS:]
        self.reset()

    def reset(self) -> None:
        """Start as if there had been nothing but a quiet room."""
        self._context = dithered(np.zeros(_MEL_CONTEXT_FRAMES, np.float32), -_MEL_CONTEXT_FRAMES)
        self._mels = self._quiet
        self._frame = 0

    def process(self, samples: NDArray[np.float32]) -> Stages:
        """Return the frames that end in these chunks.

        The same values whether the chunks come one by one or many at once.

        Parameters
        ----------
        samples : ndarray
            A whole number of chunks of `CHUNK_FRAMES`, full scale is +-1.
        """
        sound = np.concatenate([self._context, dithered(samples, self._frame)])
        self._frame += len(samples)
        self._context = sound[-_MEL_CONTEXT_FRAMES:]
        # One call a chunk: the model clips 80 dB below the loudest value of its whole input.
        mels = [
            self._mel_frames(sound[first : first + _MEL_CONTEXT_FRAMES + CHUNK_FRAMES])
            for first in range(0, len(samples), CHUNK_FRAMES)
        ]
        history = np.concatenate([self._mels, *mels])
        self._mels = history[-_HISTORY_MELS:]
        frames = len(samples) // CHUNK_FRAMES * STAGE_FRAMES
        if not frames:
            return Stages(np.zeros((0, FINE_VALUES), np.float32), np.zeros((0, COARSE_VALUES), np.float32))
        fine, coarse = self._early.run({"mels": history[None, :, :, None]})
        return Stages(_rows(fine)[-frames:], _rows(coarse))

    def _mel_frames(self, sound: NDArray[np.float32]) -> Tensor:
        """Return log-mel frames, shape ``(frames, 32)``, scaled as the embedding was trained."""
        [mels] = self._mel.run({"input": sound[None] * _FULL_SCALE})
        return np.asarray(mels.reshape(-1, _MELS) / 10 + 2, np.float32)


def _rows(stage: Tensor) -> Tensor:
    """Return a stage ``[1, channels, frames, bands]`` as rows, channel by channel."""
    rows: Tensor = stage[0].transpose(1, 0, 2).reshape(stage.shape[2], -1)
    return rows
