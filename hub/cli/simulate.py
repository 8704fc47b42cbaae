"""``roomwise simulate SCENE``: a simulated room becomes a recording with the truth beside it."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.json_lines import print_json
from hub.errors import BadInput, ConfigError
from routines.facts import Json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sensing.audio_block import Block
    from sensing.simulation.baseband.recording import Recording
    from sensing.simulation.baseband.scene import Scene

MOST_SAMPLES = 400_000_000
"""Longer recordings do not fit into memory; the simulator itself has no such limit."""


def simulate(
    scene: Annotated[Path, typer.Argument(help="The scene (YAML); docs/scenes has examples.")],
    out: Annotated[Path, typer.Option(help="The recording to write (WAV).")],
    truth: Annotated[Path | None, typer.Option(help="What really happened (JSON Lines).")] = None,
    reference: Annotated[Path | None, typer.Option(help="What the loudspeaker played (WAV).")] = None,
    music: Annotated[Path | None, typer.Option(help="Play this instead of synthetic music.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False,
) -> None:
    """Render a simulated room to a recording with ground truth."""
    started = time.process_time()
    described = load_scene(scene)
    if described.seconds * described.rate_hz * described.hub.microphones > MOST_SAMPLES:
        raise BadInput(f"{scene}: too long for one recording; shorten seconds or lower rate_hz")
    plays_music = any(fault.kind == "music" for fault in described.faults)
    if not plays_music and (music is not None or reference is not None):
        raise BadInput(f"{scene}: plays no music; add a fault of kind music, or leave out the option")
    recording, capture = _rendered(described, _music(music, described.rate_hz))
    _write_wav(out, described.rate_hz, capture, is_wide=described.clocks.bits > 16)
    if reference is not None and recording.reference is not None:
        _write_wav(reference, described.rate_hz, recording.reference, is_wide=False)
    events = recording.truth.events()
    if truth is not None:
        _write_truth(truth, events)
    end: dict[str, Json] = {
        "event": "end",
        "out": str(out),
        "seconds": described.seconds,
        "rate_hz": described.rate_hz,
        "microphones": described.hub.microphones,
        "carrier_hz": described.carrier_hz,
        "occupied_seconds": float(recording.truth.occupied.sum() * 0.05),
        "events": len(events),
        "cpu_seconds": time.process_time() - started,
    }
    if json:
        print_json(end)
    else:
        print(
            f"{out}: {described.seconds:g} s of {described.hub.microphones} microphones at "
            f"{described.rate_hz} Hz, carrier {described.carrier_hz:g} Hz, "
            f"somebody there for {end['occupied_seconds']:.1f} s, {len(events)} events"
        )


def load_scene(path: Path) -> Scene:
    """Read a scene.

    Raises
    ------
    BadInput
        The file cannot be read.
    ConfigError
        With every problem and its place.
    """
    from pydantic import BaseModel, ValidationError

    from routines.positions import field_names, parse_yaml, problems_from
    from routines.problems import Problem
    from sensing.simulation.baseband import scene as models
    from sensing.simulation.baseband import scene_faults, scene_nuisances
    from sensing.simulation.baseband.scene import Scene

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read; name a scene (YAML)") from error
    document = parse_yaml(text, str(path))
    if isinstance(document, Problem):
        raise ConfigError([document])
    words = field_names(
        *(
            one
            for module in (models, scene_faults, scene_nuisances)
            for one in vars(module).values()
            if isinstance(one, type) and issubclass(one, BaseModel)
        )
    )
    try:
        return Scene.model_validate(document.data)
    except ValidationError as error:
        raise ConfigError(sorted(problems_from(error, document, words))) from error


def _rendered(scene: Scene, music: NDArray[np.float32] | None) -> tuple[Recording, Block]:
    """Return the recording and the samples, with a bar on a terminal meanwhile."""
    from rich.console import Console
    from rich.progress import Progress

    from sensing.simulation.baseband.passband import to_passband
    from sensing.simulation.baseband.renderer import render

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("rendering", total=2 * scene.seconds)
        recording = render(scene, music=music, told=lambda seconds: bar.update(task, completed=seconds))
        capture = to_passband(recording, music=music)
        bar.update(task, completed=2 * scene.seconds)
    return recording, capture


def _music(path: Path | None, rate_hz: int) -> NDArray[np.float32] | None:
    """Return a sound file as one channel at the scene's rate."""
    if path is None:
        return None
    from hub.audio.sound_file import read_all
    from sensing.dsp.resampler import Resampler

    samples, from_hz = read_all(path)
    if samples.shape[1] < from_hz:
        raise BadInput(f"{path}: shorter than a second; name a longer piece of music")
    return Resampler(from_hz, rate_hz).process(samples.mean(axis=0), last=True)


def _write_wav(path: Path, rate_hz: int, samples: Block, *, is_wide: bool) -> None:
    import numpy as np
    from scipy.io import wavfile

    scaled = samples if is_wide else np.clip(np.round(samples * 32_768), -32_768, 32_767).astype(np.int16)
    try:
        wavfile.write(path, rate_hz, np.ascontiguousarray(scaled.T))
    except OSError as error:
        raise BadInput(f"{path}: cannot be written ({error.strerror}); choose another file") from error


def _write_truth(path: Path, events: list[dict[str, float | str | bool]]) -> None:
    from json import dumps

    try:
        path.write_text("".join(f"{dumps(event)}\n" for event in events), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path}: cannot be written ({error.strerror}); choose another --truth") from error
