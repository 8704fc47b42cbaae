"""What is wrong with the signal in a scene: distortion, dropouts, interferers, broken microphones."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Fault(BaseModel):
    """Something wrong from ``at`` until ``until`` (the scene's end when left out), in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    at: float = Field(default=0.0, ge=0)
    until: float | None = Field(default=None, gt=0)


class Music(_Fault):
    """Music that the same loudspeaker plays, and what it does to the carrier.

    Bass moves the cone. An amplifier at its limits does more, each of which is off unless given: a limiter
    pumps, rails cut, treble makes products of the third order.
    """

    kind: Literal["music"]
    level_db: float = Field(default=75.0, ge=0, le=110)
    beats_per_minute: float = Field(default=112.0, ge=40, le=220)
    amplitude_db: float = Field(default=-36.0, le=-10)
    """Amplitude modulation a1 by the cone's excursion; a2 is 8 dB lower."""
    excursion_m: float = Field(default=8e-5, ge=0, le=1e-3)
    """Excursion of the cone, rms: phase modulation k x / 2."""
    limiter_db: float = Field(default=0.0, ge=0, le=20)
    """By how much a limiter turns the loudest passages down, carrier and all; 0 is no limiter."""
    clipping_db: float = Field(default=0.0, ge=0, le=20)
    """By how much the music's peaks exceed what the amplifier can do; 0 is enough."""
    treble_db: float | None = Field(default=None, le=-10)
    """Mean of what the cubic term of the treble (above 2 kHz) adds to the carrier, relative to it."""

    @property
    def is_too_loud(self) -> bool:
        """Whether the amplifier is at its limits."""
        return self.limiter_db > 0 or self.clipping_db > 0 or self.treble_db is not None


class Dropouts(_Fault):
    """Pieces that the sound card lost: silence, or the piece before once more."""

    kind: Literal["dropouts"]
    per_minute: float = Field(default=10.0, ge=0, le=600)
    samples: int = Field(default=512, ge=16, le=96_000)
    fill: Literal["zero", "repeat"] = "zero"


class Line(_Fault):
    """A line of a switching power supply; above half the rate it is heard folded down."""

    kind: Literal["line"]
    hz: float = Field(gt=0, le=400_000)
    level_db: float = Field(default=20.0, ge=-40, le=100)
    drift_hz: float = Field(default=3.0, ge=0, le=500)
    drift_seconds: float = Field(default=40.0, gt=0)


class OtherHub(_Fault):
    """The carrier of another hub, on and off in turns."""

    kind: Literal["other_hub"]
    hz: float = Field(gt=15_000, le=96_000)
    level_db: float = Field(default=35.0, ge=-40, le=100)
    on_seconds: float = Field(default=0.0, ge=0)
    off_seconds: float = Field(default=0.0, ge=0)


class Keys(_Fault):
    """Jingling keys: broad-band bursts of 10 to 50 ms, ``level_db`` in dB SPL per hertz."""

    kind: Literal["keys"]
    bursts_per_second: float = Field(default=5.0, gt=0, le=50)
    level_db: float = Field(default=15.0, ge=-40, le=80)


class DeadMicrophone(_Fault):
    """A microphone that gives nothing."""

    kind: Literal["dead_microphone"]
    microphone: int = Field(default=0, ge=0)


class Clipping(_Fault):
    """The input is turned up by ``gain_db`` and cut at full scale."""

    kind: Literal["clipping"]
    gain_db: float = Field(default=30.0, ge=0, le=80)


Fault = Annotated[
    Music | Dropouts | Line | OtherHub | Keys | DeadMicrophone | Clipping, Field(discriminator="kind")
]
