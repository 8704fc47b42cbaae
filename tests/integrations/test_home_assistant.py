"""The Home Assistant link against a small server that speaks its websocket API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from integrations.home_assistant.client import HomeAssistantLink
from routines.effects import CallService, FireEvent
from routines.intents.directory import Directory
from routines.ports import DeviceChanged, EventReceived, HomeDescribed, LinkChanged, LinkEvent
from tests.integrations.fake_home_assistant import TOKEN, FakeHomeAssistant, until

LIGHT = "light.hall"


class Inbox:
    def __init__(self) -> None:
        self.events: list[LinkEvent] = []

    async def send(self, event: LinkEvent) -> None:
        self.events.append(event)

    @property
    def lights(self) -> list[str]:
        return [one.state for one in self.events if isinstance(one, DeviceChanged) and one.entity_id == LIGHT]

    @property
    def directories(self) -> list[Directory]:
        return [one.directory for one in self.events if isinstance(one, HomeDescribed)]

    @property
    def links(self) -> list[LinkChanged]:
        return [one for one in self.events if isinstance(one, LinkChanged)]


@pytest.fixture
async def server() -> AsyncIterator[FakeHomeAssistant]:
    server = FakeHomeAssistant()
    await server.start()
    yield server
    await server.stop()


@asynccontextmanager
async def linked(
    server: FakeHomeAssistant,
    inbox: Inbox,
    token: str = TOKEN,
    limit_seconds: float = 5.0,
    event_types: tuple[str, ...] = (),
) -> AsyncIterator[HomeAssistantLink]:
    link = HomeAssistantLink(
        url=f"http://127.0.0.1:{server.port}",
        token=token,
        outbox=inbox,
        event_types=event_types,
        call_limit_seconds=limit_seconds,
        ping_interval_seconds=0.05,
        first_wait_seconds=0.05,
    )
    task = asyncio.create_task(link.run(lambda: None))
    try:
        await until(lambda: inbox.links)
        yield link
    finally:
        task.cancel()
        await asyncio.wait({task})


def turn_on(action: str = "light.turn_on") -> CallService:
    return CallService(action=action, target={"entity_id": LIGHT}, data={"brightness": 9})


async def test_states_are_told_at_once_and_then_every_change(server: FakeHomeAssistant) -> None:
    inbox = Inbox()
    async with linked(server, inbox):
        await until(lambda: inbox.lights == ["off"])
        await server.set_state(LIGHT, "on")
        await until(lambda: inbox.lights == ["off", "on"])


async def test_a_call_reaches_its_target_with_its_data(server: FakeHomeAssistant) -> None:
    async with linked(server, Inbox()) as link:
        assert (await link.call(turn_on())).ok
    [call] = server.calls
    assert (call["domain"], call["service"]) == ("light", "turn_on")
    assert (call["target"], call["service_data"]) == ({"entity_id": LIGHT}, {"brightness": 9})


async def test_a_refused_call_says_why_and_the_events_go_on(server: FakeHomeAssistant) -> None:
    inbox = Inbox()
    async with linked(server, inbox) as link:
        outcome = await link.call(turn_on("nope.nope"))
        assert not outcome.ok
        assert "nope.nope: Home Assistant refused it" in (outcome.error or "")
        await server.set_state(LIGHT, "on")
        await until(lambda: inbox.lights[-1] == "on")
        assert len(inbox.links) == 1


async def test_a_wrong_token_is_told_with_what_to_do_and_never_shown(server: FakeHomeAssistant) -> None:
    inbox = Inbox()
    async with linked(server, inbox, token="secret wrong token") as link:
        [change] = inbox.links
        assert not change.up
        assert "refused the access token" in change.why
        assert "long-lived access token" in change.hint
        assert "secret" not in change.why + change.hint
        assert "not connected" in ((await link.call(turn_on())).error or "")


async def test_without_a_server_the_hint_names_the_setting() -> None:
    server, inbox = FakeHomeAssistant(), Inbox()
    server.port = 1
    async with linked(server, inbox):
        assert not inbox.links[0].up
        assert "home_assistant.url" in inbox.links[0].hint


async def test_after_a_restart_changes_are_known_and_calls_work(server: FakeHomeAssistant) -> None:
    inbox = Inbox()
    async with linked(server, inbox) as link:
        await until(lambda: inbox.lights == ["off"])
        await server.stop()
        await until(lambda: inbox.lights == ["off", "unavailable"])
        assert not (await link.call(turn_on())).ok
        server.states[LIGHT] = "on"
        await server.start()
        await until(lambda: inbox.lights == ["off", "unavailable", "on"])
        await server.set_state(LIGHT, "off")
        await until(lambda: inbox.lights[-1] == "off")
        assert (await link.call(turn_on())).ok
        assert [change.up for change in inbox.links if change.up] == [True, True]


async def test_a_slow_call_holds_nobody_up_and_failing_in_time_leaves_the_link_up(
    server: FakeHomeAssistant,
) -> None:
    inbox = Inbox()
    async with linked(server, inbox, limit_seconds=0.5) as link:
        server.mute = {"script"}
        slow = asyncio.create_task(link.call(CallService(action="script.long")))
        await until(lambda: server.calls)
        assert (await link.call(turn_on())).ok
        assert not slow.done()
        assert "script.long: Home Assistant did not answer within 0.5 s" in ((await slow).error or "")
        assert (await link.call(turn_on())).ok
        assert [change.up for change in inbox.links] == [True]


async def test_calls_one_after_the_other_share_a_connection(server: FakeHomeAssistant) -> None:
    inbox = Inbox()
    async with linked(server, inbox) as link:
        await until(lambda: inbox.directories)  # the registries have been read, over the same connection
        for action in ("light.turn_on", "nope.nope", "light.turn_on"):
            await link.call(turn_on(action))
    assert server.logins == 2


async def test_a_call_on_an_entity_that_is_not_there_fails(server: FakeHomeAssistant) -> None:
    async with linked(server, Inbox()) as link:
        outcome = await link.call(CallService(action="light.turn_on", target={"entity_id": "light.nope"}))
        assert outcome.error == "light.turn_on: Home Assistant has no light.nope; correct the target"
        everywhere = CallService(action="light.turn_off", target={"entity_id": "all", "area_id": "hall"})
        assert (await link.call(everywhere)).ok


async def test_a_change_between_subscription_and_states_is_told(server: FakeHomeAssistant) -> None:
    changes: list[asyncio.Task[None]] = []
    server.on_subscribe = lambda: changes.append(asyncio.create_task(server.set_state(LIGHT, "on")))
    inbox = Inbox()
    async with linked(server, inbox):
        assert inbox.lights[-1] == "on"


async def test_an_entity_that_is_removed_becomes_unavailable_and_cannot_be_called(
    server: FakeHomeAssistant,
) -> None:
    inbox = Inbox()
    async with linked(server, inbox) as link:
        await server.remove(LIGHT)
        await until(lambda: inbox.lights == ["off", "unavailable"])
        assert "has no light.hall" in ((await link.call(turn_on())).error or "")


async def test_a_server_that_never_answers_the_login_is_told_and_tried_again(
    server: FakeHomeAssistant,
) -> None:
    server.mute = {"login"}
    inbox = Inbox()
    async with linked(server, inbox, limit_seconds=0.2):
        assert "no answer in time" in inbox.links[0].why
        server.mute = set()
        await until(lambda: inbox.links[-1].up)


@pytest.mark.parametrize("free_connections", [0, 1])
async def test_a_server_that_freezes_is_found_by_its_pings_and_comes_back(
    server: FakeHomeAssistant, free_connections: int
) -> None:
    inbox = Inbox()
    async with linked(server, inbox, limit_seconds=0.2) as link:
        for _ in range(free_connections):
            await link.call(turn_on())
        server.mute = {"ping"}
        await until(lambda: not inbox.links[-1].up)
        server.mute = set()
        await until(lambda: inbox.links[-1].up)
        assert (await link.call(turn_on())).ok


async def test_a_server_that_is_starting_is_waited_for(server: FakeHomeAssistant) -> None:
    server.stage = "NOT_RUNNING"
    inbox = Inbox()
    async with linked(server, inbox):
        assert (inbox.links[0].up, inbox.lights) == (False, [])
        assert "is starting" in inbox.links[0].why
        server.stage = "RUNNING"
        await until(lambda: inbox.links[-1].up)
        assert inbox.lights == ["off"]


async def test_the_home_is_described_by_the_registries_that_may_be_read(server: FakeHomeAssistant) -> None:
    inbox = Inbox()
    async with linked(server, inbox):
        await until(lambda: inbox.directories)
    [directory] = inbox.directories
    assert [(area.area_id, area.names) for area in directory.areas] == [("hall", ("Hall", "corridor"))]
    light = directory.entity(LIGHT)
    assert light is not None
    assert light.area == "hall"


async def test_events_that_routines_wait_for_are_told_also_those_of_an_edited_routine(
    server: FakeHomeAssistant,
) -> None:
    inbox = Inbox()
    async with linked(server, inbox, event_types=("tag_scanned",)) as link:
        await until(lambda: "tag_scanned" in server.event_subscriptions)
        await server.fire("tag_scanned", {"tag_id": "door"})
        link.listen_to(["tag_scanned", "button"])
        await until(lambda: "button" in server.event_subscriptions)
        await server.fire("button", {"press": "long"})
        await until(lambda: len([one for one in inbox.events if isinstance(one, EventReceived)]) == 2)
    seen = [(one.event_type, dict(one.data)) for one in inbox.events if isinstance(one, EventReceived)]
    assert seen == [("tag_scanned", {"tag_id": "door"}), ("button", {"press": "long"})]


async def test_a_call_brings_its_response_and_an_event_is_fired(server: FakeHomeAssistant) -> None:
    async with linked(server, Inbox()) as link:
        outcome = await link.call(CallService(action="weather.get_forecasts", wants_response=True))
        assert outcome.response == {"found": 1}
        assert (await link.fire(FireEvent(event_type="bell", data={"door": "front"}))).ok
    assert server.fired == [("bell", {"door": "front"})]
