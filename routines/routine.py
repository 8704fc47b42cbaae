"""A routine as its author wrote it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from routines.vocabulary.actions import Action
from routines.vocabulary.conditions import Condition
from routines.vocabulary.triggers import Trigger
from routines.vocabulary.words import Word

RunMode = Literal["single", "restart", "queued", "parallel"]


class Routine(Word):
    """Triggers start it, conditions gate it, actions are done in order."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    alias: str | None = None
    enabled: bool = True
    mode: RunMode = "single"
    max: Annotated[int, Field(ge=2, le=100)] = 10
    triggers: tuple[Trigger, ...] = ()
    conditions: tuple[Condition, ...] = ()
    actions: Annotated[tuple[Action, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _trigger_ids_differ(self) -> Routine:
        ids = [trigger.id for trigger in self.triggers if trigger.id is not None]
        if len(set(ids)) < len(ids):
            raise ValueError("two triggers have the same id")
        return self

    def trigger_name(self, index: int) -> str:
        """Return the id of a trigger, or its kind and number."""
        trigger = self.triggers[index]
        return trigger.id or f"{trigger.trigger}[{index}]"


class RoutineFile(Word):
    """One file of routines."""

    version: Literal[1]
    routines: tuple[Routine, ...]
