"""Whether a calibration still holds, from all that is heard while the hub runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from sensing.calibration.calibration import Calibration
from sensing.calibration.interferers import Interferer
from sensing.calibration.quiet_stretch import QuietStretch
from sensing.calibration.triggers import (
    CarrierWatch,
    Recalibration,
    Trigger,
    grew_old,
    new_interferer,
)
from sensing.ultrasound.carrier_state import CarrierState


class CalibrationValidity:
    """Tell each reason to calibrate again once.

    Until there is a baseline the first quiet minute makes one. A tone of others counts when two silences in
    a row hold one: a phone that beeps in a pocket is no reason.

    Parameters
    ----------
    baseline : CarrierState or None
        How the carrier was heard after the calibration, if that is known.
    told : iterable of Trigger
        What need not be told any more.

    Attributes
    ----------
    baseline : CarrierState or None
        The one given, or that of the first quiet minute.
    """

    def __init__(
        self,
        calibration: Calibration,
        *,
        baseline: CarrierState | None = None,
        told: Iterable[Trigger] = (),
    ) -> None:
        self._calibration = calibration
        self._told = set(told)
        self._stretch = QuietStretch()
        self._had_interferer = False
        self._compare_with(baseline)

    def hear(self, state: CarrierState) -> Recalibration | None:
        """Return why to calibrate again, after one more second of the tone."""
        if self._watch is None or self.baseline is None:
            self._compare_with(self._stretch.process(state))
            return None
        if self.baseline.temperature_c is None and state.temperature_c is not None:
            # of a thermometer that was not there yet, the first word is the best that is known
            self._compare_with(replace(self.baseline, temperature_c=state.temperature_c))
        return self._once(self._watch.process(state))

    def hear_silence(self, tones: Sequence[Interferer]) -> Recalibration | None:
        """Return why to calibrate again, after a silence with these tones of others."""
        found = new_interferer(self._calibration, tones)
        had_one, self._had_interferer = self._had_interferer, found is not None
        return self._once(found) if had_one else None

    def look_at(self, now: datetime) -> Recalibration | None:
        """Return why to calibrate again at a time, with its zone."""
        return self._once(grew_old(self._calibration, now))

    def _compare_with(self, baseline: CarrierState | None) -> None:
        self.baseline = baseline
        self._watch = None if baseline is None else CarrierWatch(baseline, told=self._told)

    def _once(self, found: Recalibration | None) -> Recalibration | None:
        if found is None or found.trigger in self._told:
            return None
        self._told.add(found.trigger)
        return found
