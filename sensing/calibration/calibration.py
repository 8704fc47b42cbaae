"""What a calibration found, as it is kept."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from sensing.calibration.caps import EmissionCaps
from sensing.calibration.interferers import Interferer
from sensing.calibration.level import LevelStep, Limit
from sensing.ultrasound.emitter import LEAST_APART_HZ, MOST_APART_HZ


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Hardware(_Kept):
    """What a calibration is valid for."""

    device: str
    rate_hz: int = Field(gt=0)
    microphones: int = Field(ge=1)
    speakers: int = Field(ge=1)


class Wishes(_Kept):
    """What the household asks for.

    ``range_m`` is the distance at which somebody who walks shall be seen. ``microphone_dbfs`` is the level
    of 94 dB SPL on microphones of known sensitivity (from their data sheet), ``microphone_m`` how far they
    are from the loudspeaker; without them sound pressure is assumed.
    """

    range_m: float = Field(default=4.0, ge=0.5, le=10.0)
    has_pets: bool = False
    allows_audible: bool = False
    microphone_dbfs: float | None = Field(default=None, ge=-80.0, le=20.0)
    microphone_m: float | None = Field(default=None, ge=0.01, le=5.0)


class KeptPath(_Kept):
    """Response of one loudspeaker at one microphone; see `sensing.calibration.response.PathResponse`."""

    speaker: int
    microphone: int
    is_heard: bool
    delay_frames: float
    peak_to_noise_db: float
    gain_db: tuple[float, ...]
    late_db: tuple[float, ...]


class Calibration(_Kept):
    """The carrier, its level, and all that they were chosen by.

    Attributes
    ----------
    level : float
        Peak of the carrier in full scale.
    snr_db : float
        Estimated echo over noise of somebody who walks at the range asked for, one microphone.
    loopback_delay_frames : float
        From what is played to what the first microphone that hears it captures, and 0 to 1 ms of air.
    db_spl, cap_db_spl : float
        The carrier at 0.5 m, and the most that is allowed there. Assumed unless ``is_measured``.
    hz : tuple of float
        The grid of all curves; those of a microphone or path are in dB as in `KeptPath`.
    score_db : tuple of float or None
        None where interferers forbid a carrier.
    """

    version: Literal[1] = 1
    at: AwareDatetime
    hardware: Hardware
    wishes: Wishes
    carrier_hz: float = Field(ge=17_000.0, le=90_000.0)
    second_carrier_hz: float | None
    level: float = Field(gt=0.0, le=0.25)
    limit: Limit
    snr_db: float
    loopback_delay_frames: float
    db_spl: float
    cap_db_spl: float
    is_measured: bool
    interferers: tuple[Interferer, ...]
    steps: tuple[LevelStep, ...]
    hz: tuple[float, ...]
    noise_db_hz: tuple[tuple[float, ...], ...]
    paths: tuple[KeptPath, ...]
    score_db: tuple[float | None, ...]

    @property
    def second_tone_hz(self) -> float | None:
        """The second carrier where it may be played beside the first: near enough, and allowed as loud."""
        hz = self.second_carrier_hz
        if hz is None or not LEAST_APART_HZ <= abs(hz - self.carrier_hz) <= MOST_APART_HZ:
            return None
        caps = EmissionCaps(has_pets=self.wishes.has_pets, allows_audible=True)
        first_db, second_db = caps.cap_db_spl(self.carrier_hz), caps.cap_db_spl(hz)
        return hz if first_db is not None and second_db is not None and second_db >= first_db else None

    @property
    def heard(self) -> tuple[KeptPath, ...]:
        """The paths of the loudspeaker that plays the carrier, to the microphones that hear it."""
        return tuple(path for path in self.paths if path.speaker == EMITTING_SPEAKER and path.is_heard)


EMITTING_SPEAKER = 0
"""The mixer plays the carrier on the first loudspeaker only: one source has no interference pattern."""
