"""What was measured of the loudspeaker's drivers: where it is kept, and how the filters take it in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from hub.errors import BadInput
from hub.spatial.filter_design import SpatialFilters
from hub.spatial.layout import Driver, Enclosure, SpeakerLayout
from hub.spatial.measured_correction import CURVE_HZ, DriverDeviation, corrected, deviations
from hub.spatial.measured_response import (
    SWEEP_SECONDS,
    TAIL_SECONDS,
    DirectSound,
    direct_sounds,
    exponential_sweep,
)
from hub.whole_file import write_whole
from sensing.audio_block import AudioBlock, Block
from sensing.calibration.calibration import Hardware

log = structlog.get_logger("calibration")

Play = Callable[[Block], AudioBlock]
"""Plays a block of shape ``(speakers, frames)`` and returns these frames as played and as heard."""

AGAIN = "run: roomwise calibrate --spatial"

HEARD_DB = 30.0
"""The direct sound stands so far above the noise of the impulse response, or was not heard."""

MOST_DELAY_SECONDS = 0.001
"""Drivers of one card do not differ by more: then their order or their places are wrong."""

_NEAREST_M = 0.005

_STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class MeasuredDriver(BaseModel):
    """One driver's deviation from the layout; `hub.spatial.measured_correction.DriverDeviation` explains."""

    model_config = _STRICT
    name: str
    delay_seconds: float
    level_db: float
    curve_db: tuple[float, ...]
    spread_seconds: float
    spread_db: float
    peak_to_noise_db: float


class SpatialCalibration(BaseModel):
    """All drivers of a loudspeaker, as they were measured once."""

    model_config = _STRICT
    at: datetime
    hardware: Hardware
    sample_rate: int
    places: tuple[Driver, ...]
    enclosure: Enclosure
    hz: tuple[float, ...] = CURVE_HZ
    drivers: tuple[MeasuredDriver, ...]

    def misfit(self, layout: SpeakerLayout) -> str | None:
        """Return why this was not measured of the layout's loudspeaker, None when it was."""
        if self.sample_rate != layout.sample_rate:
            return f"it was measured at {self.sample_rate} Hz, the layout has {layout.sample_rate} Hz"
        if (self.places, self.enclosure) != (layout.drivers, layout.enclosure):
            return "the layout's drivers or enclosure have changed since"
        if self.hz != CURVE_HZ or any(len(one.curve_db) != len(self.hz) for one in self.drivers):
            return "its curves are those of another version"
        return None


def spatial_calibration_file(state: Path) -> Path:
    """Return where the measured drivers lie in the hub's state directory."""
    return state / "spatial_calibration.json"


def longest_seconds(drivers: int) -> float:
    """Return how long the measurement lasts, about, for a progress bar."""
    return (drivers + 1) * (SWEEP_SECONDS + TAIL_SECONDS) + 0.5


def microphone_places(layout: SpeakerLayout, count: int, *, at_listener: bool) -> NDArray[np.float64]:
    """Return where the microphones are, shape ``(count, 3)``, metres.

    Raises
    ------
    BadInput
        The layout does not tell, has another number of microphones, or one at the place of a driver.
    """
    if at_listener:
        return np.tile([0.0, -layout.listener.distance_m, 0.0], (count, 1))
    if not layout.microphones:
        raise BadInput(
            "the layout has no microphones: write where they are (microphones: [{name: left, position_m: "
            "[-0.03, 0, 0.05]}, ...]), or lay one at the listener's place and add --at-listener"
        )
    if len(layout.microphones) != count:
        raise BadInput(
            f"the layout has {len(layout.microphones)} microphones, the sound card {count}; make them agree"
        )
    places = np.array([one.position_m for one in layout.microphones], float)
    gaps = np.linalg.norm(places[:, None] - layout.positions_m, axis=2)
    if gaps.min() < _NEAREST_M:
        microphone, driver = divmod(int(gaps.argmin()), gaps.shape[1])
        raise BadInput(
            f"microphone '{layout.microphones[microphone].name}' stands at the place of driver "
            f"'{layout.drivers[driver].name}'; correct the layout"
        )
    return places


