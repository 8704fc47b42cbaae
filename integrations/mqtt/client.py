"""One connection to a broker: the only door to paho-mqtt."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Literal

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from integrations.mqtt.topics import AVAILABILITY
from routines.effects import Outcome
from routines.ports import LinkChanged, MessageReceived, Outbox

_QUEUE_ROOM = 1_000
_ACKNOWLEDGE_SECONDS = 5.0
_REFUSED_CODES = {"Not authorized", "Bad user name or password", "Bad username or password"}

Arrival = LinkChanged | MessageReceived


class MqttLink:
    """Keep one broker connection alive, and hand over what arrives.

    paho's own thread does the network and reconnects by itself (1 to 60 s); its callbacks only post to the
    event loop. After each connection we subscribe again and say again what we retain, because a broker
    may have forgotten it.

    Parameters
    ----------
    topics : sequence of str
        Topic filters to subscribe to.
    outbox : Outbox
        Receives `MessageReceived` and `LinkChanged`.
    client_id : str
        Unique at the broker; a second client of the same name pushes the first one out.
    """

    name = "mqtt"
    needs: frozenset[str] = frozenset()

    def __init__(
        self,
        *,
        host: str,
        port: int,
        topics: Sequence[str],
        outbox: Outbox,
        username: str | None = None,
        password: str | None = None,
        protocol: Literal["5", "3.1.1"] = "5",
        client_id: str = "roomwise",
        availability_topic: str = AVAILABILITY,
    ) -> None:
        self._host, self._port = host, port
        self._topics = tuple(topics)
        self._outbox = outbox
        self._availability = availability_topic
        self._retained: dict[str, str] = {}
        self._arrivals: asyncio.Queue[Arrival] = asyncio.Queue(_QUEUE_ROOM)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._acknowledged: dict[int, asyncio.Future[None]] = {}
        self._is_up = False
        self.dropped = 0
        version = paho.MQTTv5 if protocol == "5" else paho.MQTTv311
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=version)
        if username is not None:
            self._client.username_pw_set(username, password)
        self._client.max_queued_messages_set(_QUEUE_ROOM)
        self._client.reconnect_delay_set(min_delay=1, max_delay=60)
        self._client.will_set(availability_topic, "offline", qos=1, retain=True)
        self._client.on_socket_open = _send_at_once
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.on_publish = self._on_publish

    async def run(self, ready: Callable[[], None]) -> None:
        """Stay connected until cancelled; a missing broker is told as `LinkChanged` and tried again."""
        self._loop = asyncio.get_running_loop()
        self._client.connect_async(self._host, self._port, keepalive=30)
        self._client.loop_start()
        try:
            while True:
                arrival = await self._arrivals.get()
                if isinstance(arrival, LinkChanged) and arrival.up:
                    ready()
                await self._outbox.send(arrival)
        finally:
            await asyncio.to_thread(self._say_goodbye)

    def listen_to(self, topics: Sequence[str]) -> None:
        """Subscribe to other topics; may be called from any thread."""
        gone, new = set(self._topics) - set(topics), set(topics) - set(self._topics)
        self._topics = tuple(topics)
        if self._client.is_connected():
            for topic in gone:
                self._client.unsubscribe(topic)
            for topic in new:
                self._client.subscribe(topic, qos=1)

    async def publish(self, topic: str, payload: str, *, retain: bool = False, qos: int = 1) -> Outcome:
        """Publish, and wait for the broker's acknowledgement (QoS 1 and 2) for at most 5 s."""
        if retain:
            self._retained[topic] = payload
        if self._loop is None or not self._is_up:
            return Outcome(ok=False, error=f"the MQTT broker at {self._host}:{self._port} is not connected")
        information = self._client.publish(topic, payload, qos=qos, retain=retain)
        done = self._acknowledged.setdefault(information.mid, self._loop.create_future())
        try:
            # not wait_for: of a cancellation that comes with the acknowledgement it tells nobody
            async with asyncio.timeout(_ACKNOWLEDGE_SECONDS):
                await done
        except TimeoutError:
            return Outcome(ok=False, error=f"the MQTT broker did not acknowledge {topic} within 5 s")
        finally:
            self._acknowledged.pop(information.mid, None)
        return Outcome()

    def _say_goodbye(self) -> None:
        if self._client.is_connected():
            self._client.publish(self._availability, "offline", qos=1, retain=True).wait_for_publish(1.0)
        self._client.disconnect()
        self._client.loop_stop()

    def _post(self, arrival: Arrival) -> None:
        """Queue an arrival on the loop; with a full queue the newest is dropped and counted."""
        if self._arrivals.full():
            self.dropped += 1
        else:
            self._arrivals.put_nowait(arrival)

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)

    def _changed(self, up: bool, why: str, hint: str = "") -> None:
        self._is_up = up
        self._post(LinkChanged(link="mqtt", up=up, why=why, hint=hint))

    def _on_connect(
        self,
        client: paho.Client,
        _userdata: object,
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        where = f"{self._host}:{self._port}"
        if reason.is_failure:
            is_login = str(reason) in _REFUSED_CODES
            why = f"the broker at {where} refused " + (
                "the user name or password" if is_login else f"us: {reason}"
            )
            hint = "Check mqtt.username and mqtt.password in hub.yaml and secrets.yaml" if is_login else ""
            self._call(self._changed, False, why, hint)
            return
        for topic in self._topics:
            client.subscribe(topic, qos=1)
        client.publish(self._availability, "online", qos=1, retain=True)
        self._call(self._came_up, f"connected to {where}")

    def _came_up(self, why: str) -> None:
        """Publish all that is retained; on the loop, so that nothing is told between this and being up."""
        for topic, payload in self._retained.items():
            self._client.publish(topic, payload, qos=1, retain=True)
        self._changed(True, why)

    def _on_connect_fail(self, _client: paho.Client, _userdata: object) -> None:
        why = f"no broker answers at {self._host}:{self._port}"
        self._call(self._changed, False, why, "Start it, or correct mqtt.host and mqtt.port in hub.yaml")

    def _on_disconnect(
        self,
        _client: paho.Client,
        _userdata: object,
        _flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if self._is_up:
            why = f"the connection to {self._host}:{self._port} ended: {reason}"
            self._call(self._changed, False, why, "It is tried again by itself")

    def _on_message(self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        text = message.payload.decode("utf-8", errors="replace")
        self._call(self._post, MessageReceived(topic=message.topic, payload=text, retained=message.retain))

    def _on_publish(
        self,
        _client: paho.Client,
        _userdata: object,
        number: int,
        _reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._call(self._acknowledge, number)

    def _acknowledge(self, number: int) -> None:
        """Note an acknowledgement, which may come before `publish` has begun to wait for it."""
        if self._loop is not None:
            done = self._acknowledged.setdefault(number, self._loop.create_future())
            if not done.done():
                done.set_result(None)


def _send_at_once(_client: paho.Client, _userdata: object, connection: object) -> None:
    """Switch Nagle's algorithm off: with delayed acknowledgements it costs 40 ms a message."""
    if isinstance(connection, socket.socket):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
