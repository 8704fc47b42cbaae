"""Carry out what a routine asks for: calls, messages, speech and sounds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import assert_never

from hub.bus import Bus
from hub.errors import BadInput, Degraded
from hub.events import PlaybackEnded, PlaybackStarted
from hub.music import Music
from hub.playback.decoder import load_sound
from hub.playback.mixer import Mixer
from hub.playback.playlist import is_address, is_playlist
from hub.playback.voice import Voice
from integrations.mqtt.topics import NOTICE_TOPIC
from routines.effects import CallService, Command, Effect, FireEvent, Notify, Outcome, Play, Publish, Say
from routines.ports import DeviceLink, EventLink, MessageLink
from sensing.audio_block import Block


class Performer:
    """Send each effect to the part of the house that can do it.

    Parameters
    ----------
    owner : callable
        Returns the link that owns an entity, or None when none does.
    events : EventLink or None
        Where events are fired.
    voice : Voice
        What speaks.
    sounds : Path
        Folder that relative names of sound files start from.
    music : Music or None
        What plays addresses, playlists and folders.
    """

    def __init__(
        self,
        *,
        owner: Callable[[CallService], DeviceLink | None],
        messages: MessageLink,
        events: EventLink | None,
        mixer: Mixer,
        voice: Voice,
        rate_hz: int,
        sounds: Path,
        bus: Bus,
        music: Music | None = None,
    ) -> None:
        self._owner = owner
        self._messages = messages
        self._events = events
        self._mixer = mixer
        self._voice = voice
        self._rate_hz = rate_hz
        self._sounds = sounds
        self._bus = bus
        self._music = music

    async def perform(self, effect: Effect) -> Outcome:
        """Perform one effect; what fails is told in the outcome, never raised."""
        match effect:
            case CallService():
                link = self._owner(effect)
                if link is None:
                    error = (
                        f"nothing can perform {effect.action}: name its target under mqtt.lights "
                        "in hub.yaml, or configure home_assistant there"
                    )
                    return Outcome(ok=False, error=error)
                return await link.call(effect)
            case Publish(topic=topic, payload=payload, retain=retain, qos=qos):
                return await self._messages.publish(topic, payload, retain=retain, qos=qos)
            case Say(text=text, volume=volume):
                loudness = 1.0 if volume is None else volume / 100
                return await self._play(text, effect.room, loudness, self._voice.speak(text))
            case Play(source=source) if self._music is not None and _is_music(source):
                return await _started(self._music, source)
            case Play(source=source):
                path = self._sounds / source
                loading = asyncio.to_thread(load_sound, path, self._rate_hz)
                return await self._play(source, effect.room, effect.volume, loading)
            case Notify():
                return await self._notify(effect)
            case FireEvent():
                if self._events is None:
                    error = f"event {effect.event_type}: configure home_assistant in hub.yaml to fire events"
                    return Outcome(ok=False, error=error)
                return await self._events.fire(effect)
            case Command():
                return Outcome(ok=False, error=f"{effect.do} is not for the hub to do")
            case _:
                assert_never(effect)

    async def _notify(self, notice: Notify) -> Outcome:
        """Notify through Home Assistant where there is one, else tell the apps on MQTT."""
        said = {"message": notice.message, "title": notice.title, "data": dict(notice.data)}
        content = {key: value for key, value in said.items() if value}
        call = CallService(action=f"notify.{notice.target or 'notify'}", data=content)
        link = self._owner(call)
        if link is not None:
            return await link.call(call)
        payload = json.dumps({"v": 1, "target": notice.target, **content}, ensure_ascii=False)
        return await self._messages.publish(NOTICE_TOPIC, payload)

    async def _play(self, source: str, room: str | None, volume: float, loading: Awaitable[Block]) -> Outcome:
        """Play what is being loaded, and return when the last frame has been mixed."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        try:
            samples = await loading
        except (BadInput, Degraded) as error:
            return Outcome(ok=False, error=str(error))

        def on_end() -> None:
            loop.call_soon_threadsafe(ended.set)

        self._mixer.play(samples, volume=volume, on_end=on_end)
        self._bus.publish(PlaybackStarted(source=source, room=room))
        await ended.wait()
        self._bus.publish(PlaybackEnded(source=source, room=room))
        return Outcome()


def _is_music(source: str) -> bool:
    """Return whether a source goes on by itself, while a sound is waited for."""
    return is_address(source) or is_playlist(source) or source.endswith("/")


async def _started(music: Music, source: str) -> Outcome:
    """Let music play, which the routine does not wait for."""
    try:
        await music.play(source)
    except BadInput as error:
        return Outcome(ok=False, error=str(error))
    return Outcome()
