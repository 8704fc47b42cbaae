"""Run a wake-word engine that is not ours: in a Python that has it, apart from the house.

    python other_wake_engines.py openwakeword|microwakeword alexa clips.npz

Prints a list: whether the phrase was heard in each clip, at the engine's own threshold.
"""

import json
import sys
from pathlib import Path

import numpy as np

_CHUNK = 1_280
_QUIET = np.zeros(3 * 16_000, np.int16)
_FORGOTTEN_CHUNKS = 25
"""openWakeWord's reset keeps its features: its answers of the first two seconds are about the clip before."""
_OPENWAKEWORD_THRESHOLD = 0.5


def openwakeword(phrase, clips):
    """Yield whether openWakeWord hears the phrase."""
    import openwakeword
    from openwakeword.model import Model

    folder = Path(openwakeword.__file__).parent / "resources" / "models"
    model = Model([str(next(folder.glob(f"{phrase}_*.onnx")))])
    for clip in clips:
        model.reset()
        sound = np.concatenate([_QUIET, clip])
        scores = [
            max(model.predict(sound[first : first + _CHUNK]).values())
            for first in range(0, len(sound) - _CHUNK + 1, _CHUNK)
        ]
        yield bool(max(scores[_FORGOTTEN_CHUNKS:]) >= _OPENWAKEWORD_THRESHOLD)


def microwakeword(phrase, clips):
    """Yield whether microWakeWord hears the phrase, with the threshold of its own file."""
    from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures, Model

    for clip in clips:
        word, features = MicroWakeWord.from_builtin(Model(phrase)), MicroWakeWordFeatures()
        sound = np.concatenate([_QUIET, clip]).tobytes()
        yield any(word.process_streaming(one) for one in features.process_streaming(sound))


def main():
    """Print what was heard."""
    name, phrase, path = sys.argv[1:]
    with np.load(path) as arrays:
        clips = [arrays[f"arr_{index}"] for index in range(len(arrays.files))]
    engine = {"openwakeword": openwakeword, "microwakeword": microwakeword}[name]
    print(json.dumps(list(engine(phrase, clips))))


main()
