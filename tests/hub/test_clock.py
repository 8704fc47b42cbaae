import asyncio
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from hub.clock import SystemClock, VirtualClock


async def test_a_virtual_sleeper_wakes_only_when_its_instant_is_reached() -> None:
    clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
    sleeper = asyncio.create_task(clock.sleep_until(10.0))
    await asyncio.sleep(0)
    clock.advance(9.5)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not sleeper.done()
    await asyncio.to_thread(clock.advance, 0.5)
    await asyncio.wait_for(sleeper, 1.0)


def test_virtual_time_passes_truly_across_the_change_to_summer_time() -> None:
    clock = VirtualClock(datetime(2026, 3, 29, 1, 30, tzinfo=ZoneInfo("Europe/Berlin")))
    clock.advance(3600.0)
    assert (clock.now().hour, clock.now().minute) == (3, 30)


def test_virtual_time_cannot_go_back() -> None:
    with pytest.raises(ValueError, match="back"):
        VirtualClock(datetime(2026, 1, 1, tzinfo=UTC)).advance(-1.0)


def test_the_system_clock_is_aware_of_its_zone() -> None:
    assert SystemClock(UTC).now().tzinfo is UTC
