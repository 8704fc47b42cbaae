"""A user's own ONNX model through onnx-asr (Parakeet, Whisper, GigaAM and more): the one door to onnx_asr."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sensing.errors import ModelUnusable
from sensing.models.session import session_options
from sensing.speech.speech_stages import RATE_HZ
from sensing.speech.token_spelling import Vocabulary

if TYPE_CHECKING:
    from onnx_asr.asr import _AsrWithCtcDecoding

_KINDS = {
    ("decoder_joint-model*.onnx", "encoder-model*.onnx"): "nemo-conformer-rnnt",
    ("model*.onnx", "vocab.txt"): "nemo-conformer-ctc",
}
"""What a folder holds whose config.json names no model_type, by its files."""
_QUANTIZED = "int8"
_THREADS = 2


class OnnxAsrModel:
    """Write down speech with a model in a folder; nothing is ever downloaded.

    The folder is one that onnx-asr knows: ONNX files, ``vocab.txt`` and a ``config.json`` that names the
    ``model_type``. Of a model that lies there whole and quantized, the whole one is taken.

    Parameters
    ----------
    folder : Path
        Holds the model.

    Raises
    ------
    ModelUnusable
        The extra is not installed, or the folder holds no model that onnx-asr can load.
    """

    def __init__(self, folder: Path) -> None:
        try:
            import onnx_asr
        except ImportError:
            raise ModelUnusable("onnx-asr is not installed; pip install 'roomwise[onnx-asr]'") from None
        kind = _kind(folder)
        whole = any(not one.name.endswith(f"{_QUANTIZED}.onnx") for one in folder.glob("*.onnx"))
        try:
            self._model = onnx_asr.load_model(
                kind,
                folder,
                quantization=None if whole else _QUANTIZED,
                sess_options=session_options(threads=_THREADS),
                providers=["CPUExecutionProvider"],
            )
        except Exception as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ModelUnusable(f"{folder}: onnx-asr cannot load it as {kind} ({reason})") from error

    @property
    def tokens(self) -> OnnxAsrTokens | None:
        """The same model token by token, where it is one of connectionist temporal classification."""
        from onnx_asr.asr import _AsrWithCtcDecoding

        model = self._model.asr
        return OnnxAsrTokens(model) if isinstance(model, _AsrWithCtcDecoding) else None

    def transcribe(self, samples: NDArray[np.float32]) -> str:
        """Return what was said, as the model writes it, in mono sound at 16 kHz."""
        text: str = self._model.recognize(samples, sample_rate=RATE_HZ)
        return text


class OnnxAsrTokens:
    """What a CTC model hears, before onnx-asr makes text of it.

    onnx-asr offers the text only; these are the steps of its ``recognize_batch``, which is why its version
    is held.

    Parameters
    ----------
    model
        The model inside onnx-asr's adapter.
    """

    def __init__(self, model: _AsrWithCtcDecoding) -> None:
        self._model = model
        self.frame_seconds: float = model.window_step * model._subsampling_factor
        last = max(model._vocab)
        self.vocabulary = Vocabulary(
            tokens=tuple(model._vocab.get(number, "") for number in range(last + 1)), blank=model._blank_idx
        )

    def log_probabilities(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return natural logarithms for mono sound at 16 kHz, shape ``(frames, tokens)``."""
        features, lengths = self._model._preprocessor(samples[None], np.array([len(samples)], np.int64))
        log_probs, frames = self._model._encode(features, lengths)
        heard: NDArray[np.float32] = log_probs[0, : frames[0]]
        return heard


def _kind(folder: Path) -> str:
    """Return onnx-asr's name for what lies in the folder."""
    if not folder.is_dir():
        raise ModelUnusable(f"{folder}: no such folder; put a model there that onnx-asr knows")
    config = folder / "config.json"
    if config.is_file():
        try:
            content = json.loads(config.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ModelUnusable(f"{config}: is not JSON ({error})") from error
        kind = content.get("model_type") if isinstance(content, dict) else None
        if isinstance(kind, str) and "/" not in kind:
            return kind
    for files, kind in _KINDS.items():
        if all(any(folder.glob(file)) for file in files):
            return kind
    raise ModelUnusable(
        f"{folder}: no model_type in config.json, and neither model.onnx with vocab.txt "
        "nor encoder-model.onnx with decoder_joint-model.onnx; see the models of onnx-asr"
    )
