"""Wake words on recordings of speakers who trained none of them: misses, false accepts, and other engines.

Clean, and in the noise of a kitchen that trains nothing, 10 dB below the speech's loud parts. Other engines
run in a Python that has them (openwakeword 0.4.0, pymicro-wakeword) on the same clips.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from hub.wake_trial import WakeTrial
from hub.wake_words import make_verifier
from routines.facts import Json
from script.voice.household_noise import kitchen, noisy
from sensing.share_interval import share_interval
from sensing.speech.wake_heads import find_head
from sensing.speech.wake_word import WakeWord
from sensing.training.recordings import RATE_HZ, Part, Recording, Sound, spoken

PHRASES = ("computer", "jarvis", "alexa")
RIVALS = ("openwakeword", "microwakeword")
RIVALS_PHRASE = "alexa"
NOISE_DB = 10.0
PLACES = 3
"""Stretches of the noise in which each clip is heard."""
_TAIL_SECONDS = 0.6
_HERE = Path(__file__).parent


def data_folder() -> Path | None:
    """Return the folder of the recordings, None where there is none."""
    folder = Path(os.environ.get("ROOMWISE_DATA", _HERE.parents[2] / "shared" / "data"))
    return folder if (folder / "wakeword" / "labels.csv").is_file() else None


def measure(data: Path, phrase: str, part: Part = "test") -> dict[str, Json]:
    """Return a phrase's misses clean and in noise, and its false accepts on all other held-out speech."""
    trial, loud = _trial(phrase), _trial(phrase)
    for _, sound in clean(data, phrase, part):
        trial.hear_sound(sound, says_it=True)
    for _, sound in in_kitchen(data, phrase, part):
        loud.hear_sound(sound, says_it=True)
    for one in _shown(others(data, phrase, part), f"other speech, {phrase}"):
        trial.hear_sound(one.read(), says_it=False)
    used = trial.figures(trial.threshold)
    misses = {key: used[key] for key in used if key.startswith(("said", "missed"))}
    noise = loud.figures(loud.threshold)
    return {
        "threshold": trial.threshold,
        "clean": misses,
        "kitchen_10_db": {key: noise[key] for key in misses},
        "other_speech": {key: used[key] for key in used if key not in misses and key != "threshold"},
        "trade": [
            {
                "threshold": threshold,
                "clean_missed_percent": trial.figures(threshold)["missed_percent"],
                "kitchen_missed_percent": loud.figures(threshold)["missed_percent"],
                "false_accepts": trial.figures(threshold)["false_accepts"],
            }
            for threshold in trial.thresholds
        ],
    }


def clean(data: Path, phrase: str, part: Part = "test") -> Iterator[tuple[str, Sound]]:
    """Yield the recordings of a phrase by held-out speakers."""
    for one in _said(data, phrase, part):
        yield one.path.name, _with_tail(one.read())


def in_kitchen(data: Path, phrase: str, part: Part = "test") -> Iterator[tuple[str, Sound]]:
    """Yield the same in noise, each several times."""
    noise = kitchen(data)
    for index, one in enumerate([one for one in _said(data, phrase, part) for _ in range(PLACES)]):
        yield (
            f"{one.path.name} {index % PLACES}",
            noisy(_with_tail(one.read()), noise, NOISE_DB, 7_919 * index),
        )


def measure_rivals(data: Path, python: Path) -> dict[str, Json]:
    """Return the misses of other engines at their own thresholds, on the clips of `measure`."""
    return {
        name: {
            "clean": _rival(python, name, [sound for _, sound in clean(data, RIVALS_PHRASE)]),
            "kitchen_10_db": _rival(python, name, [sound for _, sound in in_kitchen(data, RIVALS_PHRASE)]),
        }
        for name in RIVALS
    }


def _rival(python: Path, name: str, sounds: Sequence[Sound]) -> dict[str, Json]:
    with tempfile.TemporaryDirectory() as folder:
        clips = Path(folder) / "clips.npz"
        samples = [np.round(np.clip(sound, -1, 1) * 32_767).astype(np.int16) for sound in sounds]
        np.savez(clips, *samples)
        command = [str(python), str(_HERE / "other_wake_engines.py"), name, RIVALS_PHRASE, str(clips)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    heard: list[bool] = json.loads(done.stdout.splitlines()[-1])
    missed = heard.count(False)
    low, high = share_interval(missed, len(heard))
    return {
        "said": len(heard),
        "missed": missed,
        "missed_percent": 100 * missed / len(heard),
        "missed_percent_at_least": 100 * low,
        "missed_percent_at_most": 100 * high,
    }


def _trial(phrase: str) -> WakeTrial:
    return WakeTrial(WakeWord(phrase), find_head(phrase).threshold, make_verifier())


def _said(data: Path, phrase: str, part: Part) -> list[Recording]:
    return _held_out(data / "wakeword", "keyword", part, lambda label: label == phrase)


def others(data: Path, phrase: str, part: Part) -> list[Recording]:
    """Return all held-out speech of a part that does not say the phrase."""

    def lacks(label: str) -> bool:
        return phrase not in label.lower()

    return (
        _held_out(data / "wakeword", "keyword", part, lacks)
        + _held_out(data / "speech", "transcript", part, lacks)
        + _held_out(data / "commands", "transcript", part, lacks)
    )


def _held_out(folder: Path, column: str, part: Part, wanted: Callable[[str], bool]) -> list[Recording]:
    return [one for one in spoken(folder, column) if one.part == part and wanted(one.label)]


def _with_tail(sound: Sound) -> Sound:
    return np.pad(sound, (0, round(_TAIL_SECONDS * RATE_HZ)))


def _shown(recordings: Sequence[Recording], words: str) -> Iterator[Recording]:
    yield from track(recordings, words, console=Console(stderr=True))
