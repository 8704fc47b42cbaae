"""``roomwise presence FILE``: ultrasound presence on a recording."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.json_lines import print_json
from hub.errors import BadInput
from routines.facts import Json

if TYPE_CHECKING:
    from sensing.audio_block import Block


_LENGTHS_DIFFER_SECONDS = 0.5
"""Two programs never start and stop at the same frame; what is missing of the reference is silence."""

_MUCH_MASKED = 0.25


def presence(
    file: Annotated[Path, typer.Argument(help="A recording (WAV, FLAC) made while the tone played.")],
    carrier_hz: Annotated[
        float | None, typer.Option(help="The tone's frequency; found when left out.")
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(help="What the speaker played meanwhile, without the tone, at the same rate."),
    ] = None,
    hold_seconds: Annotated[float, typer.Option(help="Quiet time after which the room is empty.")] = 180.0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False,
) -> None:
    """Tell who moved in a recording of the ultrasonic carrier."""
    from hub.audio.sound_file import read_all  # a fast --help needs no numpy
    from sensing.ultrasound.carrier import find_carrier

    started = time.process_time()
    capture, rate_hz = read_all(file)
    if carrier_hz is not None and not 0 < carrier_hz < rate_hz / 2:
        raise BadInput(
            f"--carrier-hz {carrier_hz:g}: a recording of {rate_hz} Hz holds less than {rate_hz // 2} Hz"
        )
    played = None if reference is None else _played(reference, file, capture, rate_hz)
    carrier = find_carrier(capture, rate_hz, near_hz=carrier_hz)
    show = print_json if json else _print_words
    end: dict[str, Json] = {
        "event": "end",
        "seconds": capture.shape[1] / rate_hz,
        "carrier_hz": None if carrier is None else round(carrier.hz, 1),
    }
    degraded: list[Json] = ["no_carrier"]
    if carrier is not None:
        degraded = []
        for event in _events(capture, played, rate_hz, carrier.hz, hold_seconds):
            if event["event"] == "ultrasound":
                degraded = ["no_carrier"] if event["mode"] == "no_carrier" else []
            elif event["event"] == "masked":
                degraded = [*degraded, "music_masked"]
            else:
                show(event)
    show({**end, "cpu_seconds": time.process_time() - started, "degraded": degraded})


def _played(path: Path, recording: Path, capture: Block, rate_hz: int) -> Block:
    """Return what was played, as long as the recording.

    Raises
    ------
    BadInput
        The file has another rate, or its length is not the recording's.
    """
    import numpy as np

    from hub.audio.sound_file import read_all

    played, played_hz = read_all(path)
    if played_hz != rate_hz:
        raise BadInput(
            f"{path}: has {played_hz} Hz but {recording.name} has {rate_hz} Hz; "
            "give a reference at the recording's rate"
        )
    missing = capture.shape[1] - played.shape[1]
    if abs(missing) > _LENGTHS_DIFFER_SECONDS * rate_hz:
        raise BadInput(
            f"{path}: lasts {played.shape[1] / rate_hz:.2f} s but {recording.name} lasts "
            f"{capture.shape[1] / rate_hz:.2f} s; give what was played during the recording"
        )
    return np.pad(played, ((0, 0), (0, max(missing, 0))))[:, : capture.shape[1]]


def _events(
    capture: Block, played: Block | None, rate_hz: int, carrier_hz: float, hold_seconds: float
) -> Iterator[dict[str, Json]]:
    """Yield the events of a whole recording, fed in blocks of 10 ms."""
    from hub.audio.sound_file import blocks_of
    from hub.observation_line import observation_line
    from sensing.observations import UltrasoundChanged
    from sensing.ultrasound.sensor import UltrasoundSensor

    sensor = UltrasoundSensor(
        rate_hz=rate_hz, microphones=len(capture), carrier_hz=carrier_hz, hold_seconds=hold_seconds
    )
    for heard in blocks_of(capture, rate_hz):
        block = heard
        if played is not None:
            block = replace(heard, reference=played[:, heard.first_frame : heard.end_frame])
        for seen in sensor.process(block):
            line = observation_line(seen)
            if isinstance(seen, UltrasoundChanged):
                yield {"event": "ultrasound", "mode": seen.mode}
            elif line is not None:
                yield {"at": seen.at, **line}
    if sensor.masked_share > _MUCH_MASKED:
        yield {"event": "masked"}


def _print_words(event: dict[str, Json]) -> None:
    """Print one event for people."""
    match event:
        case {"event": "motion", "at": at, "kind": kind}:
            print(f"{at:8.2f} s  {kind} motion")
        case {"event": "presence", "at": at, "present": present, "reason": reason}:
            print(f"{at:8.2f} s  {'somebody is there' if present else 'nobody'} ({reason})")
        case {"degraded": ["no_carrier", *_]}:
            print("no usable carrier in this recording: the room is unknown")
        case {"degraded": ["music_masked"], "seconds": seconds, "carrier_hz": carrier_hz}:
            print(
                f"{seconds:.1f} s, carrier {carrier_hz} Hz; music covered much of it: somebody may be missed"
            )
        case {"seconds": seconds, "carrier_hz": carrier_hz}:
            print(f"{seconds:.1f} s, carrier {carrier_hz} Hz")
