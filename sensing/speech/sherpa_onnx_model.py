"""A user's own ONNX model through sherpa-onnx: the one door to sherpa_onnx."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sensing.errors import ModelUnusable
from sensing.models.session import model_metadata
from sensing.speech.speech_stages import RATE_HZ

if TYPE_CHECKING:
    from sherpa_onnx import OfflineRecognizer

_THREADS = 2
_NEMO_KEYS = ("vocab_size", "subsampling_factor", "normalize_type")
_KINDS = "model.onnx (NeMo CTC), or encoder.onnx and decoder.onnx (Whisper), the latter with joiner.onnx too"


class SherpaOnnxModel:
    """Write down speech with a model in a folder; nothing is ever downloaded.

    The folder holds a model as sherpa-onnx publishes them: ``tokens.txt`` and the ONNX files of a NeMo CTC,
    a transducer or a Whisper. What sherpa-onnx cannot load would end the process, so the files and their
    metadata are looked at first.

    Parameters
    ----------
    folder : Path
        Holds the model.

    Raises
    ------
    ModelUnusable
        The extra is not installed, or the folder holds no model of these kinds.
    """

    def __init__(self, folder: Path) -> None:
        try:
            import sherpa_onnx
        except ImportError:
            raise ModelUnusable("sherpa-onnx is not installed; pip install 'roomwise[sherpa-onnx]'") from None
        self._recognizer = _load(sherpa_onnx.OfflineRecognizer, folder)

    def transcribe(self, samples: NDArray[np.float32]) -> str:
        """Return what was said, as the model writes it, in mono sound at 16 kHz."""
        stream = self._recognizer.create_stream()
        stream.accept_waveform(RATE_HZ, samples)
        self._recognizer.decode_stream(stream)
        text: str = stream.result.text
        return text


def _load(recognizer: type[OfflineRecognizer], folder: Path) -> OfflineRecognizer:
    """Return the recogniser for what lies in the folder."""
    if not folder.is_dir():
        raise ModelUnusable(f"{folder}: no such folder; put a model there that sherpa-onnx knows")
    tokens = str(_the_file(folder, "*tokens.txt"))
    if any(folder.glob("*joiner*.onnx")):
        encoder, decoder, joiner = (
            _the_file(folder, f"*{part}*.onnx") for part in ("encoder", "decoder", "joiner")
        )
        _check(encoder, ("model_type",))
        return recognizer.from_transducer(
            encoder=str(encoder),
            decoder=str(decoder),
            joiner=str(joiner),
            tokens=tokens,
            num_threads=_THREADS,
        )
    if any(folder.glob("*encoder*.onnx")):
        encoder, decoder = (_the_file(folder, f"*{part}*.onnx") for part in ("encoder", "decoder"))
        _check(encoder, ("model_type", "n_mels", "n_text_layer"))
        return recognizer.from_whisper(
            encoder=str(encoder), decoder=str(decoder), tokens=tokens, num_threads=_THREADS
        )
    model = _the_file(folder, "*model*.onnx")
    _check(model, _NEMO_KEYS)
    return recognizer.from_nemo_ctc(model=str(model), tokens=tokens, num_threads=_THREADS)


def _the_file(folder: Path, pattern: str) -> Path:
    """Return the one file of a pattern; of a model whole and quantized, the whole one."""
    found = sorted(folder.glob(pattern), key=lambda file: (".int8." in file.name, file.name))
    if not found:
        raise ModelUnusable(f"{folder}: no {pattern}; there must be tokens.txt, and {_KINDS}")
    return found[0]


def _check(model: Path, keys: Sequence[str]) -> None:
    """Refuse a file that lacks what sherpa-onnx asks of it."""
    try:
        known = model_metadata(model)
    except ValueError as error:
        raise ModelUnusable(str(error)) from error
    missing = [key for key in keys if key not in known]
    if missing:
        raise ModelUnusable(
            f"{model}: its metadata lack {', '.join(missing)}; take a model that was exported for sherpa-onnx"
        )
