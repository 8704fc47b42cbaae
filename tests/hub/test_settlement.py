"""Several hubs that hear one wake word: the pure decision, and two settlements at a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.clock import VirtualClock
from hub.events import Observed
from hub.hub_id import hub_id
from hub.settlement import WAIT_SECONDS, Settlement
from hub.wake_claim import TOKENS, WakeClaim, best_claim
from integrations.mqtt.client import MqttLink
from integrations.mqtt.embedded_broker import EmbeddedBroker
from integrations.mqtt.topics import (
    HUB_AVAILABILITY_TOPICS,
    WAKE_TOPICS,
    hub_availability_topic,
    hub_of_topic,
    wake_topic,
)
from routines.effects import Outcome
from routines.ports import LinkChanged, LinkEvent, MessageReceived, Outbox
from sensing.observations import MotionSeen, TranscriptDone, WakeWordHeard

_CALM = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TRANSCRIPT = TranscriptDone(at=2.0, frame=0, text="lights on", confidence=0.9, start=0.5, end=1.5)


def claim(hub: str, **more: object) -> WakeClaim:
    words = {"hub": hub, "room": hub, "phrase": "computer", "score": 0.9, "token": 7, **more}
    return WakeClaim.model_validate(words)


@st.composite
def claims(draw: st.DrawFn) -> list[WakeClaim]:
    """Claims of different hubs, often equal in all but the lot."""
    count = draw(st.integers(1, 6))
    return [
        claim(
            f"hub{number}",
            is_asking=draw(st.booleans()),
            speech_to_noise_db=draw(st.none() | st.sampled_from([3.0, 12.5]) | st.floats(0, 200)),
            score=draw(st.sampled_from([0.5, 0.9]) | st.floats(0, 1)),
            token=draw(st.integers(0, 2) | st.integers(0, TOKENS - 1)),
        )
        for number in range(count)
    ]


def answering(made: list[WakeClaim], lost: set[tuple[int, int]]) -> list[int]:
    """Return which hubs answer if the messages ``(from, to)`` are lost."""
    return [
        own
        for own, mine in enumerate(made)
        if best_claim(
            [mine, *(one for other, one in enumerate(made) if other != own and (other, own) not in lost)]
        )
        is mine
    ]


@_CALM
@given(claims(), st.randoms())
def test_hubs_that_know_the_same_claims_choose_the_same_one(made: list[WakeClaim], shuffler: object) -> None:
    shuffled = list(made)
    shuffler.shuffle(shuffled)  # type: ignore[attr-defined]
    assert best_claim(made) is best_claim(shuffled)
    assert len(answering(made, set())) == 1


@_CALM
@given(claims(), st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5))))
def test_however_many_messages_are_lost_somebody_answers(
    made: list[WakeClaim], lost: set[tuple[int, int]]
) -> None:
    answers = answering(made, lost)
    assert 1 <= len(answers) <= 1 + len(lost)


@_CALM
@given(claims())
def test_the_hub_that_asked_wins_then_the_one_that_heard_the_clearest_voice(made: list[WakeClaim]) -> None:
    best = best_claim(made)
    assert best.is_asking == any(one.is_asking for one in made)
    rivals = [one.speech_to_noise_db or 0.0 for one in made if one.is_asking == best.is_asking]
    assert (best.speech_to_noise_db or 0.0) == max(rivals)


@_CALM
@given(claims())
def test_a_claim_is_read_as_it_was_written(made: list[WakeClaim]) -> None:
    for one in made:
        assert WakeClaim.model_validate_json(one.model_dump_json()) == one


class Air:
    """A broker that is a list; the test carries the messages itself."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.sent: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def run(self, ready: Callable[[], None]) -> None:
        await self.outbox.send(LinkChanged(link="mqtt", up=True, why="", hint=""))
        ready()
        await asyncio.Event().wait()

    async def publish(self, topic: str, payload: str, *, retain: bool = False, qos: int = 1) -> Outcome:
        assert not retain
        self.sent.put_nowait((topic, payload))
        return Outcome()


async def advance(clock: VirtualClock, seconds: float) -> None:
    """Let time pass, and let whoever waited for it go on."""
    clock.advance(seconds)
    for _ in range(5):
        await asyncio.sleep(0)


