"""Our sound path through a real sound server.

Needs pulseaudio, libportaudio2 and the rig beside the project (ROOMWISE_RIGS). Each row runs in a process of
its own, with the server's variables set before PortAudio is loaded.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hub.audio.device import AudioFormat, AudioStream, Captured
from hub.audio.engine import AudioEngine
from hub.audio.lane import AudioGap
from hub.audio.portaudio_device import PortAudioDevice
from hub.errors import Degraded
from script.spatial.jumps import find_jumps
from script.spatial.server_entries import CHANNELS, SCENES_AT_ONCE, entries
from sensing.audio_block import Block

ROOT = Path(__file__).resolve().parents[2]
RIG = Path(os.environ.get("ROOMWISE_RIGS", ROOT.parent / "shared" / "rigs")) / "pulseaudio" / "rig.sh"
ROWS = {
    "20 kHz at 48 kHz": ("tones", "spk48", 48_000),
    "20 and 34 kHz at 96 kHz": ("tones", "spk96", 96_000),
    "8 channels": ("routing", "arr71", 48_000),
    "server stopped": ("server_stops", "spk48", 48_000),
    "reader stopped": ("reader_stops", "spk48", 48_000),
}
_PEOPLE = 24
PEOPLE = {
    f"people who walk in beside music, from {first} on": (f"people-{first}", "arr71", 48_000)
    for first in range(0, _PEOPLE, SCENES_AT_ONCE)
}
"""A row takes more than a minute."""
STOP_SECONDS = 0.4
_SETTLE_SECONDS = 1.2
_MATCH_SECONDS = 1.0


class Heard:
    """Run the engine on the card for a while and keep what it played, heard and said.

    Attributes
    ----------
    reference, capture : Block
        Shape ``(channels, frames)``.
    gaps : list of tuple
        Every `AudioGap` with the captured frame at which it was told.
    """

    def __init__(
        self,
        playback: Callable[[int], Block],
        *,
        rate_hz: int,
        channels: int,
        seconds: float,
        latency_seconds: float,
        at_seconds: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._card = PortAudioDevice(
            name="pulse",
            rate_hz=rate_hz,
            microphones=channels,
            speakers=channels,
            latency_seconds=latency_seconds,
        )
        self.name = "pulse"
        self.gaps: list[tuple[int, AudioGap]] = []
        self._rate_hz, self._end, self._at_seconds = rate_hz, round(seconds * rate_hz), at_seconds
        self._blocks: list[Captured] = []
        self._frames = 0
        engine = AudioEngine(device=self, playback=playback, lanes=[], lossless=False, on_event=self._told)
        engine.run_to_end()
        self.reference = np.concatenate([one.reference for one in self._blocks], axis=1)
        self.capture = np.concatenate([one.capture for one in self._blocks], axis=1)

    def _told(self, gap: AudioGap) -> None:
        self.gaps.append((self._frames, gap))

    def open(self) -> AudioStream:
        """Open the card; this object then stands between it and the engine."""
        self._stream = self._card.open()
        self.format: AudioFormat = self._stream.format
        return self

    def read(self) -> Captured | None:
        """Return the next block until the time is over."""
        if self._frames >= self._end:
            return None
        captured = self._read_on()
        if captured is None:
            return None
        self._blocks.append(captured)
        self._frames += captured.capture.shape[1]
        self._at_seconds(self._frames / self._rate_hz)
        return captured

    def _read_on(self) -> Captured | None:
        """Return the next block; open the card again when it has stopped, as the supervisor does."""
        try:
            return self._stream.read()
        except Degraded:
            self._stream.close()
            self._stream = self._card.open()
            self._told(AudioGap(lane="stopped", first_frame=self._frames, frames=1))
            return self._stream.read()

    def write(self, block: Block) -> None:
        """Pass a block on."""
        self._stream.write(block)

    def close(self) -> None:
        """Release the card."""
        self._stream.close()


@contextlib.contextmanager
def server() -> Iterator[dict[str, str]]:
    """Start a private PulseAudio; yield the environment that reaches it."""
    with tempfile.TemporaryDirectory(prefix="pulse") as folder:
        yield start_server(folder)
        stop_server(folder)


def start_server(folder: str) -> dict[str, str]:
    """Start the rig's server with its state in ``folder``; return the environment."""
    started = subprocess.run([RIG, "start", folder], capture_output=True, text=True, check=True)
    words = [line.removeprefix("export ").split("=", 1) for line in started.stdout.splitlines()]
    return os.environ | dict(words)


def stop_server(folder: str) -> None:
    """End the server whose state is in ``folder``, if it still runs."""
    subprocess.run([RIG, "stop", folder], capture_output=True, check=True)


