"""Let several watch the same scenes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from script.presence.resting import RestingWatcher
from script.presence.watchers import (
    DopplerJsWatcher,
    Heard,
    HubWatcher,
    InfraredWatcher,
    Watched,
    Watcher,
)
from sensing.simulation.baseband.scene import Scene
from sensing.training.presence_trial import rendered_pieces
from sensing.ultrasound.doppler_features import HOP_SECONDS, WINDOW_SECONDS
from sensing.ultrasound.energy_detector import EnergyDetector
from sensing.ultrasound.front_end import FrontEnd
from sensing.ultrasound.motion_network import MotionNetwork

NAMES = ("network", "energy", "doppler_js", "pir")
"""The network; band energies against thresholds, with the same filter; doppler.js; passive infrared."""
RESTING = "balanced"
"""The network as it saves power; it differs only where somebody stays, so it is asked by name."""


def watcher(name: str, baseband_hz: float, model: Path | None) -> Watcher:
    """Return one of `NAMES`, or `RESTING`; ``model`` instead of the shipped network."""
    match name:
        case "network":
            return HubWatcher(MotionNetwork(model))
        case "balanced":
            return RestingWatcher(MotionNetwork(model))
        case "energy":
            return HubWatcher(EnergyDetector())
        case "doppler_js":
            return DopplerJsWatcher(baseband_hz)
        case "pir":
            return InfraredWatcher()
    raise ValueError(f"nobody is called {name!r}; there are {', '.join((*NAMES, RESTING))}")


def watch(scene: Scene, names: Sequence[str] = NAMES, *, model: Path | None = None) -> dict[str, Watched]:
    """Render a scene once and let several watch it."""
    return next(watch_room([scene], names, model=model))


def watch_room(
    scenes: Iterable[Scene], names: Sequence[str] = NAMES, *, model: Path | None = None
) -> Iterator[dict[str, Watched]]:
    """Yield what several make of each of the scenes that follow each other in one room."""
    watchers: dict[str, Watcher] = {}
    for scene in scenes:
        watchers = watchers or {name: watcher(name, scene.baseband_hz, model) for name in names}
        front_end = FrontEnd(baseband_hz=scene.baseband_hz, microphones=scene.hub.microphones)
        for one in watchers.values():
            one.begin(scene)
        for baseband, playback in rendered_pieces(scene):
            heard = Heard(baseband=baseband, frames=front_end.process(baseband, playback))
            for one in watchers.values():
                one.process(heard)
        hops = round((scene.seconds - WINDOW_SECONDS) / HOP_SECONDS) + 1
        yield {name: one.watched(hops) for name, one in watchers.items()}
