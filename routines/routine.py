"""A routine as its author wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal, TypeVar

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from routines.quantities import Duration
from routines.vocabulary.actions import Actions, Restore, RoutineId
from routines.vocabulary.conditions import Conditions, TimeCondition
from routines.vocabulary.examples import Example
from routines.vocabulary.lists import Lists
from routines.vocabulary.triggers import Trigger, VoiceTrigger
from routines.vocabulary.words import Payload, Word, as_tuple

T = TypeVar("T", bound=Word)
RunMode = Literal["single", "restart", "queued", "parallel"]


class Suppress(Word):
    """After a run has started, the same trigger (or the whole routine) is ignored for a while."""

    for_: Annotated[Duration, Field(alias="for")]
    scope: Literal["trigger", "routine"] = "trigger"
    except_: Annotated[tuple[str, ...], Field(alias="except"), BeforeValidator(as_tuple)] = ()


class Routine(Word):
    """Triggers start it, conditions gate it, actions are done in order."""

    id: RoutineId
    alias: str | None = None
    description: str = ""
    enabled: bool = True
    once: bool = False
    mode: RunMode = "single"
    max: Annotated[int, Field(ge=1, le=100)] = 10
    max_exceeded: Literal["silent", "debug", "info", "warning", "error"] = "warning"
    on_restart: Literal["resume", "abort", "restart"] = "resume"
    suppress: Suppress | None = None
    active: Annotated[tuple[TimeCondition, ...], BeforeValidator(as_tuple)] = ()
    triggers: tuple[Trigger, ...] = ()
    conditions: Conditions = ()
    variables: dict[str, Payload] = Field(default_factory=dict)
    restore: Restore | None = None
    actions: Annotated[Actions, Field(min_length=1)]
    tests: tuple[Example, ...] = ()
    lists: Lists = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_are_known(self) -> Routine:
        ids = [trigger.id for trigger in self.triggers if trigger.id is not None]
        if len(set(ids)) < len(ids):
            raise ValueError("two triggers have the same id")
        if self.suppress and (strange := set(self.suppress.except_) - set(ids)):
            raise ValueError(f"suppress.except names an unknown trigger: {', '.join(sorted(strange))}")
        return self

    def trigger_name(self, index: int) -> str:
        """Return the id of a trigger, or its kind and number."""
        trigger = self.triggers[index]
        return trigger.id or f"{trigger.trigger}[{index}]"

    def voice_triggers(self) -> Iterator[tuple[int, VoiceTrigger]]:
        """Yield the voice triggers with their numbers."""
        for index, trigger in enumerate(self.triggers):
            if isinstance(trigger, VoiceTrigger) and trigger.enabled:
                yield index, trigger


def awaited_triggers(routines: Iterable[Routine], kind: type[T]) -> Iterator[T]:
    """Yield the triggers of a kind, those that actions wait for too."""
    waiting: list[object] = [part for one in routines for part in (*one.triggers, *one.actions)]
    while waiting:
        part = waiting.pop()
        if isinstance(part, kind):
            yield part
        elif isinstance(part, Word):
            waiting += [getattr(part, name) for name in type(part).model_fields]
        elif isinstance(part, tuple):
            waiting += part


class RoutineFile(Word):
    """One file of routines; ``lists`` are what the ``{slots}`` of their phrases may be."""

    version: Literal[1]
    lists: Lists = Field(default_factory=dict)
    routines: tuple[Routine, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _lists_reach_the_routines(cls, data: JsonValue) -> JsonValue:
        """Hand the file's lists to its routines, so that each stands for itself."""
        if not isinstance(data, dict) or not isinstance(data.get("lists"), dict):
            return data
        routines = data.get("routines")
        if not isinstance(routines, list):
            return data
        return {
            **data,
            "routines": [
                {"lists": data["lists"], **one} if isinstance(one, dict) else one for one in routines
            ],
        }