class Noting:
    """An outbox that passes everything on and tells the test."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self.passed: asyncio.Queue[LinkEvent] = asyncio.Queue()

    async def send(self, event: LinkEvent) -> None:
        await self._outbox.send(event)
        self.passed.put_nowait(event)


class Hub:
    """A settlement with what the test needs to see of it."""

    def __init__(self, name: str, connect: Callable[[Outbox], Air | MqttLink], clock: VirtualClock) -> None:
        self.name = name
        self.clock = clock
        self.noting: Noting | None = None

        def noted(outbox: Outbox) -> Air | MqttLink:
            self.noting = Noting(outbox)
            return connect(self.noting)

        self.links: asyncio.Queue[LinkChanged] = asyncio.Queue()
        self.is_asking = False
        self.settlement = Settlement(
            hub=name,
            connect=noted,
            publish_change=self.links.put_nowait,
            is_asking=lambda: self.is_asking,
            clock=clock,
        )

    async def wake(self, level_db: float | None = 20.0, *, ago_seconds: float = 0.0) -> None:
        heard = WakeWordHeard(at=1.0, frame=0, phrase="computer", score=0.9, speech_to_noise_db=level_db)
        at = self.clock.now() - timedelta(seconds=ago_seconds)
        assert await self.settlement.heeds(Observed(room=self.name, observation=heard, at=at))

    async def answers(self) -> bool:
        return await self.settlement.heeds(
            Observed(room=self.name, observation=TRANSCRIPT, at=self.clock.now())
        )

    @property
    def others(self) -> object:
        return self.settlement.state()["others"]

    async def until_others(self, *names: str) -> None:
        while self.others != list(names):
            await self._next()

    async def until_claimed(self) -> None:
        """Wait for a claim of another hub; our own comes back too."""
        while True:
            event = await self._next()
            is_claim = isinstance(event, MessageReceived) and event.topic.endswith("/wake")
            if is_claim and hub_of_topic(event.topic) != self.name:
                return

    async def _next(self) -> LinkEvent:
        assert self.noting is not None
        return await asyncio.wait_for(self.noting.passed.get(), 10)

    async def told(self, claimed: WakeClaim, *, retained: bool = False) -> None:
        await self.settlement.send(
            MessageReceived(
                topic=wake_topic(claimed.hub), payload=claimed.model_dump_json(), retained=retained
            )
        )


@asynccontextmanager
async def running(hub: Hub) -> AsyncIterator[Hub]:
    up = asyncio.Event()
    task = asyncio.create_task(hub.settlement.run(up.set))
    await asyncio.wait_for(up.wait(), 10)
    try:
        yield hub
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def kitchen(*, with_hall: bool = True) -> AsyncIterator[tuple[Hub, VirtualClock]]:
    """Run one hub in virtual time, to whom the test tells what the hall's hub says."""
    clock = VirtualClock(NOON)
    async with running(Hub("kitchen", Air, clock)) as hub:
        if with_hall:
            topic = hub_availability_topic("hall")
            await hub.settlement.send(MessageReceived(topic=topic, payload="online", retained=True))
        yield hub, clock


async def test_alone_at_the_broker_a_hub_answers_without_waiting() -> None:
    async with kitchen(with_hall=False) as (hub, _):
        await hub.wake()
        assert await asyncio.wait_for(hub.answers(), 5)


async def test_without_a_broker_a_hub_answers_without_waiting() -> None:
    hub = Hub("kitchen", Air, VirtualClock(NOON))
    await hub.wake()
    assert await asyncio.wait_for(hub.answers(), 5)


async def test_a_hub_that_left_is_not_waited_for() -> None:
    async with kitchen() as (hub, _):
        topic = hub_availability_topic("hall")
        await hub.settlement.send(MessageReceived(topic=topic, payload="offline", retained=False))
        await hub.wake()
        assert await asyncio.wait_for(hub.answers(), 5)


@pytest.mark.parametrize("ago_seconds", [0.0, 0.15, 3.0])
async def test_the_claims_of_others_are_waited_for_from_the_wake_word_on(ago_seconds: float) -> None:
    async with kitchen() as (hub, clock):
        await hub.wake(ago_seconds=ago_seconds)
        answer = asyncio.create_task(hub.answers())
        left_seconds = max(0.0, WAIT_SECONDS - ago_seconds)
        if left_seconds:
            await advance(clock, left_seconds - 0.01)
            assert not answer.done()
        await advance(clock, 0.01)
        assert await asyncio.wait_for(answer, 5)


async def test_an_answer_to_what_this_hub_asked_is_its_own_whoever_answered_the_last_wake_word() -> None:
    async with kitchen() as (hub, clock):
        await hub.wake(5.0)
        await hub.told(claim("hall", speech_to_noise_db=30.0))
        lost = asyncio.create_task(hub.answers())
        await advance(clock, WAIT_SECONDS)
        assert not await asyncio.wait_for(lost, 5)
        answer = replace(TRANSCRIPT, text="yes", is_answer=True)
        assert await hub.settlement.heeds(Observed(room="kitchen", observation=answer, at=clock.now()))


@pytest.mark.parametrize("is_before", [True, False])
async def test_a_better_claim_wins_whether_it_came_before_or_after_our_own(is_before: bool) -> None:
    async with kitchen() as (hub, clock):
        if is_before:
            await hub.told(claim("hall", speech_to_noise_db=30.0))
        await advance(clock, 0.1)
        await hub.wake(20.0)
        if not is_before:
            await advance(clock, 0.1)
            await hub.told(claim("hall", speech_to_noise_db=30.0))
        await advance(clock, WAIT_SECONDS)
        assert not await hub.answers()
        assert hub.settlement.state()["answered_last"] == {"hub": "hall", "room": "hall"}


