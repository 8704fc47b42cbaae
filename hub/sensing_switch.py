"""The switch for the ultrasonic tone: on MQTT, remembered, and in force at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import structlog

from hub.bus import Bus
from hub.config.hub_config import HomeConfig
from hub.requests import SWITCH, fresh, requests_to
from hub.whole_file import write_whole
from integrations.mqtt.discovery import sensing_switch_discovery, sensing_switch_discovery_topic
from integrations.mqtt.topics import ULTRASOUND_STATE_TOPIC, ULTRASOUND_SWITCH_TOPIC
from routines.ports import MessageLink

log = structlog.get_logger("sensing switch")


def saved_switch(path: Path) -> bool:
    """Return whether the tone was allowed when the hub last ran.

    Without a file it is: hub.yaml has enabled it and nobody has objected. A file that cannot be read may
    have said no, so then it is not.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return True
    except (OSError, ValueError) as error:
        content = None
        log.warning("the saved switch cannot be read", path=str(path), why=str(error))
    is_on = content.get("ultrasound") if isinstance(content, dict) else None
    if not isinstance(is_on, bool):
        log.warning("the tone stays off until it is switched on", topic=ULTRASOUND_SWITCH_TOPIC)
        return False
    return is_on


def save_switch(path: Path, is_on: bool) -> None:
    """Replace the file at once, so that a power cut leaves the old or the new one."""
    write_whole(path, json.dumps({"ultrasound": is_on}))


class SensingSwitch:
    """Allow or forbid the tone as people say; while this service does not run, it is forbidden.

    Parameters
    ----------
    path : Path
        Where the switch is remembered.
    allow : callable
        Puts the switch in force; called from the event loop, so it must not wait.
    """

    name = "ultrasound switch"
    needs: frozenset[str] = frozenset()

    def __init__(
        self,
        *,
        messages: MessageLink,
        bus: Bus,
        home: HomeConfig,
        path: Path,
        allow: Callable[[bool], None],
    ) -> None:
        self._messages = messages
        self._bus = bus
        self._home = home
        self._path = path
        self._allow = allow
        self._is_on: bool | None = None

    async def run(self, ready: Callable[[], None]) -> None:
        """Put the remembered switch in force, then follow what is asked for until cancelled."""
        if self._is_on is None:
            self._is_on = await asyncio.to_thread(saved_switch, self._path)
        try:
            with requests_to(self.name, self._bus) as requests:
                self._allow(self._is_on)
                ready()
                await self._describe()
                await self._tell()
                async for request in fresh(requests):
                    if request.topic == ULTRASOUND_SWITCH_TOPIC:
                        await self._switch(request.payload)
        finally:
            self._allow(False)

    async def _switch(self, payload: str) -> None:
        is_on = SWITCH.get(payload.strip().lower())
        if is_on is None:
            log.warning("the switch understands ON and OFF only", topic=ULTRASOUND_SWITCH_TOPIC)
        else:
            self._is_on = is_on
            self._allow(is_on)
            await self._remember(is_on)
        await self._tell()

    async def _remember(self, is_on: bool) -> None:
        try:
            await asyncio.to_thread(save_switch, self._path, is_on)
        except OSError as error:
            # it is in force all the same; a restart of this service would only put it at risk
            log.error("the switch is not remembered", path=str(self._path), why=str(error))

    async def _describe(self) -> None:
        topic = sensing_switch_discovery_topic(self._home.room)
        content = sensing_switch_discovery(self._home.room, self._home.name)
        await self._messages.publish(topic, json.dumps(content), retain=True)

    async def _tell(self) -> None:
        state = "ON" if self._is_on else "OFF"
        await self._messages.publish(ULTRASOUND_STATE_TOPIC, state, retain=True)
