"""The player on MQTT: what plays is told, and what is asked for is done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Literal

import structlog
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from hub.announcer import Announcement, Announcer
from hub.bus import Bus, Overflow, Subscription
from hub.clock import Clock
from hub.errors import BadInput
from hub.events import AnnouncementChanged, PlayerChanged, TrackFailed
from hub.music import Music
from hub.playback.play_queue import Repeat
from hub.requests import SWITCH, fresh, requests_to
from integrations.mqtt.topics import (
    PlayerRequest,
    announce_topic,
    announcement_topic,
    player_event_topic,
    player_request_topic,
    player_state_topic,
)
from routines.facts import Json
from routines.ports import MessageLink, MessageReceived

_PROGRESS_SECONDS = 10.0
_LONGEST_SOURCE = 2000
_VOLUME: TypeAdapter[float] = TypeAdapter(Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)])
_PLACE: TypeAdapter[float] = TypeAdapter(Annotated[float, Field(ge=0, allow_inf_nan=False)])
_REPEAT: TypeAdapter[Repeat] = TypeAdapter(Repeat)

log = structlog.get_logger("player")


class AnnounceRequest(BaseModel):
    """What may be sent to be announced, where it is more than a text.

    Attributes
    ----------
    id : str
        The sender's own name for it, to be found again in the event; without one the hub counts.
    volume : float or None
        0 to 100, None for as speech is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    v: Literal[1] = 1
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")] | None = None
    text: Annotated[str, Field(min_length=1, max_length=2000)]
    volume: Annotated[float, Field(ge=0, le=100)] | None = None
    chime: bool = True


class PlayerPublisher:
    """Keep the retained state of the room's player up to date, and carry out requests."""

    name = "player on MQTT"
    needs: frozenset[str] = frozenset({Music.name})

    def __init__(
        self, *, messages: MessageLink, bus: Bus, clock: Clock, room: str, music: Music, announcer: Announcer
    ) -> None:
        self._messages = messages
        self._bus = bus
        self._clock = clock
        self._room = room
        self._music = music
        self._announcer = announcer
        self._announced = 0
        self._topics: dict[str, PlayerRequest] = {
            player_request_topic(room, what): what
            for what in ("command", "play", "add", "seek", "volume", "shuffle", "repeat")
        }

    async def run(self, ready: Callable[[], None]) -> None:
        """Tell and carry out until cancelled."""
        changes: Subscription[PlayerChanged | TrackFailed | AnnouncementChanged] = self._bus.subscribe(
            PlayerChanged,
            TrackFailed,
            AnnouncementChanged,
            room=256,
            overflow=Overflow.DROP_OLDEST,
            name=self.name,
        )
        with changes, requests_to("requests to the player", self._bus) as requests:
            await self._tell_state()
            ready()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow(changes))
                tasks.create_task(self._obey(requests))
                tasks.create_task(self._tell_progress())

    async def _follow(self, changes: Subscription[PlayerChanged | TrackFailed | AnnouncementChanged]) -> None:
        async for change in changes:
            match change:
                case PlayerChanged():
                    await self._tell_state()
                case TrackFailed(source=source, why=why):
                    told: dict[str, Json] = {"type": "failed", "source": source, "why": why}
                    await self._tell(player_event_topic(self._room), told)
                case AnnouncementChanged(id=announcement, phase=phase, why=why):
                    told = {"phase": phase, "rooms": [self._room], **({"why": why} if why else {})}
                    await self._tell(announcement_topic(announcement), told)

    async def _tell_progress(self) -> None:
        while True:
            await self._clock.sleep_until(self._clock.monotonic() + _PROGRESS_SECONDS)
            if self._music.state.state == "playing":
                await self._tell_state()

    async def _tell_state(self) -> None:
        state: dict[str, Json] = asdict(self._music.state)
        state["position_seconds"] = round(self._music.state.position_seconds, 3)
        await self._tell(player_state_topic(self._room), state, is_state=True)

    async def _tell(self, topic: str, content: dict[str, Json], *, is_state: bool = False) -> None:
        payload = json.dumps({"v": 1, "ts": self._clock.now().isoformat(), **content}, ensure_ascii=False)
        await self._messages.publish(topic, payload, retain=is_state)

    async def _obey(self, requests: Subscription[MessageReceived]) -> None:
        async for request in fresh(requests):
            what = self._topics.get(request.topic)
            if what is not None:
                await self._do(what, request.payload.strip())
            elif request.topic == announce_topic(self._room):
                self._announce(request.payload)

    async def _do(self, what: PlayerRequest, words: str) -> None:
        """Carry out one request; what cannot be understood is logged, and changes nothing."""
        try:
            match what:
                case "command":
                    self._command(words.lower())
                case "play" | "add":
                    await self._play(words, is_added=what == "add")
                case "seek":
                    self._music.seek(_PLACE.validate_python(words))
                case "volume":
                    await self._music.set_volume(_VOLUME.validate_python(words))
                case "shuffle":
                    self._music.player.set_shuffle(SWITCH[words.lower()])
                case "repeat":
                    self._music.player.set_repeat(_REPEAT.validate_python(words.lower()))
        except BadInput:
            return  # told already, as state and event
        except (ValidationError, KeyError):
            topic = player_request_topic(self._room, what)
            log.warning("a request to the player is not understood", topic=topic, words=words[:100])
            await self._tell_state()  # a switch or a slider goes back to what is true

    def _command(self, word: str) -> None:
        player = self._music.player
        commands: dict[str, Callable[[], None]] = {
            "play": player.resume,
            "pause": player.pause,
            "toggle": player.toggle,
            "stop": player.stop,
            "next": lambda: player.skip(1),
            "previous": lambda: player.skip(-1),
        }
        commands[word]()

    async def _play(self, source: str, *, is_added: bool) -> None:
        if not source or len(source) > _LONGEST_SOURCE:
            raise KeyError(source)
        await self._music.play(source, is_added=is_added)

    def _announce(self, payload: str) -> None:
        """Announce a text, or what a JSON object says."""
        self._announced += 1
        counted = f"{self._room}-{self._announced}"
        if not payload.lstrip().startswith("{"):
            text = payload.strip()[:_LONGEST_SOURCE]
            if text:
                self._announcer.announce(Announcement(id=counted, text=text))
            return
        try:
            asked = AnnounceRequest.model_validate_json(payload)
        except ValidationError as error:
            [first, *_] = error.errors()
            log.warning("an announcement is not understood", why=first["msg"], where=str(first["loc"]))
            return
        self._announcer.announce(
            Announcement(id=asked.id or counted, text=asked.text, volume=asked.volume, has_chime=asked.chime)
        )
