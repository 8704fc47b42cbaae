"""The ultrasonic part of the house: the tone, the sensor that listens to its echoes, and who may mute it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from hub.audio.lane import Lane
from hub.bus import Bus
from hub.calibration import CalibrationInUse
from hub.calibration_notes import notes_file
from hub.calibration_watch import CalibrationWatch
from hub.chirp_level import chirp_peak
from hub.clock import Clock
from hub.config.hub_config import HubConfig
from hub.door_watch import DoorWatch
from hub.playback.chirping_emitter import ChirpingEmitter
from hub.playback.tone_gate import ToneGate
from hub.rare_moments import RareMomentFolder
from hub.sensing_switch import SensingSwitch
from hub.service import Service
from routines.ports import MessageLink
from sensing.errors import ModelDamaged
from sensing.processing_meter import ProcessingMeter
from sensing.ultrasound.emission_plan import EmissionPlan
from sensing.ultrasound.emitter import CarrierEmitter
from sensing.ultrasound.energy_detector import EnergyDetector
from sensing.ultrasound.motion_classifier import MotionClassifier
from sensing.ultrasound.motion_network import MotionNetwork
from sensing.ultrasound.sensor import UltrasoundSensor

LANE = "ultrasound"

log = structlog.get_logger("ultrasound")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ultrasound:
    """What plays the tone, what listens to it, what the levels of listening cost, and what was calibrated."""

    emitter: CarrierEmitter
    tone: ToneGate
    chirps: ChirpingEmitter
    """What the mixer plays: the tone, or chirps in its place."""
    sensor: UltrasoundSensor
    meter: ProcessingMeter
    calibration: CalibrationInUse


def build_ultrasound(
    config: HubConfig, *, calibration: CalibrationInUse, state: Path, bus: Bus, clock: Clock
) -> Ultrasound | None:
    """Return the ultrasonic part, None when it is switched off; the tone is silent until it is allowed.

    Parameters
    ----------
    calibration : CalibrationInUse
        With one, what it is compared with goes on the bus.
    state : Path
        Directory in which rare moments are kept, where hub.yaml wants that.
    """
    settings = config.ultrasound
    if not settings.enabled:
        return None
    rate_hz = config.audio.rate_hz
    is_recording = config.audio.device == "file"  # its tone is taken as continuous
    if settings.tones == 2 and settings.second_tone_hz is None:
        log.info("one tone only", why="no second carrier is calibrated or set")
    emitter = CarrierEmitter(
        carrier_hz=settings.carrier_hz,
        rate_hz=rate_hz,
        level=settings.level,
        second_carrier_hz=settings.second_tone_hz,
    )
    tone = ToneGate(emitter)
    meter = ProcessingMeter(time.thread_time)
    sensor = UltrasoundSensor(
        rate_hz=rate_hz,
        microphones=config.audio.microphones,
        carrier_hz=settings.carrier_hz,
        second_carrier_hz=settings.second_tone_hz,
        hold_seconds=settings.hold_seconds,
        sensitivity=settings.sensitivity,
        pets=settings.pets,
        classifier=motion_classifier(),
        plan=None if is_recording else EmissionPlan(rate_hz=rate_hz, power=settings.power),
        want_tone=tone.want,
        meter=meter,
        keep=RareMomentFolder(state / "rare-moments", clock).keep if settings.keep_rare else None,
        tell_field=None if calibration.calibration is None else bus.publish_from_thread,
    )
    chirps = ChirpingEmitter(
        emitter, tone, rate_hz=rate_hz, chirp_peak=chirp_peak(config, calibration.calibration)
    )
    return Ultrasound(
        emitter=emitter, tone=tone, chirps=chirps, sensor=sensor, meter=meter, calibration=calibration
    )


def motion_classifier() -> MotionClassifier:
    """Return the shipped network, or the detector that needs no model when the network is damaged."""
    try:
        return MotionNetwork()
    except ModelDamaged as damage:
        log.warning("fans and pets will be taken for people", why=str(damage))
        return EnergyDetector()


def ultrasound_services(
    ultrasound: Ultrasound,
    lane: Lane,
    *,
    config: HubConfig,
    messages: MessageLink,
    bus: Bus,
    clock: Clock,
    state: Path,
) -> Iterator[Service]:
    """Yield the switch that may mute the tone, what tells the sensor of doors, and what watches calibration.

    Parameters
    ----------
    state : Path
        Directory in which the switch, and what belongs to the calibration, are remembered.
    """
    sensor = ultrasound.sensor

    def allow(is_allowed: bool) -> None:
        ultrasound.tone.allow(is_allowed)
        lane.tell("tone allowed", lambda: sensor.allow_tone(is_allowed))

    path = state / "sensing.json"
    yield SensingSwitch(messages=messages, bus=bus, home=config.home, path=path, allow=allow)
    if config.ultrasound.doors:
        _ask_for_home_assistant(config, "no door will be heard of", "ultrasound.doors")
        yield DoorWatch(
            doors=config.ultrasound.doors,
            bus=bus,
            on_open=lambda: lane.tell("door opened", sensor.door_opened),
        )
    if ultrasound.calibration != CalibrationInUse():
        if config.ultrasound.temperature is not None:
            _ask_for_home_assistant(config, "no temperature will be known", "ultrasound.temperature")
        yield CalibrationWatch(
            calibration=ultrasound.calibration,
            carriers_hz=ultrasound.emitter.carriers_hz,
            peak=ultrasound.emitter.peak,
            path=notes_file(state),
            room=config.home.room,
            temperature=config.ultrasound.temperature,
            bus=bus,
            clock=clock,
        )


def _ask_for_home_assistant(config: HubConfig, missing: str, setting: str) -> None:
    if config.home_assistant is None:
        log.warning(missing, why=f"{setting} needs the section home_assistant")
