"""What the engine tells its caller: effects to perform, verdicts, ends of runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from routines.effects import Effect
from routines.facts import Json

VerdictKind = Literal[
    "fired",
    "suppressed",
    "condition_false",
    "mode_dropped",
    "unavailable_ignored",
    "outside_active",
    "held_not_long_enough",
    "disabled",
    "cannot_decide",
    "caught_up",
    "skipped_late",
    "unsure",
    "declined",
]
RunResult = Literal["finished", "failed", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Perform:
    """Carry this out, then call `Engine.complete` with the run's id and the step."""

    at: datetime
    run_id: str
    routine: str
    step: str
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The engine itself did this: it enabled, disabled or started another routine."""

    at: datetime
    run_id: str
    routine: str
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Why a routine did or did not start at this trigger; ``slots`` are those of a spoken phrase."""

    at: datetime
    routine: str
    trigger: str
    verdict: VerdictKind
    reason: str
    slots: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of a trace: what was done or decided, and how it went."""

    at: datetime
    what: str
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """A run is over.

    Attributes
    ----------
    trigger : JSON
        What started it, as its templates saw it.
    reason : str
        What started it, in words.
    why : str
        Why it ended as it did; empty when all was done.
    before : mapping
        What the entities that it acted on were before: state and attributes, None for not known.
    """

    at: datetime
    run_id: str
    routine: str
    result: RunResult
    started_at: datetime
    trigger: Json
    reason: str
    why: str
    before: Mapping[str, Json]
    trace: tuple[Step, ...]


Output = Perform | Done | Verdict | RunEnded
