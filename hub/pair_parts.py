"""Build what calibrates rooms in step: the recorder's lane, and the service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from hub.audio.lane import Lane
from hub.bus import Bus
from hub.calibration import hardware_of
from hub.chirp_booth import ChirpBooth
from hub.clock import Clock
from hub.config.hub_config import HubConfig
from hub.pair_calibration import PairCalibration
from hub.pair_recorder import PairRecorder
from hub.pair_results import PairResults
from hub.service import Service
from hub.together import Together
from hub.ultrasound import LANE, Ultrasound
from routines.ports import MessageLink
from sensing.observations import Observation

RESULTS = "rooms-in-step.json"
_LANE_BLOCKS = 200


class PairLinks(Protocol):
    """The broker, and this hub's own name there; `hub.links.Links` is one."""

    hub: str

    @property
    def mqtt(self) -> MessageLink:
        """The link to the broker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairEar:
    """What records while two hubs chirp, and the lane of the sensor that rests, where there is one."""

    recorder: PairRecorder
    sensing: Lane | None


def pair_ear(config: HubConfig, lanes: list[Lane], bus: Bus) -> PairEar | None:
    """Add a lane that records, and return it; None where this hub plays in step with nobody."""
    if config.playback.together is None:
        return None
    recorder = PairRecorder(rate_hz=config.audio.rate_hz)
    sensing = next((lane for lane in lanes if lane.name == LANE), None)
    recording = Lane(
        name="rooms in step",
        process=recorder.process,
        deliver=_nothing,
        capacity_blocks=_LANE_BLOCKS,
        on_gap=bus.publish_from_thread,
        reset=recorder.reset,
    )
    lanes.append(recording)
    return PairEar(recorder=recorder, sensing=sensing)


def pair_services(
    ear: PairEar | None,
    config: HubConfig,
    together: Together | None,
    ultrasound: Ultrasound | None,
    links: PairLinks,
    *,
    state: Path,
    bus: Bus,
    clock: Clock,
) -> Iterator[Service]:
    """Yield the service that calibrates, where this hub plays in step with others.

    Parameters
    ----------
    state : Path
        Directory in which results are kept.
    """
    settings = config.playback.together
    if settings is None or together is None or ear is None:
        return

    def rest(is_resting: bool) -> None:
        if ultrasound is not None and ear.sensing is not None:
            ear.sensing.tell("calibrating", partial(ultrasound.sensor.calibrate, is_resting))

    booth = ChirpBooth(
        None if ultrasound is None else ultrasound.chirps,
        ear.recorder,
        part=together.part,
        rest=rest,
        rate_hz=config.audio.rate_hz,
        clock=clock,
        why_silent=_why_silent(ultrasound),
    )
    results = PairResults(
        together.part,
        path=state / RESULTS,
        hardware=hardware_of(config.audio),
        room=config.home.room,
        messages=links.mqtt,
        clock=clock,
    )
    together.calibration = results.state
    yield PairCalibration(
        settings,
        booth,
        together.part,
        results,
        hub=links.hub,
        room=config.home.room,
        messages=links.mqtt,
        bus=bus,
        clock=clock,
    )


def _why_silent(ultrasound: Ultrasound | None) -> str | None:
    if ultrasound is None:
        return "ultrasound.enabled is false in hub.yaml, and chirps are ultrasound"
    if not ultrasound.chirps.chirp_peak:
        return "it was calibrated for a home with animals, which hear chirps"
    return None


def _nothing(_: Observation) -> None:
    """Nobody observes anything here."""
