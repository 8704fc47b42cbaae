"""The routine that carries out a spoken wish: it runs as any other, so it can be traced and undone."""

from __future__ import annotations

from collections.abc import Sequence

from routines.effects import CallService
from routines.facts import Json
from routines.routine import Routine

SPOKEN = "spoken"
"""Id of the routine that carries out spoken wishes."""


def spoken_routine(
    calls: Sequence[CallService] = (), *, reply: str | None = None, broadcast: str | None = None
) -> Routine | None:
    """Return a routine that makes calls, then replies where the wish was heard; None for nothing to do."""
    actions: list[Json] = [
        {"action": call.action, "target": dict(call.target), "data": dict(call.data)} for call in calls
    ]
    if broadcast is not None:
        actions.append({"say": _without_braces(broadcast), "speaker": "everywhere"})
    if reply:
        actions.append({"say": _without_braces(reply), "speaker": "same_room"})
    if not actions:
        return None
    return Routine.model_validate(
        {"id": SPOKEN, "alias": "A spoken wish", "mode": "parallel", "max": 100, "actions": actions}
    )


def _without_braces(text: str) -> str:
    """Return a text that is no template: what people say must never be computed."""
    return text.replace("{", "").replace("}", "")