def measure_drivers(
    play: Play,
    layout: SpeakerLayout,
    microphones_m: NDArray[np.float64],
    hardware: Hardware,
    *,
    at: datetime,
    is_flat: bool,
) -> SpatialCalibration:
    """Listen to the room, sweep every driver, and compare with the layout.

    Parameters
    ----------
    is_flat : bool
        The microphone is a measuring one: the loudspeaker's common curve can be told from the microphone's.

    Raises
    ------
    BadInput
        A driver is not heard, or comes so late that the layout must be wrong.
    """
    sounds = _sweep_all(play, layout)
    levels_db = np.array([[one.peak_to_noise_db for one in heard] for heard in sounds])
    ears = np.flatnonzero(levels_db.min(axis=0) >= HEARD_DB)
    if len(ears) == 0:
        driver, microphone = divmod(int(levels_db.argmin()), levels_db.shape[1])
        raise BadInput(
            f"not calibrated: microphone {microphone + 1} does not hear driver "
            f"'{layout.drivers[driver].name}' ({levels_db[driver, microphone]:.0f} dB over the noise); turn "
            "the loudspeaker up and the room down"
        )
    heard_well = [[one[ear] for ear in ears] for one in sounds]
    found = deviations(layout, microphones_m[ears], heard_well, keeps_common=not is_flat)
    _refuse_late(layout, found)
    return SpatialCalibration(
        at=at,
        hardware=hardware,
        sample_rate=layout.sample_rate,
        places=layout.drivers,
        enclosure=layout.enclosure,
        drivers=tuple(
            _kept(driver.name, one, float(own_db[ears].min()))
            for driver, one, own_db in zip(layout.drivers, found, levels_db, strict=True)
        ),
    )


def _sweep_all(play: Play, layout: SpeakerLayout) -> list[tuple[DirectSound, ...]]:
    """Return what the microphones hear of each driver, swept alone."""
    sweep = exponential_sweep(layout.sample_rate)
    sound = np.zeros((len(layout.drivers), len(sweep)), np.float32)
    silence = play(sound).capture
    sounds = []
    for driver in range(len(layout.drivers)):
        alone = sound.copy()
        alone[driver] = sweep
        block = play(alone)
        sounds.append(direct_sounds(block.reference[driver], block.capture, silence, layout.sample_rate))
    return sounds


def _kept(name: str, found: DriverDeviation, peak_to_noise_db: float) -> MeasuredDriver:
    return MeasuredDriver(
        name=name,
        delay_seconds=found.delay_seconds,
        level_db=found.level_db,
        curve_db=tuple(found.curve_db.round(2).tolist()),
        spread_seconds=found.spread_seconds,
        spread_db=found.spread_db,
        peak_to_noise_db=round(peak_to_noise_db, 1),
    )


def _refuse_late(layout: SpeakerLayout, found: Sequence[DriverDeviation]) -> None:
    for driver, one in zip(layout.drivers, found, strict=True):
        if abs(one.delay_seconds) > MOST_DELAY_SECONDS:
            how = "late" if one.delay_seconds > 0 else "early"
            raise BadInput(
                f"not calibrated: driver '{driver.name}' is {abs(one.delay_seconds) * 1e3:.1f} ms {how}; are "
                "the drivers in the order of the card's channels, and are all places of the layout right?"
            )


def write_spatial_calibration(path: Path, measured: SpatialCalibration) -> None:
    """Replace what was measured at once.

    Raises
    ------
    BadInput
        The file cannot be written.
    """
    try:
        write_whole(path, measured.model_dump_json() + "\n")
    except OSError as error:
        raise BadInput(f"{path}: cannot be written ({error.strerror}); choose another --out") from error


def read_spatial_calibration(path: Path) -> SpatialCalibration | None:
    """Return what was measured, None when nothing was yet.

    Raises
    ------
    BadInput
        The file is something else.
    """
    try:
        return SpatialCalibration.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        why = f"{error.error_count()} values are wrong" if isinstance(error, ValidationError) else str(error)
        raise BadInput(f"{path}: is not a spatial calibration ({why}); {AGAIN}") from error


def apply_measured(
    filters: SpatialFilters, measured: SpatialCalibration, layout: SpeakerLayout
) -> SpatialFilters:
    """Return the filters for the drivers as they were measured.

    Raises
    ------
    BadInput
        This is not what was measured.
    """
    misfit = measured.misfit(layout)
    if misfit is not None:
        raise BadInput(f"the spatial calibration does not fit the layout: {misfit}; {AGAIN}")
    drivers = [
        DriverDeviation(
            delay_seconds=one.delay_seconds,
            level_db=one.level_db,
            curve_db=np.array(one.curve_db),
            spread_seconds=one.spread_seconds,
            spread_db=one.spread_db,
        )
        for one in measured.drivers
    ]
    return corrected(filters, drivers, layout)


def usable_calibration(layout: SpeakerLayout, hardware: Hardware, state: Path) -> SpatialCalibration | None:
    """Return the drivers as measured, None where that was not done on this hardware.

    What does not fit or cannot be read is not used; the log says why.
    """
    try:
        measured = read_spatial_calibration(spatial_calibration_file(state))
    except BadInput as error:
        log.warning("spatial calibration not used", why=str(error))
        return None
    if measured is None:
        return None
    misfit = measured.misfit(layout) if measured.hardware == hardware else "it is of another sound device"
    if misfit is not None:
        log.warning("spatial calibration not used", why=misfit, hint=AGAIN)
        return None
    log.info("loudspeaker as measured", at=measured.at.isoformat(timespec="minutes"))
    return measured
