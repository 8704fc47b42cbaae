"""Which recogniser the hub hears with: the one place that knows them all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, assert_never

import numpy as np
import structlog
from numpy.typing import NDArray

from hub.config.hub_config import RecognizerConfig
from hub.errors import BadInput
from hub.playback.text_to_speech import pronunciation
from integrations.wyoming.speech_server import SpeechServer
from integrations.wyoming.wire import SoundFormat
from sensing.errors import ModelUnusable
from sensing.speech.confidence import Meaning
from sensing.speech.ctc_recognizer import CtcRecognizer
from sensing.speech.free_text_recognizer import FreeTextRecognizer, Transcribe
from sensing.speech.grammar import Grammar
from sensing.speech.lexicon import Lexicon
from sensing.speech.onnx_asr_model import OnnxAsrModel
from sensing.speech.phone_graph import compile_phones
from sensing.speech.phone_model import PhoneModel
from sensing.speech.phone_recognizer import PhoneRecognizer
from sensing.speech.phonetic_rescoring import PhoneticRescoring
from sensing.speech.pocketsphinx_recognizer import PocketSphinxRecognizer
from sensing.speech.recognizer import SpeechRecognizer
from sensing.speech.second_opinion import SecondOpinion
from sensing.speech.sherpa_onnx_model import SherpaOnnxModel
from sensing.speech.speech_stages import RATE_HZ
from sensing.speech.token_spelling import TokensUnfit

log = structlog.get_logger("hearing")

RecognizerBackend = Callable[[Grammar, Meaning], SpeechRecognizer]
"""Makes a recogniser for other sentences, given what they mean; what takes long is already loaded."""

_Model = TypeVar("_Model", OnnxAsrModel, SherpaOnnxModel)
_PCM = SoundFormat(rate_hz=RATE_HZ, width_bytes=2, channels=1)


def pocketsphinx(grammar: Grammar, _meaning: Meaning) -> SpeechRecognizer:
    """Return the recogniser that many know, and that needs no model of the hub's."""
    return PocketSphinxRecognizer(grammar, pronounce=pronunciation)


def recognizer_backend(
    settings: RecognizerConfig, *, directory: Path, server: SpeechServer | None
) -> RecognizerBackend:
    """Return what makes recognisers, as hub.yaml wants it.

    Parameters
    ----------
    directory : Path
        What the path of a model is relative to.
    server : SpeechServer or None
        Who is asked with ``backend: wyoming``.

    Raises
    ------
    BadInput
        A model cannot be loaded, or an extra is not installed; the message says what to do.
    """
    match settings.backend:
        case "own":
            return own()
        case "pocketsphinx":
            return pocketsphinx
        case "onnx_asr":
            return _token_by_token(_model(OnnxAsrModel, settings, directory))
        case "sherpa_onnx":
            return _free_text(_model(SherpaOnnxModel, settings, directory).transcribe)
        case "wyoming":
            assert server is not None  # made from the same settings
            return _free_text(asking(server))
        case _:
            assert_never(settings.backend)


def own(model: Path | None = None) -> RecognizerBackend:
    """Return what hears with the hub's own acoustic model, and asks PocketSphinx where that is unsure.

    Parameters
    ----------
    model : Path or None
        Instead of the shipped one.
    """
    lexicon = Lexicon(pronunciation)

    def backend(grammar: Grammar, meaning: Meaning) -> SpeechRecognizer:
        first = PhoneRecognizer(PhoneModel(model), compile_phones(grammar, lexicon), meaning=meaning)
        return SecondOpinion(first, pocketsphinx(grammar, meaning), meaning=meaning)

    return backend


def _free_text(transcribe: Transcribe) -> RecognizerBackend:
    def backend(grammar: Grammar, _meaning: Meaning) -> SpeechRecognizer:
        return FreeTextRecognizer(transcribe, PhoneticRescoring(grammar, pronounce=pronunciation))

    return backend


def _token_by_token(model: OnnxAsrModel) -> RecognizerBackend:
    """Return what decodes the grammar over the model's tokens, where the model and its tokens allow it."""
    tokens, by_text = model.tokens, _free_text(model.transcribe)

    def backend(grammar: Grammar, meaning: Meaning) -> SpeechRecognizer:
        try:
            return by_text(grammar, meaning) if tokens is None else CtcRecognizer(tokens, grammar)
        except TokensUnfit as unfit:
            log.info("the model's text is taken, not its tokens", why=str(unfit))
            return by_text(grammar, meaning)

    return backend


def _model(kind: Callable[[Path], _Model], settings: RecognizerConfig, directory: Path) -> _Model:
    assert settings.model is not None  # hub.yaml is refused without it
    try:
        return kind(directory / settings.model)
    except ModelUnusable as error:
        raise BadInput(f"speech.recognizer: {error}") from error


def asking(server: SpeechServer) -> Transcribe:
    """Return what asks a server what was said; for any thread but the loop's."""

    def transcribe(samples: NDArray[np.float32]) -> str:
        pcm = (np.clip(samples, -1.0, 1.0) * 32_767).astype("<i2").tobytes()
        return server.transcribe(pcm, _PCM)

    return transcribe
