"""Translate between the languages of the house: observations and device changes into facts.

This is the only place that knows both the vocabulary of sensing and that of routines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from hub.events import Observed
from integrations.mqtt.topics import BASE, COMMAND_TOPIC, UNDO_TOPIC
from routines.facts import (
    UNKNOWN_STATES,
    EventFact,
    Fact,
    HeardFact,
    LocationFact,
    MessageFact,
    PresenceFact,
    RunRequested,
    StateFact,
    UndoRequested,
)
from routines.home import Home
from routines.ports import DeviceChanged, EventReceived, MessageReceived
from sensing.observations import PresenceChanged, TranscriptDone

_RUN_TOPIC = re.compile(rf"{re.escape(BASE)}/set/routine/([a-z0-9_-]+)/run")
_NOWHERE = UNKNOWN_STATES | {"not_home"}


def facts_from_observation(event: Observed) -> Iterable[Fact]:
    """Yield what routines can learn from an observation; most observations tell them nothing."""
    match event.observation:
        case PresenceChanged(present=present, reason=reason, confidence=confidence):
            yield PresenceFact(
                room=event.room,
                present=present,
                kind="minor" if reason == "minor_motion" else "major",
                confidence=confidence,
            )
        case TranscriptDone(text=text, confidence=confidence, is_answer=is_answer) if text or is_answer:
            yield HeardFact(room=event.room, text=text, confidence=confidence, is_answer=is_answer)
        case _:
            return


def facts_from_device(event: DeviceChanged, home: Home) -> Iterable[Fact]:
    """Yield a device's change, and where a person went if it is one.

    A person's state in Home Assistant is the name of a place; being nowhere known is leaving the last one.
    """
    before = home.state(event.entity_id)
    yield StateFact(entity_id=event.entity_id, state=event.state, attributes=event.attributes)
    if not event.entity_id.startswith("person.") or before is None or event.state == before.state:
        return
    if before.state in UNKNOWN_STATES or event.state in UNKNOWN_STATES:
        return
    person = event.entity_id.removeprefix("person.")
    if before.state not in _NOWHERE:
        yield LocationFact(person=person, zone=before.state, event="leave")
    if event.state not in _NOWHERE:
        yield LocationFact(person=person, zone=event.state, event="enter")


def facts_from_event(event: EventReceived) -> Iterable[Fact]:
    """Yield an event of Home Assistant."""
    yield EventFact(event_type=event.event_type, data=event.data)


def facts_from_message(event: MessageReceived, *, is_listened_to: bool) -> Iterable[Fact]:
    """Yield the facts of an MQTT message: itself, or what it asks for.

    A retained request would come again at every reconnect, so retained requests are ignored.

    Parameters
    ----------
    is_listened_to : bool
        Whether a routine has an mqtt trigger for the topic: it may say more than "run", such as ``max_age``.
    """
    requested = _RUN_TOPIC.fullmatch(event.topic)
    is_request = requested is not None or event.topic in (UNDO_TOPIC, COMMAND_TOPIC)
    if is_listened_to or not is_request:
        yield MessageFact(topic=event.topic, payload=event.payload, retained=event.retained)
    elif event.retained:
        return
    elif requested is not None:
        yield RunRequested(routine=requested.group(1), who="mqtt")
    elif event.topic == UNDO_TOPIC:
        yield UndoRequested(who="mqtt")
    else:
        yield from _command(event.payload)


def _command(payload: str) -> Iterable[Fact]:
    """Yield a typed sentence: plain text, or ``{"text": …, "room": …}``."""
    try:
        content = json.loads(payload)
    except (ValueError, RecursionError):
        content = payload
    if isinstance(content, dict):
        text, room = content.get("text"), content.get("room", "")
    else:
        text, room = payload, ""
    if isinstance(text, str) and text.strip() and isinstance(room, str):
        yield HeardFact(room=room, text=text.strip())
