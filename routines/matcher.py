"""Tell which facts fire which triggers, and which held triggers still hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from routines.decide import CannotDecide, attribute_text, in_range, numeric_value
from routines.facts import (
    UNKNOWN_STATES,
    EventFact,
    Fact,
    HubStarted,
    Json,
    LocationFact,
    MessageFact,
    PresenceFact,
    StateFact,
)
from routines.home import EntityState, RoomPresence
from routines.situation import Situation
from routines.templates.template import compile_template, holds
from routines.templates.values import NotKnown, TemplateFailed, parse_json
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
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fires:
    """The trigger fires.

    Attributes
    ----------
    subject : str
        The entity or room that must hold for ``for:``.
    value, before : str
        What it went to and from.
    variables : mapping
        What templates see of it as ``trigger``.
    """

    reason: str
    subject: str = ""
    value: str = ""
    before: str = ""
    variables: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """The trigger would fire but for a value that says nothing."""

    reason: str


Before = EntityState | RoomPresence | None
"""What was known before the fact."""


def match(trigger: Trigger, fact: Fact, before: Before, situation: Situation) -> Fires | Ignored | None:
    """Return whether ``fact`` fires ``trigger``, and why; None when it has nothing to do with it.

    Templates are not matched here: they have no fact of their own (see `is_now_true`).
    """
    match trigger, fact, before:
        case StateTrigger(), StateFact(), EntityState() | None:
            return _state(trigger, fact, before)
        case NumericStateTrigger(), StateFact(), EntityState() | None:
            return _numeric(trigger, fact, before, situation)
        case PresenceTrigger(), PresenceFact(), RoomPresence() | None:
            return _presence(trigger, fact, before)
        case MqttTrigger(), MessageFact(), _ if covers(trigger.topic, fact.topic):
            return _message(trigger, fact, situation)
        case EventTrigger(event_data=wanted), EventFact(event_type=event_type, data=data), _:
            if event_type not in trigger.event_type or any(data.get(key) != wanted[key] for key in wanted):
                return None
            return Fires(
                reason=f"event {event_type}",
                variables={"event": {"event_type": event_type, "data": dict(data)}},
            )
        case LocationTrigger(), LocationFact(), _:
            return _location(trigger, fact)
        case HubTrigger(), HubStarted(), _:
            return Fires(reason="the hub started")
        case _:
            return None


def _described(entity_id: str, known: EntityState | None) -> Json:
    if known is None:
        return None
    return {"entity_id": entity_id, "state": known.state, "attributes": dict(known.attributes)}


def _state_variables(fact: StateFact, before: EntityState | None) -> dict[str, Json]:
    return {
        "entity_id": fact.entity_id,
        "from_state": _described(fact.entity_id, before),
        "to_state": {
            "entity_id": fact.entity_id,
            "state": fact.state,
            "attributes": dict(fact.attributes),
        },
    }


def _state(trigger: StateTrigger, fact: StateFact, before: EntityState | None) -> Fires | Ignored | None:
    old: str | None = None if before is None else before.state
    new: str | None = fact.state
    if trigger.attribute is not None:
        old = None if before is None else _attribute(before.attributes, trigger.attribute)
        new = _attribute(fact.attributes, trigger.attribute)
    has_filter = bool(trigger.model_fields_set & {"from_", "to", "not_from", "not_to"})
    is_same = old == new and (has_filter or trigger.attribute is not None)
    if is_same or not _is_wanted(trigger, old, new):
        return None
    is_repeated = before is not None and before.state == fact.state
    if is_repeated and before is not None and dict(before.attributes) == dict(fact.attributes):
        return None  # the same report again is no change
    words = f"{fact.entity_id} went from {old or 'nothing known'} to {new or 'nothing'}"
    if not trigger.include_unavailable and _says_nothing(trigger, fact, before):
        return Ignored(reason=words)
    return Fires(
        reason=words,
        subject=fact.entity_id,
        value=new or "",
        before=old or "",
        variables=_state_variables(fact, before),
    )


def _attribute(attributes: Mapping[str, Json], name: str) -> str | None:
    """Return an attribute as text; what is null says as little as what is not there."""
    value = attributes.get(name)
    return None if value is None else attribute_text(value)


def _is_wanted(trigger: StateTrigger, old: str | None, new: str | None) -> bool:
    return (
        (trigger.from_ is None or old in trigger.from_)
        and (trigger.to is None or new in trigger.to)
        and (trigger.not_from is None or old not in trigger.not_from)
        and (trigger.not_to is None or new not in trigger.not_to)
    )


def _says_nothing(trigger: StateTrigger, fact: StateFact, before: EntityState | None) -> bool:
    """Return whether a change comes from or goes to a state that says nothing, which nobody asked for."""
    is_asked_for = {*(trigger.from_ or ()), *(trigger.to or ())}
    old = None if before is None else before.state
    from_nothing = old is None or (old in UNKNOWN_STATES and old not in is_asked_for)
    return from_nothing or (fact.state in UNKNOWN_STATES and fact.state not in is_asked_for)


def _numeric(
    trigger: NumericStateTrigger, fact: StateFact, before: EntityState | None, situation: Situation
) -> Fires | Ignored | None:
    now_known = EntityState(state=fact.state, attributes=fact.attributes, since=situation.now)
    try:
        value = numeric_value(trigger, fact.entity_id, now_known, "", situation)
        if not in_range(trigger, value, "", situation):
            return None
    except CannotDecide as error:
        return None if fact.state in UNKNOWN_STATES else Ignored(reason=error.why)
    words = f"{fact.entity_id} reached {value:g}"
    try:
        if before is None:
            raise CannotDecide("", "it was not known before")
        if in_range(trigger, numeric_value(trigger, fact.entity_id, before, "", situation), "", situation):
            return None
    except CannotDecide as error:
        return Ignored(reason=f"{words}, but {error.why}")
    variables = {**_state_variables(fact, before), "above": trigger.above, "below": trigger.below}
    return Fires(reason=words, subject=fact.entity_id, value=fact.state, variables=variables)


def _presence(trigger: PresenceTrigger, fact: PresenceFact, before: RoomPresence | None) -> Fires | None:
    if fact.present is None or (trigger.room is not None and fact.room not in trigger.room):
        return None
    if fact.present and fact.confidence < trigger.min_confidence:
        return None
    if fact.present != (trigger.to == "detected") or _was_so(trigger, fact, before):
        return None
    if before is None and not fact.present:
        return None  # an empty room that was never occupied has not been left
    began_with = fact.kind if fact.present or before is None else before.kind
    if trigger.level not in ("any", began_with):
        return None
    words = "somebody is" if fact.present else "nobody is any more"
    variables: dict[str, Json] = {"room": fact.room, "level": began_with, "confidence": fact.confidence}
    return Fires(reason=f"{words} in {fact.room}", subject=fact.room, variables=variables)


def _was_so(trigger: PresenceTrigger, fact: PresenceFact, before: RoomPresence | None) -> bool:
    """Return whether a report is no edge: a presence counts once, from the report on that is sure enough."""
    if before is None or before.present != fact.present:
        return False
    return not fact.present or before.confidence >= trigger.min_confidence


def _message(trigger: MqttTrigger, fact: MessageFact, situation: Situation) -> Fires | Ignored | None:
    try:
        content = parse_json(fact.payload)
    except ValueError:
        content = None
    variables: dict[str, Json] = {"topic": fact.topic, "payload": fact.payload, "payload_json": content}
    value: Json = fact.payload
    if trigger.value_template is not None:
        names: dict[str, Json] = {"trigger": variables, "value": fact.payload, "value_json": content}
        names |= {"payload": fact.payload, "payload_json": content}
        seen = replace(situation, variables={**situation.variables, **names})
        try:
            value = compile_template(trigger.value_template).render(seen.scope)
        except (NotKnown, TemplateFailed) as error:
            return Ignored(reason=f"message on {fact.topic}, but its value_template failed: {error}")
    if trigger.payload is not None and value != trigger.payload and str(value) != trigger.payload:
        return None
    too_old = _too_old(trigger, fact, content, situation.now)
    if too_old:
        return Ignored(reason=f"message on {fact.topic} {too_old}")
    return Fires(reason=f"message on {fact.topic}", variables=variables)


def _too_old(trigger: MqttTrigger, fact: MessageFact, content: Json, now: datetime) -> str:
    """Return why a message comes too late, or nothing.

    A message says its age itself: ``expires_at``, or ``ts`` with the trigger's ``max_age``. One that the
    broker kept may be from any time and comes again at every connection, so it has to say that it is young.
    """
    said = content if isinstance(content, dict) else {}
    expires, sent = _instant(said.get("expires_at")), _instant(said.get("ts"))
    if expires is not None and now > expires:
        return f"expired at {expires.isoformat()}"
    if trigger.max_age is not None and sent is not None and now - sent > trigger.max_age:
        return f"was sent at {sent.isoformat()}, longer ago than {trigger.max_age}"
    is_young = expires is not None or (sent is not None and trigger.max_age is not None)
    if fact.retained and not is_young:
        return "was kept by the broker, and nobody knows since when"
    return ""


def _instant(value: Json) -> datetime | None:
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return instant if instant is not None and instant.tzinfo is not None else None


def _location(trigger: LocationTrigger, fact: LocationFact) -> Fires | None:
    if fact.event != trigger.event:
        return None
    for wanted, said in ((trigger.person, fact.person), (trigger.zone, fact.zone)):
        if wanted is not None and place_key(said) not in {place_key(one) for one in wanted}:
            return None
    words = "came to" if fact.event == "enter" else "left"
    variables: dict[str, Json] = {"person": fact.person, "zone": fact.zone, "event": fact.event}
    return Fires(reason=f"{fact.person} {words} {fact.zone}", variables=variables)


def place_key(name: str) -> str:
    """Return a person or place as it is compared: ``zone.whole_foods`` and ``Whole Foods`` are the same."""
    plain = name.lower().removeprefix("zone.").removeprefix("person.")
    return " ".join(plain.replace("_", " ").replace("-", " ").split())


def covers(pattern: str, topic: str) -> bool:
    """Return whether an MQTT topic filter matches a topic (MQTT 5, section 4.7)."""
    wanted, levels = pattern.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] in ("+", "#"):
        return False
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(levels) or level not in ("+", levels[index]):
            return False
    return len(wanted) == len(levels)


def is_now_true(trigger: TemplateTrigger, situation: Situation) -> bool | None:
    """Return what a template trigger says now, None when it cannot be said."""
    try:
        return holds(trigger.value_template, situation.scope)
    except (NotKnown, TemplateFailed):
        return None


def still_holds(trigger: Trigger, subject: str, value: str, before: str, situation: Situation) -> bool | None:
    """Return whether what fired a trigger with ``for:`` still is so, None while that is not known.

    A state must stay what it became; with ``from`` alone it must only not go back (as in Home Assistant).
    """
    match trigger:
        case PresenceTrigger(to=to):
            room = situation.home.presence(subject)
            if room is not None and not room.is_known:
                return None
            return room is not None and room.present == (to == "detected")
        case StateTrigger():
            known = situation.home.state(subject)
            return None if known is None else _is_still(trigger, known, value, before)
        case NumericStateTrigger():
            return _still_in_range(trigger, subject, situation)
        case TemplateTrigger():
            return is_now_true(trigger, situation)
        case _:
            return False


def _is_still(trigger: StateTrigger, known: EntityState, value: str, before: str) -> bool | None:
    now = known.state
    if now in UNKNOWN_STATES and now != value and not trigger.include_unavailable:
        return None
    if trigger.attribute is not None:
        now = _attribute(known.attributes, trigger.attribute) or ""
    return now != before if trigger.from_ is not None and trigger.to is None else now == value


def _still_in_range(trigger: NumericStateTrigger, entity_id: str, situation: Situation) -> bool | None:
    known = situation.home.state(entity_id)
    if known is None:
        return None
    try:
        return in_range(trigger, numeric_value(trigger, entity_id, known, "", situation), "", situation)
    except CannotDecide:
        return None
