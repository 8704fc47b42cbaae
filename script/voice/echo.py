"""How well the house hears while it plays: echo left over, people who call, and its own voice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from script.journal import Row
from script.voice.rooms import at_microphone, music, room, talk, wake_clips
from sensing.audio_block import AudioBlock
from sensing.observations import Observation, WakeWordHeard
from sensing.processing_meter import ProcessingMeter
from sensing.share_interval import share_interval
from sensing.speech.listener import Listener
from sensing.speech.microphone_sound import MicrophoneSound
from sensing.speech.recognizer import Hypothesis
from sensing.speech.self_trigger_guard import SUSPICION, SelfTriggerGuard
from sensing.speech.wake_word import WakeWord
from sensing.training.recordings import RATE_HZ, Recording, Sound

RATIOS_DB = (0, -5, -10, -15)
PLAYED: dict[str, Callable[[float, int], Sound]] = {"talk": talk, "music": music}

SELF_LEVELS_DBFS = (-45.0, -30.0, -15.0)

_BLOCK_FRAMES = RATE_HZ // 100
_LEVEL_DBFS = -25.0
_BEFORE_SECONDS = 5.0
"""Sound that plays before somebody calls."""
_AFTER_SECONDS = 1.0


class NoRecognizer:
    """Understands nothing: only the wake word is measured."""

    def reset(self) -> None:
        """Nothing is kept."""

    def feed(self, samples: Sound) -> None:
        """Nothing is heard."""

    def finish(self) -> list[Hypothesis]:
        """Return nothing."""
        return []


class Ears:
    """Listeners for many trials: loading the models takes longer than a trial."""

    def __init__(self) -> None:
        self._wake = WakeWord()
        self._guard = SelfTriggerGuard(WakeWord(threshold=SUSPICION))

    def wakes(self, captured: Sound, played: Sound | None, *, is_guarded: bool = True) -> list[float]:
        """Return when a new listener wakes, in seconds; without ``played`` it knows nothing of the echo."""
        listener = Listener(
            rate_hz=RATE_HZ,
            wake=self._wake,
            recognizer=NoRecognizer(),
            guard=self._guard if is_guarded else None,
        )
        seen: list[Observation] = []
        for block in _blocks(captured, played):
            seen += listener.process(block)
        seen += listener.finish()
        return [one.at for one in seen if isinstance(one, WakeWordHeard)]


def _blocks(captured: Sound, played: Sound | None) -> Iterator[AudioBlock]:
    for first in range(0, len(captured), _BLOCK_FRAMES):
        piece = captured[None, first : first + _BLOCK_FRAMES]
        reference = piece[:0] if played is None else played[None, first : first + _BLOCK_FRAMES]
        yield AudioBlock(first_frame=first, rate_hz=RATE_HZ, capture=piece, reference=reference)


def erle(rooms: int) -> list[Row]:
    """Return echo return loss enhancement in dB by what plays, and what cancelling costs."""
    rows: list[Row] = []
    for name, make in PLAYED.items():
        for number in range(rooms):
            played = make(16.0, number)
            place = room(number)
            captured = at_microphone(
                place, played, np.zeros_like(played), ratio_db=0, level_dbfs=_LEVEL_DBFS, seed=number
            )
            meter = ProcessingMeter(time.thread_time)
            meter.hear(len(played) / RATE_HZ)
            left = _left_over(captured, played, meter)
            spent = {level.name: level.core_share for level in meter.figures()}
            rows.append(
                {
                    "played": name,
                    "first_second_db": _loss_db(captured, left, 0, 1),
                    "after_2_s_db": _loss_db(captured, left, 2, 5),
                    "after_5_s_db": _loss_db(captured, left, 5, 15),
                    "core_percent": 100 * spent["echo"],
                }
            )
    return rows


def erle_summary(rows: Sequence[Row]) -> Row:
    """Return the median and the worst."""
    names = [name for name in rows[0] if name != "played"]
    values = {name: np.array([row[name] for row in rows], float) for name in names}
    medians: Row = {name: float(np.median(value)) for name, value in values.items()}
    return {"rooms": len(rows), **medians, "worst_after_5_s_db": float(values["after_5_s_db"].min())}


def _left_over(captured: Sound, played: Sound, meter: ProcessingMeter) -> Sound:
    sound = MicrophoneSound(rate_hz=RATE_HZ, meter=meter)
    return np.concatenate(
        [chunk.near for block in _blocks(captured, played) for chunk in sound.process(block)]
    )


def _loss_db(before: Sound, after: Sound, first_seconds: int, end_seconds: int) -> float:
    """Return by how much less there is; noise that is no echo is in both."""
    piece = slice(first_seconds * RATE_HZ, end_seconds * RATE_HZ)
    left = float(np.square(after[piece]).mean()) + 1e-12
    return float(10 * np.log10(np.square(before[piece]).mean() / left))


def barge_in(part: str, calls: int) -> list[Row]:
    """Return whether somebody who calls is heard, with and without cancelling, at each ratio."""
    clips = wake_clips(part)[:calls]
    ears = Ears()
    return [
        row
        for name, make in PLAYED.items()
        for ratio_db in RATIOS_DB
        for number, clip in enumerate(clips)
        for row in _call(ears, clip, name, make, ratio_db, number)
    ]


def _call(
    ears: Ears, clip: Recording, name: str, make: Callable[[float, int], Sound], ratio_db: int, number: int
) -> list[Row]:
    word = clip.read()
    seconds = _BEFORE_SECONDS + len(word) / RATE_HZ + _AFTER_SECONDS
    played = make(seconds, number)
    said = np.zeros_like(played)
    first = round(_BEFORE_SECONDS * RATE_HZ)
    said[first : first + len(word)] = word
    captured = at_microphone(
        room(number), played, said, ratio_db=ratio_db, level_dbfs=_LEVEL_DBFS, seed=number
    )
    rows: list[Row] = []
    for way, reference in (("cancelled", played), ("not cancelled", None)):
        times = ears.wakes(captured, reference)
        rows.append(
            {
                "played": name,
                "ratio_db": str(ratio_db),
                "way": way,
                "heard": any(time > _BEFORE_SECONDS for time in times),
                "before": sum(time <= _BEFORE_SECONDS for time in times),
            }
        )
    return rows


def share_summary(rows: Sequence[Row]) -> Row:
    """Return the share that was heard, with its interval."""
    hits = sum(row["heard"] is True for row in rows)
    low, high = share_interval(hits, len(rows))
    before = sum(int(row["before"] or 0) for row in rows)
    return {"calls": len(rows), "heard": hits / len(rows), "low": low, "high": high, "other_wakes": before}


def self_trigger(words: int) -> list[Row]:
    """Return how often the house wakes from wake words that it plays itself, in fresh and known rooms."""
    ears = Ears()
    rows: list[Row] = []
    for number, clip in enumerate(wake_clips(None)[:words]):
        level_dbfs = SELF_LEVELS_DBFS[number % len(SELF_LEVELS_DBFS)]
        rows += _played_word(ears, clip, number, level_dbfs)
    return rows


def _played_word(ears: Ears, clip: Recording, number: int, level_dbfs: float) -> list[Row]:
    """Play a word in a room that is new to the canceller, every other time after some talk."""
    is_known = number % 2 == 1
    lead = talk(_BEFORE_SECONDS, number) if is_known else np.zeros(RATE_HZ // 2, np.float32)
    played = np.concatenate([lead, clip.read(), np.zeros(RATE_HZ, np.float32)])
    captured = at_microphone(
        room(number), played, np.zeros_like(played), ratio_db=0, level_dbfs=level_dbfs, seed=number
    )
    wakes = {
        "guarded": ears.wakes(captured, played),
        "cancelled only": ears.wakes(captured, played, is_guarded=False),
    }
    state = "after talk" if is_known else "fresh room"
    return [{"way": way, "state": state, "woke": len(times)} for way, times in wakes.items()]


def self_summary(rows: Sequence[Row]) -> Row:
    """Return how many of the played words woke the house, with the interval of the share."""
    hits = sum(bool(row["woke"]) for row in rows)
    low, high = share_interval(hits, len(rows))
    return {"words": len(rows), "wakes": hits, "low": low, "high": high}
