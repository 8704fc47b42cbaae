"""Two connections to Home Assistant: the only door to homeassistant-api.

The library gives a failing call's error to whoever reads the socket at that moment, which would end the
reader of events; so events and commands have a connection each. It neither reconnects nor subscribes
again; both are done here.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import niquests
from homeassistant_api import AsyncWebsocketClient
from homeassistant_api.errors import HomeassistantAPIError, ResponseError, UnauthorizedError

from routines.effects import CallService, Outcome
from routines.facts import Json
from routines.ports import DeviceChanged, LinkChanged, Outbox

UNAVAILABLE = "unavailable"

_READ_SECONDS = 365 * 86_400
"""The library ends a connection that is idle for longer; the ping finds a dead one."""
_LOST = (HomeassistantAPIError, niquests.exceptions.RequestException, OSError, TimeoutError)
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 1.0, 60.0
_STARTING_POLL_SECONDS = 0.5

logging.getLogger("homeassistant_api").setLevel(logging.WARNING)  # it logs every event whole


class HomeAssistantLink:
    """Mirror Home Assistant's states, and perform calls on its devices.

    While the link is down every entity is ``unavailable``: what cannot be known is not guessed.

    Parameters
    ----------
    url : str
        Address as in a browser, ``http://homeassistant.local:8123``.
    token : str
        A long-lived access token of a user.
    outbox : Outbox
        Receives `DeviceChanged` and `LinkChanged`.
    call_limit_seconds : float
        A call that Home Assistant has not answered by then has failed.
    ping_interval_seconds : float
        How often the connection is tried.
    first_wait_seconds : float
        Wait before the first new try; it doubles up to a minute.
    """

    name = "home_assistant"
    needs: frozenset[str] = frozenset()

    def __init__(
        self,
        *,
        url: str,
        token: str,
        outbox: Outbox,
        call_limit_seconds: float = 10.0,
        ping_interval_seconds: float = 30.0,
        first_wait_seconds: float = _FIRST_WAIT_SECONDS,
    ) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._outbox = outbox
        self._call_limit_seconds = call_limit_seconds
        self._ping_interval_seconds = ping_interval_seconds
        self._first_wait_seconds = first_wait_seconds
        self._commands: AsyncWebsocketClient | None = None
        self._one_command = asyncio.Lock()
        self._broken = asyncio.Event()
        self._known: dict[str, DeviceChanged] = {}

    async def run(self, ready: Callable[[], None]) -> None:
        """Stay connected until cancelled; what is wrong is told as `LinkChanged` and tried again."""
        wait_seconds = self._first_wait_seconds
        while True:
            try:
                async with self._connection() as events, self._connection() as commands:
                    await self._live(events, commands, ready)
            except UnauthorizedError:
                wait_seconds = _LONGEST_WAIT_SECONDS
                hint = "Make a new long-lived access token on your profile's security page in Home Assistant"
                await self._down("Home Assistant refused the access token", hint)
            except _LOST as error:
                if self._commands is not None:  # it was up: try again soon
                    wait_seconds = self._first_wait_seconds
                why = f"no connection to Home Assistant at {self._url} ({_short(error)})"
                await self._down(why, "Start it, or correct home_assistant.url in hub.yaml")
            finally:
                self._commands = None
            await asyncio.sleep(wait_seconds * random.uniform(0.7, 1.0))
            wait_seconds = min(2 * wait_seconds, _LONGEST_WAIT_SECONDS)

    async def call(self, call: CallService) -> Outcome:
        """Perform a call; what Home Assistant refuses is told in the outcome."""
        domain, _, service = call.action.partition(".")
        if self._commands is None:
            return Outcome(ok=False, error=f"{call.action}: Home Assistant is not connected")
        try:
            async with asyncio.timeout(self._call_limit_seconds), self._one_command:
                number = await self._commands.send(
                    "call_service",
                    domain=domain,
                    service=service,
                    service_data=dict(call.data),
                    target=dict(call.target),
                )
                await self._commands.recv_result(number)
        except ResponseError as error:
            return Outcome(ok=False, error=f"{call.action}: Home Assistant refused it: {_short(error)}")
        except TimeoutError:
            self._broken.set()  # its late answer would be taken for that of the next call
            limit = f"{self._call_limit_seconds:g} s"
            return Outcome(ok=False, error=f"{call.action}: Home Assistant did not answer within {limit}")
        except (*_LOST, AttributeError) as error:  # the library drops its socket while it closes
            self._broken.set()
            return Outcome(
                ok=False, error=f"{call.action}: the connection to Home Assistant ended: {_short(error)}"
            )
        return Outcome()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncWebsocketClient]:
        parts = urlsplit(self._url)
        scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
        address = f"{scheme}://{parts.netloc}{parts.path.removesuffix('/api/websocket')}/api/websocket"
        session = niquests.AsyncSession(timeout=_READ_SECONDS)
        async with AsyncWebsocketClient(address, self._token, session=session) as client:
            yield client

    async def _live(
        self, events: AsyncWebsocketClient, commands: AsyncWebsocketClient, ready: Callable[[], None]
    ) -> None:
        """Follow all states until a connection ends."""
        await _until_running(events)
        # First the subscription, then the states: nothing that changes in between is lost.
        subscription = await events.send("subscribe_events", event_type="state_changed")
        await events.recv_result(subscription)
        states = await events.get_states()
        self._commands = commands
        self._broken.clear()
        ready()
        await self._outbox.send(
            LinkChanged(link=self.name, up=True, why=f"connected to {self._url}", hint="")
        )
        gone = self._known.keys() - {state.entity_id for state in states}
        for entity_id in sorted(gone):
            await self._tell(entity_id, UNAVAILABLE, {})
        for state in states:
            await self._tell(state.entity_id, str(state.state), state.attributes)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow(events, subscription), name="Home Assistant events")
                tasks.create_task(self._watch(commands), name="Home Assistant ping")
        except ExceptionGroup as ended:
            raise ended.exceptions[0] from ended

    async def _follow(self, events: AsyncWebsocketClient, subscription: int) -> None:
        """Tell every change of a state."""
        while True:
            data = (await events.recv_event(subscription)).event.data
            new = data.get("new_state")
            if new is None:
                await self._tell(str(data["entity_id"]), UNAVAILABLE, {})
            else:
                await self._tell(str(new["entity_id"]), str(new["state"]), new["attributes"])

    async def _watch(self, commands: AsyncWebsocketClient) -> None:
        """Ping until the connection is dead; then fail."""
        while True:
            try:
                async with asyncio.timeout(self._ping_interval_seconds):
                    await self._broken.wait()
                raise ConnectionError("a command was not answered")
            except TimeoutError:
                async with asyncio.timeout(self._call_limit_seconds), self._one_command:
                    await commands.ping_latency()

    async def _tell(self, entity_id: str, state: str, attributes: Mapping[str, Json]) -> None:
        """Send an entity's state unless it is the one that was told last."""
        changed = DeviceChanged(entity_id=entity_id, state=state, attributes=dict(attributes))
        if self._known.get(entity_id) != changed:
            self._known[entity_id] = changed
            await self._outbox.send(changed)

    async def _down(self, why: str, hint: str) -> None:
        await self._outbox.send(LinkChanged(link=self.name, up=False, why=why, hint=hint))
        for entity_id in list(self._known):
            await self._tell(entity_id, UNAVAILABLE, {})


async def _until_running(client: AsyncWebsocketClient) -> None:
    """Wait until Home Assistant has started: before that its entities come and go."""
    while True:
        number = await client.send("get_config")
        if (await client.recv_result_dict(number))["state"] == "RUNNING":
            return
        await asyncio.sleep(_STARTING_POLL_SECONDS)


def _short(error: BaseException) -> str:
    """Return an error's first line; the library's can hold the whole message."""
    lines = str(error).splitlines()
    return lines[0][:200] if lines else type(error).__name__
