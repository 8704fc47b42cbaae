"""The calibration of this hub: where it is kept, and what the hub takes from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import structlog
from pydantic import ValidationError

from hub.config.hub_config import AudioConfig, HubConfig
from hub.errors import BadInput
from hub.whole_file import write_whole
from sensing.calibration.calibration import Calibration, Hardware
from sensing.calibration.caps import EmissionCaps
from sensing.calibration.triggers import Recalibration, hardware_changed
from sensing.ultrasound.emitter import MAX_LEVEL

log = structlog.get_logger("calibration")

AGAIN = "run: roomwise calibrate"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationInUse:
    """Where the tone comes from.

    Attributes
    ----------
    calibration : Calibration or None
        The one that the carrier was taken from.
    outdated : Recalibration or None
        Why there is one that cannot be used.
    """

    calibration: Calibration | None = None
    outdated: Recalibration | None = None


def calibration_file(state: Path) -> Path:
    """Return where the calibration lies in the hub's state directory."""
    return state / "calibration.json"


def hardware_of(audio: AudioConfig) -> Hardware:
    """Return what hub.yaml says about the sound device, as a calibration remembers it."""
    return Hardware(
        device=audio.device_name or audio.device,
        rate_hz=audio.rate_hz,
        microphones=audio.microphones,
        speakers=audio.speakers,
    )


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Replace the calibration at once, so that a reader never sees half of one.

    Raises
    ------
    BadInput
        The file cannot be written.
    """
    try:
        write_whole(path, calibration.model_dump_json() + "\n")
    except OSError as error:
        raise BadInput(f"{path}: cannot be written ({error.strerror}); choose another --out") from error


def read_calibration(path: Path) -> Calibration | None:
    """Return the calibration, None when there is none yet.

    Raises
    ------
    BadInput
        The file is not a calibration.
    """
    try:
        return Calibration.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        why = f"{error.error_count()} values are wrong" if isinstance(error, ValidationError) else str(error)
        raise BadInput(f"{path}: is not a calibration ({why}); {AGAIN}") from error


def calibrated(config: HubConfig, state: Path) -> tuple[HubConfig, CalibrationInUse]:
    """Return the configuration with carrier and level as calibrated, where hub.yaml leaves the carrier out.

    A carrier in hub.yaml wins, and a level there as well: they were set by hand. A calibration of other
    hardware is not used, nor one that cannot be read, of which the log tells; an old one is used. No level
    goes beyond the cap: the calibrated one, or that of a loudspeaker nobody has measured.
    """
    if not config.ultrasound.enabled or config.audio.device == "file":
        return config, CalibrationInUse()
    written = config.ultrasound.model_fields_set
    calibration = None if "carrier_hz" in written else _saved_calibration(config, state)
    outdated = None if calibration is None else hardware_changed(calibration, hardware_of(config.audio))
    if outdated is not None:
        calibration = None
    if calibration is None:
        carrier_hz, level = config.ultrasound.carrier_hz, config.ultrasound.level
        second_hz = config.ultrasound.second_carrier_hz
        # nobody hears a simulated loudspeaker
        is_real = config.audio.device == "card"
        caps = EmissionCaps(allows_audible=True)
        most = min(map(caps.peak, (carrier_hz, second_hz or carrier_hz))) if is_real else MAX_LEVEL
    else:
        carrier_hz, second_hz = calibration.carrier_hz, calibration.second_tone_hz
        level = config.ultrasound.level if "level" in written else calibration.level
        most = calibration.level * 10 ** ((calibration.cap_db_spl - calibration.db_spl) / 20)
    if config.ultrasound.tones == 2 and second_hz is not None:
        most /= math.sqrt(2)  # peaks of two tones add up, though each is 3 dB softer than one would be
    if level > most and "level" in written:
        log.warning("level lowered to the cap", level=level, cap=round(most, 4), hint=AGAIN)
    log.info("carrier", carrier_hz=carrier_hz, level=round(min(level, most), 4))
    chosen = {"carrier_hz": carrier_hz, "second_carrier_hz": second_hz, "level": min(level, most)}
    ultrasound = config.ultrasound.model_copy(update=chosen)
    in_use = CalibrationInUse(calibration=calibration, outdated=outdated)
    return config.model_copy(update={"ultrasound": ultrasound}), in_use


def _saved_calibration(config: HubConfig, state: Path) -> Calibration | None:
    """Return the calibration, None when there is none that can be read."""
    try:
        calibration = read_calibration(calibration_file(state))
    except BadInput as error:
        log.warning("calibration ignored", why=str(error))
        return None
    if calibration is None:
        log.info("carrier not calibrated", carrier_hz=config.ultrasound.carrier_hz, hint=AGAIN)
    return calibration
