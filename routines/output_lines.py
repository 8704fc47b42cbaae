"""What the engine says as lines of JSON, the contract of ``routine simulate``."""

from __future__ import annotations

from typing import assert_never
from zoneinfo import ZoneInfo

from routines.effects import Effect, effect_to_json
from routines.facts import Json
from routines.outputs import Done, Perform, RunEnded, Verdict
from routines.simulator import Happened, Performed


def output_line(happened: Happened, timezone: ZoneInfo) -> dict[str, Json]:
    """Return one line; a failed attempt is its effect with ``error``."""
    match happened:
        case Performed(perform=perform, outcome=outcome):
            line = _effect_line(perform, timezone)
            return line if outcome.ok else {**line, "error": outcome.error}
        case Perform() | Done():
            return _effect_line(happened, timezone)
        case Verdict(at=at, routine=routine, trigger=trigger, verdict=verdict, reason=reason):
            return {
                "at": at.astimezone(timezone).isoformat(),
                "event": "verdict",
                "routine": routine,
                "trigger": trigger,
                "verdict": verdict,
                "reason": reason,
            }
        case RunEnded(at=at, routine=routine, run_id=run_id, result=result, why=why):
            line = {
                "at": at.astimezone(timezone).isoformat(),
                "event": "run",
                "routine": routine,
                "run_id": run_id,
                "result": result,
            }
            return {**line, "why": why} if why else line
        case _:
            assert_never(happened)


def _effect_line(output: Perform | Done, timezone: ZoneInfo) -> dict[str, Json]:
    return {
        "at": output.at.astimezone(timezone).isoformat(),
        "event": "effect",
        "routine": output.routine,
        "run_id": output.run_id,
        **effect_line(output.effect),
    }


def effect_line(effect: Effect) -> dict[str, Json]:
    """Return an effect without what it leaves open."""
    content = effect_to_json(effect)
    return {key: value for key, value in content.items() if value is not None and value is not False}
