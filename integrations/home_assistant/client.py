"""The connections to Home Assistant: the only door to homeassistant-api.

The library gives a failing call's error to whoever reads the socket at that moment, which would end the
reader of events; so events have a connection to themselves, and so has each call while it lasts. It
neither reconnects nor subscribes again; both are done here.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

import niquests
from homeassistant_api import AsyncWebsocketClient
from homeassistant_api.errors import HomeassistantAPIError, ResponseError, UnauthorizedError

from integrations.home_assistant.directory import directory_from
from routines.effects import CallService, FireEvent, Outcome
from routines.facts import Json
from routines.intents.directory import Directory
from routines.ports import DeviceChanged, EventReceived, HomeDescribed, LinkChanged, Outbox

_PATH = "/api/websocket"
_READ_SECONDS = 365 * 86_400
"""The library ends a connection that is idle for longer; the pings find a dead one."""
_LOST = (HomeassistantAPIError, OSError, ValueError, TypeError)
"""What the library raises when a connection fails; the last two are answers that it cannot read."""
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 1.0, 60.0
_STARTING_POLL_SECONDS = 0.5
_CLOSE_SECONDS = 2.0
_MOST_MESSAGES = 10_000
"""The library keeps a little of each message for ever, so a connection is replaced after this many."""

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
        Receives `DeviceChanged`, `EventReceived`, `HomeDescribed` and `LinkChanged`.
    event_types : sequence of str
        Events that routines wait for, beside the changes of states.
    call_limit_seconds : float
        What Home Assistant has not answered by then has failed: a call, a ping, a login.
    ping_interval_seconds : float
        How often the connections are tried.
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
        event_types: Sequence[str] = (),
        call_limit_seconds: float = 10.0,
        ping_interval_seconds: float = 30.0,
        first_wait_seconds: float = _FIRST_WAIT_SECONDS,
    ) -> None:
        self._url = url.rstrip("/").removesuffix(_PATH)
        self._token = token
        self._outbox = outbox
        self._event_types = tuple(event_types)
        self._directory = Directory()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._call_limit_seconds = call_limit_seconds
        self._ping_interval_seconds = ping_interval_seconds
        self._first_wait_seconds = first_wait_seconds
        self._is_up = False
        self._told_link: LinkChanged | None = None
        self._known: dict[str, DeviceChanged] = {}
        self._free: list[AsyncWebsocketClient] = []

    async def run(self, ready: Callable[[], None]) -> None:
        """Stay connected until cancelled; what is wrong is told as `LinkChanged` and tried again."""
        self._told_link = None
        self._loop = asyncio.get_running_loop()
        wait_seconds = self._first_wait_seconds
        while True:
            try:
                await self._live(ready)
            except UnauthorizedError:
                wait_seconds = _LONGEST_WAIT_SECONDS
                hint = "Make a new long-lived access token on your profile's security page in Home Assistant"
                await self._down("Home Assistant refused the access token", hint)
            except _LOST as error:
                if self._is_up:
                    wait_seconds = self._first_wait_seconds
                why = f"no connection to Home Assistant at {self._url} ({_reason(error)})"
                await self._down(why, "Start it, or correct home_assistant.url in hub.yaml")
            finally:
                self._is_up = False
                while self._free:
                    await _close(self._free.pop())
            await asyncio.sleep(wait_seconds * random.uniform(0.7, 1.0))
            wait_seconds = min(2 * wait_seconds, _LONGEST_WAIT_SECONDS)

    def listen_to(self, event_types: Sequence[str]) -> None:
        """Follow more types of events; may be called from any thread."""
        new = [one for one in event_types if one not in self._event_types]
        self._event_types = (*self._event_types, *new)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._follow_more, new)

    def _follow_more(self, event_types: Sequence[str]) -> None:
        for event_type in event_types:
            if self._tasks is not None:
                self._tasks.create_task(self._follow_type(event_type), name=f"Home Assistant {event_type}")

    async def call(self, call: CallService) -> Outcome:
        """Perform a call; what goes wrong is told in the outcome."""
        absent = ", ".join(sorted(_targets(call) - self._known.keys()))
        if not self._is_up:
            problem = "Home Assistant is not connected"
        elif absent:  # Home Assistant itself would say that all went well
            problem = f"Home Assistant has no {absent}; correct the target"
        else:
            domain, _, service = call.action.partition(".")
            words: dict[str, Json] = {"domain": domain, "service": service}
            words |= {"service_data": dict(call.data), "target": dict(call.target)}
            if call.wants_response:
                words["return_response"] = True
            return await self._command(call.action, "call_service", words)
        return Outcome(ok=False, error=f"{call.action}: {problem}")

    async def fire(self, event: FireEvent) -> Outcome:
        """Fire an event; what goes wrong is told in the outcome."""
        words: dict[str, Json] = {"event_type": event.event_type, "event_data": dict(event.data)}
        return await self._command(f"event {event.event_type}", "fire_event", words)

    async def _command(self, name: str, kind: str, words: Mapping[str, Json]) -> Outcome:
        """Send a command and return how it went, with its response if it has one."""
        try:
            async with asyncio.timeout(self._call_limit_seconds), self._command_connection() as commands:
                number = await commands.send(kind, **words)
                try:
                    result = (await commands.recv_result(number)).result
                except ResponseError as error:
                    problem = f"Home Assistant refused it: {_reason(error)}"
                else:
                    return Outcome(response=result.get("response") if isinstance(result, dict) else None)
        except TimeoutError:
            problem = (
                f"Home Assistant did not answer within {self._call_limit_seconds:g} s; it may still do it"
            )
        except _LOST as error:
            problem = f"the connection to Home Assistant failed: {_reason(error)}"
        return Outcome(ok=False, error=f"{name}: {problem}")

    async def _connect(self) -> AsyncWebsocketClient:
        """Open a connection and log in, within the limit."""
        session = niquests.AsyncSession(timeout=_READ_SECONDS)
        client = AsyncWebsocketClient(self._url + _PATH, self._token, session=session)
        try:
            async with asyncio.timeout(self._call_limit_seconds):
                await client.__aenter__()
        except BaseException:  # the library leaves its socket open when the token is refused
            await _close(client)
            raise
        return client

    @asynccontextmanager
    async def _command_connection(self) -> AsyncIterator[AsyncWebsocketClient]:
        """Lend a connection to one call, so that a slow call holds nobody else up.

        They are kept: the library closes with a code that does not exist, and Home Assistant logs a warning.
        """
        client = self._free.pop(0) if self._free else await self._connect()
        try:
            yield client
        except BaseException:  # its late answer would be taken for that of the next call
            await _close(client)
            raise
        self._free.append(client)

    async def _live(self, ready: Callable[[], None]) -> None:
        """Follow all states until a connection is lost."""
        events = await self._connect()
        try:
            await self._until_running(events)
            async with asyncio.timeout(self._call_limit_seconds):
                # First the subscription, then the states: nothing that changes in between is lost.
                subscription = await events.send("subscribe_events", event_type="state_changed")
                await events.recv_result(subscription)
                states = await events.recv_result_list(await events.send("get_states"))
            await self._resync([_changed(state) for state in states])
            self._is_up = True
            await self._describe(states)
            ready()
            await self._tell_link(up=True, why=f"connected to {self._url}", hint="")
            await self._follow_and_watch(events, subscription)
        finally:
            await _close(events)

    async def _follow_and_watch(self, events: AsyncWebsocketClient, subscription: int) -> None:
        lost: Exception | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                tasks.create_task(self._follow(events, subscription), name="Home Assistant events")
                tasks.create_task(self._watch(events), name="Home Assistant ping")
                for event_type in self._event_types:
                    tasks.create_task(self._follow_type(event_type), name=f"Home Assistant {event_type}")
        except* _LOST as group:
            lost = group.exceptions[0]
        finally:
            self._tasks = None
        if lost is not None:  # raised out here, so that its cause is still its own
            raise lost

    async def _until_running(self, client: AsyncWebsocketClient) -> None:
        """Wait until Home Assistant has started: before that its entities come and go."""
        while True:
            async with asyncio.timeout(self._call_limit_seconds):
                config = await client.get_config()
            if config["state"] == "RUNNING":
                return
            why = f"Home Assistant at {self._url} is starting"
            await self._tell_link(up=False, why=why, hint="It is waited for")
            await asyncio.sleep(_STARTING_POLL_SECONDS)

    async def _follow(self, events: AsyncWebsocketClient, subscription: int) -> None:
        """Tell every change of a state."""
        while True:
            data = (await events.recv_event(subscription)).event.data
            if data["new_state"] is None:
                await self._forget(str(data["entity_id"]))
            else:
                await self._tell(_changed(data["new_state"]))

    async def _follow_type(self, event_type: str) -> None:
        """Tell every event of a type; two readers of one connection would take each other's messages."""
        connection = await self._connect()
        try:
            async with asyncio.timeout(self._call_limit_seconds):
                subscription = await connection.send("subscribe_events", event_type=event_type)
                await connection.recv_result(subscription)
            while True:
                event = (await connection.recv_event(subscription)).event
                await self._outbox.send(EventReceived(event_type=event_type, data=dict(event.data)))
        finally:
            await _close(connection)

    async def _describe(self, states: list[dict[str, Json]]) -> None:
        """Tell what the home calls its things; a user who may not read a registry knows less of it."""
        found: dict[str, list[dict[str, Json]]] = {}
        with suppress(TimeoutError, *_LOST):
            async with asyncio.timeout(self._call_limit_seconds), self._command_connection() as commands:
                for registry in ("entity", "device", "area", "floor"):
                    number = await commands.send(f"config/{registry}_registry/list")
                    with suppress(ResponseError):
                        found[registry] = await commands.recv_result_list(number)
        directory = directory_from(
            states=states,
            entities=found.get("entity", ()),
            devices=found.get("device", ()),
            areas=found.get("area", ()),
            floors=found.get("floor", ()),
        )
        if directory != self._directory:
            self._directory = directory
            await self._outbox.send(HomeDescribed(directory=directory))

    async def _watch(self, events: AsyncWebsocketClient) -> None:
        """Ping all connections until one is dead; then fail."""
        while True:
            await asyncio.sleep(self._ping_interval_seconds)
            async with asyncio.timeout(self._call_limit_seconds):
                number = await events.send("ping")
                for _ in range(len(self._free)):
                    await self._ping_free()
            await asyncio.sleep(self._call_limit_seconds)
            # By now `_follow` has read the answer, and this takes it from the library without reading.
            async with asyncio.timeout(0):
                await events.recv_ping(number)

    async def _ping_free(self) -> None:
        """Ping a free connection: Home Assistant ends one whose pings nobody reads for 83 s."""
        async with self._command_connection() as client:
            number = await client.send("ping")
            await client.recv_ping(number)
        if number > _MOST_MESSAGES:
            self._free.remove(client)
            await _close(client)

    async def _resync(self, states: list[DeviceChanged]) -> None:
        for entity_id in sorted(self._known.keys() - {state.entity_id for state in states}):
            await self._forget(entity_id)
        for state in states:
            await self._tell(state)

    async def _tell(self, changed: DeviceChanged) -> None:
        """Send an entity's state unless it is the one that was told last."""
        if self._known.get(changed.entity_id) != changed:
            self._known[changed.entity_id] = changed
            await self._outbox.send(changed)

    async def _forget(self, entity_id: str) -> None:
        """Tell that an entity is no more."""
        await self._tell(_unavailable(entity_id))
        self._known.pop(entity_id, None)

    async def _tell_link(self, *, up: bool, why: str, hint: str) -> None:
        change = LinkChanged(link=self.name, up=up, why=why, hint=hint)
        if change != self._told_link:
            self._told_link = change
            await self._outbox.send(change)

    async def _down(self, why: str, hint: str) -> None:
        self._is_up = False
        await self._tell_link(up=False, why=why, hint=hint)
        for entity_id in list(self._known):
            await self._tell(_unavailable(entity_id))