def missing() -> str | None:
    """Return what keeps this from running, None when nothing does."""
    if not RIG.exists():
        return f"no rig at {RIG} (set ROOMWISE_RIGS)"
    if shutil.which("pulseaudio") is None:
        return "pulseaudio is not installed"
    try:
        import sounddevice  # noqa: F401 - it loads the library, or says that there is none
    except OSError:
        return "libportaudio2 is not installed"
    return None


def program(rate_hz: int, seconds: float, seed: int = 5) -> Block:
    """Return loud wide-band music-like sound at full scale: chords over noise, different left and right."""
    random = np.random.default_rng(seed)
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    chords = sum(np.sin(2 * np.pi * hz * times + random.uniform(0, 6)) for hz in (110, 220, 277, 330, 880))
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 1.5 * times)
    noise = random.standard_normal((2, len(times)))
    sound = swell * (0.3 * chords + noise)
    return np.clip(sound, -1, 1).astype(np.float32)


def tones(rate_hz: int, latency_seconds: float) -> dict[str, object]:
    """Play full-scale music through the spatial renderer with the carriers on top; measure what came back."""
    from hub.playback.mixer import Mixer
    from hub.spatial.filter_design import design_filters
    from hub.spatial.layout import SpeakerLayout
    from hub.spatial.renderer import SpatialRenderer
    from sensing.ultrasound.emitter import CarrierEmitter

    drivers = [{"name": name, "position_m": [x, 0, 0]} for name, x in (("left", -0.1), ("right", 0.1))]
    layout = SpeakerLayout.model_validate({"sample_rate": rate_hz, "drivers": drivers})
    second_hz = 34_000.0 if rate_hz > 68_000 else None
    emitter = CarrierEmitter(carrier_hz=20_000, rate_hz=rate_hz, level=0.2, second_carrier_hz=second_hz)
    emitter.start()
    renderer = SpatialRenderer(design_filters(layout), rate_hz)
    mixer = Mixer(rate_hz=rate_hz, speakers=2, renderer=renderer, emitter=emitter)
    mixer.play(program(rate_hz, 5.0))
    heard = Heard(mixer.next_block, rate_hz=rate_hz, channels=2, seconds=4.5, latency_seconds=latency_seconds)
    settled = slice(round(_SETTLE_SECONDS * rate_hz), None)
    reference, capture = heard.reference[0, settled], heard.capture[0, settled]
    found = find_jumps(reference, capture, rate_hz)
    levels = {
        f"{hz:g}": round(_level_db(capture, hz, rate_hz) - _level_db(reference, hz, rate_hz), 3)
        for hz in emitter.carriers_hz
    }
    return {
        "level_change_db": levels,
        "music_dbfs": round(float(10 * np.log10((reference**2).mean())), 1),
        "peak": float(np.abs(heard.capture).max()),
        "clipped_samples": int((np.abs(heard.capture) >= 1).sum()),
        "bit_exact_share": round(found.exact_share, 3),
        "jumps": len(found.jumps),
        "slips": len(found.slips),
        "told": sum(frame >= settled.start for frame, _ in heard.gaps),
    }


