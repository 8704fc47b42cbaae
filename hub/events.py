"""Events of the hub itself; sensing and integrations bring their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from hub.playback.player_state import PlayerState
from hub.service import ServiceState
from routines.facts import Fact
from routines.outputs import Output
from routines.problems import Problem
from routines.routine import Routine
from sensing.calibration.triggers import Trigger
from sensing.observations import Observation

AnnouncementPhase = Literal["queued", "playing", "done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A sensor reported something about a room; ``at`` is timezone-aware wall time."""

    room: str
    observation: Observation
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecalibrationAdvised:
    """The calibration of a room's tone no longer holds; ``hint`` says what to do, ``at`` is wall time.

    Each reason is told when it is found and at each start, until the next calibration.
    """

    room: str
    trigger: Trigger
    reason: str
    hint: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceChanged:
    """A service came up, failed or is being retried; ``hint`` says what to do, if anything."""

    name: str
    state: ServiceState
    why: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutineOutput:
    """The routine engine decided or asked for something."""

    output: Output


@dataclass(frozen=True, slots=True, kw_only=True)
class FactTaken:
    """The routine engine was told something; ``at`` is timezone-aware wall time."""

    fact: Fact
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutinesChanged:
    """The routine files were edited, and have no problems."""

    routines: tuple[Routine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerAwaited:
    """The hub has asked something to its end; ``room`` None is wherever the hub is."""

    room: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackStarted:
    """A sound or a sentence began to play."""

    source: str
    room: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackEnded:
    """The last frame of a sound or a sentence has been mixed."""

    source: str
    room: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerChanged:
    """The music of a room plays, pauses, ends, or is something else now."""

    room: str
    state: PlayerState


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackFailed:
    """A track cannot be played, or not to its end; the next one is tried."""

    room: str
    source: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementChanged:
    """An announcement waits, is said, was said, or could not be; ``why`` says why not."""

    room: str
    id: str
    phase: AnnouncementPhase
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigRejected:
    """A changed configuration has problems; the old one stays in force."""

    problems: tuple[Problem, ...]
