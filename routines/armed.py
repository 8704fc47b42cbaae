"""Triggers that are watched for, found quickly by what may fire them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from routines.facts import (
    EventFact,
    Fact,
    HeardFact,
    HubStarted,
    Json,
    LocationFact,
    MessageFact,
    PresenceFact,
    StateFact,
)
from routines.routine import Routine
from routines.situation import Situation
from routines.templates.template import render
from routines.templates.values import NotKnown, TemplateFailed
from routines.vocabulary.triggers import (
    EventTrigger,
    HubTrigger,
    LocationTrigger,
    MqttTrigger,
    NumericStateTrigger,
    PresenceTrigger,
    StateTrigger,
    TemplateTrigger,
    Trigger,
    VoiceTrigger,
)

_ENTITY = re.compile(r"['\"]([a-z0-9_]+\.[a-z0-9_]+)['\"]")

Topic = tuple[str, str]
"""What kind of fact, and what it is about; ``*`` for anything."""


@dataclass(slots=True, kw_only=True)
class Armed:
    """A trigger that is watched for, of a routine or of a wait of one of its runs.

    Attributes
    ----------
    key : str
        The same after a restart and when other triggers are edited, so that timers find their trigger again.
    wait : tuple or None
        Run and strand that wait for it; None for a trigger that starts the routine.
    variables : mapping
        What its templates see besides the home: the variables of the run that waits.
    was_true : bool or None
        What a template said last.
    """

    key: str
    routine: Routine
    trigger: Trigger
    name: str
    index: int
    wait: tuple[str, str] | None = None
    variables: Mapping[str, Json] = field(default_factory=dict)
    was_true: bool | None = field(default=None)


def armed_triggers(routine: Routine) -> Iterator[Armed]:
    """Yield the enabled triggers of a routine."""
    seen: dict[str, int] = {}
    for index, trigger in enumerate(routine.triggers):
        if trigger.enabled:
            print_ = fingerprint(trigger)
            seen[print_] = seen.get(print_, -1) + 1
            key = f"{routine.id}/{print_}.{seen[print_]}"
            yield Armed(
                key=key, routine=routine, trigger=trigger, name=routine.trigger_name(index), index=index
            )


def trigger_variables(armed: Armed, seen: Mapping[str, Json], situation: Situation) -> Json:
    """Return what templates see as ``trigger``; what cannot be computed is missing, as its user will say."""
    trigger = armed.trigger
    known: dict[str, Json] = {
        "id": armed.name,
        "idx": armed.index,
        "platform": trigger.trigger,
        "alias": trigger.alias,
        **seen,
    }
    for name, value in trigger.variables.items():
        try:
            known[name] = render(value, replace(situation, variables={"trigger": known}).scope)
        except (NotKnown, TemplateFailed):
            continue
    return known


def fingerprint(trigger: Trigger) -> str:
    """Return a short text that changes whenever the trigger is edited."""
    return sha256(trigger.model_dump_json(by_alias=True).encode()).hexdigest()[:12]


class TriggerIndex:
    """Armed triggers by what they listen to; one event looks at those that it may fire, not at all."""

    def __init__(self) -> None:
        self._by_topic: dict[Topic, dict[str, Armed]] = {}
        self._by_key: dict[str, Armed] = {}

    def add(self, armed: Armed) -> None:
        """Watch for a trigger."""
        self._by_key[armed.key] = armed
        for topic in _topics(armed.trigger):
            self._by_topic.setdefault(topic, {})[armed.key] = armed

    def remove(self, key: str) -> None:
        """Watch for a trigger no more."""
        armed = self._by_key.pop(key, None)
        if armed is not None:
            for topic in _topics(armed.trigger):
                self._by_topic.get(topic, {}).pop(key, None)

    def get(self, key: str) -> Armed | None:
        """Return the trigger with a key."""
        return self._by_key.get(key)

    def all(self) -> list[Armed]:
        """Return every trigger."""
        return list(self._by_key.values())

    def candidates(self, fact: Fact) -> list[Armed]:
        """Return the triggers that a fact may fire, in the order in which they were added."""
        found: list[Armed] = []
        for topic in _topics_of(fact):
            found += self._by_topic.get(topic, {}).values()
        return found


def _topics(trigger: Trigger) -> set[Topic]:
    match trigger:
        case StateTrigger(entity_id=entities) | NumericStateTrigger(entity_id=entities):
            return {("state", entity_id) for entity_id in entities}
        case TemplateTrigger(value_template=template):
            entities = tuple(_ENTITY.findall(template))
            return {("state", entity_id) for entity_id in entities} or {("state", "*")}
        case PresenceTrigger(room=rooms):
            return {("presence", room) for room in rooms or ("*",)}
        case MqttTrigger(topic=topic):
            return {("mqtt", "*" if "+" in topic or "#" in topic else topic)}
        case EventTrigger(event_type=types):
            return {("event", one) for one in types}
        case LocationTrigger():
            return {("location", "*")}
        case VoiceTrigger():
            return {("voice", "*")}
        case HubTrigger():
            return {("hub", "*")}
        case _:
            return set()


def _topics_of(fact: Fact) -> tuple[Topic, ...]:
    match fact:
        case StateFact(entity_id=entity_id):
            return ("state", entity_id), ("state", "*")
        case PresenceFact(room=room):
            return ("presence", room), ("presence", "*")
        case MessageFact(topic=topic):
            return ("mqtt", topic), ("mqtt", "*")
        case EventFact(event_type=event_type):
            return (("event", event_type),)
        case LocationFact():
            return (("location", "*"),)
        case HeardFact():
            return (("voice", "*"),)
        case HubStarted():
            return (("hub", "*"),)
        case _:
            return ()
