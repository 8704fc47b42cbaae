"""What the levels of hearing cost in what a home sounds like, and whether the first two open in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from hub.hearing import BUILT_IN_SENTENCES, make_recognizer, read_phrases
from hub.playback.text_to_speech import speak
from script.journal import Row
from script.voice.echo import NoRecognizer
from script.voice.rooms import noise, talk
from sensing.audio_block import AudioBlock, Block
from sensing.dsp.loudness import loud_rms
from sensing.observations import AttentionChanged
from sensing.share_interval import share_interval
from sensing.speech.listener import Listener
from sensing.speech.recognizer import SpeechRecognizer
from sensing.speech.wake_word import WakeWord
from sensing.training.recordings import RATE_HZ, Recording, Sound

CARD_HZ = 48_000
RATIOS_DB = (10, 5)
_BLOCK_FRAMES = CARD_HZ // 100
_QUIET_DBFS = -60.0
_FAN_DBFS = -40.0
_TALK_DBFS = -30.0
_SETTLED_SECONDS = 3.0
_EDGE_DB = 20.0
"""Pieces this far below the loud parts of a word lie outside it."""


def _hiss(seconds: float, dbfs: float) -> Sound:
    made = np.random.default_rng(1).standard_normal(round(seconds * RATE_HZ)) * 10 ** (dbfs / 20)
    return np.asarray(made, np.float32)


def _with_fan(seconds: float) -> Sound:
    """Return a quiet room in which a fan runs from the second tenth on."""
    sound = _hiss(seconds, _QUIET_DBFS)
    sound[len(sound) // 10 :] *= 10 ** ((_FAN_DBFS - _QUIET_DBFS) / 20)
    return sound


def _with_talk(seconds: float) -> Sound:
    """Return people who talk all the time, none of them to the house."""
    voices = talk(seconds, 3)
    return np.asarray(voices * 10 ** (_TALK_DBFS / 20) / loud_rms(voices) + _hiss(seconds, _QUIET_DBFS))


def _with_commands(seconds: float) -> Sound:
    """Return a quiet room with a command every ten seconds."""
    command = 0.3 * np.concatenate([speak(text, RATE_HZ)[0] for text in ("computer", "turn on the lamp")])
    sound = _hiss(seconds, _QUIET_DBFS)
    for first in range(2 * RATE_HZ, len(sound) - len(command), 10 * RATE_HZ):
        sound[first : first + len(command)] += command
    return sound


SOUNDS: dict[str, Callable[[float], Sound]] = {
    "silence": lambda seconds: _hiss(seconds, _QUIET_DBFS),
    "fan": _with_fan,
    "talk": _with_talk,
    "commands": _with_commands,
}


def cost(seconds: float) -> list[Row]:
    """Return percent of a core of each level by sound, gated and with all levels open.

    Two microphones and two silent loudspeakers at 48 kHz in blocks of 10 ms, as in a hub.
    """
    recognizer = make_recognizer(read_phrases(BUILT_IN_SENTENCES, []), after="computer")
    rows: list[Row] = []
    for name, make in SOUNDS.items():
        mono = np.repeat(make(seconds), CARD_HZ // RATE_HZ)  # images above 8 kHz are filtered away again
        capture = np.asarray(np.stack([mono, mono]), np.float32)
        for way in ("gated", "all open"):
            listener = _listener(recognizer, is_always_open=way == "all open")
            began = time.thread_time()
            for block in _blocks(capture):
                listener.process(block)
            total = time.thread_time() - began
            rows.append({"sound": name, "way": way, "percent": 100 * total / seconds, **_figures(listener)})
    return rows


def _listener(recognizer: SpeechRecognizer, *, is_always_open: bool) -> Listener:
    return Listener(rate_hz=CARD_HZ, wake=WakeWord(), recognizer=recognizer, is_always_open=is_always_open)


def _blocks(capture: Block) -> Iterator[AudioBlock]:
    silence = np.zeros((2, _BLOCK_FRAMES), np.float32)
    for first in range(0, capture.shape[1] - _BLOCK_FRAMES + 1, _BLOCK_FRAMES):
        piece = capture[:, first : first + _BLOCK_FRAMES]
        yield AudioBlock(first_frame=first, rate_hz=CARD_HZ, capture=piece, reference=silence)


def _figures(listener: Listener) -> Row:
    row: Row = {}
    for level in listener.meter.figures():
        row |= {f"{level.name}_percent": 100 * level.core_share, f"{level.name}_opened": level.openings}
    return row


def opened(clips: Sequence[Recording], noise_name: str) -> list[Row]:
    """Return for each clip in noise whether the wake word was listened for before its end."""
    background = noise(noise_name)
    wake, silent = WakeWord(), NoRecognizer()
    rows: list[Row] = []
    for ratio_db in RATIOS_DB:
        for number, clip in enumerate(clips):
            word = clip.read()
            sound, end_seconds = _in_noise(word, background, ratio_db, 7_919 * number)
            ear = Listener(rate_hz=RATE_HZ, wake=wake, recognizer=silent)
            block = AudioBlock(first_frame=0, rate_hz=RATE_HZ, capture=sound[None], reference=sound[None, :0])
            seen = [one for one in ear.process(block) if isinstance(one, AttentionChanged)]
            tiers = [one.tier for one in seen if one.at <= end_seconds]
            rows.append({"ratio_db": str(ratio_db), "opened": bool(tiers) and tiers[-1] != "asleep"})
    return rows


def _in_noise(word: Sound, background: Sound, ratio_db: float, first: int) -> tuple[Sound, float]:
    """Return a word in noise that has been there for a while, and when the word ends."""
    before = round(_SETTLED_SECONDS * RATE_HZ)
    places = np.arange(first, first + before + len(word) + RATE_HZ // 2)
    piece = np.take(background, places, mode="wrap")
    gain = loud_rms(word) / np.sqrt(np.square(piece).mean()) / 10 ** (ratio_db / 20)
    sound = np.asarray(gain * piece, np.float32)
    sound[before : before + len(word)] += word
    pieces = word[: len(word) // 320 * 320].reshape(-1, 320)
    loud = np.flatnonzero(np.square(pieces).mean(axis=1) > loud_rms(word) ** 2 * 10 ** (-_EDGE_DB / 10))
    return sound, (before + 320 * (int(loud[-1]) + 1)) / RATE_HZ


def opened_summary(rows: Sequence[Row]) -> Row:
    """Return the share that was listened to in time, with its interval."""
    hits = sum(row["opened"] is True for row in rows)
    low, high = share_interval(hits, len(rows))
    return {"words": len(rows), "in_time": hits / len(rows), "low": low, "high": high}
