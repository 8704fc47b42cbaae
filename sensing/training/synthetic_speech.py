"""Sentences spoken by machines: espeak-ng in this process, flite and festival where they are installed.

espeak-ng's voices are made by rule, in many accents and timbres; flite and festival speak with the voices of
five people. All three may be used for training: their licences do not reach what they say.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import espeakng_loader
import numpy as np
import soundfile
import soxr

from sensing.training.recordings import RATE_HZ, Sound

Engine = Literal["espeak", "flite", "festival"]

_ACCENTS = (
    "en-us",
    "en-us-nyc",
    "en",
    "en-gb-scotland",
    "en-gb-x-gbclan",
    "en-gb-x-rp",
    "en-gb-x-gbcwmd",
    "en-029",
)
_TIMBRES = (
    "", "Alex", "Alicia", "Andrea", "Andy", "Annie", "Denis", "Diogo", "Gene", "Gene2", "Henrique",
    "Hugo", "Jacky", "Lee", "Marco", "Mario", "Michael", "Mike", "Nguyen", "Reed", "Storm", "adam",
    "anika", "antonio", "aunty", "belinda", "benjamin", "boris", "caleb", "david", "ed", "edward", "f1",
    "f2", "f3", "f4", "f5", "grandma", "grandpa", "gustave", "ian", "iven", "john", "klatt", "klatt2",
    "klatt3", "klatt4", "linda", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "marcelo", "max",
    "michel", "miguel", "norbert", "pablo", "paul", "pedro", "quincy", "rob", "robert", "sandro",
    "shelby", "steph", "steph2", "steph3", "travis", "victor", "zac",
)  # fmt: skip
_FLITE, _FESTIVAL = ("awb", "rms", "slt", "kal16"), ("ked_diphone", "kal_diphone", "cmu_us_slt_arctic_hts")

_RETRIEVAL, _CHARS_UTF8 = 1, 1
_RATE, _PITCH, _RANGE = 1, 3, 4
"""Numbers of espeak-ng's parameters (speak_lib.h)."""
_WORDS_PER_MINUTE, _MIDDLE = 165, 50
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True, order=True)
class Voice:
    """A voice of an engine, by the engine's own name."""

    engine: Engine
    name: str


@cache
def voices() -> tuple[Voice, ...]:
    """Return all voices of this machine, always in the same order."""
    known = [
        Voice("espeak", f"{accent}+{timbre}" if timbre else accent)
        for accent in _ACCENTS
        for timbre in _TIMBRES
    ]
    if shutil.which("flite"):
        known += [Voice("flite", name) for name in _FLITE]
    if shutil.which("text2wave"):
        folders = Path("/usr/share/festival/voices")
        known += [Voice("festival", name) for name in _FESTIVAL if any(folders.glob(f"*/{name}"))]
    return tuple(known)


def spoken_by(voice: Voice, text: str, *, speed: float = 1.0, pitch: float = 1.0) -> Sound:
    """Return a sentence at 16 kHz, full scale +-1.

    Parameters
    ----------
    speed : float
        Times the voice's own speed, 0.7 to 1.5.
    pitch : float
        Times its own pitch, of espeak-ng alone, 0.6 to 1.6.

    Raises
    ------
    RuntimeError
        The engine says nothing.
    """
    if voice.engine == "espeak":
        return _espeak(voice.name, text, speed, pitch)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        if voice.engine == "flite":
            stretch = f"duration_stretch={1 / speed:.3f}"
            command = ["flite", "-voice", voice.name, "--setf", stretch, "-t", text, "-o", str(path)]
            said = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_SECONDS, check=False)
        else:
            set_up = f"(begin (voice_{voice.name}) (Parameter.set 'Duration_Stretch {1 / speed:.3f}))"
            command = ["text2wave", "-eval", set_up, "-o", str(path)]
            said = subprocess.run(
                command, input=text.encode(), capture_output=True, timeout=_TIMEOUT_SECONDS, check=False
            )
        if said.returncode or not path.exists():
            raise RuntimeError(
                f"{voice.engine} {voice.name} did not say {text!r}: {said.stderr.decode()[-200:]}"
            )
        samples, rate_hz = soundfile.read(path, dtype="float32")
    return _at_rate(samples, rate_hz)


def _espeak(name: str, text: str, speed: float, pitch: float) -> Sound:
    library, rate_hz = _library()
    _heard.clear()
    if library.espeak_SetVoiceByName(name.encode()):
        raise RuntimeError(f"espeak-ng has no voice {name}")
    library.espeak_SetParameter(_RATE, round(_WORDS_PER_MINUTE * speed), 0)
    library.espeak_SetParameter(_PITCH, round(np.clip(_MIDDLE + 80 * np.log2(pitch), 0, 99)), 0)
    library.espeak_SetParameter(_RANGE, _MIDDLE, 0)
    said = text.encode()
    library.espeak_Synth(said, len(said) + 1, 0, 1, 0, _CHARS_UTF8, None, None)
    library.espeak_Synchronize()
    if not _heard:
        raise RuntimeError(f"espeak-ng {name} said nothing for {text!r}")
    return _at_rate(np.concatenate(_heard).astype(np.float32) / np.float32(32_768), rate_hz)


def _at_rate(samples: Sound, rate_hz: int) -> Sound:
    resampled: Sound = samples if rate_hz == RATE_HZ else soxr.resample(samples, rate_hz, RATE_HZ)
    return resampled


_heard: list[np.ndarray[tuple[int], np.dtype[np.int16]]] = []


def _collect(samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int | None) -> int:
    """Take one piece of speech; 0 asks for more."""
    if samples and count > 0:
        _heard.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
    return 0


_callback = _CALLBACK(_collect)  # kept: espeak-ng holds only the address


@cache
def _library() -> tuple[ctypes.CDLL, int]:
    """Start espeak-ng once and return it with its rate in Hz."""
    # A copy of the library has globals of its own, so the hub's voice in this process keeps its settings.
    with tempfile.NamedTemporaryFile(suffix=".so") as copy:
        shutil.copyfile(espeakng_loader.get_library_path(), copy.name)
        library = ctypes.CDLL(copy.name)
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
    rate_hz = int(library.espeak_Initialize(_RETRIEVAL, 0, str(espeakng_loader.get_data_path()).encode(), 0))
    library.espeak_SetSynthCallback(_callback)
    return library, rate_hz
