"""A scene: the room, the hub, who is there, what else moves, and what is wrong with the sound card."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sensing.simulation.baseband.scene_faults import Fault, Music
from sensing.simulation.baseband.scene_nuisances import Metres2, Metres3, Nuisance


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class WallAbsorption(_Part):
    """Absorption of each wall, 0 to 1: at x = 0, x = end, y = 0, y = end, floor and ceiling."""

    west: float = Field(default=0.3, ge=0, le=1)
    east: float = Field(default=0.3, ge=0, le=1)
    south: float = Field(default=0.3, ge=0, le=1)
    north: float = Field(default=0.3, ge=0, le=1)
    floor: float = Field(default=0.3, ge=0, le=1)
    ceiling: float = Field(default=0.3, ge=0, le=1)


class RoomShape(_Part):
    """A shoebox with a corner at the origin; x and y along the floor, z up.

    Absorption is the share of energy that a wall keeps, one number or one a wall.
    """

    size_m: Metres3 = (5.0, 4.0, 2.6)
    absorption: Annotated[float, Field(ge=0, le=1)] | WallAbsorption = 0.3
    scattering: float = Field(default=0.3, ge=0, le=1)
    """Share of the reflected energy that leaves in other directions than the mirror's."""
    reverberation_seconds: float = Field(default=0.2, ge=0, le=2)
    order: int = Field(default=2, ge=0, le=3)
    kept_images: int = Field(default=9, ge=1, le=63)
    waves: int = Field(default=6, ge=0, le=64)
    temperature_c: float = Field(default=20.0, ge=-20, le=50)
    drift_c: float = Field(default=0.0, ge=0, le=10)
    """By how much the temperature swings either way; the phase of each static path drifts by its length."""
    drift_seconds: float = Field(default=1_200.0, ge=10)
    humidity_percent: float = Field(default=50.0, ge=1, le=100)


class HubPlace(_Part):
    """Where the device stands, and what its units are like.

    Microphones stand on a circle of ``radius_m`` above the speaker. ``facing_degrees`` is 0 along x and 90
    along y. ``variation`` is 0 for ideal units, 1 for the spread of commodity units.
    """

    position_m: Metres3 = (2.5, 0.3, 1.0)
    facing_degrees: float = 90.0
    microphones: int = Field(default=2, ge=1, le=8)
    radius_m: float = Field(default=0.04, gt=0, le=0.2)
    speaker_angle_degrees: float = Field(default=50.0, gt=5, le=90)
    speaker_floor_db: float = Field(default=-14.0, le=-7)
    noise_db: float = Field(default=-5.0, ge=-40, le=40)
    """Self noise of a microphone in dB SPL per hertz."""
    jitter_dbc: float = Field(default=-105.0, le=-60)
    """Phase noise of the converters per hertz."""
    full_scale_db: float = Field(default=120.0, ge=80, le=150)
    """Sound pressure level of a sine that reaches full scale."""
    variation: float = Field(default=1.0, ge=0, le=2)


class Stop(_Part):
    """Stand still at a point of the path (counted from zero)."""

    point: int = Field(ge=0)
    seconds: float = Field(gt=0)


class Gesture(_Part):
    """A minor motion of somebody who sits."""

    at: float = Field(ge=0)
    kind: Literal["reach", "page", "typing", "lean", "head"]


class Walker(_Part):
    """Somebody who walks along a path and then stays, leaves or sits down."""

    kind: Literal["walker"]
    at: float = Field(default=0.0, ge=0)
    path: tuple[Metres2, ...] = Field(min_length=2)
    speed_mps: float = Field(default=1.0, gt=0.05, le=4)
    stops: tuple[Stop, ...] = ()
    then: Literal["stays", "leaves", "sits"] = "leaves"
    height_m: float = Field(default=1.72, ge=0.8, le=2.2)
    gestures_per_minute: float = Field(default=2.4, ge=0, le=60)
    """Once seated."""
    echo_db: float = Field(default=0.0, ge=-20, le=40)
    """How much more the body reflects than the usual one, by clothes and by what it carries."""
    has_limbs: bool = True
    """False for a trunk that glides, the simplest of walkers."""

    @model_validator(mode="after")
    def _stops_are_on_the_path(self) -> Walker:
        if any(stop.point >= len(self.path) for stop in self.stops):
            message = (
                f"a stop names a point that the path does not have; points are 0 to {len(self.path) - 1}"
            )
            raise ValueError(message)
        return self