def _level_db(sound: NDArray[np.float32], hz: float, rate_hz: int) -> float:
    """Return a tone's level: the median over windows of 20 ms, so that a hole does not count."""
    length = rate_hz // 50
    pieces = sound[: len(sound) // length * length].reshape(-1, length)
    window = np.hanning(length + 1)[:-1]
    turn = np.exp(-2j * np.pi * hz * np.arange(length) / rate_hz)
    return float(20 * np.log10(np.median(np.abs((pieces * window) @ turn)) * 2 / window.sum()))


def routing(rate_hz: int, latency_seconds: float) -> dict[str, object]:
    """Play a tone of its own on each of eight channels; measure where it comes out."""
    tones_hz = 1000.0 + 500 * np.arange(8)
    frame = 0

    def playback(frames: int) -> Block:
        nonlocal frame
        seconds = (frame + np.arange(frames)) / rate_hz
        frame += frames
        return (0.25 * np.sin(2 * np.pi * tones_hz[:, None] * seconds)).astype(np.float32)

    heard = Heard(playback, rate_hz=rate_hz, channels=8, seconds=3.0, latency_seconds=latency_seconds)
    settled = heard.capture[:, round(_SETTLE_SECONDS * rate_hz) :]
    levels = np.array([[_level_db(one + 1e-9, hz, rate_hz) for hz in tones_hz] for one in settled])
    levels -= 20 * np.log10(0.25)
    own = np.eye(8, dtype=bool)
    return {
        "own_change_db": round(float(np.abs(levels[own]).max()), 3),
        "others_db": round(float(levels[~own].max()), 1),
    }


def server_stops(rate_hz: int, latency_seconds: float) -> dict[str, object]:
    """Stop the server for 0.4 s, three times."""
    return _stops(rate_hz, latency_seconds, int(os.environ["ROOMWISE_PULSE_PID"]))


def reader_stops(rate_hz: int, latency_seconds: float) -> dict[str, object]:
    """Stop ourselves for 0.4 s, three times, as a starved machine does."""
    return _stops(rate_hz, latency_seconds, os.getpid())


def _stops(rate_hz: int, latency_seconds: float, process: int) -> dict[str, object]:
    """Compare the jumps of a white marker with what the engine told."""
    random = np.random.default_rng(8)
    due = [4.0, 7.0, 10.0]
    stopped: list[subprocess.Popen[bytes]] = []
    stopped_at: list[int] = []

    def at_seconds(now: float) -> None:
        if due and now >= due[0]:
            due.pop(0)
            stopped_at.append(round(now * rate_hz))
            kill = f"kill -STOP {process}; sleep {STOP_SECONDS}; kill -CONT {process}"
            stopped.append(subprocess.Popen(["sh", "-c", kill]))  # not from here: we stand still as well

    def playback(frames: int) -> Block:
        return np.repeat(0.1 * random.standard_normal((1, frames)), 2, axis=0).astype(np.float32)

    heard = Heard(
        playback,
        rate_hz=rate_hz,
        channels=2,
        seconds=13.0,
        latency_seconds=latency_seconds,
        at_seconds=at_seconds,
    )
    for one in stopped:
        one.wait()
    first = round(_SETTLE_SECONDS * rate_hz)
    found = find_jumps(heard.reference[0, first:], heard.capture[0, first:], rate_hz)
    jumps_at = [first + one.frame for one in found.jumps]
    near = round(_MATCH_SECONDS * rate_hz)
    hit = [at for at in stopped_at if any(0 <= one - at <= near for one in jumps_at)]
    told = [frame for frame, _ in heard.gaps if frame >= first]
    return {
        "injected": len(stopped),
        "injected_that_jump": len(hit),
        "injected_told": sum(any(-near <= frame - at <= near for frame in told) for at in hit),
        "jumps": len(jumps_at),
        "jumps_told": sum(any(abs(at - frame) <= near for frame in told) for at in jumps_at),
        "told": len(told),
        "told_without_jump": sum(all(abs(at - frame) > near for at in jumps_at) for frame in told),
        "slips": len(found.slips),
        "lost_frames": sum(gap.frames for _, gap in heard.gaps if gap.lane == "device"),
        "unplayed_frames": sum(gap.frames for _, gap in heard.gaps if gap.lane == "speakers"),
    }


def people(first: int, rate_hz: int, latency_seconds: float) -> dict[str, object]:
    """Let people walk into simulated rooms whose sound goes through the server."""

    def hear(playback: Callable[[int], Block], seconds: float) -> Block:
        return Heard(
            playback, rate_hz=rate_hz, channels=CHANNELS, seconds=seconds, latency_seconds=latency_seconds
        ).capture

    return entries(hear, range(first, first + SCENES_AT_ONCE))


def run_row(row: str, environment: dict[str, str], latency_seconds: float = 0.2) -> dict[str, object]:
    """Run a row in a process of its own."""
    kind, sink, rate_hz = (ROWS | PEOPLE)[row]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "script.spatial.sound_server",
            "--row",
            kind,
            str(rate_hz),
            str(latency_seconds),
        ],
        env=environment | {"PULSE_SINK": sink, "PULSE_SOURCE": f"{sink}.monitor"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"row {row} failed: {done.stderr[-2000:]}")
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(rows: Iterable[str]) -> Iterator[dict[str, object]]:
    """Yield some of `ROWS` and `PEOPLE`, each with a server of its own; only where nothing is `missing`."""
    for row in rows:
        with server() as environment:
            yield {"row": row, **run_row(row, environment)}


def main() -> None:
    """Print one row's JSON, for the process that `run_row` starts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--row", nargs=3, required=True, metavar=("KIND", "RATE_HZ", "LATENCY_SECONDS"))
    kind, rate_hz, latency_seconds = parser.parse_args().row
    kinds = {one.__name__: one for one in (tones, routing, server_stops, reader_stops)}
    kinds |= {f"people-{first}": partial(people, first) for first in range(0, _PEOPLE, SCENES_AT_ONCE)}
    print(json.dumps(kinds[kind](int(rate_hz), float(latency_seconds))))


if __name__ == "__main__":
    main()
