import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from hub.bus import Bus
from hub.clock import VirtualClock
from hub.errors import ConfigError, Degraded
from hub.service import ServiceState
from hub.supervisor import Supervisor
from routines.ports import LinkChanged

Work = Callable[[], Awaitable[None]]


class Scripted:
    """A service whose every start is one step of a script; the last step repeats."""

    def __init__(self, name: str, *steps: Work, needs: frozenset[str] = frozenset()) -> None:
        self.name = name
        self.needs = needs
        self._steps = steps
        self.starts = 0

    async def run(self, ready: Callable[[], None]) -> None:
        step = self._steps[min(self.starts, len(self._steps) - 1)]
        self.starts += 1
        if step is not fail_before_ready:
            ready()
        await step()


async def work_for_ever() -> None:
    await asyncio.Event().wait()


async def fail() -> None:
    raise RuntimeError("broken")


async def fail_before_ready() -> None:
    raise Degraded("no microphone", hint="Plug one in.")


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class House:
    def __init__(self, *services: Scripted) -> None:
        self.clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.bus = Bus(self.clock)
        self.supervisor = Supervisor(
            services, bus=self.bus, clock=self.clock, random_share=lambda: 0.0, stop_limit_seconds=0.05
        )
        self.task = asyncio.create_task(self.supervisor.run())

    def state(self, name: str) -> ServiceState:
        return next(one.state for one in self.supervisor.states() if one.name == name)

    async def pass_time(self, seconds: float) -> None:
        await settle()
        self.clock.advance(seconds)
        await settle()

    async def stop(self) -> None:
        self.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self.task


async def test_a_failing_service_is_restarted_later_and_later_and_harms_no_sibling() -> None:
    bad, good = Scripted("bad", fail), Scripted("good", work_for_ever)
    house = House(bad, good)
    await settle()
    starts = [bad.starts]
    for wait_seconds in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0):
        await house.pass_time(wait_seconds - 0.1)
        assert bad.starts == starts[-1]
        await house.pass_time(0.1)
        starts.append(bad.starts)
    assert starts == list(range(1, 10))
    assert good.starts == 1
    assert house.state("bad") is ServiceState.WAITING
    assert house.state("good") is ServiceState.READY
    await house.stop()


async def test_five_healthy_minutes_make_the_next_wait_short_again() -> None:
    house: House

    async def fail_after_five_minutes() -> None:
        await house.clock.sleep_until(house.clock.monotonic() + 300.0)
        raise RuntimeError("late")

    service = Scripted("service", fail, fail, fail, fail_after_five_minutes, work_for_ever)
    house = House(service)
    for wait_seconds in (1.0, 2.0, 4.0, 300.0):
        await house.pass_time(wait_seconds)
    assert house.state("service") is ServiceState.WAITING
    await house.pass_time(1.0)
    assert house.state("service") is ServiceState.READY
    await house.stop()


async def test_a_missing_part_is_shown_with_its_hint_and_tried_again() -> None:
    house = House(Scripted("audio", fail_before_ready, work_for_ever))
    await settle()
    (audio,) = house.supervisor.states()
    assert (audio.state, audio.why, audio.hint) == (ServiceState.DEGRADED, "no microphone", "Plug one in.")
    await house.pass_time(1.0)
    assert house.state("audio") is ServiceState.READY
    await house.stop()


async def test_a_wrong_configuration_is_never_tried_again() -> None:
    async def misconfigured() -> None:
        raise ExceptionGroup("inside", [ConfigError([])])

    service = Scripted("mqtt", misconfigured)
    house = House(service, Scripted("other", work_for_ever))
    await house.pass_time(1000.0)
    assert service.starts == 1
    assert house.state("mqtt") is ServiceState.FAILED
    await house.stop()


async def test_a_service_waits_for_its_needs_even_if_these_give_up_for_now() -> None:
    reader = Scripted("reader", work_for_ever, needs=frozenset({"audio"}))
    house = House(reader, Scripted("audio", fail_before_ready))
    assert reader.starts == 0
    await settle()
    assert house.state("reader") is ServiceState.READY
    await house.stop()


async def test_services_stop_in_reverse_order_and_a_stuck_one_is_left_behind() -> None:
    stopped: list[str] = []
    release = asyncio.Event()

    def until_cancelled(name: str) -> Work:
        async def work() -> None:
            try:
                await work_for_ever()
            finally:
                stopped.append(name)

        return work

    async def stuck() -> None:
        try:
            await work_for_ever()
        finally:
            await release.wait()

    house = House(
        Scripted("store", until_cancelled("store")),
        Scripted("driver", until_cancelled("driver"), needs=frozenset({"store"})),
        Scripted("stuck", stuck),
    )
    await settle()
    await house.stop()
    assert stopped == ["driver", "store"]
    release.set()
    await settle()


def test_needs_in_a_circle_are_refused() -> None:
    one = Scripted("one", work_for_ever, needs=frozenset({"two"}))
    two = Scripted("two", work_for_ever, needs=frozenset({"one"}))

    async def build() -> None:
        House(one, two)

    with pytest.raises(ValueError, match="circle"):
        asyncio.run(build())


async def test_a_link_that_is_down_is_shown_as_degraded_with_its_hint_until_it_is_up_again() -> None:
    house = House(Scripted("mqtt", work_for_ever))
    await settle()
    for up, state in ((False, ServiceState.DEGRADED), (True, ServiceState.READY)):
        await house.bus.send(LinkChanged(link="mqtt", up=up, why="because", hint="Do this."))
        await settle()
        [shown] = house.supervisor.states()
        assert (shown.state, shown.why, shown.hint) == (state, "because", "Do this.")
    house.task.cancel()
    await asyncio.wait({house.task})
