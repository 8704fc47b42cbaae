"""Say when the ultrasonic part should be calibrated again; people decide, for it takes sound and quiet."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import structlog

from hub.bus import Bus, Overflow, Subscription
from hub.calibration import AGAIN, CalibrationInUse
from hub.calibration_notes import (
    CalibrationNotes,
    KeptBaseline,
    KeptReason,
    PlayedTone,
    read_notes,
    write_notes,
)
from hub.clock import Clock
from hub.events import RecalibrationAdvised
from hub.home_publisher import HomePublisher
from routines.ports import DeviceChanged
from sensing.calibration.calibration import Calibration
from sensing.calibration.triggers import Recalibration
from sensing.calibration.validity import CalibrationValidity
from sensing.ultrasound.carrier_state import CarrierState
from sensing.ultrasound.silent_listener import SilenceHeard

_Heard = CarrierState | SilenceHeard | DeviceChanged

log = structlog.get_logger("calibration")


class CalibrationWatch:
    """Compare what the sensor hears with the calibration, and tell each reason against it once.

    A reason is logged when it is found, and stays on the bus's readers (status, MQTT) until the next
    calibration, over restarts too.

    Parameters
    ----------
    calibration : CalibrationInUse
        The calibration that is used, or why it is not.
    carriers_hz, peak
        What the emitter plays.
    path : Path
        Where the baseline and what was told are remembered.
    temperature : str or None
        Entity id of the room's thermometer in Home Assistant.
    """

    name = "calibration watch"
    needs = frozenset({HomePublisher.name})

    def __init__(
        self,
        *,
        calibration: CalibrationInUse,
        carriers_hz: tuple[float, ...],
        peak: float,
        path: Path,
        room: str,
        temperature: str | None,
        bus: Bus,
        clock: Clock,
    ) -> None:
        self._in_use = calibration
        self._carriers_hz = carriers_hz
        self._peak = peak
        self._path = path
        self._room = room
        self._temperature = temperature
        self._temperature_c: float | None = None
        self._bus = bus
        self._clock = clock

    async def run(self, ready: Callable[[], None]) -> None:
        """Watch until cancelled."""
        calibration = self._in_use.calibration
        if calibration is None:
            if self._in_use.outdated is not None:
                self._warn(self._in_use.outdated)
            ready()
            await asyncio.Event().wait()  # there is nothing to compare with
            return
        tone = PlayedTone(calibrated_at=calibration.at, carriers_hz=self._carriers_hz, peak=self._peak)
        notes = await asyncio.to_thread(read_notes, self._path, tone)
        # the sensor tells all of it again and again, so that the oldest may be lost
        heard: Subscription[_Heard] = self._bus.subscribe(
            CarrierState, SilenceHeard, DeviceChanged, room=256, overflow=Overflow.DROP_OLDEST, name=self.name
        )
        with heard:
            for kept in notes.told:
                self._tell(Recalibration(trigger=kept.trigger, reason=kept.reason))
            ready()
            await self._compare(calibration, notes, heard)

    async def _compare(
        self, calibration: Calibration, notes: CalibrationNotes, heard: Subscription[_Heard]
    ) -> None:
        baseline = None if notes.baseline is None else notes.baseline.state()
        validity = CalibrationValidity(
            calibration, baseline=baseline, told=[kept.trigger for kept in notes.told]
        )
        aged = validity.look_at(self._clock.now())
        if aged is not None:
            notes = await self._note(notes, baseline, [aged])
        async for event in heard:
            baseline = validity.baseline
            asked = (self._found(validity, event), validity.look_at(self._clock.now()))
            found = [one for one in asked if one is not None]
            if found or validity.baseline is not baseline:
                notes = await self._note(notes, validity.baseline, found)

    def _found(self, validity: CalibrationValidity, event: _Heard) -> Recalibration | None:
        match event:
            case CarrierState():
                return validity.hear(replace(event, temperature_c=self._temperature_c))
            case SilenceHeard():
                return validity.hear_silence(event.tones)
            case DeviceChanged() if event.entity_id == self._temperature:
                self._temperature_c = _celsius(event)
        return None

    async def _note(
        self, notes: CalibrationNotes, baseline: CarrierState | None, found: Sequence[Recalibration]
    ) -> CalibrationNotes:
        """Tell what was found, and return and save the notes with it and the baseline."""
        for one in found:
            self._warn(one)
        told = [KeptReason(trigger=one.trigger, reason=one.reason) for one in found]
        kept = None if baseline is None else KeptBaseline.of(baseline)
        new = notes.model_copy(update={"told": (*notes.told, *told), "baseline": kept})
        if notes.baseline is None and kept is not None:
            log.info("kept how the tone is heard, to compare with", path=str(self._path))
        try:
            await asyncio.to_thread(write_notes, self._path, new)
        except OSError as error:
            # it holds all the same until the hub ends; then it is found again
            log.error("the notes on the calibration are not kept", path=str(self._path), why=str(error))
        return new

    def _warn(self, found: Recalibration) -> None:
        log.warning("calibrate again", trigger=found.trigger, reason=found.reason, hint=AGAIN)
        self._tell(found)

    def _tell(self, found: Recalibration) -> None:
        advised = RecalibrationAdvised(
            room=self._room,
            trigger=found.trigger,
            reason=found.reason,
            hint=AGAIN,
            at=self._clock.now(),
        )
        self._bus.publish(advised)


def _celsius(thermometer: DeviceChanged) -> float | None:
    """Return the temperature, None while the thermometer is unavailable or says no number."""
    try:
        degrees = float(thermometer.state)
    except ValueError:
        return None
    if thermometer.attributes.get("unit_of_measurement") == "\N{DEGREE SIGN}F":
        degrees = (degrees - 32) / 1.8
    return degrees if math.isfinite(degrees) else None
