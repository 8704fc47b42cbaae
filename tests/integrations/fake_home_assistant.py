"""Home Assistant's websocket API as far as the link uses it, in this process."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

TOKEN = "the right token"


class FakeHomeAssistant:
    """A server whose states and answers the test decides."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {"light.hall": "off"}
        self.calls: list[dict[str, Any]] = []
        self.answers_calls = True
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
        data = {"entity_id": entity_id, "new_state": shown(entity_id, state), "old_state": None}
        event = {"event_type": "state_changed", "data": data, "origin": "LOCAL"}
        event |= {"time_fired": "2026-01-01T00:00:00+00:00", "context": context()}
        for socket, number in self._subscriptions.items():
            await socket.send_json({"id": number, "type": "event", "event": event})

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.add(socket)
        await socket.send_json({"type": "auth_required", "ha_version": "2025.4.4"})
        login = await socket.receive_json()
        if login.get("access_token") != TOKEN:
            await socket.send_json({"type": "auth_invalid", "message": "Invalid access token or password"})
            return socket
        await socket.send_json({"type": "auth_ok", "ha_version": "2025.4.4"})
        try:
            async for message in socket:
                await self._answer(socket, message.json())
        finally:
            self._sockets.discard(socket)
            self._subscriptions.pop(socket, None)
        return socket

    async def _answer(self, socket: web.WebSocketResponse, asked: dict[str, Any]) -> None:
        number = asked["id"]
        result: Any = None
        match asked["type"]:
            case "ping":
                await socket.send_json({"id": number, "type": "pong"})
                return
            case "get_config":
                result = {"state": "RUNNING"}
            case "get_states":
                result = [shown(entity_id, state) for entity_id, state in self.states.items()]
            case "subscribe_events":
                self._subscriptions[socket] = number
            case "call_service":
                self.calls.append(asked)
                if not self.answers_calls:
                    return
                if asked["domain"] == "nope":
                    error = {"code": "not_found", "message": "Service nope.nope not found."}
                    await socket.send_json({"id": number, "type": "result", "success": False, "error": error})
                    return
                result = {"context": context(), "response": None}
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
