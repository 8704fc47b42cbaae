"""Speak and pronounce text with espeak-ng, in this process: the one door to it."""

from __future__ import annotations

import ctypes
import threading
from functools import cache

import espeakng_loader
import numpy as np
from numpy.typing import NDArray

from hub.errors import Degraded
from hub.playback.decoder import to_rate
from sensing.audio_block import Block
from sensing.speech.pronunciation import arpabet

_RETRIEVAL = 1  # AUDIO_OUTPUT_RETRIEVAL of speak_lib.h: samples come to the callback
_CHARS_UTF8 = 1
_PHONEMES_IPA = 2  # of espeak_TextToPhonemes
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
_lock = threading.Lock()  # espeak-ng keeps its state in globals
_heard: list[NDArray[np.int16]] = []


def speak(text: str, rate_hz: int) -> Block:
    """Return speech, shape ``(1, frames)``, full scale +-1.

    Raises
    ------
    Degraded
        espeak-ng does not start or refuses the text.
    """
    if not text.strip():
        return np.zeros((1, 0), np.float32)
    with _lock:
        library, own_rate_hz = _engine()
        _heard.clear()
        said = text.replace("\0", " ").encode()
        status = library.espeak_Synth(said, len(said) + 1, 0, 1, 0, _CHARS_UTF8, None, None)
        library.espeak_Synchronize()
        pieces = list(_heard)
    if status != 0 or not pieces:
        raise Degraded(f"espeak-ng said nothing (status {status})", hint="Try a simpler text.")
    samples = np.concatenate(pieces).astype(np.float32)[None] / np.float32(32768)
    return to_rate(samples, own_rate_hz, rate_hz)


def pronunciation(word: str) -> str:
    """Return how American English says a word, in ARPAbet phones separated by spaces.

    Raises
    ------
    ValueError
        espeak-ng knows no sound for it.
    """
    with _lock:
        library, _ = _engine()
        library.espeak_SetVoiceByName(b"en-us")
        text = ctypes.c_char_p(word.replace("\0", " ").encode())
        said = library.espeak_TextToPhonemes(ctypes.byref(text), _CHARS_UTF8, _PHONEMES_IPA)
        library.espeak_SetVoiceByName(b"en")
    return arpabet((said or b"").decode())


def _collect(samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int | None) -> int:
    """Take one piece of speech; 0 asks for more."""
    if samples and count > 0:
        _heard.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
    return 0


_callback = _CALLBACK(_collect)  # kept: espeak-ng holds only the address


@cache
def _engine() -> tuple[ctypes.CDLL, int]:
    """Start espeak-ng once and return it with its rate in Hz."""
    try:
        library = ctypes.CDLL(espeakng_loader.get_library_path())
    except OSError as error:
        raise Degraded(f"espeak-ng cannot be loaded ({error})", hint="Install the hub again.") from error
    folder = str(espeakng_loader.get_data_path()).encode()
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_uint,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_uint,
        ctypes.c_void_p,
        ctypes.c_void_p,
    ]
    library.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    rate_hz = int(library.espeak_Initialize(_RETRIEVAL, 0, folder, 0))
    if rate_hz <= 0:
        raise Degraded("espeak-ng does not start", hint="Its voice data are missing; install the hub again.")
    library.espeak_SetSynthCallback(_callback)
    library.espeak_SetVoiceByName(b"en")
    return library, rate_hz
