"""What the hub remembers of a calibration beside it: how the carrier was heard then, and what was told."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from hub.whole_file import write_whole
from sensing.calibration.triggers import Trigger
from sensing.ultrasound.carrier_state import CarrierState

log = structlog.get_logger("calibration")


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlayedTone(_Kept):
    """What was played, and of which calibration: of anything else the notes say nothing.

    ``peak`` is in full scale.
    """

    calibrated_at: AwareDatetime
    carriers_hz: tuple[float, ...]
    peak: float


class KeptReason(_Kept):
    """A reason to calibrate again that was told."""

    trigger: Trigger
    reason: str


class KeptBaseline(_Kept):
    """How the carrier was heard soon after calibration; ``signature`` has real and imaginary parts."""

    signature: tuple[tuple[float, float], ...]
    snr_db: float
    temperature_c: float | None

    @classmethod
    def of(cls, state: CarrierState) -> KeptBaseline:
        """Return what is kept of a state."""
        return cls(
            signature=tuple((float(one.real), float(one.imag)) for one in state.signature),
            snr_db=state.snr_db,
            temperature_c=state.temperature_c,
        )

    def state(self) -> CarrierState:
        """Return it as a state before all others."""
        return CarrierState(
            at_seconds=0.0,
            signature=np.array([complex(*one) for one in self.signature], np.complex64),
            snr_db=self.snr_db,
            is_moving=False,
            temperature_c=self.temperature_c,
        )


class CalibrationNotes(_Kept):
    """All of it, as it is in the file."""

    version: Literal[1] = 1
    tone: PlayedTone
    baseline: KeptBaseline | None = None
    told: tuple[KeptReason, ...] = ()


def notes_file(state: Path) -> Path:
    """Return where the notes lie in the hub's state directory."""
    return state / "calibration-notes.json"


def read_notes(path: Path, tone: PlayedTone) -> CalibrationNotes:
    """Return the notes on this tone; empty ones when those in the file are on another, or cannot be read."""
    empty = CalibrationNotes(tone=tone)
    try:
        notes = CalibrationNotes.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return empty
    except (OSError, UnicodeDecodeError, ValidationError):
        log.warning("the notes on the calibration cannot be read and are begun anew", path=str(path))
        return empty
    return notes if notes.tone == tone else empty


def write_notes(path: Path, notes: CalibrationNotes) -> None:
    """Replace the notes at once, so that a power cut leaves the old or the new ones."""
    write_whole(path, notes.model_dump_json() + "\n")
