"""Who acted last on each entity: the answer to "why did the light go off"."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from routines.effects import CallService
from routines.explain import Touch, explain_touch
from routines.facts import Json
from routines.intents.directory import Directory
from routines.memory import Notebook
from routines.outputs import Perform
from routines.run import Run


class Touches:
    """The last touch of each entity, by routines of this house."""

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook
        self._touches: dict[str, Touch] = {}

    def performed(
        self, perform: Perform, run: Run | None, entities: Callable[[Mapping[str, Json]], Sequence[str]]
    ) -> None:
        """Note who is about to act on what, and why."""
        effect = perform.effect
        if run is not None and isinstance(effect, CallService):
            touch = Touch(
                at=perform.at,
                routine=perform.routine,
                alias=run.routine.alias,
                action=effect.action,
                reason=run.context.reason,
            )
            self.note(entities({**effect.data, **effect.target}), touch)

    def note(self, entities: Sequence[str], touch: Touch) -> None:
        """Note that a routine is about to act on entities."""
        for entity_id in entities:
            self._touches[entity_id] = touch
            self._notebook.note("touch", entity_id)

    def explain(self, entities: Sequence[str], directory: Directory, timezone: ZoneInfo) -> str:
        """Return why the one of these entities is as it is that was touched last."""
        touched = [(touch.at, entity_id) for entity_id in entities if (touch := self._touches.get(entity_id))]
        if not touched:
            return "It was not me: none of my routines has touched it"
        _, entity_id = max(touched)
        entity = directory.entity(entity_id)
        name = entity.name if entity is not None else entity_id.partition(".")[2].replace("_", " ")
        return explain_touch(name, self._touches[entity_id], timezone)

    def to_json(self, entity_id: str) -> Json:
        """Return a touch for a row."""
        touch = self._touches.get(entity_id)
        if touch is None:
            return None
        return {
            "at": touch.at.isoformat(),
            "routine": touch.routine,
            "alias": touch.alias,
            "action": touch.action,
            "reason": touch.reason,
        }

    def recall(self, entity_id: str, content: Mapping[str, Json]) -> None:
        """Take back in what `to_json` wrote."""
        self._touches[entity_id] = touch_from_json(content)


def touch_from_json(content: Mapping[str, Json]) -> Touch:
    """Return the touch that a row holds.

    Raises
    ------
    ValueError, KeyError
        Another version wrote it.
    """
    alias = content["alias"]
    return Touch(
        at=datetime.fromisoformat(str(content["at"])),
        routine=str(content["routine"]),
        alias=alias if isinstance(alias, str) else None,
        action=str(content["action"]),
        reason=str(content["reason"]),
    )
