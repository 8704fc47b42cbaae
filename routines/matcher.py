"""Tell which facts fire which triggers."""

from __future__ import annotations

from dataclasses import dataclass

from routines.facts import UNKNOWN_STATES, Fact, HeardFact, MessageFact, PresenceFact, StateFact
from routines.home import RoomPresence
from routines.phrases import Phrasebook
from routines.routine import Routine
from routines.vocabulary.triggers import MqttTrigger, PresenceTrigger, StateTrigger, Trigger, VoiceTrigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Fires:
    """The trigger fires; ``subject`` is the entity or room that must hold for ``for:``."""

    reason: str
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """The trigger would fire but for a value that says nothing."""

    reason: str


def match(
    trigger: Trigger, fact: Fact, *, routine: Routine, phrases: Phrasebook, was: RoomPresence | None
) -> Fires | Ignored | None:
    """Return whether ``fact`` fires ``trigger``, and why; None when it has nothing to do with it.

    Parameters
    ----------
    was : RoomPresence or None
        The room's presence before a `PresenceFact`.
    """
    match trigger, fact:
        case StateTrigger(), StateFact():
            return _state(trigger, fact)
        case PresenceTrigger(), PresenceFact():
            return _presence(trigger, fact, was)
        case VoiceTrigger(room=room), HeardFact() if room in (None, fact.room):
            found = phrases.match(fact.text, fact.room)
            is_ours = found is not None and found.routine == routine.id
            return Fires(reason=f"heard {fact.text!r} in {fact.room}") if is_ours else None
        case MqttTrigger(topic=pattern, payload=payload), MessageFact() if _covers(pattern, fact.topic):
            is_ours = payload is None or payload == fact.payload
            return Fires(reason=f"message on {fact.topic}") if is_ours else None
        case _:
            return None


def _state(trigger: StateTrigger, fact: StateFact) -> Fires | Ignored | None:
    if fact.entity_id not in trigger.entity_id:
        return None
    has_filter = bool(trigger.model_fields_set & {"from_", "to"})
    if has_filter and fact.old == fact.new:
        return None
    is_wanted = (trigger.from_ is None or fact.old in trigger.from_) and (
        trigger.to is None or fact.new in trigger.to
    )
    if not is_wanted:
        return None
    says_nothing = fact.old is None or fact.old in UNKNOWN_STATES or fact.new in UNKNOWN_STATES
    if says_nothing and not trigger.include_unavailable:
        return Ignored(reason=f"{fact.entity_id} went from {fact.old or 'nothing known'} to {fact.new}")
    return Fires(reason=f"{fact.entity_id} went from {fact.old} to {fact.new}", subject=fact.entity_id)


def _presence(trigger: PresenceTrigger, fact: PresenceFact, was: RoomPresence | None) -> Fires | None:
    if trigger.room not in (None, fact.room) or fact.confidence < trigger.min_confidence:
        return None
    if fact.present != (trigger.to == "detected") or (was is not None and was.present == fact.present):
        return None
    if was is None and not fact.present:
        return None  # an empty room that was never occupied has not been left
    words = "somebody is" if fact.present else "nobody is any more"
    return Fires(reason=f"{words} in {fact.room}", subject=fact.room)


def _covers(pattern: str, topic: str) -> bool:
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
