"""What two hubs say to each other while they calibrate: everything is bounded, and of version 1."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from hub.sync.acoustic_offset import AcousticOffset, Arrivals
from hub.sync.chirp_plan import ChirpPlan

LARGEST_OFFSET_SECONDS = 0.03
"""The plan's margin: no chirp is looked for further away."""
_Words = Annotated[str, Field(max_length=300)]
_Sigma = Annotated[float, Field(ge=0, le=0.01)]
_Offset = Annotated[float, Field(ge=-LARGEST_OFFSET_SECONDS, le=LARGEST_OFFSET_SECONDS)]


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Placement(_Told):
    """Where a hub's microphone sits.

    Attributes
    ----------
    towards_metres : float
        How much nearer to the other hub it is than the loudspeaker.
    own_path_metres : float
        From the loudspeaker to it.
    """

    towards_metres: Annotated[float, Field(ge=-1, le=1)] = 0.0
    own_path_metres: Annotated[float, Field(ge=0, le=1)] = 0.0


class PlanOffered(_Told):
    """A `ChirpPlan` that stays above hearing, and in which no chirp runs into the next."""

    low_hz: Annotated[float, Field(ge=18_000, le=90_000)]
    high_hz: Annotated[float, Field(gt=18_000, le=90_000)]
    chirp_seconds: Annotated[float, Field(ge=0.01, le=0.1)]
    slot_seconds: Annotated[float, Field(ge=0.05, le=0.5)]
    margin_seconds: Annotated[float, Field(ge=0.01, le=LARGEST_OFFSET_SECONDS)]
    rounds: Annotated[int, Field(ge=2, le=5)]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.high_hz - self.low_hz < 1_000:
            raise ValueError("a chirp needs a band of 1 kHz")
        if self.slot_seconds < self.chirp_seconds + 2 * self.margin_seconds:
            raise ValueError("the chirps run into each other")
        return self

    @classmethod
    def of(cls, plan: ChirpPlan) -> PlanOffered:
        """Return how a plan is told."""
        return cls(
            low_hz=plan.low_hz,
            high_hz=plan.high_hz,
            chirp_seconds=plan.chirp_seconds,
            slot_seconds=plan.slot_seconds,
            margin_seconds=plan.margin_seconds,
            rounds=plan.rounds,
        )

    def plan(self) -> ChirpPlan:
        """Return the plan."""
        return ChirpPlan(**self.model_dump())


class _Message(_Told):
    v: Literal[1] = 1
    session: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    sender: Annotated[str, Field(min_length=1, max_length=100)]


class Propose(_Message):
    """The leader's plan; ``start_seconds`` is on its clock, which the other follows."""

    kind: Literal["propose"] = "propose"
    plan: PlanOffered
    start_seconds: float


class Accept(_Message):
    """The other takes part."""

    kind: Literal["accept"] = "accept"
    place: Placement


class Refuse(_Message):
    """The other does not, and why."""

    kind: Literal["refuse"] = "refuse"
    why: _Words


class Heard(_Message):
    """What the other's microphone heard; numbers, never sound."""

    kind: Literal["heard"] = "heard"
    later_seconds: Annotated[float, Field(ge=-0.2, le=0.2)]
    sigma_seconds: _Sigma
    snr_db: Annotated[float, Field(ge=-100, le=300)]

    def arrivals(self) -> Arrivals:
        """Return the same for the reckoning."""
        return Arrivals(
            later_seconds=self.later_seconds, sigma_seconds=self.sigma_seconds, snr_db=self.snr_db
        )


class Result(_Message):
    """What the leader found, and believes: the other's trim grows by it."""

    kind: Literal["result"] = "result"
    offset_seconds: _Offset
    sigma_seconds: _Sigma
    distance_metres: Annotated[float, Field(ge=-1, le=100)]

    def offset(self) -> AcousticOffset:
        """Return the same for the reckoning."""
        return AcousticOffset(
            offset_seconds=self.offset_seconds,
            sigma_seconds=self.sigma_seconds,
            distance_metres=self.distance_metres,
        )


class Applied(_Message):
    """The other has taken the result; ``trim_seconds`` is what its trim is now."""

    kind: Literal["applied"] = "applied"
    trim_seconds: Annotated[float, Field(ge=-1, le=1)]


class Abort(_Message):
    """It is over without a result, and why."""

    kind: Literal["abort"] = "abort"
    why: _Words


PairMessage = Propose | Accept | Refuse | Heard | Result | Applied | Abort

_MESSAGE: TypeAdapter[PairMessage] = TypeAdapter(Annotated[PairMessage, Field(discriminator="kind")])


def read_message(payload: str) -> PairMessage:
    """Return a message as it came over the broker.

    Raises
    ------
    pydantic.ValidationError
        It is none of ours, or a value is out of bounds.
    """
    return _MESSAGE.validate_json(payload)
