"""``roomwise listen FILE``: wake word, speech and intent on a recording."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.json_lines import print_json
from hub.cli.routine_files import read_routines
from routines.facts import Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routines.phrases import Phrasebook
    from sensing.audio_block import Block
    from sensing.observations import Observation


def listen(
    file: Annotated[Path, typer.Argument(help="A recording (WAV, FLAC, Ogg, Opus) of any rate.")],
    wake: Annotated[str, typer.Option(help="The wake word before a command.")] = "computer",
    no_wake: Annotated[bool, typer.Option("--no-wake", help="Take the whole file as a command.")] = False,
    sentences: Annotated[
        Path | None, typer.Option(help="Sentence templates in hassil's intents format.")
    ] = None,
    routines: Annotated[Path | None, typer.Option(help="Routines whose phrases are understood.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False,
) -> None:
    """Tell what a recording asks for: wake word, transcript, and intent or routine."""
    from hub.audio.sound_file import read_all  # a fast --help needs no numpy
    from hub.hearing import BUILT_IN_SENTENCES, read_phrases

    capture, rate_hz = read_all(file)
    known = read_routines(routines) if routines is not None else []
    built_in = BUILT_IN_SENTENCES if sentences is None and routines is None else sentences
    phrases = read_phrases(built_in, known)
    show = print_json if json else _print_words
    cpu_seconds: dict[str, float] = {}
    heard = (
        _command(capture, rate_hz, phrases, cpu_seconds)
        if no_wake
        else _commands(capture, rate_hz, wake, phrases, cpu_seconds)
    )
    for event in heard:
        show(event)
    show({"event": "end", "seconds": capture.shape[1] / rate_hz, "cpu_seconds": _rounded(cpu_seconds)})


def _commands(
    capture: Block, rate_hz: int, wake: str, phrases: Phrasebook, cpu_seconds: dict[str, float]
) -> Iterator[dict[str, Json]]:
    """Yield the events of a recording, heard block by block."""
    from hub.audio.sound_file import blocks_of
    from hub.hearing import make_recognizer
    from hub.wake_words import make_verifier, make_wake_word
    from sensing.speech.listener import Listener

    recognizer = make_recognizer(phrases, after=wake)
    ear, verifier = make_wake_word(wake), make_verifier()
    listener = Listener(rate_hz=rate_hz, wake=ear, recognizer=recognizer, verifier=verifier)
    decode = {"decode": 0.0}
    for block in blocks_of(capture, rate_hz):
        yield from _events(listener.process(block), phrases, decode)
    yield from _events(listener.finish(), phrases, decode)
    cpu_seconds.update(listener.cpu_seconds, **decode)


def _command(
    capture: Block, rate_hz: int, phrases: Phrasebook, cpu_seconds: dict[str, float]
) -> Iterator[dict[str, Json]]:
    """Yield the events of a recording that is one command; nothing if nobody speaks."""
    import numpy as np

    from hub.hearing import make_recognizer
    from sensing.dsp.resampler import Resampler
    from sensing.observations import TranscriptDone
    from sensing.speech.speech_stages import RATE_HZ
    from sensing.speech.voice_activity import VoiceActivity

    recognizer = make_recognizer(phrases)
    sound = Resampler(rate_hz, RATE_HZ).process(capture.mean(axis=0, dtype=np.float32), last=True)
    began = time.thread_time()
    someone_speaks = max(VoiceActivity().process(sound), default=0.0) >= 0.5
    cpu_seconds["vad"] = time.thread_time() - began
    decode = {"decode": 0.0}
    if someone_speaks:
        began = time.thread_time()
        recognizer.feed(sound)
        hypotheses = recognizer.finish()
        cpu_seconds["asr"] = time.thread_time() - began
        words = hypotheses[0].words if hypotheses else ()
        done = TranscriptDone(
            at=capture.shape[1] / rate_hz,
            frame=capture.shape[1],
            text=hypotheses[0].text if hypotheses else "",
            confidence=hypotheses[0].confidence if hypotheses else 0.0,
            start=words[0].start_seconds if words else 0.0,
            end=words[-1].end_seconds if words else len(sound) / RATE_HZ,
        )
        yield from _events([done], phrases, decode)
    cpu_seconds.update(decode)


def _events(
    seen: Sequence[Observation], phrases: Phrasebook, cpu_seconds: dict[str, float]
) -> Iterator[dict[str, Json]]:
    """Yield the lines of the contract for what was heard."""
    from hub.hearing import understand
    from hub.observation_line import observation_line
    from sensing.observations import TranscriptDone

    for one in seen:
        line = observation_line(one)
        if line is not None:
            yield {"at": one.at, **line}
        if isinstance(one, TranscriptDone):
            began = time.thread_time()
            meaning = understand(phrases, one.text, one.confidence)
            cpu_seconds["decode"] += time.thread_time() - began
            yield {
                "at": one.at,
                "event": "command",
                "intent": None if meaning is None else meaning.intent,
                "routine": None if meaning is None else meaning.routine,
                "slots": {} if meaning is None else dict(meaning.slots),
                "confidence": one.confidence,
            }


def _rounded(seconds: dict[str, float]) -> dict[str, Json]:
    return {name: round(value, 4) for name, value in seconds.items()}


def _print_words(event: dict[str, Json]) -> None:
    """Print one event for people."""
    match event:
        case {"event": "wake", "at": at, "phrase": phrase, "score": score}:
            print(f"{at:8.2f} s  heard {phrase!r} ({score:.2f})")
        case {"event": "transcript", "at": at, "text": text, "confidence": confidence}:
            print(f"{at:8.2f} s  {text or '(no sentence fits)'} ({confidence:.2f})")
        case {"event": "command", "at": at, "intent": None, "routine": None}:
            print(f"{at:8.2f} s  not understood")
        case {"event": "command", "at": at, "intent": intent, "routine": routine, "slots": dict(slots)}:
            said = ", ".join(f"{name}: {value}" for name, value in slots.items())
            print(f"{at:8.2f} s  {f'routine {routine}' if routine else intent}{f' ({said})' if said else ''}")
        case {"seconds": seconds}:
            print(f"{seconds:.1f} s")
