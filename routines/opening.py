"""What opens the house: unlocking, disarming, outer doors. A misheard sentence must not do that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from routines.effects import CallService
from routines.facts import Json
from routines.intents.directory import Directory, Entity
from routines.json_tree import mappings_in
from routines.routine import Routine
from routines.targets import entities_of
from routines.templates.template import is_template

_OUTER_DOORS = frozenset({"door", "garage", "gate"})
_WHOLE = {
    "lock.unlock": "unlock",
    "lock.open": "open",
    "alarm_control_panel.alarm_disarm": "disarm",
}
"""Actions that open whatever they act on."""
_DOORS = frozenset({"cover.open_cover", "cover.set_cover_position", "cover.toggle"})
_SWITCHES = frozenset({"homeassistant.toggle", "homeassistant.turn_on"})
"""Home Assistant opens covers by these too."""


def opened_by(calls: Sequence[CallService], directory: Directory) -> str | None:
    """Return in words how calls open the house (``unlock front door``), None if they do not.

    A cover of which only the run will know which it is may be the garage, so it counts.
    """
    return next((words for call in calls if (words := _opens(call, directory))), None)


def opened_by_routine(routine: Routine, routines: Mapping[str, Routine], directory: Directory) -> str | None:
    """Return how a routine, or one that it runs, may open the house, None if it cannot.

    Parameters
    ----------
    routines : mapping
        All routines by id, for those that it runs.
    """
    seen: set[str] = set()
    waiting = [routine]
    while waiting:
        one = waiting.pop()
        if one.id in seen:
            continue
        seen.add(one.id)
        words = opened_by(list(_calls(one)), directory)
        if words is not None:
            return words
        waiting += [routines[name] for name in _run_by(one) if name in routines]
    return None


def _opens(call: CallService, directory: Directory) -> str | None:
    target = {**call.data, **call.target}
    named = entities_of(target, directory)
    known = [one for one in map(directory.entity, named) if one is not None]
    verb = _WHOLE.get(call.action)
    if verb is not None:
        domain = call.action.partition(".")[0]
        things = [directory.entity(one) or Entity(entity_id=one, names=()) for one in named]
        own = [one for one in things if one.domain == domain and not is_template(one.entity_id)]
        return f"{verb} {_names(own) or 'it'}"
    doors = [one for one in known if one.domain == "cover" and one.device_class in _OUTER_DOORS]
    if call.action in _DOORS | _SWITCHES and doors:
        return f"open {_names(doors)}"
    return "open it" if call.action in _DOORS and _may_be_any(target) else None


def _names(entities: Sequence[Entity]) -> str:
    return ", ".join(one.name for one in entities)


def _may_be_any(target: Mapping[str, Json]) -> bool:
    """Return whether only the run will know what a target is: a template, a group, a device, everything."""
    named = [target.get(key) for key in ("entity_id", "area_id", "floor_id")]
    texts = [str(one) for value in named for one in (value if isinstance(value, list) else [value])]
    return any(
        is_template(text) or text == "all" or text.startswith("group.") for text in texts
    ) or not target.keys().isdisjoint(("device_id", "label_id"))


def _calls(routine: Routine) -> Iterator[CallService]:
    for words in _words(routine):
        action = words.get("action")
        if isinstance(action, str):
            target, data = words.get("target"), words.get("data")
            yield CallService(
                action=action,
                target=target if isinstance(target, dict) else {},
                data=data if isinstance(data, dict) else {},
            )


def _run_by(routine: Routine) -> Iterator[str]:
    for words in _words(routine):
        if words.get("do") == "run_routine":
            yield str(words.get("routine"))


def _words(routine: Routine) -> Iterator[dict[str, Json]]:
    """Yield every mapping in the actions of a routine, those of its branches too."""
    return mappings_in(
        [one.model_dump(mode="json", by_alias=True, exclude_unset=True) for one in routine.actions]
    )
