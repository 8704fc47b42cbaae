"""The ultrasonic part of the house: the tone, the sensor that listens to its echoes, and who may mute it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from hub.audio.lane import Lane
from hub.bus import Bus
from hub.clock import Clock
from hub.config.hub_config import HubConfig
from hub.door_watch import DoorWatch
from hub.playback.tone_gate import ToneGate
from hub.rare_moments import RareMomentFolder
from hub.sensing_switch import SensingSwitch
from hub.service import Service
from routines.ports import MessageLink
from sensing.errors import ModelDamaged
from sensing.ultrasound.emission_plan import EmissionPlan
from sensing.ultrasound.emitter import CarrierEmitter
from sensing.ultrasound.energy_detector import EnergyDetector
from sensing.ultrasound.motion_classifier import MotionClassifier
from sensing.ultrasound.motion_network import MotionNetwork
from sensing.ultrasound.processing_meter import ProcessingMeter
from sensing.ultrasound.sensor import UltrasoundSensor

LANE = "ultrasound"

log = structlog.get_logger("ultrasound")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ultrasound:
    """What plays the tone, what listens to it, and what the levels of listening cost."""

    emitter: CarrierEmitter
    tone: ToneGate
    sensor: UltrasoundSensor
    meter: ProcessingMeter


def build_ultrasound(
    config: HubConfig, *, is_recording: bool, state: Path, clock: Clock
) -> Ultrasound | None:
    """Return the ultrasonic part, None when it is switched off; the tone is silent until it is allowed.

    Parameters
    ----------
    is_recording : bool
        Whether a recording is heard: its tone is taken as continuous.
    state : Path
        Directory in which rare moments are kept, where hub.yaml wants that.
    """
    settings = config.ultrasound
    if not settings.enabled:
        return None
    rate_hz = config.audio.rate_hz
    emitter = CarrierEmitter(carrier_hz=settings.carrier_hz, rate_hz=rate_hz, level=settings.level)
    tone = ToneGate(emitter)
    meter = ProcessingMeter(time.thread_time)
    sensor = UltrasoundSensor(
        rate_hz=rate_hz,
        microphones=config.audio.microphones,
        carrier_hz=settings.carrier_hz,
        hold_seconds=settings.hold_seconds,
        sensitivity=settings.sensitivity,
        pets=settings.pets,
        classifier=motion_classifier(),
        plan=None if is_recording else EmissionPlan(rate_hz=rate_hz, power=settings.power),
        want_tone=tone.want,
        meter=meter,
        keep=RareMomentFolder(state / "rare-moments", clock).keep if settings.keep_rare else None,
    )
    return Ultrasound(emitter=emitter, tone=tone, sensor=sensor, meter=meter)


def motion_classifier() -> MotionClassifier:
    """Return the shipped network, or the detector that needs no model when the network is damaged."""
    try:
        return MotionNetwork()
    except ModelDamaged as damage:
        log.warning("fans and pets will be taken for people", why=str(damage))
        return EnergyDetector()


def ultrasound_services(
    ultrasound: Ultrasound, lane: Lane, *, config: HubConfig, messages: MessageLink, bus: Bus, state: Path
) -> Iterator[Service]:
    """Yield the switch that may mute the tone, and what tells the sensor of opened doors.

    Parameters
    ----------
    state : Path
        Directory in which the switch is remembered.
    """
    sensor = ultrasound.sensor

    def allow(is_allowed: bool) -> None:
        ultrasound.tone.allow(is_allowed)
        lane.tell("tone allowed", lambda: sensor.allow_tone(is_allowed))

    path = state / "sensing.json"
    yield SensingSwitch(messages=messages, bus=bus, home=config.home, path=path, allow=allow)
    doors = config.ultrasound.doors
    if not doors:
        return
    if config.home_assistant is None:
        log.warning("no door will be heard of", why="ultrasound.doors needs the section home_assistant")
    yield DoorWatch(doors=doors, bus=bus, on_open=lambda: lane.tell("door opened", sensor.door_opened))
