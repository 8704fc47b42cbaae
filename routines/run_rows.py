"""A run as a row of JSON, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from routines.facts import Json
from routines.routine import Routine
from routines.run import Run, trace_from_json, trace_to_json
from routines.run_context import RunContext


def run_to_json(run: Run) -> Json:
    """Return a run for a row."""
    context = run.context
    return {
        "routine": run.routine.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"tests"}),
        "trigger": context.trigger,
        "reason": context.reason,
        "variables": context.variables,
        "journal": context.journal,
        "trace": trace_to_json(context.trace),
        "frame": run.frame,
        "started_at": run.started_at.isoformat(),
        "led_by": list(run.led_by),
        "initial": None if run.initial is None else dict(run.initial),
        "is_queued": run.is_queued,
    }


def run_from_json(
    run_id: str, content: Mapping[str, Json], context_of: Callable[[Routine, Json, str], RunContext]
) -> Run:
    """Return the run that `run_to_json` wrote; it has not gone on yet.

    Raises
    ------
    ValueError, KeyError
        Another version wrote it.
    """
    routine = Routine.model_validate(content["routine"])
    context = context_of(routine, content["trigger"], str(content["reason"]))
    context.variables.update(_mapping(content["variables"]))
    context.journal.update(_mapping(content["journal"]))
    context.trace.extend(trace_from_json(content["trace"]))
    led_by, initial = content.get("led_by"), content.get("initial")
    return Run(
        run_id=run_id,
        context=context,
        started_at=datetime.fromisoformat(str(content["started_at"])),
        led_by=tuple(str(one) for one in led_by) if isinstance(led_by, list) else (),
        initial=initial if isinstance(initial, dict) else None,
        frame=_mapping(content["frame"]),
        is_queued=bool(content["is_queued"]),
    )


def number_of(run_id: str) -> int:
    """Return how many runs had been started when this one was."""
    last = run_id.rpartition("-")[2]
    return int(last) if last.isdecimal() else 0


def _mapping(content: Json) -> dict[str, Json]:
    return dict(content) if isinstance(content, dict) else {}
