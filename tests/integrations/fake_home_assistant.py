"""Home Assistant's websocket API as far as the link uses it, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

TOKEN = "the right token"


class FakeHomeAssistant:
    """A server whose states and answers the test decides.

    Attributes
    ----------
    mute : set of str
        Types of messages that are never answered; ``login`` for the first one of a connection.
    on_subscribe : callable
        Called once events are subscribed to, before anything else is answered.
    """

    def __init__(self) -> None:
        self.states: dict[str, str] = {"light.hall": "off"}
        self.calls: list[dict[str, Any]] = []
        self.fired: list[tuple[str, dict[str, Any]]] = []
        self.event_subscriptions: dict[str, tuple[web.WebSocketResponse, int]] = {}
        self.mute: set[str] = set()
        self.stage = "RUNNING"
        self.logins = 0
        self.on_subscribe: Callable[[], None] = lambda: None
        self._sockets: set[web.WebSocketResponse] = set()
        self._subscriptions: dict[web.WebSocketResponse, int] = {}
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self) -> None:
        application = web.Application()
        application.router.add_get("/api/websocket", self._serve)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        for socket in list(self._sockets):
            await socket.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def set_state(self, entity_id: str, state: str) -> None:
        self.states[entity_id] = state
        await self._fire(entity_id, shown(entity_id, state))

    async def remove(self, entity_id: str) -> None:
        del self.states[entity_id]
        await self._fire(entity_id, None)

    async def fire(self, event_type: str, data: dict[str, Any]) -> None:
        """Tell an event to whoever subscribed to its type."""
        socket, number = self.event_subscriptions[event_type]
        event = {"event_type": event_type, "data": data, "origin": "LOCAL"}
        event |= {"time_fired": "2026-01-01T00:00:00+00:00", "context": context()}
        await socket.send_json({"id": number, "type": "event", "event": event})

    async def _fire(self, entity_id: str, new_state: dict[str, Any] | None) -> None:
        data = {"entity_id": entity_id, "new_state": new_state, "old_state": None}
        event = {"event_type": "state_changed", "data": data, "origin": "LOCAL"}
        event |= {"time_fired": "2026-01-01T00:00:00+00:00", "context": context()}
        for socket, number in self._subscriptions.items():
            await socket.send_json({"id": number, "type": "event", "event": event})

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            await self._talk(socket)
        finally:
            self._sockets.discard(socket)
            self._subscriptions.pop(socket, None)
        return socket

    async def _talk(self, socket: web.WebSocketResponse) -> None:
        self.logins += 1
        await socket.send_json({"type": "auth_required", "ha_version": "2025.4.4"})
        login = await socket.receive()
        if login.type is not WSMsgType.TEXT:
            return
        if login.json()["access_token"] != TOKEN:
            await socket.send_json({"type": "auth_invalid", "message": "Invalid access token or password"})
            return
        if "login" not in self.mute:
            await socket.send_json({"type": "auth_ok", "ha_version": "2025.4.4"})
        async for message in socket:
            if message.type is WSMsgType.TEXT and message.json()["type"] not in self.mute:
                await self._answer(socket, message.json())

    async def _answer(self, socket: web.WebSocketResponse, asked: dict[str, Any]) -> None:
        number = asked["id"]
        result: Any = None
        match asked["type"]:
            case "ping":
                await socket.send_json({"id": number, "type": "pong"})
                return
            case "get_config":
                result = {"state": self.stage}
            case "get_states":
                result = [shown(entity_id, state) for entity_id, state in self.states.items()]
            case "config/area_registry/list":
                result = [{"area_id": "hall", "name": "Hall", "aliases": ["corridor"], "floor_id": None}]
            case "config/entity_registry/list":
                result = [{"entity_id": "light.hall", "area_id": "hall", "aliases": []}]
            case "config/device_registry/list":
                result = []
            case "config/floor_registry/list":
                error = {"code": "unauthorized", "message": "Unauthorized"}
                await socket.send_json({"id": number, "type": "result", "success": False, "error": error})
                return
            case "subscribe_events" if asked.get("event_type") not in (None, "state_changed"):
                self.event_subscriptions[asked["event_type"]] = (socket, number)
            case "fire_event":
                self.fired.append((asked["event_type"], asked["event_data"]))
                result = {"context": context()}
            case "subscribe_events":
                self._subscriptions[socket] = number
                self.on_subscribe()
            case "call_service":
                self.calls.append(asked)
                if asked["domain"] in self.mute:
                    return
                if asked["domain"] == "nope":
                    error = {"code": "not_found", "message": "Service nope.nope not found."}
                    await socket.send_json({"id": number, "type": "result", "success": False, "error": error})
                    return
                answer = {"found": 1} if asked.get("return_response") else None
                result = {"context": context(), "response": answer}
        await socket.send_json({"id": number, "type": "result", "success": True, "result": result})


def context() -> dict[str, Any]:
    return {"id": "1", "parent_id": None, "user_id": None}


def shown(entity_id: str, state: str) -> dict[str, Any]:
    now = "2026-01-01T00:00:00+00:00"
    times = {"last_changed": now, "last_updated": now, "last_reported": now}
    return {"entity_id": entity_id, "state": state, "attributes": {}, "context": context(), **times}


async def until(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)