@pytest.mark.parametrize(
    "other",
    [
        claim("hall", speech_to_noise_db=10.0),
        claim("hall", speech_to_noise_db=None, score=1.0),
        claim("hall", speech_to_noise_db=30.0, phrase="jarvis"),
    ],
)
async def test_a_worse_claim_or_one_of_another_word_changes_nothing(other: WakeClaim) -> None:
    async with kitchen() as (hub, clock):
        await hub.wake(20.0)
        await hub.told(other)
        await advance(clock, WAIT_SECONDS)
        assert await hub.answers()


async def test_a_claim_of_another_moment_or_a_kept_one_changes_nothing() -> None:
    async with kitchen() as (hub, clock):
        await hub.told(claim("hall", speech_to_noise_db=30.0))
        await advance(clock, 0.6)
        await hub.wake(20.0)
        await hub.told(claim("hall", speech_to_noise_db=30.0), retained=True)
        await advance(clock, 0.6)
        await hub.told(claim("hall", speech_to_noise_db=30.0))
        assert await hub.answers()


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "[]",
        "{}",
        "[" * 50_000,
        claim("hall").model_dump_json().replace("0.9", "NaN"),
        claim("hall").model_dump_json().replace("0.9", "9e99"),
        claim("hall", speech_to_noise_db=30.0).model_dump_json().replace('"v":1', '"v":2'),
        claim("porch", speech_to_noise_db=30.0).model_dump_json(),
    ],
)
async def test_what_is_no_claim_of_its_sender_is_ignored(payload: str) -> None:
    async with kitchen() as (hub, clock):
        await hub.wake(20.0)
        await hub.settlement.send(MessageReceived(topic=wake_topic("hall"), payload=payload, retained=False))
        await advance(clock, WAIT_SECONDS)
        assert await hub.answers()


async def test_other_observations_are_nobody_elses() -> None:
    async with kitchen() as (hub, _):
        await hub.wake(0.0)
        await hub.told(claim("hall", speech_to_noise_db=30.0))
        motion = MotionSeen(at=1.0, frame=0, kind="major", score=0.9)
        assert await hub.settlement.heeds(Observed(room="kitchen", observation=motion, at=NOON))


async def test_flooding_with_names_leaves_little_behind() -> None:
    async with kitchen() as (hub, _):
        for number in range(500):
            name = f"hub{number}"
            topic = hub_availability_topic(name)
            await hub.settlement.send(MessageReceived(topic=topic, payload="online", retained=True))
            await hub.told(claim(name))
        assert isinstance(hub.others, list)
        assert len(hub.others) <= 64


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    broker = EmbeddedBroker()
    yield broker.start().mqtt_5
    broker.stop()


def at_broker(name: str, port: int) -> Hub:
    def connect(outbox: Outbox) -> MqttLink:
        return MqttLink(
            host="127.0.0.1",
            port=port,
            topics=(HUB_AVAILABILITY_TOPICS, WAKE_TOPICS),
            outbox=outbox,
            client_id=f"hearing-{name}",
            availability_topic=hub_availability_topic(name),
        )

    return Hub(name, connect, VirtualClock(NOON))


async def both_wake(one: Hub, one_db: float, other: Hub, other_db: float) -> list[bool]:
    """Let two hubs hear a wake word, and return who answers."""
    for hub in (one, other):
        await advance(hub.clock, 1.0)
    await asyncio.gather(one.wake(one_db), other.wake(other_db))
    await asyncio.gather(one.until_claimed(), other.until_claimed())
    for hub in (one, other):
        await advance(hub.clock, WAIT_SECONDS)
    return await asyncio.gather(one.answers(), other.answers())


async def test_of_two_hubs_at_a_broker_the_one_that_heard_better_answers(port: int) -> None:
    async with AsyncExitStack() as stack:
        near = await stack.enter_async_context(running(at_broker("near", port)))
        far = await stack.enter_async_context(running(at_broker("far", port)))
        await asyncio.gather(near.until_others("far"), far.until_others("near"))
        assert await both_wake(near, 25.0, far, 12.0) == [True, False]
        assert await both_wake(near, 3.0, far, 12.0) == [False, True]
        far.is_asking = True
        assert await both_wake(near, 25.0, far, 12.0) == [False, True]


async def test_of_equals_exactly_one_answers_and_the_other_answers_once_it_is_alone(port: int) -> None:
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(running(at_broker("one", port)))
        async with running(at_broker("two", port)) as two:
            await asyncio.gather(one.until_others("two"), two.until_others("one"))
            assert sorted(await both_wake(one, 9.0, two, 9.0)) == [False, True]
        await one.until_others()
        await advance(one.clock, 1.0)
        await one.wake()
        assert await one.answers()


def test_a_hub_keeps_its_name_and_two_in_one_room_have_two(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    name = hub_id(first, "Living Room/#+")
    assert name.startswith("living-room-")
    assert hub_of_topic(wake_topic(name)) == name
    assert hub_id(first, "Living Room/#+") == name
    assert hub_id(second, "Living Room/#+") != name
    (first / "hub_id").write_text("../../etc", encoding="utf-8")
    assert "etc" not in hub_id(first, "hall")