def _changed(state: dict[str, Json]) -> DeviceChanged:
    """Return a state as Home Assistant writes it in our words."""
    attributes = state["attributes"]
    return DeviceChanged(
        entity_id=str(state["entity_id"]),
        state=str(state["state"]),
        attributes=attributes if isinstance(attributes, dict) else {},
    )


def _unavailable(entity_id: str) -> DeviceChanged:
    return DeviceChanged(entity_id=entity_id, state="unavailable", attributes={})


def _targets(call: CallService) -> set[str]:
    """Return the entities that a call names; ``all`` and ids of Home Assistant's registry are not names."""
    wanted = call.target.get("entity_id")
    texts = wanted if isinstance(wanted, list) else [wanted]
    names = {name.strip().lower() for text in texts for name in str(text or "").split(",")}
    return {name for name in names if "." in name}


async def _close(client: AsyncWebsocketClient) -> None:
    """Close a connection as far as it got; one without a socket is an AttributeError to the library."""
    with suppress(AttributeError, *_LOST):
        async with asyncio.timeout(_CLOSE_SECONDS):
            await client.__aexit__(None, None, None)


def _reason(error: BaseException) -> str:
    """Return in a line what is at the bottom of an error: the library wraps it several times."""
    while isinstance(inner := error.__cause__ or error.__context__, Exception):
        error = inner
    if isinstance(error, TimeoutError):
        return "no answer in time"
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return text.splitlines()[0][:200] if text else type(error).__name__
