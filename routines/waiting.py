"""The triggers that a run waits for, with the run's variables filled in."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import TypeAdapter, ValidationError

from routines.run_context import AuthoringFault, Strand
from routines.templates.template import is_template
from routines.vocabulary.triggers import TemplateTrigger, Trigger

_TRIGGER: TypeAdapter[Trigger] = TypeAdapter(Trigger)


def rendered_triggers(triggers: Sequence[Trigger], strand: Strand, where: str) -> list[Trigger]:
    """Return triggers whose templates (a room, an entity, a duration) are computed now.

    Raises
    ------
    ActionFailed, AuthoringFault
        A template cannot be computed, or what it makes is no such trigger.
    """
    return [
        _rendered(trigger, strand, f"{where}[{number}]")
        for number, trigger in enumerate(triggers)
        if trigger.enabled
    ]


def _rendered(trigger: Trigger, strand: Strand, where: str) -> Trigger:
    written = trigger.model_dump(mode="json", by_alias=True, exclude_unset=True)
    later = {"value_template", "variables"} & written.keys()
    if isinstance(trigger, TemplateTrigger) or not any(map(_has_template, written.values())):
        return trigger
    kept = {key: written.pop(key) for key in later}
    rendered = strand.rendered(written, where)
    assert isinstance(rendered, dict)  # rendering keeps mappings
    try:
        return _TRIGGER.validate_python({**rendered, **kept})
    except ValidationError as error:
        raise AuthoringFault(f"{where}: {error.errors()[0]['msg']}") from error


def _has_template(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_has_template, value.values()))
    return any(map(_has_template, value)) if isinstance(value, list) else is_template(value)
