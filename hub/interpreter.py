"""Translate between the languages of the house: observations and device changes into facts.

This is the only place that knows both the vocabulary of sensing and that of routines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from hub.events import Observed
from integrations.mqtt.topics import BASE
from routines.facts import Fact, HeardFact, MessageFact, PresenceFact, RunRequested, StateFact
from routines.home import Home
from routines.ports import DeviceChanged, MessageReceived
from sensing.observations import PresenceChanged, TranscriptDone
from sensing.speech.recognizer import SURE_CONFIDENCE

_RUN_TOPIC = re.compile(rf"{re.escape(BASE)}/set/routine/([a-z0-9_-]+)/run")


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
        case TranscriptDone(text=text, confidence=confidence) if text and confidence >= SURE_CONFIDENCE:
            yield HeardFact(room=event.room, text=text, confidence=confidence)
        case _:
            return


def fact_from_device(event: DeviceChanged, home: Home) -> StateFact:
    """Return a device's change as a fact, with the state that was known before."""
    known = home.state(event.entity_id)
    return StateFact(
        entity_id=event.entity_id,
        old=None if known is None else known.state,
        new=event.state,
        attributes=event.attributes,
    )


def facts_from_message(event: MessageReceived) -> Iterable[Fact]:
    """Yield the facts of an MQTT message: itself, or the run that it asks for.

    A retained request would run again at every reconnect, so retained requests are ignored.
    """
    requested = _RUN_TOPIC.fullmatch(event.topic)
    if requested is None:
        yield MessageFact(topic=event.topic, payload=event.payload, retained=event.retained)
    elif not event.retained:
        yield RunRequested(routine=requested.group(1), who="mqtt")
