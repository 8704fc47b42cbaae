"""What moves in a scene and is nobody."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Metres2 = tuple[float, float]
Metres3 = tuple[float, float, float]


class _Nuisance(BaseModel):
    """Something that moves from ``at`` until ``until`` (the scene's end when left out), in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    at: float = Field(default=0.0, ge=0)
    until: float | None = Field(default=None, gt=0)


class Fan(_Nuisance):
    """A fan whose head may turn; it also stirs the air, by ``turbulence_db`` relative to the carrier."""

    kind: Literal["fan"]
    position_m: Metres3
    facing_degrees: float = 270.0
    blades: int = Field(default=3, ge=2, le=9)
    rpm: float = Field(default=900.0, gt=0, le=3_000)
    wander_percent: float = Field(default=0.5, ge=0, le=5)
    """By how much the speed wanders in tens of seconds, root mean square."""
    radius_m: float = Field(default=0.18, gt=0.01, le=1)
    oscillation_hz: float = Field(default=0.0, ge=0, le=0.5)
    oscillation_degrees: float = Field(default=40.0, ge=0, le=90)
    turbulence_db: float = Field(default=-56.0, le=-20)


class Curtain(_Nuisance):
    """A curtain in which waves travel, from one floor point to another."""

    kind: Literal["curtain"]
    from_m: Metres2
    to_m: Metres2
    sway_m: float = Field(default=0.02, ge=0, le=0.3)
    sway_hz: float = Field(default=0.5, gt=0, le=3)


class Plant(_Nuisance):
    """Leaves in a draught."""

    kind: Literal["plant"]
    position_m: Metres3
    sway_m: float = Field(default=0.005, ge=0, le=0.1)


class Pet(_Nuisance):
    """A cat or dog on its way, a small walker on four legs."""

    kind: Literal["pet"]
    path: tuple[Metres2, ...] = Field(min_length=2)
    speed_mps: float = Field(default=0.7, gt=0.05, le=6)
    height_m: float = Field(default=0.4, gt=0.1, le=1)


class Door(_Nuisance):
    """A door that opens at ``at`` and closes at ``until``."""

    kind: Literal["door"]
    hinge_m: Metres2
    width_m: float = Field(default=0.8, gt=0.2, le=2)
    closed_degrees: float = 0.0
    opens_degrees: float = 80.0
    speed_mps: float = Field(default=0.5, gt=0.05, le=3)


class Vacuum(_Nuisance):
    """A robot vacuum that bounces from wall to wall."""

    kind: Literal["vacuum"]
    speed_mps: float = Field(default=0.3, gt=0.05, le=1)


class Hvac(_Nuisance):
    """Air that a vent stirs: the room's paths scintillate with a spectrum of f^-8/3."""

    kind: Literal["hvac"]
    turbulence_db: float = Field(default=-55.0, le=-20)
    period_seconds: float = Field(default=0.0, ge=0)
    """Blows half of each period; 0 blows always."""


class Neighbour(_Nuisance):
    """Somebody who walks behind an open door, seen through it with ``aperture_db``.

    ``doorway_m`` are the two jambs; without it the whole way is seen.
    """

    kind: Literal["neighbour"]
    path: tuple[Metres2, ...] = Field(min_length=2)
    speed_mps: float = Field(default=1.0, gt=0.05, le=4)
    aperture_db: float = Field(default=-25.0, ge=-60, le=0)
    doorway_m: tuple[Metres2, Metres2] | None = None


Nuisance = Annotated[
    Fan | Curtain | Plant | Pet | Door | Vacuum | Hvac | Neighbour, Field(discriminator="kind")
]
