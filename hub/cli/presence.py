"""``roomwise presence FILE``: ultrasound presence on a recording."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.json_lines import print_json
from hub.cli.picture_file import check_picture, write_picture
from hub.errors import BadInput
from routines.facts import Json

if TYPE_CHECKING:
    from sensing.audio_block import Block
    from sensing.observations import Observation
    from sensing.ultrasound.sensor import UltrasoundSensor


_LENGTHS_DIFFER_SECONDS = 0.5
"""Two programs never start and stop at the same frame; what is missing of the reference is silence."""

_DEGRADED_WORDS = {
    "no_carrier": "the carrier could not be heard at the end: the room is unknown",
    "music_masked": "music covered much of it: somebody may be missed, and is held for longer",
    "fan_dominated": "something else moves all the time: people are noticed late",
}


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
    sensitivity: Annotated[
        float, typer.Option(min=0.1, max=10.0, help="Above 1 notices people who come sooner.")
    ] = 1.0,
    pets: Annotated[bool, typer.Option("--pets", help="Ask for stronger motion: animals live here.")] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw what was heard and decided (PNG, SVG, PDF).")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False,
) -> None:
    """Tell who moved in a recording of the ultrasonic carrier."""
    from hub.audio.sound_file import read_all  # a fast --help needs no numpy
    from sensing.ultrasound.carrier import find_carrier
    from sensing.ultrasound.sensor import UltrasoundSensor

    started = time.process_time()
    if plot is not None:
        check_picture(plot)
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
    degraded: dict[str, None] = {"no_carrier": None}
    if carrier is not None:
        sensor = UltrasoundSensor(
            rate_hz=rate_hz,
            microphones=len(capture),
            carrier_hz=carrier.hz,
            hold_seconds=hold_seconds,
            sensitivity=sensitivity,
            pets=pets,
        )
        seen, degraded = _told(_observations(sensor, capture, played, rate_hz), show)
        if plot is not None:
            _draw(file.name, capture, rate_hz, carrier.hz, seen, plot)
    show({**end, "cpu_seconds": time.process_time() - started, "degraded": [*degraded]})


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


def _observations(
    sensor: UltrasoundSensor, capture: Block, played: Block | None, rate_hz: int
) -> Iterator[Observation]:
    """Yield what the sensor sees in a whole recording, fed in blocks of 10 ms."""
    from hub.audio.sound_file import blocks_of

    for heard in blocks_of(capture, rate_hz):
        block = heard
        if played is not None:
            block = replace(heard, reference=played[:, heard.first_frame : heard.end_frame])
        yield from sensor.process(block)


def _told(
    observations: Iterable[Observation], show: Callable[[dict[str, Json]], None]
) -> tuple[list[Observation], dict[str, None]]:
    """Show what is seen; return it, and what kept the room from being sensed well."""
    from hub.observation_line import observation_line
    from sensing.observations import SensingDegraded

    told: list[Observation] = []
    degraded: dict[str, None] = {}
    for seen in observations:
        told.append(seen)
        line = observation_line(seen)
        if isinstance(seen, SensingDegraded):
            # what music hid for a while stays hidden, but a carrier that came back is no longer missed
            degraded.pop("no_carrier", None)
            degraded |= dict.fromkeys(seen.states)
        elif line is not None:
            show({"at": seen.at, **line})
    return told, degraded


def _draw(
    name: str, capture: Block, rate_hz: int, carrier_hz: float, seen: list[Observation], path: Path
) -> None:
    from hub.presence_plot import plot_presence, recorded_spectrogram, times_of

    heard = recorded_spectrogram(capture, rate_hz=rate_hz, carrier_hz=carrier_hz)
    decided = times_of(seen, seconds=capture.shape[1] / rate_hz)
    title = f"{name}, carrier {carrier_hz:.0f} Hz"
    write_picture(lambda: plot_presence(heard, decided, path, title=title), path)


def _print_words(event: dict[str, Json]) -> None:
    """Print one event for people."""
    match event:
        case {"event": "motion", "at": at, "kind": kind}:
            print(f"{at:8.2f} s  {kind} motion")
        case {"event": "presence", "at": at, "present": present, "explanation": explanation}:
            who = "nobody can tell" if present is None else "somebody is there" if present else "nobody"
            print(f"{at:8.2f} s  {who} ({explanation})")
        case {"event": "held", "at": at, "explanation": explanation}:
            print(f"{at:8.2f} s  still there ({explanation})")
        case {"event": "end", "carrier_hz": None}:
            print("no usable carrier in this recording: the room is unknown")
        case {"event": "end", "seconds": seconds, "carrier_hz": carrier_hz, "degraded": list(degraded)}:
            print("; ".join([f"{seconds:.1f} s, carrier {carrier_hz} Hz", *map(_degraded_words, degraded)]))


def _degraded_words(state: Json) -> str:
    return _DEGRADED_WORDS.get(str(state), str(state))
