"""What the engine tells its caller: effects to perform, verdicts, ends of runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from routines.effects import CallService, Play, Publish, Say

VerdictKind = Literal[
    "fired",
    "condition_false",
    "mode_dropped",
    "unavailable_ignored",
    "held_not_long_enough",
    "disabled",
    "cannot_decide",
]
RunResult = Literal["finished", "failed", "stopped"]
Performable = CallService | Publish | Say | Play


@dataclass(frozen=True, slots=True, kw_only=True)
class Perform:
    """Carry this out, then call `Engine.complete` with the run's id."""

    at: datetime
    run_id: str
    routine: str
    effect: Performable


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Why a routine did or did not start at this trigger."""

    at: datetime
    routine: str
    trigger: str
    verdict: VerdictKind
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of a trace: what was done or decided, and how it went."""

    at: datetime
    what: str
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """A run is over."""

    at: datetime
    run_id: str
    routine: str
    result: RunResult
    trace: tuple[Step, ...]


Output = Perform | Verdict | RunEnded
