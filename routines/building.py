"""From an action as written to the effect to be performed."""

from __future__ import annotations

import json
from typing import assert_never

from routines.effects import CallService, Command, Effect, FireEvent, Notify, Play, Publish, Say
from routines.facts import Json
from routines.run_context import AuthoringFault, Strand
from routines.speakers import Hearers, resolve
from routines.vocabulary.actions import (
    CallAction,
    FireEventAction,
    Message,
    Notice,
    NotifyAction,
    PerformedAction,
    PlayAction,
    PublishAction,
    SayAction,
    Sound,
    Speaker,
    Speech,
)


def build_effect(action: PerformedAction, strand: Strand, where: str) -> Effect:
    """Return the effect of an action, its templates computed.

    Raises
    ------
    ActionFailed, AuthoringFault
        A template cannot be computed.
    """
    match action:
        case CallAction(action=name, target=target, data=data, response_variable=response):
            return CallService(
                action=name,
                target=_mapping(target, strand, f"{where}.target"),
                data=_mapping(data, strand, f"{where}.data"),
                wants_response=response is not None,
            )
        case PublishAction(publish=message):
            return _publish(message, strand, where)
        case SayAction(say=speech):
            return _say(speech, strand, where)
        case PlayAction(play=sound):
            return _play(sound, strand, where)
        case NotifyAction(notify=notice):
            return _notify(notice, strand, where)
        case FireEventAction(event=event_type, event_data=data):
            return FireEvent(event_type=event_type, data=_mapping(data, strand, where))
        case _:
            assert_never(action)


def _mapping(value: dict[str, Json], strand: Strand, where: str) -> dict[str, Json]:
    rendered = strand.rendered(value, where)
    assert isinstance(rendered, dict)  # rendering keeps mappings
    return rendered


def _publish(message: Message, strand: Strand, where: str) -> Publish:
    payload = strand.rendered(message.payload, f"{where}.payload")
    return Publish(
        topic=strand.rendered_text(message.topic, f"{where}.topic"),
        payload=payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False),
        retain=message.retain,
        qos=message.qos,
    )


def _say(speech: Speech, strand: Strand, where: str) -> Say:
    spatial = speech.spatial
    speaker, room = _speaker(speech.speaker, speech.room, strand, where)
    return Say(
        text=strand.rendered_text(speech.text, where),
        speaker=speaker,
        room=room,
        volume=_volume(speech.volume, 100.0, strand, where),
        spatial=None if spatial is None else _mapping(spatial, strand, f"{where}.spatial"),
        follow=speech.speaker == "follow",
    )


def _play(sound: Sound, strand: Strand, where: str) -> Play:
    speaker, room = _speaker(sound.speaker, sound.room, strand, where)
    volume = _volume(sound.volume, 1.0, strand, where)
    return Play(
        source=strand.rendered_text(sound.source, where),
        speaker=speaker,
        room=room,
        volume=1.0 if volume is None else volume,
    )


def _speaker(speaker: Speaker, room: str | None, strand: Strand, where: str) -> tuple[Json, str | None]:
    """Return the device or room that is meant, and the room that was named."""
    named = None if room is None else strand.rendered_text(room, f"{where}.room")
    if named is not None:
        return named, named
    written: Json = list(speaker) if isinstance(speaker, tuple) else speaker  # type: ignore[assignment]
    hearers = Hearers.of(strand.run.trigger, strand.situation().home)
    return resolve(strand.rendered(written, f"{where}.speaker"), hearers), None


def _volume(value: float | str | None, most: float, strand: Strand, where: str) -> float | None:
    rendered = strand.rendered(value, f"{where}.volume")
    if rendered is None:
        return None
    if isinstance(rendered, bool) or not isinstance(rendered, int | float) or not 0 <= rendered <= most:
        raise AuthoringFault(f"{where}.volume is {rendered!r}, not a number from 0 to {most:g}")
    return float(rendered)


def _notify(notice: Notice, strand: Strand, where: str) -> Notify:
    return Notify(
        message=strand.rendered_text(notice.message, where),
        title=None if notice.title is None else strand.rendered_text(notice.title, where),
        target=notice.target,
        data=_mapping(notice.data, strand, f"{where}.data"),
    )


def summary(effect: Effect) -> str:
    """Return an effect as a line of a trace shows it."""
    match effect:
        case CallService(action=action, target=target):
            return f"{action} {json.dumps(target)}"
        case Publish(topic=topic):
            return f"publish {topic}"
        case Say(text=text):
            return f"say {text!r}"
        case Play(source=source):
            return f"play {source}"
        case Notify(message=message):
            return f"notify {message!r}"
        case FireEvent(event_type=event_type):
            return f"event {event_type}"
        case Command(do=do, routine=routine):
            return f"{do} {routine}"
        case _:
            assert_never(effect)