class Sitter(_Part):
    """Somebody who sits; gestures come at the given times, and at random besides."""

    kind: Literal["sitter"]
    position_m: Metres2
    facing_degrees: float = 270.0
    at: float = Field(default=0.0, ge=0)
    until: float | None = Field(default=None, gt=0)
    gestures: tuple[Gesture, ...] = ()
    gestures_per_minute: float = Field(default=2.4, ge=0, le=60)
    breaths_hz: float = Field(default=0.26, ge=0.1, le=0.6)
    breath_m: float = Field(default=0.0028, ge=0, le=0.02)
    height_m: float = Field(default=1.72, ge=0.8, le=2.2)


Person = Annotated[Walker | Sitter, Field(discriminator="kind")]


class Clocks(_Part):
    """Playback and capture have clocks of their own."""

    drift_ppm: float = Field(default=0.0, ge=-500, le=500)
    """How much faster playback runs, seen from the capture."""
    bits: Literal[16, 24] = 16


class Emission(_Part):
    """The carrier is sent in turns, from the second 0; the room rings up and decays around each."""

    on_seconds: float = Field(gt=0)
    off_seconds: float = Field(gt=0)
    ramp_seconds: float = Field(default=0.02, gt=0, le=1)
    """In which the speaker rises and falls, within ``on_seconds``; slow enough not to click."""


class Scene(_Part):
    """What happens in a room for ``seconds``.

    ``level_db`` is the carrier's sound pressure level at one metre on the speaker's axis. Without
    ``emission`` it is always on. A body that stands between the hub and something else takes up to
    ``occlusion_db`` from that echo, and from the walls' behind it; 10 to 15 dB are usual, 0 lets all pass.
    """

    seconds: float = Field(gt=0, le=7 * 86_400)
    seed: int = Field(default=1, ge=0)
    carrier_hz: float = Field(default=20_500.0, ge=15_000, le=90_000)
    level_db: float = Field(default=70.0, ge=0, le=110)
    rate_hz: int = Field(default=48_000, ge=44_100, le=192_000)
    baseband_hz: int = Field(default=1_000, ge=400, le=4_000, multiple_of=4)
    occlusion_db: float = Field(default=0.0, ge=0, le=20)
    emission: Emission | None = None
    room: RoomShape = RoomShape()
    hub: HubPlace = HubPlace()
    people: tuple[Person, ...] = ()
    nuisances: tuple[Nuisance, ...] = ()
    faults: tuple[Fault, ...] = ()
    clocks: Clocks = Clocks()

    @model_validator(mode="after")
    def _everything_fits(self) -> Scene:
        if self.carrier_hz + self.baseband_hz / 2 >= self.rate_hz / 2:
            highest = self.rate_hz / 2 - self.baseband_hz / 2
            message = f"a carrier of {self.carrier_hz:g} Hz does not fit {self.rate_hz} Hz; below {highest:g}"
            raise ValueError(message)
        if any(not 0 < x < end for x, end in zip(self.hub.position_m, self.room.size_m, strict=True)):
            raise ValueError("the hub stands outside the room; see room.size_m and hub.position_m")
        for person in self.people:
            places = person.path if isinstance(person, Walker) else (person.position_m,)
            width, depth, _ = self.room.size_m
            if any(not (0 <= x <= width and 0 <= y <= depth) for x, y in places):
                raise ValueError("somebody is outside the room; see room.size_m (or use a neighbour)")
        if sum(isinstance(fault, Music) for fault in self.faults) > 1:
            raise ValueError("only one piece of music can play at a time")
        return self

    @property
    def frames(self) -> int:
        """Frames of the baseband."""
        return round(self.seconds * self.baseband_hz)
