"""MQTT against a real broker process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from integrations.mqtt.client import MqttLink
from integrations.mqtt.embedded_broker import BrokerPorts, EmbeddedBroker
from integrations.mqtt.lights import MqttLights
from integrations.mqtt.topics import AVAILABILITY
from routines.effects import CallService
from routines.ports import LinkChanged, LinkEvent, MessageReceived


class Arrivals:
    """An outbox that can be waited on."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[LinkEvent] = asyncio.Queue()

    async def send(self, event: LinkEvent) -> None:
        await self._events.put(event)

    async def message(self, payload: str | None = None) -> MessageReceived:
        while True:
            event = await asyncio.wait_for(self._events.get(), 10)
            if isinstance(event, MessageReceived) and payload in (None, event.payload):
                return event

    async def link(self) -> LinkChanged:
        while True:
            event = await asyncio.wait_for(self._events.get(), 10)
            if isinstance(event, LinkChanged):
                return event


@pytest.fixture(scope="module")
def ports() -> Iterator[BrokerPorts]:
    broker = EmbeddedBroker()
    yield broker.start()
    broker.stop()


@asynccontextmanager
async def linked(link: MqttLink) -> AsyncIterator[MqttLink]:
    up = asyncio.Event()
    task = asyncio.create_task(link.run(up.set))
    await asyncio.wait_for(up.wait(), 10)
    try:
        yield link
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def make(port: int, protocol: str, name: str, outbox: Arrivals, *topics: str) -> MqttLink:
    return MqttLink(
        host="127.0.0.1",
        port=port,
        protocol="5" if protocol == "5" else "3.1.1",
        client_id=name,
        topics=topics,
        outbox=outbox,
        availability_topic=f"{AVAILABILITY}/{name}",
    )


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_what_one_client_publishes_another_receives(ports: BrokerPorts, protocol: str) -> None:
    port = ports.mqtt_5 if protocol == "5" else ports.mqtt_3
    inbox = Arrivals()
    async with (
        linked(make(port, protocol, f"reader{protocol[0]}", inbox, "room/#")),
        linked(make(port, protocol, f"writer{protocol[0]}", Arrivals())) as writer,
    ):
        assert (await writer.publish("room/lamp", "ON")).ok
        message = await inbox.message()
    assert (message.topic, message.payload, message.retained) == ("room/lamp", "ON", False)


async def test_a_retained_state_is_there_for_who_comes_later(ports: BrokerPorts) -> None:
    async with linked(make(ports.mqtt_5, "5", "keeper", Arrivals())) as keeper:
        assert (await keeper.publish("kept/presence", "yes", retain=True)).ok
    inbox = Arrivals()
    async with linked(make(ports.mqtt_5, "5", "late", inbox, "kept/#")):
        message = await inbox.message()
    assert (message.payload, message.retained) == ("yes", True)


async def test_what_is_retained_while_the_link_comes_up_is_told(
    ports: BrokerPorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, posted = asyncio.get_running_loop(), threading.Event()
    early = make(ports.mqtt_5, "5", "early", Arrivals())
    post = loop.call_soon_threadsafe

    def noted(callback: Callable[..., object], *arguments: object) -> asyncio.Handle:
        handle = post(callback, *arguments)
        if getattr(callback, "__self__", None) is early:
            posted.set()
        return handle

    monkeypatch.setattr(loop, "call_soon_threadsafe", noted)
    inbox = Arrivals()
    task = asyncio.create_task(make(ports.mqtt_5, "5", "reader", inbox, "kept/#").run(lambda: None))
    await inbox.link()
    running = asyncio.create_task(early.run(lambda: None))
    await asyncio.sleep(0)
    assert posted.wait(10)  # the network has connected, and the loop does not know yet
    assert not (await early.publish("kept/early", "told", retain=True)).ok
    assert (await inbox.message("told")).topic == "kept/early"
    for one in (task, running):
        one.cancel()
    await asyncio.gather(task, running, return_exceptions=True)


async def test_who_is_cancelled_when_the_acknowledgement_comes_does_not_go_on(
    ports: BrokerPorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with linked(make(ports.mqtt_5, "5", "cancelled", Arrivals())) as link:
        telling = asyncio.create_task(link.publish("room/lamp", "ON"))
        acknowledge = link._acknowledge

        def acknowledge_and_cancel(number: int) -> None:
            is_waited_for = number in link._acknowledged
            acknowledge(number)
            if is_waited_for:
                telling.cancel()

        monkeypatch.setattr(link, "_acknowledge", acknowledge_and_cancel)
        with pytest.raises(asyncio.CancelledError):
            await telling


async def test_a_clean_stop_says_offline(ports: BrokerPorts) -> None:
    inbox = Arrivals()
    async with linked(make(ports.mqtt_5, "5", "watcher", inbox, f"{AVAILABILITY}/leaver")):
        async with linked(make(ports.mqtt_5, "5", "leaver", Arrivals())):
            await inbox.message("online")
        await inbox.message("offline")


async def test_a_broker_that_is_not_there_is_told_with_a_hint_and_nothing_breaks() -> None:
    inbox = Arrivals()
    link = make(1, "5", "lonely", inbox)
    task = asyncio.create_task(link.run(lambda: None))
    change = await inbox.link()
    assert not change.up
    assert "no broker answers at 127.0.0.1:1" in change.why
    assert "mqtt.host" in change.hint
    outcome = await link.publish("a", "b")
    assert not outcome.ok
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_link_comes_back_by_itself_and_says_again_what_it_retains() -> None:
    broker = EmbeddedBroker()
    first = broker.start()
    inbox = Arrivals()
    async with linked(make(first.mqtt_5, "5", "survivor", inbox)) as link:
        assert (await inbox.link()).up
        assert (await link.publish("kept/state", "still here", retain=True)).ok
        assert broker._broker is not None
        broker._broker.stop()
        assert not (await inbox.link()).up
        broker._broker.start()
        while not (await inbox.link()).up:
            pass
        late = Arrivals()
        async with linked(make(first.mqtt_5, "5", "latecomer", late, "kept/#")):
            assert (await late.message()).payload == "still here"
    broker.stop()


async def test_a_call_on_a_light_becomes_a_message_on_its_topic(ports: BrokerPorts) -> None:
    inbox = Arrivals()
    async with (
        linked(make(ports.mqtt_5, "5", "lamp", inbox, "lamp/set")),
        linked(make(ports.mqtt_5, "5", "caller", Arrivals())) as link,
    ):
        lights = MqttLights({"light.lamp": "lamp/set"}, link)
        call = CallService(
            action="light.turn_on", target={"entity_id": "light.lamp"}, data={"brightness": 80}
        )
        assert lights.owns(call)
        assert (await lights.call(call)).ok
        assert (await inbox.message()).payload == '{"state": "ON", "brightness": 80}'
