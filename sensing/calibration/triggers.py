"""When a calibration no longer holds; time is told, never read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sensing.calibration.calibration import Calibration, Hardware
from sensing.calibration.interferers import Interferer
from sensing.ultrasound.carrier_state import CarrierState

LONGEST_AGE = timedelta(days=30)
MOVED_DB = 3.0
MOVED_DEGREES = 30.0
MOVED_MICROPHONES = 2
MOVED_SECONDS = 600.0
LONGEST_GAP_SECONDS = 60.0
"""What was not heard for longer is not known to have lasted."""
WEAKER_DB = 6.0
WARMER_C = 5.0
_SAME_LINE_HZ = 50.0
"""A line that drifts by less is the same one."""
_DEAD_RATIO = 0.03
"""A microphone that hears so much less of the carrier than the best one has no phase."""
_TINY = 1e-12

Trigger = Literal["moved", "weaker", "interferer", "temperature", "hardware", "age"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalibration:
    """A reason to calibrate again: which, and in words."""

    trigger: Trigger
    reason: str


class CarrierWatch:
    """Compare how the carrier is heard with how it was heard just after calibration.

    A change counts when it lasts ten minutes in which nothing moves: somebody who sits down beside the device
    changes its field too, and moves again. A turn that all microphones share is that of the clocks.

    Parameters
    ----------
    baseline : CarrierState
        Soon after calibration, while nothing moved.
    told : iterable of Trigger
        What need not be told any more.
    """

    def __init__(self, baseline: CarrierState, *, told: Iterable[Trigger] = ()) -> None:
        self._baseline = baseline
        self._told = set(told)
        self.reset()

    def reset(self) -> None:
        """Forget what was seen since the baseline, as after a gap in the audio."""
        self._since: dict[Trigger, float] = {}
        self._last_seconds: float | None = None

    def process(self, state: CarrierState) -> Recalibration | None:
        """Return why to calibrate again, each trigger once; None when nothing else asks for it."""
        is_next = (
            self._last_seconds is None or 0 <= state.at_seconds - self._last_seconds <= LONGEST_GAP_SECONDS
        )
        if state.is_moving or not is_next:
            self.reset()
        if state.is_moving:
            return None
        self._last_seconds = state.at_seconds
        for trigger, found in self._found(state).items():
            if found is None:
                self._since.pop(trigger, None)
            elif self._lasts(trigger, state.at_seconds) and trigger not in self._told:
                self._told.add(trigger)
                return found
        return None

    def _found(self, state: CarrierState) -> dict[Trigger, Recalibration | None]:
        return {
            "moved": self._moved(state),
            "weaker": self._weaker(state),
            "temperature": self._warmer(state),
        }

    def _lasts(self, trigger: Trigger, at_seconds: float) -> bool:
        if trigger == "temperature":
            return True  # thermometers are slow
        return at_seconds - self._since.setdefault(trigger, at_seconds) >= MOVED_SECONDS

    def _moved(self, state: CarrierState) -> Recalibration | None:
        changed = _changed_microphones(self._baseline.signature, state.signature)
        if changed < MOVED_MICROPHONES:
            return None
        reason = (
            f"{changed} microphones hear the tone differently for 10 minutes: the device or something near "
            "it was moved, or a volume was changed"
        )
        return Recalibration(trigger="moved", reason=reason)

    def _weaker(self, state: CarrierState) -> Recalibration | None:
        fall_db = self._baseline.snr_db - state.snr_db
        if fall_db <= WEAKER_DB:
            return None
        return Recalibration(
            trigger="weaker", reason=f"the tone stands {fall_db:.0f} dB less above the noise than it did"
        )

    def _warmer(self, state: CarrierState) -> Recalibration | None:
        then, now = self._baseline.temperature_c, state.temperature_c
        if then is None or now is None or abs(now - then) <= WARMER_C:
            return None
        reason = f"the room has {now:.0f} degrees instead of {then:.0f}: sound travels at another speed"
        return Recalibration(trigger="temperature", reason=reason)


def _changed_microphones(then: NDArray[np.complex64], now: NDArray[np.complex64]) -> int:
    ratio = now / np.where(np.abs(then) < _TINY, _TINY, then)
    change_db = 20 * np.log10(np.maximum(np.abs(ratio), _TINY))
    # every microphone has one vote: the loudest is not more right about the clocks
    votes = np.where(_has_phase(then) & _has_phase(now), np.exp(1j * np.angle(ratio)), 0)
    # each is compared with all others: of two, nobody can say which has turned
    turn_degrees = np.degrees(np.abs(np.angle(votes * np.conj(votes.sum() - votes))))
    return int(((np.abs(change_db) > MOVED_DB) | (turn_degrees > MOVED_DEGREES)).sum())


def _has_phase(signature: NDArray[np.complex64]) -> NDArray[np.bool_]:
    levels = np.abs(signature)
    has_phase: NDArray[np.bool_] = levels > _DEAD_RATIO * levels.max()
    return has_phase


def hardware_changed(calibration: Calibration, hardware: Hardware) -> Recalibration | None:
    """Return why to calibrate again when this is not the hardware that was calibrated."""
    then = calibration.hardware
    if then == hardware:
        return None
    reason = f"it was made for {_words(then)}, and this is {_words(hardware)}"
    return Recalibration(trigger="hardware", reason=reason)


def _words(hardware: Hardware) -> str:
    return (
        f"{hardware.device} at {hardware.rate_hz} Hz with {hardware.microphones} microphones and "
        f"{hardware.speakers} speakers"
    )


def grew_old(calibration: Calibration, now: datetime) -> Recalibration | None:
    """Return why to calibrate again when the last time is more than 30 days ago."""
    age = now - calibration.at
    if age <= LONGEST_AGE:
        return None
    return Recalibration(trigger="age", reason=f"it is {age.days} days old; rooms change")


def new_interferer(calibration: Calibration, heard: Sequence[Interferer]) -> Recalibration | None:
    """Return why to calibrate again when a tone has come up within 500 Hz of the carrier.

    Parameters
    ----------
    heard : sequence of Interferer
        Found while the carrier was silent.
    """
    known_hz = [one.hz for one in calibration.interferers]
    for one in heard:
        is_known = any(math.isclose(one.hz, hz, abs_tol=_SAME_LINE_HZ) for hz in known_hz)
        if one.excludes(calibration.carrier_hz) and not is_known:
            reason = f"another device's tone of {one.hz / 1000:.2f} kHz has come up beside the carrier"
            return Recalibration(trigger="interferer", reason=reason)
    return None
