"""What people and programs ask for over MQTT, as a service takes it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from hub.bus import Bus, Overflow, Subscription
from routines.ports import MessageReceived

SWITCH = {"on": True, "off": False}
"""The words of a switch, in small letters."""


def requests_to(name: str, bus: Bus) -> Subscription[MessageReceived]:
    """Return a subscription to all messages; none is lost, for one of them may say "off" or "stop".

    Where they come faster than they are taken, the link waits.
    """
    return bus.subscribe(MessageReceived, room=256, overflow=Overflow.FAIL, name=name)


async def fresh(requests: Subscription[MessageReceived]) -> AsyncIterator[MessageReceived]:
    """Yield the messages that are meant now: a retained one would come again at each connection."""
    async for request in requests:
        if not request.retained:
            yield request
