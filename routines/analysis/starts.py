"""When triggers fire, as far as it can be compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, time

from routines.analysis.knowledge import Key, Known
from routines.analysis.ranges import Minutes, Words
from routines.analysis.windows import ALWAYS, minutes_at
from routines.facts import Json
from routines.routine import Routine
from routines.templates.template import is_template
from routines.vocabulary.triggers import (
    CronTrigger,
    EventTrigger,
    HubTrigger,
    LocationTrigger,
    MqttTrigger,
    NumericStateTrigger,
    PresenceTrigger,
    StateTrigger,
    SunTrigger,
    TemplateTrigger,
    TimePatternTrigger,
    TimeTrigger,
    Trigger,
)
from routines.vocabulary.words import WEEKDAYS

Moment = tuple[object, ...]
"""Triggers without a moment in common do not fire together, as far as this analysis goes."""
_GAP_ENDS = time(4)
"""Clocks jump before this hour; a time of day in the gap comes up to an hour late."""


def known_at(routine: Routine, index: int) -> Known:
    """Return what must be so when a trigger of a routine fires."""
    trigger = routine.triggers[index]
    known: dict[Key, Words | Minutes] = {("trigger",): Words(frozenset({routine.trigger_name(index)}))}
    match trigger:
        case StateTrigger(entity_id=[entity_id], to=states) if states is not None:
            known["state", entity_id, trigger.attribute or ""] = Words(frozenset(states))
        case PresenceTrigger(room=[room], to=to):
            known["presence", room] = Words(frozenset({to}))
        case TimeTrigger():
            known["time",] = Minutes(due_minutes(trigger))
    return dict(known)


def due_minutes(trigger: TimeTrigger) -> int:
    """Return the minutes of a week in which a time trigger may fire, early or late."""
    catch_up = 0 if trigger.catch_up is None else int(trigger.catch_up.total_seconds() // 60) + 1
    found = 0
    for at in trigger.at:
        if isinstance(at, datetime):
            day = WEEKDAYS[at.weekday()]
            is_left_out = trigger.weekday is not None and day not in trigger.weekday
            found |= 0 if is_left_out else minutes_at(at.time(), (day,), catch_up + 60)
        else:
            found |= minutes_at(at, trigger.weekday, catch_up + (60 if at < _GAP_ENDS else 0))
    return found & ALWAYS


def moments_of(trigger: Trigger) -> list[Moment]:
    """Return what triggers must share to fire at the same time."""
    match trigger:
        case PresenceTrigger(to=to, for_=held):
            return [("presence", to, held)]
        case TimeTrigger(at=times):
            return [("time", at) for at in times]
        case TimePatternTrigger():
            return [("time_pattern", *(str(p) for p in (trigger.hours, trigger.minutes, trigger.seconds)))]
        case CronTrigger(expression=expression):
            return [("cron", " ".join(expression.split()))]
        case SunTrigger(event=event, offset=offset):
            return [("sun", event, offset)]
        case StateTrigger(entity_id=entities, attribute=attribute, for_=held):
            return [("state", entity_id, attribute, held) for entity_id in entities]
        case NumericStateTrigger(entity_id=entities, above=above, below=below, for_=held):
            more = (trigger.attribute, trigger.value_template, above, below, held)
            return [("numeric", entity_id, *more) for entity_id in entities]
        case MqttTrigger(topic=topic):
            return [("mqtt", topic)]
        case EventTrigger(event_type=types):
            return [("event", name) for name in types]
        case LocationTrigger(event=event):
            return [("location", event)]
        case TemplateTrigger(value_template=template, for_=held):
            return [("template", template.strip(), held)]
        case HubTrigger():
            return [("hub",)]
        case _:
            # A sentence starts one routine only; who gets it is a matter of phrases.
            return []


def may_coincide(one: Trigger, other: Trigger) -> bool:
    """Return whether two triggers that share a moment may be fired by one event."""
    match one, other:
        case PresenceTrigger(), PresenceTrigger():
            return _share(one.room, other.room) and (
                one.level == other.level or "any" in (one.level, other.level)
            )
        case StateTrigger(), StateTrigger():
            return _share_states(one.to, one.not_to, other.to, other.not_to) and _share_states(
                one.from_, one.not_from, other.from_, other.not_from
            )
        case MqttTrigger(), MqttTrigger():
            is_plain = one.value_template is None and other.value_template is None
            return not is_plain or one.payload is None or other.payload in (None, one.payload)
        case EventTrigger(), EventTrigger():
            return agree(one.event_data, other.event_data)
        case LocationTrigger(), LocationTrigger():
            return _share(one.person, other.person) and _share(one.zone, other.zone)
        case _:
            return True


def agree(one: Mapping[str, Json], other: Mapping[str, Json]) -> bool:
    """Return whether two mappings say the same where both say something that is no template."""
    return all(
        is_template(one[key]) or is_template(other[key]) or one[key] == other[key]
        for key in one.keys() & other.keys()
    )


def _share(one: Iterable[str] | None, other: Iterable[str] | None) -> bool:
    return one is None or other is None or not set(one).isdisjoint(other)


def _share_states(
    one: tuple[str, ...] | None,
    not_one: tuple[str, ...] | None,
    other: tuple[str, ...] | None,
    not_other: tuple[str, ...] | None,
) -> bool:
    left = _states(one, not_one).meet(_states(other, not_other))
    return not left.is_empty


def _states(states: tuple[str, ...] | None, not_states: tuple[str, ...] | None) -> Words:
    said = Words(frozenset(), is_other=True) if states is None else Words(frozenset(states))
    return said.meet(Words(frozenset(not_states or ()), is_other=True))
